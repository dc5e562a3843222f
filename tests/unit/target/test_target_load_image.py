"""The image of a load worker: named after what is in it, and what its service may do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.rig.target import load_image
from harness.rig.target.images import BuildOptions, secrets_of
from harness.rig.target.load_image import ensure_load_image

pytestmark = pytest.mark.unit


class Engine:
    """A Docker command that only remembers, and what of the context it was given."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.held: set[str] = set()
        self.files: set[str] = set()

    def docker(self, command: list[str], **_: Any) -> str:
        context = Path(command[-1])
        found = [path for path in context.rglob("*") if path.is_file()]
        self.files = {path.relative_to(context).as_posix() for path in found}
        self.commands.append(command)
        return ""

    def exists(self, image: str) -> bool:
        return image in self.held


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(load_image, "docker", made.docker)
    monkeypatch.setattr(load_image, "exists", made.exists)
    monkeypatch.setattr("harness.rig.target.images.image_id", lambda _: "sha256:base")
    return made


def test_it_is_built_once_and_named_after_its_content(engine: Engine) -> None:
    options = BuildOptions(python_image="base:1", ca_bundle=Path("/ca.pem"))
    name = ensure_load_image(options)
    assert re.fullmatch(r"dagster-load-harness/load-worker:[0-9a-f]{12}", name)
    (command,) = engine.commands
    assert "PYTHON_IMAGE=base:1" in command
    assert "id=ca,src=/ca.pem" in command
    assert {"Dockerfile", "requirements.txt", "harness/rig/load/locustfile.py"} <= engine.files
    engine.held.add(name)
    assert ensure_load_image(options) == name
    assert len(engine.commands) == 1


def test_secrets_are_mounted_and_not_copied() -> None:
    options = BuildOptions(pip_conf=Path("/pip.conf"))
    assert secrets_of(options) == ["--secret", "id=pip_conf,src=/pip.conf"]
    assert secrets_of(BuildOptions()) == []


def test_what_pins_it_names_what_the_harness_itself_is_locked_to(repo_root: Path) -> None:
    def pins(path: str) -> set[str]:
        text = (repo_root / path).read_text(encoding="utf-8")
        return set(re.findall(r"^[a-z0-9-]+==\S+", text, re.MULTILINE))

    own = pins("compose/load-workers/requirements.txt")
    assert any(pin.startswith("locust==") for pin in own)
    assert own - pins("requirements/run.txt") == set()


def test_the_service_is_as_shut_in_as_a_cell_s(repo_root: Path) -> None:
    text = (repo_root / "compose/load-workers/compose.yaml").read_text(encoding="utf-8")
    worker = yaml.safe_load(text)["services"]["worker"]
    assert worker["cap_drop"] == ["ALL"]
    assert worker["read_only"] is True
    assert worker["security_opt"] == ["no-new-privileges:true"]
    assert worker["mem_limit"] == worker["memswap_limit"]
    assert {"cpus", "pids_limit"} <= worker.keys()
    assert not {"ports", "volumes", "privileged"} & worker.keys()
