"""Known workloads and demands of chosen truth, for the tests of sizing."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from factory import Rung, make_facts
from factory_model import MIB, exact, make_model

from harness.analysis.capacity import Capacity
from harness.analysis.findings.document import findings_of
from harness.analysis.findings.types import CellFinding
from harness.analysis.model.cell_model import CellModel
from harness.analysis.sizing.blend import blend_of
from harness.analysis.sizing.known import Known, Source, known_of
from harness.analysis.sizing.options import Terms
from harness.analysis.sizing.types import Demand, Duration, Option, Part, Price
from harness.campaign.plan import Campaign, Search, Workload
from harness.campaign.profiles import FARGATE

SLOS = {"memory_headroom": 0.9, "launch_s_p95": 10.0, "slowdown_p95": 2.0}
PRICE = Price(
    per_vcpu_hour=0.04, per_gib_hour=0.004, currency="USD", as_of="2026-06-17", source="a test"
)


@cache
def _finding() -> CellFinding:
    rungs = [Rung(concurrency=1, kind="unloaded"), Rung(concurrency=4)]
    campaign = Campaign(
        name="synthetic",
        profiles=(FARGATE["1vcpu-2gb"],),
        workloads=(Workload(name="io"),),
        search=Search(confidence=0.9),
    )
    return findings_of(campaign, {"host": {"cpus": 2}}, [make_facts(rungs)]).cells[0]


def make_source(
    workload: str = "io",
    *,
    model: CellModel | None = None,
    run_s: float = 8.0,
    capacity: Capacity | None = None,
    **changes: Any,
) -> Source:
    """A cell on 1vcpu-2gb; its finding is that of a small synthetic cell."""
    found = replace(_finding(), id=f"cell-{workload}", workload=workload, run_s=run_s, **changes)
    if capacity is not None:
        found = replace(found, capacity=capacity)
    return Source(
        campaign="test",
        folder="results/test",
        finding=found,
        model=model or make_model(),
        run_s=run_s,
        slos=SLOS,
        host={"cpu_model": "a test CPU"},
    )


def make_known(workload: str = "io", **changes: Any) -> Known:
    """One workload from one cell: 2 CPU-s to launch, 8 s of waiting, 100 MiB a run."""
    return known_of([make_source(workload, **changes)])


def cpu_known() -> Known:
    """2 CPU-s to launch, 2 of its own work and no waiting."""
    return make_known("cpu", model=make_model(run_cpu_s=exact(2.0), z_s=exact(0.0)), run_s=2.0)


def heavy_known() -> Known:
    """As io, with 1,000 MiB a run."""
    return make_known("heavy", model=make_model(bytes_per_run=exact(1000 * MIB)))


def make_demand(
    runs_per_hour: float = 200.0,
    *parts: tuple[str, float, float],
    burst: float = 2.5,
    growth: float = 1.0,
) -> Demand:
    """Parts are (workload, share, seconds); without any io alone, 8 s."""
    return Demand(
        runs_per_hour=runs_per_hour,
        parts=tuple(
            Part(workload=name, share=share, duration=Duration(mean_s=mean_s))
            for name, share, mean_s in parts or (("io", 1.0, 8.0),)
        ),
        burst=burst,
        growth=growth,
    )


def make_terms(demand: Demand, *known: Known, **changes: Any) -> Terms:
    """The demand with these workloads, nothing of it answered by a measured size."""
    terms = Terms(demand=demand, blend=blend_of(demand, known, {}), slos=SLOS, price=PRICE)
    return replace(terms, **changes)


def make_option(profile: str = "1vcpu-2gb", **changes: Any) -> Option:
    """One that holds, at its price by `PRICE`."""
    size, replicas = FARGATE[profile], changes.get("replicas", 1)
    month = (0.04 * size.vcpu + 0.004 * size.memory_mib / 1024) * replicas * 730
    fields: dict[str, Any] = {
        "profile": profile, "vcpu": size.vcpu, "memory_limit_mib": float(size.memory_mib),
        "replicas": replicas, "basis": "predicted", "holds": True, "in_flight": 6.0,
        "in_flight_p95": 10, "replica_p95": 10, "capacity": 12, "capacity_low": 12,
        "capacity_high": 14, "utilisation": 0.4, "binding": "launch_cpu", "headroom": 0.2,
        "memory_mib": 900.0, "wait_s_p95": 0.0, "blast_mean": 6.0 / replicas,
        "blast_worst": 10, "max_workers": 4, "max_concurrent_runs": 12, "per_month": month,
        "per_1000_runs": month / 146, "reason": "it holds", "evidence": (),
    }  # fmt: skip
    return Option(**{**fields, **changes})
