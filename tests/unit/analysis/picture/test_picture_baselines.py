"""Pictures of real measurements say what the record says: both targets, every cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.analysis.measures.windows import end_of
from harness.analysis.picture.cell import picture_of
from harness.analysis.picture.types import CellPicture, Line
from harness.facts.store import read_results
from harness.facts.table import CellFacts
from harness.units import MIB

pytestmark = pytest.mark.unit

GAUGES = {
    "working_set_bytes": "cgroup", "anon_bytes": "cgroup", "peak_bytes": "cgroup",
    "queued": "run_queue", "starting": "run_queue", "pool_queue": "pool", "ping_queued": "ping",
    "probe_s": "probe",
}  # fmt: skip


@pytest.fixture(scope="module", params=["quick-compose", "quick-process"])
def cells(request: pytest.FixtureRequest, repo_root: Path) -> list[tuple[CellFacts, CellPicture]]:
    stored = read_results(repo_root / "results" / "baselines" / request.param)
    assert len(stored.cells) == 3
    return [(facts, picture_of(facts)) for facts in stored.cells]


Cells = list[tuple[CellFacts, CellPicture]]


def highest(line: Line) -> float | None:
    return max((value for value in line.values if value is not None), default=None)


def test_every_chart_has_something_in_it(cells: Cells) -> None:
    for _, picture in cells:
        groups = (picture.memory, picture.cpu, picture.throttling, picture.queues,
                  picture.probe, picture.processes)  # fmt: skip
        assert all(group.lines and not group.missing for group in groups)
        assert picture.missing == ()
        assert (picture.memory.limit, picture.cpu.limit) == (2048.0, 1.0)


def test_peaks_are_those_of_the_samples(cells: Cells) -> None:
    for facts, picture in cells:
        for line in (*picture.memory.lines, *picture.queues.lines, *picture.probe.lines):
            _, read = facts.samples.series(GAUGES[line.metric], line.metric, line.source)
            scale = MIB if line.unit == "MiB" else 1
            assert highest(line) == line.peak == pytest.approx(read.max() / scale, abs=0.051)


def test_the_kernel_peak_of_each_step_is_the_one_on_record(cells: Cells) -> None:
    for facts, picture in cells:
        (line,) = [each for each in picture.memory.lines if each.metric == "peak_bytes"]
        for span, step in zip(picture.spans, facts.steps, strict=True):
            inside = [
                value for at_s, value in zip(line.times_s, line.values, strict=True)
                if span.start_s <= at_s < span.end_s and value is not None
            ]  # fmt: skip
            assert step.kernel_peak_bytes is not None
            assert max(inside) == pytest.approx(step.kernel_peak_bytes / MIB, abs=0.051)


def test_cpu_over_a_step_is_what_the_counter_grew_by(cells: Cells) -> None:
    for facts, picture in cells:
        (line,) = picture.cpu.lines
        times, used = facts.samples.series("cgroup", "cpu_s", line.source)
        cores = np.array(line.values, dtype=np.float64)
        assert np.nanmean(cores) == pytest.approx(np.ptp(used) / np.ptp(times), rel=0.02)
        assert np.nanmin(cores) >= 0
        assert np.nanmax(cores) <= 1.1


def test_every_run_is_in_a_lane_for_as_long_as_it_took(cells: Cells) -> None:
    for facts, picture in cells:
        assert sum(len(lanes.lane) for lanes in picture.runs) == len(facts.runs)
        lanes_by_step = {lanes.step: lanes for lanes in picture.runs}
        for step in facts.steps:
            lanes, own = lanes_by_step[step.index], facts.runs_of(step)
            assert lanes.omitted == 0
            took = sum(end_of(run) - run.sent_s for run in own)
            drawn = sum(
                end - sent
                for sent, end in zip(lanes.sent_s, lanes.ended_s, strict=True)
                if end is not None
            )
            assert drawn == pytest.approx(took, abs=0.02 * len(own))
            assert max(lanes.lane) + 1 <= step.concurrency


def test_spans_are_the_steps(cells: Cells) -> None:
    for facts, picture in cells:
        for span, step in zip(picture.spans, facts.steps, strict=True):
            assert (span.index, span.kind, span.concurrency) == (
                step.index, step.kind, step.concurrency,
            )  # fmt: skip
            told = [(name, start_s, end_s) for name, start_s, end_s in span.phases]
            assert told == [
                (
                    phase.name,
                    pytest.approx(phase.start_s - picture.origin_s, abs=0.01),
                    pytest.approx(phase.end_s - picture.origin_s, abs=0.01),
                )
                for phase in step.phases
            ]
            assert 0 <= span.start_s <= span.end_s <= picture.end_s


def test_layers_of_memory_lie_at_equal_times_below_what_the_kernel_charged(cells: Cells) -> None:
    for _, picture in cells:
        layers = picture.processes.lines
        assert len({line.times_s for line in layers}) == 1
        together = np.sum([np.array(line.values) for line in layers], axis=0)
        assert together.max() == pytest.approx(picture.memory.lines[0].peak, rel=0.35)
