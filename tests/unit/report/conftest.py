"""Findings of synthetic cells, for the tests of reports."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.analysis.findings.document import Findings, findings_of
from harness.campaign.plan import Campaign, Search, Workload
from harness.campaign.profiles import Profile

sys.path.append(str(Path(__file__).parents[1] / "analysis"))

from factory import Rung, make_facts

UNLOADED = Rung(concurrency=1, kind="unloaded")
LADDERS: dict[str, tuple[list[Rung], dict[str, object]]] = {
    "bracketed": (
        [UNLOADED, Rung(concurrency=4), Rung(concurrency=8, launch_s=14.0, pool_queue=2.0)],
        {"workload": "io", "id": "io"},
    ),
    "above_max": ([UNLOADED, Rung(concurrency=10)], {"workload": "cpu", "id": "cpu"}),
    "below_min": (
        [Rung(concurrency=1, kind="unloaded", step={"oom_kills": 1}, late_status="LOST")],
        {"workload": "memory", "id": "memory"},
    ),
    "invalid": ([UNLOADED, Rung(concurrency=4, send_lag_s=3.0, silent=("pool",))], {"id": "late"}),
    "unenforced": (
        [UNLOADED, Rung(concurrency=4)],
        {"id": "open", "limits_enforced": False, "effective_limits": None, "target": "process"},
    ),
    "unmeasured": ([], {"id": "nothing"}),
}


def findings_for(*names: str) -> Findings:
    """Findings of a campaign with these cells."""
    campaign = Campaign(
        name="synthetic",
        profiles=(Profile(name="1vcpu-2gb", vcpu=1, memory_mib=2048),),
        workloads=(Workload(name="io"),),
        search=Search(confidence=0.9),  # one step a concurrency: not enough for more
    )
    facts = [make_facts(rungs, **cell) for rungs, cell in (LADDERS[name] for name in names)]
    return findings_of(campaign, {"host": {"cpus": 2}}, facts)


@pytest.fixture(scope="session")
def everything() -> Findings:
    """One cell of every kind of answer."""
    return findings_for(*LADDERS)


@pytest.fixture(scope="session")
def bracketed() -> Findings:
    """One cell with a bracketed capacity of 4."""
    return findings_for("bracketed")


@pytest.fixture(scope="session")
def unenforced() -> Findings:
    """One cell on a target that enforces no limits."""
    return findings_for("unenforced")
