"""Phases and failure families, from event logs that Dagster 1.13.27 wrote to Postgres."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.facts.model import Run
from harness.rig.load.phases import (
    EventRow,
    RunPhases,
    failure_class,
    merge_phases,
    phases_from_rows,
    read_phases,
)

pytestmark = pytest.mark.unit

EVENT_LOGS = Path(__file__).parents[2] / "data" / "event_logs"


def rows_of(case: str) -> list[EventRow]:
    stored = json.loads((EVENT_LOGS / f"{case}.json").read_text())
    return [
        EventRow(
            run_id=row["run_id"],
            kind=row["dagster_event_type"],
            at_s=datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp(),
            event=json.dumps(row["event"]),
        )
        for row in stored
    ]


def phases_of(case: str) -> RunPhases:
    (phases,) = phases_from_rows(rows_of(case)).values()
    return phases


def run(**changes: object) -> Run:
    fields = {"step": 0, "user": 0, "run_id": "r", "intended_s": 1.0, "sent_s": 1.0, **changes}
    return Run(**fields)  # type: ignore[arg-type]


def test_a_queued_run_passes_all_six_moments_in_order() -> None:
    seen = phases_of("queued")
    moments = [
        seen.enqueued_s,
        seen.dequeued_s,
        seen.process_started_s,
        seen.started_s,
        seen.first_step_s,
        seen.ended_s,
    ]
    assert all(moment is not None for moment in moments)
    assert moments == sorted(moments)  # type: ignore[type-var]
    assert seen.status == "SUCCESS"


def test_a_run_launched_at_once_was_never_enqueued() -> None:
    seen = phases_of("success")
    assert seen.enqueued_s is None
    assert seen.dequeued_s is not None


def test_the_work_s_own_cpu_time_is_read_from_the_output_of_its_steps() -> None:
    assert phases_of("success").work_cpu_s == pytest.approx(0.05, abs=0.01)
    assert phases_of("user_error").work_cpu_s is None


def test_the_cpu_time_of_several_steps_is_added() -> None:
    rows = rows_of("success")
    output = next(row for row in rows if row.kind == "STEP_OUTPUT")
    at = rows.index(output)
    (seen,) = phases_from_rows([*rows[:at], output, *rows[at:]]).values()
    assert seen.work_cpu_s == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("case", "error_class", "words"),
    [
        ("user_error", "user_error", "ValueError: the answer was wrong"),
        ("step_killed", "oom_sigkill", "child process for step killed was terminated by signal 9"),
        ("run_killed", "oom_sigkill", "Run execution process for"),
        ("start_deadline", "start_deadline", "request timed out due to taking longer than 1"),
        ("dequeue_error", "dequeue_error", "unrecoverable error while dequeuing"),
    ],
)
def test_a_failure_is_named_by_its_family_and_first_line(
    case: str, error_class: str, words: str
) -> None:
    seen = phases_of(case)
    assert (seen.status, seen.error_class) == ("FAILURE", error_class)
    assert seen.error is not None
    assert words in seen.error
    assert "\n" not in seen.error


def test_a_run_that_missed_its_start_deadline_never_started() -> None:
    assert "Started process for run" in rows_of("start_deadline")[-1].event
    seen = phases_of("start_deadline")
    assert seen.started_s is None
    assert seen.process_started_s is None, "a child that comes after the end does not count"


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("Run timed out due to taking longer than 180 seconds to start.", "start_timeout"),
        ("Could not reach user code server. gRPC Error code: UNAVAILABLE", "server_unreachable"),
        ("Run dequeue failed to reach the user code server after 0 attempts", "dequeue_error"),
        ("Unexpected error in IPC client", "start_deadline"),
        ("Unexpected error in IPC client\ngRPC Error code: UNAVAILABLE", "server_unreachable"),
        ("was terminated by signal 15 (SIGTERM)", "unknown"),
        ("was terminated by signal 9 (SIGKILL)", "oom_sigkill"),
        ("something else", "unknown"),
    ],
)
def test_families_are_told_apart_by_dagster_s_words(text: str, family: str) -> None:
    assert failure_class(text) == family


def test_what_a_step_raised_is_not_mistaken_for_the_infrastructure() -> None:
    rows = [
        row._replace(event=row.event.replace("the answer was wrong", "gRPC DEADLINE_EXCEEDED"))
        for row in rows_of("user_error")
    ]
    (seen,) = phases_from_rows(rows).values()
    assert seen.error_class == "user_error"


def test_a_failure_without_any_reason_is_unknown_with_what_was_said() -> None:
    rows = [row for row in rows_of("run_killed") if row.kind == "PIPELINE_FAILURE"]
    (seen,) = phases_from_rows(rows).values()
    assert seen.error_class == "unknown"
    assert seen.error == "This run has been marked as failed from outside the execution context."


def test_events_that_are_no_json_lose_their_text_not_their_moment() -> None:
    rows = [row._replace(event="{") for row in rows_of("user_error")]
    (seen,) = phases_from_rows(rows).values()
    assert seen.started_s is not None
    assert (seen.status, seen.error_class) == ("FAILURE", "user_error")


def test_asking_for_no_runs_needs_no_database() -> None:
    assert read_phases("postgresql://nobody@127.0.0.1:1/none", []) == {}


class TestMergingWithWhatTheGeneratorSaw:
    def test_the_log_s_stamps_replace_the_generator_s(self) -> None:
        seen = RunPhases(started_s=2.0, ended_s=3.0, status="SUCCESS", work_cpu_s=0.5)
        (merged,) = merge_phases([run(started_s=2.5, ended_s=3.9)], {"r": seen})
        assert (merged.started_s, merged.ended_s, merged.work_cpu_s) == (2.0, 3.0, 0.5)
        assert merged.status == "SUCCESS"

    def test_a_run_the_log_never_saw_start_has_no_start(self) -> None:
        seen = RunPhases(ended_s=3.0, status="FAILURE", error_class="start_deadline")
        (merged,) = merge_phases([run(started_s=3.0, status="FAILURE")], {"r": seen})
        assert merged.started_s is None
        assert merged.error_class == "start_deadline"

    def test_a_lost_run_without_an_end_in_the_log_stays_lost(self) -> None:
        lost = run(status="LOST", error_class="server_died")
        (merged,) = merge_phases([lost], {"r": RunPhases(started_s=2.0)})
        assert (merged.status, merged.error_class) == ("LOST", "server_died")
        assert (merged.started_s, merged.ended_s) == (2.0, None)

    def test_a_run_that_ended_before_its_server_died_is_not_lost(self) -> None:
        lost = run(status="LOST", error_class="server_died")
        seen = RunPhases(started_s=2.0, ended_s=3.0, status="SUCCESS")
        (merged,) = merge_phases([lost], {"r": seen})
        assert (merged.status, merged.error_class) == ("SUCCESS", None)

    def test_runs_the_log_does_not_know_stay_as_they_are(self) -> None:
        runs = (run(run_id=None, status="REJECTED"), run(run_id="other"))
        assert merge_phases(runs, {"r": RunPhases(started_s=1.0)}) == runs
