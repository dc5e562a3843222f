"""Every figure of a cell, pooled over its steps, or why there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from factory_comparison import OF_A_CELL, OF_A_STEP, make_cell, make_step

from harness.analysis.comparison.metrics import METRICS
from harness.analysis.comparison.values import Known, cell_values
from harness.report.json_document import findings_from

pytestmark = pytest.mark.unit


def test_every_metric_is_told_or_it_is_said_why_not() -> None:
    values = cell_values(make_cell(steps=[make_step(1), make_step(4)]))
    for metric in METRICS:
        for at in (1, 4) if metric.at_load else (None,):
            value, why, *_ = values[metric.key, at]
            assert (value is None) == bool(why)
            usual = {**OF_A_CELL, **OF_A_STEP}.get(metric.key)
            assert value == (None if usual is None else pytest.approx(usual))


def test_times_of_one_load_are_weighted_by_runs() -> None:
    cell = make_cell(
        steps=[make_step(4, launch_s=2.0, runs=10), make_step(4, launch_s=5.0, runs=5)]
    )
    assert cell_values(cell)["launch_s", 4].value == pytest.approx(3.0)


def test_throughput_of_one_load_is_all_runs_by_all_time() -> None:
    short = make_step(4, throughput_runs_per_s=0.5, hold_s=10.0)
    long = make_step(4, throughput_runs_per_s=0.2, hold_s=20.0)
    known = cell_values(make_cell(steps=[short, long]))["throughput_runs_per_s", 4]
    assert known.value == pytest.approx(9 / 30)
    assert known.grain == pytest.approx(1 / 9)


def test_steps_in_doubt_do_not_count() -> None:
    doubtful = make_step(4, launch_s=99.0, verdict="invalid")
    good, alone = make_cell(steps=[doubtful, make_step(4)]), make_cell(steps=[doubtful])
    assert cell_values(good)["launch_s", 4].value == OF_A_STEP["launch_s"]
    assert cell_values(alone)["launch_s", 4] == Known(None, "no valid step at 4")


def test_failed_steps_count() -> None:
    cell = make_cell(steps=[make_step(4, launch_s=20.0, verdict="fail")])
    assert cell_values(cell)["launch_s", 4].value == 20.0


def test_what_half_of_the_runs_never_reached_is_beyond_all_bounds() -> None:
    cell = make_cell(steps=[make_step(4, launch_s=None), make_step(4)])
    known = cell_values(cell)["launch_s", 4]
    assert (known.value, known.beyond) == (None, True)
    assert "half of the runs" in known.why


def test_lost_probes_leave_no_middle() -> None:
    cell = make_cell(steps=[make_step(4, probe_s=0.1, probes_lost=20)])
    known = cell_values(cell)["probe_s", 4]
    assert (known.value, known.beyond) == (None, True)
    assert "more than half of the probes" in known.why


def test_a_version_without_a_figure_is_named() -> None:
    cell = make_cell("1.5.0", steps=[make_step(4, import_s=None, run_rss_mib=None)])
    values = cell_values(cell)
    assert values["import_s", 4].value is None
    assert "1.5.0" in values["import_s", 4].why
    assert values["run_rss_mib", 4].value is None


def test_the_closed_unloaded_step_is_not_mixed_with_an_open_one() -> None:
    alone = make_step(1, launch_s=1.0)
    offered = make_step(1, launch_s=3.0, kind="load", load_model="poisson")
    assert cell_values(make_cell(steps=[alone, offered]))["launch_s", 1].value == 3.0
    again = replace(offered, load_model="closed")
    assert cell_values(make_cell(steps=[alone, again]))["launch_s", 1].value == 2.0


def test_a_real_cell_has_its_figures(repo_root: Path) -> None:
    path = repo_root / "results/baselines/quick-compose/findings.json"
    cell = findings_from(json.loads(path.read_text(encoding="utf-8"))).cells[0]
    values = cell_values(cell)
    assert values["launch_cpu_s", None].value == cell.cpu.launch_cpu_s
    step = next(step for step in cell.steps if step.concurrency == 7)
    assert values["launch_s", 7].value == step.launch_s.p50
    assert {at for _, at in values if at is not None} == {1, 4, 5, 7}
    assert "feed direct" in values["queue_s", 1].why
