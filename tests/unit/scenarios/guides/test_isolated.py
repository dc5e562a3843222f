"""Starts in a server and in containers, by phase, and what a killed container takes with it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.isolated import LAUNCHER
from harness.scenarios.guides.isolated_figures import MIB, figures

pytestmark = pytest.mark.unit


def start(where: str, took_s: float, *, at_once: int = 1, **changes: Any) -> Observation:
    """A run sent at 100 that needed so long to start, and then two seconds for a CPU-second."""
    run_s = 100.0 + took_s
    values = {
        "where": where, "at_once": at_once, "sent_s": 100.0, "process_started_s": run_s - 0.5,
        "started_s": run_s, "step_starts": [run_s], "step_ends": [run_s + 2.0], "status": "SUCCESS",
        "ended_s": run_s + 2.1, "run_id": f"{where}-{took_s}",
    }  # fmt: skip
    return Observation(what="start", at_s=0, values={**values, **changes})


def seen(what: str, **values: Any) -> Observation:
    return Observation(what=what, at_s=0, values=values)


SEEN = (
    start("shared", 9.0, at_once=0), start("shared", 1.0), start("shared", 2.0),
    start("shared", 3.0),
    start("box", 20.0, at_once=4), start("box", 22.0, at_once=4, status="FAILURE"),
    start("container", 2.5),
    seen("room", where="box", runs=4, resident=4.0, base_bytes=100 * MIB, most_bytes=500 * MIB,
         peak_bytes=520 * MIB, cpu_s=6.0, oom_kills=0.0),
    seen("killed", where="shared", others=2, others_done=0, status="STARTED"),
    seen("killed", where="container", others=3, others_done=3, status="STARTED"),
    seen("container", run_id="container-2.5", began_s=100.7, most_bytes=90 * MIB, cpu_s=3.0),
    seen("container", run_id="another", began_s=100.9, most_bytes=110 * MIB, cpu_s=1.4),
)  # fmt: skip


def value(name: str, *observed: Observation) -> float | None:
    return figures(Observations(observed or SEEN))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("start_s_shared", 2.0), ("process_s_shared", 1.5), ("compute_s_shared", 2.0),
        ("done_shared", 1.0), ("start_s_box_4", 21.0), ("done_box_4", 0.5),
        ("start_s_container", 2.5), ("container_s", 0.7), ("run_mib_container", 100.0),
        ("launch_cpu_s_container", 1.4), ("most_mib_box_4", 520.0), ("run_mib_box_4", 100.0),
        ("launch_cpu_s_box_4", 1.5), ("oom_kills_box_4", 0.0), ("lost_beside_shared", 1.0),
        ("lost_beside_container", 0.0), ("unnoticed_container", 1.0), ("box_holds", 9),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected)


def test_the_box_is_faster_where_a_container_takes_longer_than_what_it_loses() -> None:
    assert value("break_even_s", *SEEN, start("box", 8.0)) == pytest.approx(8.0 - (2.5 - 0.7))
    assert value("break_even_s") is None, "no run was alone on the box"


def test_a_run_that_was_killed_on_purpose_did_not_fail() -> None:
    ended = start("container", 2.0, at_once=4)
    killed = start("container", 2.0, at_once=4, status="STARTED", ended_s=None, killed=True)
    assert value("done_container_4", ended, killed) == 1
    assert value("start_s_container_4", ended, killed) == pytest.approx(2.0)


def test_a_run_that_was_refused_has_no_start() -> None:
    refused = seen("start", where="box", at_once=1, sent_s=1.0, status="PythonError")
    assert value("start_s_box", refused) is None
    assert value("done_box", refused) == 0


def test_nothing_seen_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())


def test_containers_of_runs_are_limited_locked_down_and_carry_the_projects_label() -> None:
    given = LAUNCHER["config"]["container_kwargs"]
    assert given["memswap_limit"] == given["mem_limit"]
    assert given["cap_drop"] == ["ALL"]
    assert given["read_only"] is True
    assert given["labels"] == {
        "com.docker.compose.project": "{project}", "dagster-load-harness": "1",
        "dagster-load-harness.started": "1",
    }  # fmt: skip
