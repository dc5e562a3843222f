"""What the child writes, and what the parent makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from factory_load import order

from harness.facts.model import Phase
from harness.rig.load.dagster_graphql import Launch, RunReport
from harness.rig.load.records import (
    Recorder,
    StepRecord,
    decode_order,
    encode_order,
    write_lines,
)
from harness.rig.orders import JobOrder, Progress

pytestmark = pytest.mark.unit


class Bench:
    """A recorder and a record joined by JSON text, on a clock the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.cpu_s = 1.0
        self.record = StepRecord(2)
        self.kinds: list[str] = []
        self.recorder = Recorder(self._pass_on, clock=lambda: self.now_s, cpu=lambda: self.cpu_s)

    def _pass_on(self, line: dict[str, Any]) -> None:
        self.kinds.append(line["kind"])
        self.record.add(json.loads(json.dumps(line)))

    def launch(self, run_id: str, *, intended_s: float = 99.5) -> None:
        number = self.recorder.sent(0, intended_s, "load_io")
        self.now_s += 1
        self.recorder.answered(number, Launch(run_id=run_id))

    def end(self, run_id: str, status: str = "SUCCESS", *, end_s: float | None = None) -> None:
        self.recorder.ended(RunReport(run_id=run_id, status=status, start_s=101.5, end_s=end_s))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_order_survives_its_way_to_the_child() -> None:
    mix = (
        JobOrder(job="load_io", share=0.7, run_config={"wait_s": 1.5}),
        JobOrder(job="load_cpu", share=0.3, run_config={}),
    )
    for sent in (order(max_runs=3), order(model="poisson", rate_per_s=0.25, seed=9, jobs=mix)):
        assert decode_order(encode_order(sent)) == sent


def test_a_run_is_recorded_from_its_intention_to_its_end(bench: Bench) -> None:
    bench.launch("r1")
    bench.now_s = 105.0
    bench.end("r1", end_s=104.6)
    (run,) = bench.record.outcome(abort_reason="", end_s=110.0).runs
    assert (run.step, run.user, run.run_id, run.status) == (2, 0, "r1", "SUCCESS")
    assert run.job == "load_io"
    assert (run.intended_s, run.sent_s, run.accepted_s) == (99.5, 100.0, 101.0)
    assert (run.started_s, run.ended_s) == (101.5, 104.6)


def test_an_end_without_a_server_s_stamp_is_when_it_was_seen(bench: Bench) -> None:
    bench.launch("r1")
    bench.now_s = 105.0
    bench.end("r1")
    bench.launch("r2")
    bench.end("r2", end_s=105.5)
    outcome = bench.record.outcome(abort_reason="", end_s=110.0)
    assert outcome.runs[0].ended_s == 105.0
    assert outcome.ends_seen == {"r1"}


@pytest.mark.parametrize(
    ("launch", "error_class"),
    [
        (Launch(error_class="PipelineNotFoundError", error="no such"), "PipelineNotFoundError"),
        (Launch(error_class="timeout", error="late"), "timeout"),
        (Launch(error_class="PythonError", error="KeyError: 1"), "PythonError"),
        (
            Launch(
                error_class="PythonError",
                error="User code server request timed out due to taking longer than 60 seconds",
            ),
            "start_deadline",
        ),
    ],
)
def test_a_rejected_launch_keeps_its_class_and_is_in_flight_no_more(
    bench: Bench, launch: Launch, error_class: str
) -> None:
    number = bench.recorder.sent(1, 100.0, "load")
    bench.now_s = 103.0
    bench.recorder.answered(number, launch)
    (run,) = bench.record.outcome(abort_reason="", end_s=110.0).runs
    assert (run.status, run.error_class, run.error) == ("REJECTED", error_class, launch.error)
    assert (run.run_id, run.accepted_s, run.ended_s) == (None, None, 103.0)
    assert (bench.recorder.in_flight, bench.recorder.failed) == (0, 1)


def test_the_poller_is_told_only_of_accepted_runs_that_have_not_ended(bench: Bench) -> None:
    bench.launch("r1")
    bench.launch("r2")
    bench.recorder.sent(2, 100.0, "load")
    bench.end("r1")
    assert bench.recorder.waiting == ["r2"]
    assert bench.recorder.in_flight == 2


def test_runs_in_flight_at_the_end_are_unfinished_or_after_a_death_lost(bench: Bench) -> None:
    bench.launch("r1")
    bench.launch("r2")
    bench.end("r1", "FAILURE")
    runs = bench.record.outcome(abort_reason="", end_s=110.0).runs
    assert [run.status for run in runs] == ["FAILURE", "UNFINISHED"]
    outcome = bench.record.outcome(abort_reason="replica-1 died", end_s=110.0)
    assert [run.status for run in outcome.runs] == ["FAILURE", "LOST"]
    assert outcome.runs[1].error_class == "server_died"
    assert outcome.abort_reason == "replica-1 died"


def test_phases_end_where_the_next_begins_and_the_last_with_the_step(bench: Bench) -> None:
    bench.recorder.phase("ramp", 100.0)
    bench.recorder.phase("hold", 108.0)
    assert bench.record.outcome(abort_reason="", end_s=120.0).phases == (
        Phase(name="ramp", start_s=100.0, end_s=108.0),
        Phase(name="hold", start_s=108.0, end_s=120.0),
    )


def test_a_step_aborted_before_its_generator_began_has_neither_phases_nor_runs(
    bench: Bench,
) -> None:
    outcome = bench.record.outcome(abort_reason="replica-1 died", end_s=100.0)
    assert (outcome.runs, outcome.phases, outcome.generator_cpu_cores) == ((), (), None)


def test_progress_counts_ended_runs_and_those_of_them_that_failed(bench: Bench) -> None:
    bench.recorder.phase("hold", 100.0)
    for run_id in ("r1", "r2", "r3"):
        bench.launch(run_id)
    bench.end("r1")
    bench.end("r2", "FAILURE")
    bench.recorder.status()
    assert bench.record.progress == Progress(
        phase="hold", in_flight=1, sent=3, completed=2, failed=1
    )


def test_the_generator_s_cpu_is_measured_while_it_sends(bench: Bench) -> None:
    bench.recorder.phase("hold", 100.0)
    for now_s, cpu_s in ((100.0, 1.0), (104.0, 3.0), (200.0, 3.1)):
        if now_s == 200.0:
            bench.recorder.phase("drain", 110.0)
        bench.now_s, bench.cpu_s = now_s, cpu_s
        bench.recorder.status()
    assert bench.record.outcome(abort_reason="", end_s=200.0).generator_cpu_cores == 0.5


def test_the_generator_s_cpu_is_unknown_from_a_single_reading(bench: Bench) -> None:
    bench.recorder.status()
    assert bench.record.outcome(abort_reason="", end_s=110.0).generator_cpu_cores is None


def test_the_parent_learns_of_the_end_and_of_what_stopped_the_child(bench: Bench) -> None:
    assert bench.record.done_s is None
    bench.recorder.broken("not_loaded: absent")
    bench.recorder.done("drained")
    assert bench.record.error == "not_loaded: absent"
    assert bench.record.done_s == 100.0


def test_lines_of_an_unknown_kind_are_passed_over(bench: Bench) -> None:
    bench.record.add({"kind": "something new", "n": 7})
    assert bench.record.outcome(abort_reason="", end_s=1.0).runs == ()


def test_dropped_arrivals_are_counted_and_are_no_runs(bench: Bench) -> None:
    bench.launch("r1")
    for intended_s in (101.0, 102.5):
        bench.recorder.dropped(intended_s)
    outcome = bench.record.outcome(abort_reason="", end_s=110.0)
    assert (outcome.dropped_arrivals, len(outcome.runs)) == (2, 1)
    assert bench.recorder.in_flight == 1


def test_each_dropped_arrival_is_told_with_its_number_and_its_time() -> None:
    lines: list[dict[str, Any]] = []
    recorder = Recorder(lines.append, clock=lambda: 0.0, cpu=lambda: 0.0)
    recorder.dropped(101.0)
    recorder.dropped(102.5)
    assert [(line["kind"], line["n"], line["intended_s"]) for line in lines] == [
        ("dropped", 0, 101.0),
        ("dropped", 1, 102.5),
    ]


def test_a_line_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    write = write_lines(tmp_path / "lines.jsonl")
    for number in range(2):
        write({"n": number})
        text = (tmp_path / "lines.jsonl").read_text()
        assert [json.loads(line) for line in text.splitlines()][-1] == {"n": number}
