"""What bursts of launches show of worker threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.launch_rate_figures import CROWDED, figures

pytestmark = pytest.mark.unit


def seen(what: str, **values: Any) -> Observation:
    return Observation(what=what, at_s=0.0, values=values)


def burst(
    workers: int, every_s: float, *, runs: int = 4, feed: str = "direct"
) -> list[Observation]:
    """Runs that start one after the other, `every_s` apart, each a second after its answer."""
    about = {"feed": feed, "workers": workers}
    told = [
        seen("burst", runs=runs, accepted=runs, used_s=1.5 * runs, window_s=20.0, resident=runs,
             idle_s=10.0, others_s=5.0,
             starting=runs - 1, queued=0, **about)
    ]  # fmt: skip
    for number in range(runs):
        answered_s = 100.0 + every_s * (number + 1)
        told += [
            seen("launch", run_id=f"{feed}{workers}-{number}", sent_s=100.0,
                 answered_s=answered_s, **about),
            seen("run", run_id=f"{feed}{workers}-{number}", started_s=answered_s + 1.0,
                 dequeued_s=101.0, **about),
        ]  # fmt: skip
    return told


def held(*, tick_ended_s: float = 8.0, error: str = "") -> Iterator[Observation]:
    yield seen("tick", ended_s=tick_ended_s, error=error, tick_s=8.0)
    for group, sent_s, started_s in (("free", -20.0, -17.0), ("held", 1.0, 10.5)):
        yield seen("launch", group=group, sent_s=sent_s)
        yield seen("run", group=group, started_s=started_s, process_started_s=started_s - 0.5)


SEEN = [*burst(1, 1.0), *burst(4, 0.8), *burst(16, 0.9), *held()]


def value(name: str, *extra: Observation) -> float | None:
    return figures(Observations([*SEEN, *extra]))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("launch_rate_1", 0.8), ("start_s_median_1", 3.5), ("start_run_hold_s", 1.0),
        ("cpu_s_a_launch_4", 1.5), ("resident_1", 4), ("burst_runs", 4), ("enough_workers", 1),
        ("gain_of_threads", 5.0 / 4.2), ("delay_of_threads", 3.25 / 3.5), ("cpu_of_threads", 1.0),
        ("waiting_starting", 3), ("waiting_queued", 0), ("start_s_free", 3.0),
        ("start_s_held", 9.5), ("held_s", 7.0), ("process_after_tick_s", 2.0),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected)


def test_a_slow_burst_of_one_worker_makes_more_of_them_enough() -> None:
    found = figures(Observations([*burst(1, 4.0), *burst(2, 2.0), *burst(8, 1.0)]))
    assert found["enough_workers"].value == 8


@pytest.mark.parametrize("name", ["enough_workers", "gain_of_threads", "delay_of_threads"])
def test_where_the_host_had_nothing_to_spare_rates_are_not_compared(name: str) -> None:
    crowded = seen("burst", feed="direct", workers=4, runs=4, idle_s=0.1, window_s=9.0, used_s=6.0,
                   resident=4, starting=1, queued=0)  # fmt: skip
    figure = figures(Observations([*SEEN, crowded]))[name]
    assert figure.value is None
    assert figure.why == CROWDED


def test_through_the_queue_the_wait_for_the_daemon_is_not_counted() -> None:
    assert value("launch_rate_queued", *burst(8, 1.0, feed="queued")) == pytest.approx(1.0)


def test_one_size_of_pool_says_nothing_of_threads() -> None:
    assert "gain_of_threads" not in figures(Observations(burst(1, 1.0)))


@pytest.mark.parametrize("spoilt", [{"tick_ended_s": 2.0}, {"error": "timed out"}])
def test_a_thread_that_was_not_held_shows_nothing(spoilt: dict[str, Any]) -> None:
    found = figures(Observations([*burst(1, 1.0), *held(**spoilt)]))
    assert found["process_after_tick_s"].value is None


def test_a_burst_of_which_nothing_started_has_no_rate() -> None:
    told = [seen("burst", feed="direct", workers=1, runs=1, starting=1, queued=0)]
    assert "launch_rate_1" not in figures(Observations(told))


def test_nothing_seen_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())
