from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.errors import EnvironmentProblem
from harness.rig.target import python_env
from harness.rig.target.python_env import ensure_env
from harness.rig.target.software import Software

pytestmark = pytest.mark.unit

VERSION = "1.13.27"


class FakeUv:
    """Makes the folder `uv venv` would make; installs nothing."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.fails_at = ""

    def __call__(self, arguments: Sequence[str], *, what: str, timeout_s: float) -> str:
        self.calls.append(list(arguments))
        if arguments[0] == "venv":
            Path(arguments[-1]).mkdir()
        if arguments[0] == self.fails_at:
            raise EnvironmentProblem(what, evidence="hash mismatch")
        return ""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    lock = tmp_path / f"dagster-{VERSION}.txt"
    lock.write_text("dagster==1.13.27\n", encoding="utf-8")
    return lock


@pytest.fixture
def software(lock: Path) -> Software:
    return Software(version=VERSION, lock=lock)


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    fake = FakeUv()
    monkeypatch.setattr(python_env, "run_uv", fake)
    monkeypatch.setattr(python_env, "_check", lambda python, software: None)
    return fake


def test_an_environment_is_made_once_from_the_lock_with_hashes(
    tmp_path: Path, lock: Path, software: Software, uv: FakeUv
) -> None:
    told: list[str] = []
    first = ensure_env(software, tmp_path, progress=told.append)
    assert ensure_env(software, tmp_path, progress=told.append) == first
    assert [call[0] for call in uv.calls] == ["venv", "pip"]
    assert {"--require-hashes", "--compile-bytecode", str(lock)} <= set(uv.calls[1])
    assert str(first) in uv.calls[1]
    assert len(told) == 1


def test_an_edited_lock_makes_another_environment(
    tmp_path: Path, lock: Path, software: Software, uv: FakeUv
) -> None:
    first = ensure_env(software, tmp_path)
    lock.write_text("dagster==1.13.27\nsqlalchemy==2.0.0\n", encoding="utf-8")
    assert ensure_env(software, tmp_path) != first


def test_a_half_made_environment_is_made_again_from_nothing(
    tmp_path: Path, lock: Path, software: Software, uv: FakeUv
) -> None:
    uv.fails_at = "pip"
    with pytest.raises(EnvironmentProblem, match="could not be made") as caught:
        ensure_env(software, tmp_path)
    assert caught.value.evidence == "hash mismatch"
    home = python_env.environment_home(lock, tmp_path)
    (home / "debris").touch()
    uv.fails_at = ""
    ensure_env(software, tmp_path)
    assert not (home / "debris").exists()


def test_an_environment_that_does_not_import_is_not_used(
    tmp_path: Path, lock: Path, software: Software, uv: FakeUv, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(python: Path, software: Software) -> None:
        raise EnvironmentProblem("does not work")

    monkeypatch.setattr(python_env, "_check", broken)
    for _ in range(2):
        with pytest.raises(EnvironmentProblem, match="does not work"):
            ensure_env(software, tmp_path)
    assert len(uv.calls) == 4


def test_what_no_index_has_is_found_in_the_folder_of_the_wheels(
    tmp_path: Path, lock: Path, uv: FakeUv
) -> None:
    wheels = tuple(tmp_path / "wheels" / f"{name}.whl" for name in ("a", "b"))
    ensure_env(Software(version="1!0+dev", lock=lock, wheels=wheels), tmp_path)
    install = uv.calls[1]
    assert install[install.index("--find-links") + 1] == str(tmp_path / "wheels")
    assert install.count("--find-links") == 1
    ensure_env(Software(version="1!0+dev", lock=lock), tmp_path / "other")
    assert "--find-links" not in uv.calls[3]
