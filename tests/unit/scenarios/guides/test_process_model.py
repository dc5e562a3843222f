"""What thirty sleeping runs show of a server."""

from __future__ import annotations

from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.process_model import MIB, figures

pytestmark = pytest.mark.unit


def resident(executor: str, runs: int, **changes: Any) -> Observation:
    """Runs that are processes of 100 MiB, in a server of 20 threads."""
    values = {
        "executor": executor, "runs": runs, "children": 1 + runs, "server_threads": 20,
        "pss_bytes": (90 + 100 * runs) * MIB, "resident_runs": runs, "ping_running": 1,
        "ping_queued": 0,
    }  # fmt: skip
    return Observation(what="resident", at_s=0.0, values={**values, **changes})


SEEN = (
    resident("none", 0), *(resident("in_process", n) for n in (5, 15, 30)),
    resident("multiprocess", 8, children=1 + 16),
    Observation(what="defaults", at_s=0, values={"max_workers": 6, "cpu_count": 2, "vcpu": 1.0}),
    Observation(what="threads", at_s=0, values={"threads": 500, "grown_kib": 5120}),
)  # fmt: skip


def value(name: str, *seen: Observation) -> float | None:
    return figures(Observations(seen or SEEN))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("processes_per_run", 1.0), ("threads_per_run", 0.0), ("pss_mib_per_run", 100.0),
        ("pss_fit_r2", 1.0), ("resident_runs_at_most", 30), ("workers", 2), ("ping_running", 1),
        ("processes_per_multiprocess_run", 2.0), ("default_workers", 6), ("cpu_count_seen", 2),
        ("thread_mib", 0.01),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected, abs=1e-9)


def test_one_size_has_no_slope() -> None:
    assert value("processes_per_run", resident("in_process", 5)) is None


def test_a_ping_that_was_not_answered_is_not_known() -> None:
    seen = [resident("none", 0), resident("in_process", 5, ping_running=None)]
    assert value("ping_running", *seen) is None


def test_nothing_seen_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())
