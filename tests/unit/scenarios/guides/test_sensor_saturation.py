"""When the queue was seen, by those who wait for it and by those who do not."""

from __future__ import annotations

from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.sensor_saturation_figures import figures

pytestmark = pytest.mark.unit


def at_level(what: str, **values: Any) -> Observation:
    return Observation(what=what, at_s=0.0, values={"repetition": 0, "level": "full", **values})


def ping(asked_s: float, ended_s: float, queued: int | None) -> Observation:
    failed = "DEADLINE_EXCEEDED" if queued is None else None
    return at_level("ping", asked_s=asked_s, ended_s=ended_s, queued=queued, failed=failed)


LEVEL = at_level("level", sensors=4, hold_s=45.0, began_s=100.0, until_s=152.0)
SEEN = (
    LEVEL, ping(102, 145, 18), ping(150, 150.1, 0),
    at_level("pool", look_s=100.5, queue=0, busy=4),
    at_level("pool", look_s=101.0, queue=1, busy=4),
    at_level("pool", look_s=144.0, queue=21, busy=4),
    at_level("probe", asked_s=102, took_s=5.0, failed="DEADLINE_EXCEEDED"),
    at_level("probe", asked_s=148, took_s=0.01, failed=None),
    at_level("launch", sent_s=103.0, answered_s=147.0, run_id="a"),
    at_level("state", state="loaded", seen_s=100.0),
    at_level("state", state="unreachable", seen_s=140.0),
    Observation(what="switch", at_s=0, values={"on": True, "numbers": 3}),
    Observation(what="switch", at_s=0, values={"on": False, "numbers": 0}),
    Observation(what="starved", at_s=0, values={
        "queued": 0, "runs": 3, "cpu_s": 9.0, "periods": 200, "throttled_periods": 150}),
)  # fmt: skip


def value(name: str, *seen: Observation) -> float | None:
    return figures(Observations(seen or SEEN))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("blind_s_full", 45.0), ("queue_said_full", 18), ("true_queue_full", 21),
        ("metric_late_s_full", 44.0), ("health_answered_full", 0.5),
        ("launch_answered_s_full", 44.0), ("location_error_after_s_full", 40.0),
        ("numbers_on", 3), ("numbers_off", 0), ("throttled_ratio_starved", 0.75),
        ("cpu_share_starved", 0.15), ("queue_said_starved", 0),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected)


def test_a_ping_that_never_came_back_leaves_the_whole_time_blind() -> None:
    seen = (LEVEL, ping(102, 152, None))
    assert value("blind_s_full", *seen) == 52
    assert value("queue_said_full", *seen) is None
    assert value("metric_late_s_full", *seen) is None


def test_of_two_repetitions_it_is_the_middle() -> None:
    again = [
        Observation(what=each.what, at_s=0, values={**each.values, "repetition": 1})
        for each in (LEVEL, ping(102, 133, 18))
    ]
    assert value("blind_s_full", *SEEN, *again) == pytest.approx((45 + 33) / 2)


def test_nothing_seen_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())
