"""What stamps of runs say of the limits of the queue."""

from __future__ import annotations

from typing import Any

import pytest
from factory_queued_runs import queued_run, seen

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.concurrency_figures import RUN_LIMIT, figures, refill_gaps

pytestmark = pytest.mark.unit

FULL = [queued_run("burst", n, 100 + n) for n in range(RUN_LIMIT)]
NEXT = [queued_run("burst", 103, 150), queued_run("burst", 107, 150)]
CANCELLED = [queued_run("burst", None, 100.5)]


def guard(moment: str, asked: bool, **changes: Any) -> Observation:
    status = moment.upper()
    values = {"moment": moment, "before": status, "after": status, "failed": None,
              "started_only": asked, "unfinished": False}  # fmt: skip
    return seen("guard", **{**values, **changes})


def queue(depth: int, looks: int) -> list[Observation]:
    spent = {"daemon_cpu_s": 5.0, "postgres_cpu_s": 1.0}
    runs = [queued_run("passing", at, at + 1, enqueued=9.5, depth=depth) for at in (10, 11, 12)]
    return [seen("queue", depth=depth, looks=looks, window_s=10.0, **spent), *runs]


SEEN = (
    *FULL, *NEXT, *CANCELLED,
    queued_run("without_key", 1, 3), queued_run("without_key", 2, 4),
    seen("zero", looks=7),
    queued_run("zero", None, None), queued_run("blocked", 250, 252, enqueued=200),
    *[queued_run("value", at, at + 5) for at in (1, 1, 6, 6)],
    *[queued_run("key", at, at + 5) for at in (1, 2, 7)],
    *[queued_run("unique_a", at, at + 5) for at in (1, 6)],
    *[queued_run("unique_b", at, at + 5) for at in (2, 8)],
    queued_run("pool", 1, 6), queued_run("pool", 1, 9, step_starts=[6], step_ends=[9]),
    *[queued_run("free", 3, 5, enqueued=0.5)],
    *[queued_run("guarded", at, at + 20, enqueued=200) for at in (210, 211, 240)],
    guard("queued", True), guard("queued", True), guard("starting", False),
    guard("starting", True, after="STARTED"), guard("started", False),
    *queue(1, 40), *queue(1000, 5),
)  # fmt: skip


def value(name: str, *observed: Observation) -> float | None:
    return figures(Observations(observed or SEEN))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("most_in_progress", 15), ("waiting_then", 3), ("skipped_queue", 0), ("zero_looks", 7),
        ("zero_launched", 0), ("zero_launched_later", 1), ("value_most", 2), ("key_most", 2),
        ("unique_most", 1), ("unique_together", 2), ("pool_most", 1), ("pool_runs_together", 2),
        ("held_back", 1),
        ("asked_while_queued", 1), ("asked_while_starting", 0), ("asked_while_started", 0),
        ("asked_while_unfinished", 2 / 3), ("full_check_asked", 0), ("guarded_at_once", 2),
        ("queue_long", 1000), ("look_s_short", 0.25), ("look_s_long", 2.0),
        ("look_daemon_cpu_s_long", 1.0), ("passing_per_s_long", 1.0), ("passing_wait_s_short", 0.5),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected, abs=1e-9)


def test_a_limit_nobody_reached_was_not_kept() -> None:
    found = figures(Observations(FULL[:-1]))["most_in_progress"]
    assert (found.value, found.why) == (None, "never more than 14 were in progress with 0 waiting")


def test_a_limit_nobody_waited_for_was_not_kept() -> None:
    assert value("most_in_progress", *FULL) is None


def test_places_are_refilled_in_the_order_they_fell_empty() -> None:
    """Ends at 100 and 101 with somebody waiting; taken at 103 and 107. Then nobody waits."""
    runs = [run.values for run in (*FULL, *NEXT, *CANCELLED)]
    assert refill_gaps(runs, RUN_LIMIT) == [3, 6]


def test_what_was_never_full_was_never_refilled() -> None:
    assert refill_gaps([run.values for run in (*FULL[:5], *NEXT)], RUN_LIMIT) == []


def test_a_group_of_which_nothing_was_held_back_proves_nothing() -> None:
    at_once = [queued_run(group, 1, 2) for group in ("value", "key", "unique_a", "pool")]
    late = [queued_run("unique_b", 4, 6), queued_run("free", 3, 5, enqueued=0.5)]
    assert value("held_back", *at_once, *late) == 0


def test_a_tick_that_failed_says_nothing() -> None:
    assert value("asked_while_queued", guard("queued", True, failed="timed out")) is None


def test_nothing_seen_is_nothing_known() -> None:
    assert {each.value for each in figures(Observations()).values()} <= {None, 0, RUN_LIMIT}
