from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.analysis.binding import binding_of
from harness.analysis.judging import judge_cell
from harness.analysis.resources import Resources
from harness.facts.table import CellFacts

pytestmark = pytest.mark.unit

LAUNCHING = Resources(
    base_bytes=None,
    per_run=None,
    idle_cpu_cores=0.02,
    launch_cpu_s=1.0,
    run_cpu_s=0.1,
    completed=100,
)
WORKING = Resources(
    base_bytes=None,
    per_run=None,
    idle_cpu_cores=0.02,
    launch_cpu_s=1.0,
    run_cpu_s=9.0,
    completed=100,
)
UNKNOWN = Resources(
    base_bytes=None,
    per_run=None,
    idle_cpu_cores=None,
    launch_cpu_s=None,
    run_cpu_s=None,
    completed=0,
)
SLOW = {"launch_s": 12.0, "pool_queue": 2.0}


@pytest.mark.parametrize(
    ("truth", "resources", "limit"),
    [
        ({"step": {"oom_kills": 2}}, LAUNCHING, "memory"),
        ({"peak_mib": 2000.0}, LAUNCHING, "memory"),
        ({"peak_mib": 2000.0, "cpu_cores": 1.0}, LAUNCHING, "memory"),
        ({**SLOW, "cpu_cores": 0.95}, LAUNCHING, "launch_cpu"),
        ({**SLOW, "cpu_cores": 0.95}, WORKING, "run_cpu"),
        ({**SLOW, "cpu_cores": 0.95}, UNKNOWN, None),
        ({**SLOW, "cpu_cores": 0.5, "throttled_ratio": 0.6}, LAUNCHING, "launch_cpu"),
        ({**SLOW, "cpu_cores": 0.5}, LAUNCHING, "worker_pool"),
        ({**SLOW, "cpu_cores": 0.5, "support_cores": 0.95}, LAUNCHING, "control_plane"),
        ({**SLOW, "cpu_cores": 0.5, "host_cores": 1.9}, LAUNCHING, "control_plane"),
        ({**SLOW, "cpu_cores": 0.95, "support_cores": 0.95}, LAUNCHING, "launch_cpu"),
        ({**SLOW, "cpu_cores": 0.8}, LAUNCHING, None),
        ({"launch_s": 12.0, "cpu_cores": 0.2}, LAUNCHING, None),
    ],
)
def test_the_evidence_names_the_limit(
    truth: dict[str, Any],
    resources: Resources,
    limit: str | None,
    with_last: Callable[..., CellFacts],
) -> None:
    failing = judge_cell(with_last(**truth)).steps[-1]
    assert failing.verdict == "fail"
    found = binding_of(failing.summary, failing.broken, resources=resources, host_cpus=2.0)
    assert found.limit == limit
    assert found.evidence


def test_a_host_of_unknown_size_is_never_called_full(
    with_last: Callable[..., CellFacts],
) -> None:
    failing = judge_cell(with_last(launch_s=12.0, cpu_cores=0.2, host_cores=64.0)).steps[-1]
    found = binding_of(failing.summary, failing.broken, resources=LAUNCHING, host_cpus=None)
    assert found.limit is None


def test_a_crash_without_an_oom_kill_is_not_put_down_to_memory(
    with_last: Callable[..., CellFacts],
) -> None:
    failing = judge_cell(with_last(step={"restarts": 1})).steps[-1]
    found = binding_of(failing.summary, failing.broken, resources=LAUNCHING, host_cpus=2.0)
    assert found.limit is None
