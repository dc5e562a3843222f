"""`harness doctor`: a table to act on."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import doctor
from harness.cli.app import main
from harness.rig.target.engine import EngineState

pytestmark = pytest.mark.unit


def test_what_mends_it_can_be_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Brackets in it are an extra to install, no style."""
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setattr(doctor.engine, "probe", lambda: EngineState(problem="no engine [x]"))
    monkeypatch.setattr(doctor, "find_command", lambda: None)
    with pytest.raises(SystemExit):
        main(["doctor", "--results", str(tmp_path)])
    out = capsys.readouterr().out
    assert "pip install 'dagster-load-harness[stacks]'" in out
    assert "no engine [x]" in out
    assert "`harness run` would use: process" in out
