"""What the ECS sizing guide says, as far as it can be held against a measurement.

"Dagster+ ECS Sizing Guide: Non-Isolated Runs", a gist of 9 April 2026. Its numbers are rules of
thumb; none of them is taken over here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from harness.analysis.sizing.demand import concurrency_by_littles_law, mean_duration_s
from harness.analysis.sizing.known import Source
from harness.analysis.sizing.types import Basis, Comparison, Demand

NAME = "ECS sizing guide"

BURST = 2.5
"""Its headroom for bursts: peak ÷ mean."""

THREADS_PER_VCPU = 5
"""What it takes for the default of a thread pool."""

COMMON_SIZE = "4vcpu-16gb"
"""The size it recommends to start with, twice, and the one its thresholds are read for here: it
gives none with them."""

COMMON_REPLICAS = 2
COMMON_RUNS = 15
"""Runs it expects each of those to hold."""

ON_ONE_SERVER = (
    ("io", "mostly I/O-bound", "20 to 30"),
    ("mixed", "mixed I/O and CPU", "10 to 15"),
    ("cpu", "mostly CPU-bound", "4 to 8"),
)
"""Workload here, its kind of runs, and how many at once it gives a single server."""

SIZES = (
    (10, "2 vCPU / 4 to 8 GB (5 to 10 light runs)", "2vcpu-4gb"),
    (25, "4 vCPU / 16 GB (10 to 25 medium runs)", "4vcpu-16gb"),
    (50, "8 vCPU / 32 GB (25 to 50 runs), or replicas", "8vcpu-32gb"),
)
"""Up to so many runs at once: what it suggests, and the smallest such profile."""


def peak_concurrency(demand: Demand) -> float:
    """Duration ÷ 3600 × runs per hour × 2.5: Little's law without launching and slowing down."""
    rate_per_s = demand.mean_rate_per_s
    return BURST * concurrency_by_littles_law(rate_per_s, mean_duration_s(demand))


def size_for(runs: float) -> tuple[str, str | None]:
    """What it suggests for so many runs at once, and the profile; above 50 only replicas."""
    for most, words, profile in SIZES:
        if runs <= most:
            return words, profile
    return "several replicas (more than 50 runs)", None


def beside(
    question: str,
    says: str,
    here: str,
    *,
    basis: Basis | Literal["not measured"] = "predicted",
    sources: Iterable[Source] = (),
) -> Comparison:
    """A rule of thumb beside what is known here; `sources` are the cells that comes from."""
    names = "; ".join(source.name for source in sources)
    return Comparison(
        question=question,
        guide=says,
        measured=here,
        basis=basis,
        source=f"{NAME}; here {names}" if names else NAME,
    )
