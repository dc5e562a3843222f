"""What runs and ticks that compute show of a server's CPU."""

from __future__ import annotations

from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.cpu_scaling_figures import CROWDED, figures

pytestmark = pytest.mark.unit


def together(group: str, runs: int, took_s: float, **changes: Any) -> Observation:
    """Runs of 3 CPU-seconds each, the last of which ended after so long."""
    values = {
        "group": group, "runs": runs, "cpu_s": 3.0, "begin_s": 100.0, "used_s": 3.0 * runs,
        "ended_s": [100.0 + took_s - 0.1 * n for n in range(runs)], "others_s": 0.1,
        "window_s": took_s,
    }  # fmt: skip
    return Observation(what="together", at_s=0.0, values={**values, **changes})


def ticking(ticks: int, took_s: float, **changes: Any) -> Observation:
    """Ticks that computed so long, and probes of 10 ms."""
    values = {
        "server": "two", "clutch": False, "ticks": ticks, "began_s": 50.0,
        "ended_s": [50.0 + took_s] * ticks, "errors": [""] * ticks, "probes_s": [0.01] * 20,
        "lost": [], "used_s": 3.0 * ticks, "others_s": 0.1, "window_s": took_s,
    }  # fmt: skip
    return Observation(what="ticking", at_s=0.0, values={**values, **changes})


def survivor(server: str, survived: bool) -> Observation:
    values = {"server": server, "survived": survived, "lost": "", "container_runs": True}
    return Observation(what="survivor", at_s=0.0, values=values)


NOTHING = {"runs": 4, "used_s": 6.2, "window_s": 10.0, "rest_cores": 0.01, "work_s": 0.1}
SEEN = (
    together("one", 2, 6.0), together("two", 1, 3.0), together("two", 4, 6.0),
    together("two", 4, 8.0), together("two", 4, 6.0), together("pair", 4, 6.0),
    ticking(0, 5.0), ticking(1, 3.0), ticking(4, 12.0, probes_s=[0.2] * 99 + [0.4]),
    ticking(1, 10.0, clutch=True, probes_s=[9.5, 0.0]),
    ticking(1, 10.0, clutch=True, server="proxied"),
    Observation(what="nothing", at_s=0.0, values=NOTHING),
    survivor("two-1", True), survivor("proxied-1", False),
)  # fmt: skip


def value(name: str, *seen: Observation) -> float | None:
    return figures(Observations(seen or SEEN))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one_2", 1.0), ("two_1", 1.0), ("two_4", 2.0), ("pair_4", 2.0), ("run_speedup", 2.0),
        ("two_vcpu_over_one", 2.0), ("two_servers_over_one", 1.0), ("tick_speedup_4", 1.0),
        ("cores_of_runs", 2.0), ("cores_of_ticks", 1.0), ("probe_s_0_ticks", 0.01),
        ("probe_s_4_ticks", 0.2), ("slowest_probe_s_4_ticks", 0.4),
        ("slowest_probe_s_clutch", 9.5), ("two_survived", 1.0), ("proxied_survived", 0.0),
        ("start_cpu_s", 1.5), ("right_from_cpu_s", 15.0), ("rest_cores", 0.01),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected)


def test_repeated_batches_count_with_their_median() -> None:
    assert figures(Observations(SEEN))["two_4"].n == 3


@pytest.mark.parametrize("name", ["run_speedup", "two_vcpu_over_one", "two_servers_over_one"])
def test_where_others_took_the_cpu_every_time_runs_are_not_compared(name: str) -> None:
    quiet = [together("one", 2, 6.0), together("two", 1, 3.0), together("pair", 4, 6.0)]
    crowded = together("two", 4, 12.0, others_s=12.0)
    figure = figures(Observations([*quiet, crowded]))[name]
    assert figure.value is None
    assert figure.why == CROWDED


def test_what_others_disturbed_does_not_count_where_something_was_not() -> None:
    crowded = [together("two", 4, 60.0, others_s=60.0)] * 4
    assert value("run_speedup", *SEEN, *crowded) == value("run_speedup")
    assert value("two_4", *SEEN, *crowded) == value("two_4")


@pytest.mark.parametrize(
    "spoilt", [ticking(4, 12.0, errors=["", "", "", "timed out"]), ticking(4, 12.0, others_s=12.0)]
)
def test_ticks_that_failed_or_were_crowded_are_not_compared(spoilt: Observation) -> None:
    assert value("tick_speedup_4", ticking(1, 3.0), spoilt) is None


def test_nothing_seen_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())
