"""What bursts of waiting runs show of memory, with a model and without."""

from __future__ import annotations

from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.memory_figures import MIB, figures
from harness.scenarios.guides.memory_ladder import _bursts

pytestmark = pytest.mark.unit

BASE = {"light": 100, "eager": 300, "lazy": 100}
RUN = {"light": 100, "eager": 300, "lazy": 300}


def seen(what: str, **values: Any) -> Observation:
    return Observation(what=what, at_s=0.0, values=values)


def held(server: str, runs: int, *, executor: str = "in_process", **changes: Any) -> Observation:
    """Runs of the sizes above, or twice that with a process per step; 5 MiB of it no PSS."""
    idle = BASE[server] * MIB
    added = RUN[server] * runs * MIB * (2 if executor == "multiprocess" else 1)
    values = {
        "server": server, "executor": executor, "runs": runs, "working": runs,
        "idle_usage_bytes": idle + 5 * MIB, "idle_pss_bytes": idle,
        "peak_bytes": idle + added + 5 * MIB, "pss_bytes": idle + added, "resident_runs": runs,
    }  # fmt: skip
    return seen("held", **{**values, **changes})


def alone(server: str, start_s: float, turn: str = "again") -> Observation:
    stamps = {"created_s": 100.0, "started_s": 100.0 + start_s, "ended_s": 101.0 + start_s}
    return seen("run", group="alone", server=server, turn=turn, **stamps)


WALL = {
    "limit_mib": 640, "runs": 10, "accepted": 4, "oom_kills": 1.0, "most_resident": 8.0,
    "resident": 3.0, "running": True, "oom_killed": False,
}  # fmt: skip
SEEN = (
    *(seen("idle", server=name, model_mib=200, pss_bytes=mib * MIB) for name, mib in BASE.items()),
    alone("light", 9.0, "first"), alone("light", 1.0), alone("light", 3.0), alone("light", 2.0),
    *(held("light", runs) for runs in (2, 6, 12)),
    *(held("light", runs, executor="multiprocess") for runs in (2, 6)),
    held("eager", 4), held("eager", 3, executor="multiprocess"), held("lazy", 4),
    seen("wall", **WALL),
)  # fmt: skip


def value(name: str, *observed: Observation) -> float | None:
    return figures(Observations(observed or SEEN))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("peak_per_run_mib", 100), ("peak_fit_r2", 1), ("pss_per_run_mib", 100), ("pss_fit_r2", 1),
        ("multi_per_run_mib", 200), ("most_runs", 12), ("base_from_bursts_mib", 105),
        ("idle_usage_mib", 105), ("base_error_runs", 0), ("model_mib", 200),
        ("eager_per_run_mib", 300), ("lazy_per_run_mib", 300), ("extra_per_run_mib", 200),
        ("extra_multi_per_run_mib", 400), ("eager_idle_mib", 300), ("light_start_s", 2),
        ("light_whole_s", 3), ("wall_oom_kills", 1), ("wall_lost", 7), ("wall_server_lives", 1),
        ("lost_with_memory", 0),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected, abs=1e-6)


def test_a_base_that_is_not_the_idle_servers_is_told_in_runs() -> None:
    bent = [held("light", 2, peak_bytes=(105 + 100 + 200) * MIB),
            held("light", 6, peak_bytes=(105 + 100 + 600) * MIB)]  # fmt: skip
    found = figures(Observations(bent))
    slope = found["peak_per_run_mib"].value
    assert slope
    assert found["base_error_runs"].value == pytest.approx(100 / slope)


def test_a_burst_in_which_a_run_never_came_to_work_is_left_out() -> None:
    assert value("most_runs", held("light", 2), held("light", 12, working=11)) == 2


def test_a_container_that_ended_was_killed_for_memory_if_the_engine_says_so() -> None:
    gone = seen("wall", **{**WALL, "oom_kills": None, "oom_killed": True, "running": False})
    assert value("wall_oom_kills", gone) == 1
    assert value("wall_server_lives", gone) == 0


def test_runs_lost_with_enough_memory_are_counted_whether_they_came_to_work_or_not() -> None:
    wall = seen("wall", **WALL)
    assert value("lost_with_memory", wall, held("light", 12, working=11, resident_runs=10)) == 2


def test_nothing_seen_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())


def test_a_quick_run_holds_less() -> None:
    quick, whole = (sum(b.runs for b in _bursts(quick=flag)) for flag in (True, False))
    assert quick < whole
