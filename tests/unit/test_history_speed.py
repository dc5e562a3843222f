"""The made-up years of the benchmark; timing them is for a quiet machine."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from harness.scenarios.history import refresh_history

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def speed() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "benchmarks/history_speed.py"
    spec = importlib.util.spec_from_file_location("history_speed", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["history_speed"] = module
    spec.loader.exec_module(module)
    return module


def test_half_of_the_campaigns_compare_two_versions(speed: ModuleType, tmp_path: Path) -> None:
    assert speed.write(tmp_path, 4) == sum(
        path.stat().st_size for path in tmp_path.glob("*/findings.json")
    )
    entries = refresh_history(tmp_path)
    assert [entry.campaign for entry in entries] == ["nightly", "quick"] * 2
    compared, alone = entries[:2]
    assert (compared.subject, compared.baseline) == (speed.SUBJECT, speed.BASELINE)
    assert {f.rounds for f in compared.figures if f.form == "ratio"} == {speed.ROUNDS}
    assert alone.baseline == ""
    assert len({figure.kind for figure in alone.figures}) == 3


def test_launching_is_slower_in_the_second_half(speed: ModuleType, tmp_path: Path) -> None:
    speed.write(tmp_path, 4)
    ratios = [
        figure.value
        for entry in refresh_history(tmp_path)
        for figure in entry.figures
        if (figure.form, figure.key) == ("ratio", "launch_cpu_s")
    ]
    before, after = ratios[:2], ratios[2:]
    assert max(before) < 1.07 < min(after)


def test_every_lap_is_told_by_the_clock_and_in_cpu(speed: ModuleType, tmp_path: Path) -> None:
    speed.write(tmp_path, 4)
    found = speed.timed(tmp_path)
    laps = ("import", "cold_index", "analyse", "warm_index", "page")
    assert all(found[f"{lap}{unit}"] >= 0 for lap in laps for unit in ("_s", "_cpu_s"))
    assert found["figures"] > 0
    assert found["page_bytes"] > 100_000
