"""Did what feeds the server, or our own patience, give out before the server did?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from factory_validity import (
    doubts,
    found,
    last_summary,
    sound,
    with_readings,
    with_runs,
)

from harness.facts.model import Run
from harness.facts.table import CellFacts

pytestmark = pytest.mark.unit

BUSY: dict[str, Any] = {"cpu_cores": 0.95}
UNKNOWN: dict[str, Any] = {"silent": ("pool",)}


@pytest.mark.parametrize(("cores", "severities"), [(0.89, []), (0.9, ["warning"])])
def test_a_helper_that_uses_a_whole_core_is_told(cores: float, severities: list[str]) -> None:
    assert found(doubts(sound(), support_cpu_cores={"daemon": cores}), "support_busy") == severities


@pytest.mark.parametrize(("periods_per_s", "severities"), [(0.4, []), (0.6, ["warning"])])
def test_a_helper_without_quota_left_is_told(periods_per_s: float, severities: list[str]) -> None:
    values = [periods_per_s * second for second in range(40)]
    facts = with_readings(sound(), "support", "daemon", "throttled_periods", values)
    assert found(doubts(facts), "support_throttled") == severities


def slow_webserver(own_s: float, **truth: Any) -> CellFacts:
    """Runs of 5 s whose launch spends so long before the spawn, which takes half a second."""

    def slow(_: int, run: Run) -> Run:
        return replace(
            run,
            accepted_s=run.sent_s + own_s + 0.5,
            dequeued_s=run.sent_s + own_s,
            process_started_s=run.sent_s + own_s + 0.5,
        )

    return with_runs(sound(**truth), slow)


@pytest.mark.parametrize(
    ("own_s", "severities"), [(0.5, []), (0.6, ["warning"]), (1.2, ["warning"]), (1.3, ["fatal"])]
)
def test_launch_time_that_is_not_the_servers_is_the_webservers(
    own_s: float, severities: list[str]
) -> None:
    assert found(doubts(slow_webserver(own_s)), "webserver_slow") == severities


def test_the_webservers_part_is_seen_against_the_response() -> None:
    assert found(doubts(slow_webserver(0.9, exec_s=20.0)), "webserver_slow") == []


@pytest.mark.parametrize("truth", [BUSY, {"pool_queue": 1.0}, {"throttled_ratio": 0.5}])
def test_a_saturated_server_answers_the_webserver_late(truth: dict[str, Any]) -> None:
    assert found(doubts(slow_webserver(3.0, **truth)), "webserver_slow") == []


def test_a_server_nobody_watched_may_be_the_reason() -> None:
    assert found(doubts(slow_webserver(3.0, **UNKNOWN)), "webserver_slow") == ["warning"]


def test_spawning_is_the_servers_own_time() -> None:
    def spawn(_: int, run: Run) -> Run:
        return replace(run, accepted_s=run.sent_s + 4.1, process_started_s=run.sent_s + 4.0)

    assert found(doubts(with_runs(sound(), spawn)), "webserver_slow") == []


def test_with_the_queued_feed_accepting_contains_no_spawn() -> None:
    facts = slow_webserver(0.1)
    assert found(doubts(facts), "webserver_slow") == []
    assert found(
        doubts(replace(facts, cell=replace(facts.cell, feed="queued"))), "webserver_slow"
    ) == ["warning"]


def test_without_the_event_log_the_webservers_part_is_not_known() -> None:
    def blind(_: int, run: Run) -> Run:
        return replace(run, accepted_s=run.sent_s + 4, dequeued_s=None, process_started_s=None)

    assert found(doubts(with_runs(sound(), blind)), "webserver_slow") == []


@pytest.mark.parametrize(
    ("used", "allowed", "target", "severities"),
    [
        (319.0, None, "compose", []),
        (320.0, None, "compose", ["warning"]),
        (240.0, None, "process", ["warning"]),
        (320.0, 500.0, "compose", []),
        (80.0, 100.0, "external", ["warning"]),
        (900.0, None, "external", []),
    ],
)
def test_open_connections_are_held_against_what_postgres_allows(
    used: float, allowed: float | None, target: str, severities: list[str]
) -> None:
    facts = sound({"target": target})
    facts = with_readings(facts, "run_queue", "postgres", "pg_connections", [5.0, used])
    if allowed is not None:
        facts = with_readings(facts, "run_queue", "postgres", "pg_max_connections", [allowed])
    assert found(doubts(facts), "database_full") == severities


@pytest.mark.parametrize(
    "words",
    [
        "FATAL:  sorry, too many clients already",
        "remaining connection slots are reserved for roles with SUPERUSER",
    ],
)
def test_a_refused_connection_is_fatal(words: str) -> None:
    def refuse(number: int, run: Run) -> Run:
        return replace(run, error=words) if number == 0 else run

    assert found(doubts(with_runs(sound(), refuse)), "database_full") == ["fatal"]


def queued(waiting: float, *, wait_s: float | None = None, **truth: Any) -> CellFacts:
    """The queued feed with so many runs waiting, each of them so long."""
    cell = {"feed": "queued", **truth.pop("cell", {})}
    facts = with_readings(sound(cell, **truth), "run_queue", "postgres", "queued", [waiting] * 40)

    def enqueue(_: int, run: Run) -> Run:
        assert run.dequeued_s is not None
        return replace(run, enqueued_s=None if wait_s is None else run.dequeued_s - wait_s)

    return with_runs(facts, enqueue)


@pytest.mark.parametrize(
    ("waiting", "wait_s", "severities"),
    [
        (0.0, None, []),
        (1.0, None, ["fatal"]),
        (1.0, 4.9, []),  # the daemon's own beat
        (1.0, 5.1, ["fatal"]),
        (0.0, 5.1, []),
    ],
)
def test_a_queue_before_a_free_server_is_not_the_servers_limit(
    waiting: float, wait_s: float | None, severities: list[str]
) -> None:
    assert found(doubts(queued(waiting, wait_s=wait_s)), "queue_limited") == severities


def test_the_daemons_own_beat_is_taken_where_it_was_recorded() -> None:
    told = {"detail": {"dequeue_interval_s": 20}}
    assert found(doubts(queued(1.0, wait_s=19.0, cell=told)), "queue_limited") == []
    assert found(doubts(queued(1.0, wait_s=21.0, cell=told)), "queue_limited") == ["fatal"]


def test_runs_never_dequeued_have_waited_until_the_end_of_the_window() -> None:
    def stuck(_: int, run: Run) -> Run:
        return replace(run, enqueued_s=run.sent_s, dequeued_s=None)

    facts = with_runs(queued(3.0), stuck)
    assert found(doubts(facts), "queue_limited") == ["fatal"]


@pytest.mark.parametrize("truth", [BUSY, {"pool_queue": 1.0}])
def test_a_queue_before_a_saturated_server_is_the_servers(truth: dict[str, Any]) -> None:
    assert found(doubts(queued(5.0, **truth)), "queue_limited") == []


def test_a_slow_daemon_that_is_on_trial_with_its_server_is_told() -> None:
    facts = queued(5.0, cell={"detail": {"on_trial": True}})
    (issue,) = [each for each in doubts(facts) if each.code == "queue_limited"]
    assert issue.severity == "warning"
    assert issue.evidence.endswith("as slowly as it is configured to")


def test_a_queue_before_a_server_nobody_watched_is_told() -> None:
    assert found(doubts(queued(5.0, **UNKNOWN)), "queue_limited") == ["warning"]


@pytest.mark.parametrize(("started", "severities"), [(4.0, ["warning"]), (3.0, ["fatal"])])
def test_a_queue_behind_the_limit_set_on_purpose_is_told(
    started: float, severities: list[str]
) -> None:
    facts = queued(4.0, cell={"max_concurrent_runs": 4})
    assert found(doubts(facts), "queue_limited") == ["warning"], "how many run is not known"
    for key, value in (("starting", 0.0), ("started", started), ("canceling", 0.0)):
        facts = with_readings(facts, "run_queue", "postgres", key, [value] * 40)
    (issue,) = [i for i in doubts(facts) if i.code == "queue_limited"]
    assert [issue.severity] == severities
    assert ("on purpose" in issue.evidence) is (severities == ["warning"])


def test_a_burst_that_has_drained_away_does_not_blame_the_daemon() -> None:
    """Waiting behind the limit for the first half of the window, and nothing left in the second."""
    facts = queued(4.0, cell={"max_concurrent_runs": 4}, wait_s=30.0)
    series = {
        "queued": [4.0] * 22 + [0.0] * 18, "starting": [2.0] * 22 + [0.0] * 18,
        "started": [2.0] * 22 + [0.0] * 18, "canceling": [0.0] * 40,
    }  # fmt: skip
    for key, values in series.items():
        facts = with_readings(facts, "run_queue", "postgres", key, values)
    assert found(doubts(facts), "queue_limited") == ["warning"]


def test_the_direct_feed_has_no_queue_to_wait_in() -> None:
    facts = with_readings(sound(), "run_queue", "postgres", "queued", [4.0] * 40)
    assert found(doubts(facts), "queue_limited") == []


@pytest.mark.parametrize(
    ("unfinished", "completed", "severities"),
    [(0, 20, []), (1, 19, ["warning"]), (2, 18, ["fatal"])],
)
def test_runs_we_did_not_wait_for_void_a_step_from_one_in_twenty(
    unfinished: int, completed: int, severities: list[str]
) -> None:
    facts = sound()
    counts = replace(last_summary(facts).counts, unfinished=unfinished, completed=completed)
    assert found(doubts(facts, counts=counts), "drain_too_short") == severities


def test_runs_a_saturated_server_did_not_end_are_its_own() -> None:
    (issue,) = [
        i
        for i in doubts(sound(late_status="UNFINISHED", late_every=2, cpu_cores=0.95))
        if i.code == "drain_too_short"
    ]
    assert issue.severity == "warning"
    assert "CPU was at 95%" in issue.evidence


def rejected(error_class: str, *, every: int, **truth: Any) -> CellFacts:
    def reject(_: int, run: Run) -> Run:
        return replace(run, status="REJECTED", error_class=error_class, run_id=None)

    return with_runs(sound(**truth), reject, every=every)


@pytest.mark.parametrize(
    ("error_class", "code"),
    [("timeout", "launch_timeouts"), ("unreachable", "webserver_unreachable")],
)
def test_launches_that_never_reached_the_server_are_not_its_failures(
    error_class: str, code: str
) -> None:
    assert found(doubts(rejected(error_class, every=8)), code) == ["fatal"]
    assert found(doubts(rejected("server_unreachable", every=8)), code) == []


def test_one_launch_in_a_hundred_given_up_is_told() -> None:
    facts = rejected("timeout", every=1000, exec_s=1.0)  # 1 of 200
    assert found(doubts(facts), "launch_timeouts") == ["warning"]


def test_a_saturated_server_explains_launches_given_up_but_no_unreachable_webserver() -> None:
    (issue,) = [
        i for i in doubts(rejected("timeout", every=8, **BUSY)) if i.code == "launch_timeouts"
    ]
    assert issue.severity == "warning"
    assert "CPU was at 95%" in issue.evidence
    facts = rejected("unreachable", every=8, **BUSY)
    assert found(doubts(facts), "webserver_unreachable") == ["fatal"]


def test_launches_given_up_are_told_apart_from_rejected_ones() -> None:
    def reject(number: int, run: Run) -> Run:
        why = "timeout" if number < 2 else "start_deadline"
        return replace(run, status="REJECTED", error_class=why) if number < 5 else run

    (issue,) = [i for i in doubts(with_runs(sound(), reject)) if i.code == "launch_timeouts"]
    assert issue.evidence.startswith("2 of 80 launches")
    assert "3 were rejected with an answer" in issue.evidence
