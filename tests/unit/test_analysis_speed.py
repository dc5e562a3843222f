"""The benchmark of judging measures what it says: facts as a campaign leaves them, judged."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from harness.facts.store import read_results

pytestmark = pytest.mark.unit

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks/analysis_speed.py"


@pytest.fixture(scope="module")
def speed() -> ModuleType:
    spec = importlib.util.spec_from_file_location("analysis_speed", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_writes_a_sealed_campaign_of_realistic_size(speed: ModuleType, tmp_path: Path) -> None:
    path, samples = speed.write(tmp_path, cells=2, steps=2)
    stored = read_results(path)
    assert [len(cell.steps) for cell in stored.cells] == [2, 2]
    assert all(cell.cell.sealed for cell in stored.cells)
    assert sum(len(cell.samples) for cell in stored.cells) > samples
    cell = stored.cells[0]
    assert 18 <= len(cell.runs_of(cell.steps[1])) <= 24
    hold = cell.steps[1].phase("hold")
    assert hold is not None
    assert hold.end_s - hold.start_s == 40
    times, _ = cell.samples.series("cgroup", "cpu_s", start_s=hold.start_s, end_s=hold.end_s)
    assert len(times) == pytest.approx(200, abs=1)
    assert len(cell.samples.keys("cgroup")) == 9
    assert len(cell.samples.keys("pool")) == 5


def test_every_step_is_judged_on_good_facts(speed: ModuleType, tmp_path: Path) -> None:
    path, _ = speed.write(tmp_path, cells=1, steps=3)
    assert speed.timed(path)["verdicts"] == {"pass": 3}


def test_it_prints_json_alone_on_standard_output(
    speed: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["analysis_speed.py", "--cells", "1", "--steps", "2"])
    monkeypatch.setattr(speed, "BAR_S", 1e9)
    assert speed.main() == 0
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert document["steps"] == 2
    assert document["read_and_judge_s"] > 0
    monkeypatch.setattr(speed, "BAR_S", 0)
    assert speed.main() == 5
    assert "slower" in capsys.readouterr().err
