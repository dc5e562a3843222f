"""An image of the user's: what is asked of it, and what a server is started with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.campaign.own_code import Code
from harness.errors import CampaignError, TargetFailed
from harness.rig.target.code import image
from harness.rig.target.code.image import Held, code_image, look_into
from harness.rig.target.code.override import override

pytestmark = pytest.mark.unit

HELD = Held(
    id="sha256:1", environment={"PYTHONPATH": "/app/lib"}, user="app",
    command=("dagster", "api", "grpc", "-m", "my.defs"), python="3.12.1",
    dagster="1.12.3", dagster_postgres="0.28.3", driver="2.9.9",
)  # fmt: skip


def answers(monkeypatch: pytest.MonkeyPatch, *, inspect: Any, said: str) -> list[list[str]]:
    asked: list[list[str]] = []

    def docker(arguments: list[str], **_: Any) -> str:
        asked.append(list(arguments))
        return json.dumps(inspect) if arguments[0] == "image" else said

    monkeypatch.setattr(image, "docker", docker)
    return asked


def test_an_image_is_asked_without_a_network_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"Env": ["A=b=c"], "Entrypoint": None, "Cmd": ["x"], "User": "app"}
    told = (
        '@held {"python": "3.12.1", "dagster": "1.12.3", "dagster_postgres": null, "driver": null}'
    )
    asked = answers(
        monkeypatch, inspect={"Config": config, "Id": "sha256:1"}, said=f"motd\n{told}\n"
    )
    held = look_into("mine:1")
    assert held.environment == {"A": "b=c"}
    assert (held.command, held.dagster, held.dagster_postgres) == (("x",), "1.12.3", None)
    run = asked[1]
    assert run[:4] == ["run", "--rm", "--network", "none"]


def test_an_image_that_is_not_there_is_named_with_the_way_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def docker(*_: Any, **__: Any) -> str:
        raise TargetFailed("failed", evidence="No such image")

    monkeypatch.setattr(image, "docker", docker)
    with pytest.raises(CampaignError, match="no image mine:1 on this engine") as caught:
        look_into("mine:1")
    assert "docker pull mine:1" in caught.value.hint


def test_a_server_loads_what_the_image_s_command_says() -> None:
    found = code_image("mine:1", Code(image="mine:1"), HELD)
    assert found.load == ("--module-name=my.defs",)
    assert (found.dagster, found.python_path) == ("1.12.3", "/app/lib")


def test_what_the_user_says_comes_before_the_image_s_command() -> None:
    found = code_image("mine:1", Code(image="mine:1", python_file="x.py"), HELD)
    assert found.load == ("--python-file=x.py",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dagster": None}, "no Dagster"),
        ({"dagster_postgres": None}, "lacks dagster-postgres"),
        ({"driver": None}, "lacks psycopg2"),
        ({"command": ("python",)}, "Nothing says what Dagster is to load"),
    ],
)
def test_what_an_image_lacks_is_said(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(CampaignError, match=said) as caught:
        code_image("mine:1", Code(image="mine:1"), replace(HELD, **changes))
    assert "mine:1" in str(caught.value)


class TestOverride:
    def document(self, **changes: Any) -> dict[str, Any]:
        code = replace(code_image("mine:1", Code(image="mine:1"), HELD), **changes)
        text = override(code, max_workers=7, env_file=Path("/secrets/my.env"))
        document: dict[str, Any] = json.loads(text)
        return document

    def test_the_server_is_the_user_s_image_with_our_probe_and_instance_mounted(self) -> None:
        server = self.document()["services"]["code-server"]
        assert server["image"] == "mine:1"
        assert server["command"][:3] == ["dagster", "api", "grpc"]
        assert server["command"][-2:] == ["--module-name=my.defs", "--max-workers=7"]
        assert server["volumes"] == ["instance:/opt/dagster-home:ro", "probe:/opt/probe:ro"]

    def test_the_image_s_own_python_path_stays_behind_the_probe_s(self) -> None:
        server = self.document()["services"]["code-server"]
        assert server["environment"]["PYTHONPATH"] == "/opt/probe:/app/lib"
        server = self.document(python_path="")["services"]["code-server"]
        assert server["environment"]["PYTHONPATH"] == "/opt/probe"

    def test_secrets_are_named_by_their_file_alone(self) -> None:
        server = self.document()["services"]["code-server"]
        assert server["env_file"] == [{"path": "/secrets/my.env", "required": True}]
        code = code_image("mine:1", Code(image="mine:1"), HELD)
        without = json.loads(override(code, max_workers=7, env_file=None))
        assert "env_file" not in without["services"]["code-server"]

    def test_our_own_image_fills_the_volumes_first(self) -> None:
        document = self.document()
        volumes = document["services"]["upstream"]["volumes"]
        assert {volume.split(":")[0] for volume in volumes} == {"instance", "probe", "scratch"}
        assert all("labels" in each for each in document["volumes"].values())
