from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.errors import EnvironmentProblem
from harness.rig.target import python_env

pytestmark = pytest.mark.unit

VERSION = "1.13.27"


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lock = tmp_path / f"dagster-{VERSION}.txt"
    lock.write_text("dagster==1.13.27\n", encoding="utf-8")
    monkeypatch.setattr(python_env, "lock_path", lambda version: lock)
    return lock


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []

    def run(arguments: Sequence[str], *, what: str, timeout_s: float) -> str:
        calls.append(list(arguments))
        return ""

    monkeypatch.setattr(python_env, "run_uv", run)
    monkeypatch.setattr(python_env, "_check", lambda python, version: None)
    # The fake makes no folder; the marker needs one.
    real = python_env._build

    def build(home: Path, lock: Path, version: str) -> None:
        python_env.shutil.rmtree(home, ignore_errors=True)
        monkeypatch.setattr(python_env.shutil, "rmtree", lambda *a, **k: home.mkdir(parents=True))
        real(home, lock, version)
        monkeypatch.undo_rmtree = None  # type: ignore[attr-defined]

    return calls
