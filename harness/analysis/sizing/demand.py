"""What is asked for: whether it can be meant, and what follows from it without any measurement."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from harness.analysis.measures.percentiles import percentile
from harness.analysis.sizing.types import Demand, Duration, Part

SHARE_TOLERANCE = 1e-6
Z95 = 1.6448536269514722
"""The 95th percentile of the standard normal distribution."""


def problems_of(demand: Demand) -> tuple[str, ...]:
    """Everything that keeps this demand from being meant, in sentences; empty when it is sound."""
    return tuple(_problems(demand))


def _problems(demand: Demand) -> Iterator[str]:
    for name, value, least in (
        ("runs per hour", demand.runs_per_hour, 0.0),
        ("growth", demand.growth, 0.0),
    ):
        if not (math.isfinite(value) and value > least):
            yield f"{name} must be above 0, not {value:g}"
    if not (math.isfinite(demand.burst) and demand.burst >= 1):
        yield f"burst is the busiest rate ÷ the mean rate: 1 or more, not {demand.burst:g}"
    if not demand.parts:
        yield "there must be at least one kind of run"
        return
    names = [part.workload for part in demand.parts]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} is named twice in the mix"
    for part in demand.parts:
        yield from _problems_of_part(part)
    total = math.fsum(part.share for part in demand.parts)
    if not math.isclose(total, 1.0, abs_tol=SHARE_TOLERANCE):
        yield f"the shares of the mix must add up to 1, not {total:g}"


def _problems_of_part(part: Part) -> Iterator[str]:
    mean_s, p95_s = part.duration.mean_s, part.duration.p95_s
    if not 0 < part.share <= 1:
        yield f"{part.workload}: a share is above 0 and at most 1, not {part.share:g}"
    if not (math.isfinite(mean_s) and mean_s > 0):
        yield f"{part.workload}: a run takes more than 0 s, not {mean_s:g} s"
    elif p95_s is not None and not (math.isfinite(p95_s) and p95_s > 0):
        yield f"{part.workload}: the 95th percentile of the duration cannot be {p95_s:g} s"
    elif p95_s is not None and p95_s < mean_s / 20:
        # 19 of 20 runs are not above p95, so a mean this far above it needs one endless run.
        yield f"{part.workload}: a mean of {mean_s:g} s does not go with a p95 of {p95_s:g} s"


def duration_of(durations_s: Sequence[float]) -> Duration | None:
    """Mean and 95th percentile of runs as they were; `None` of none."""
    p95 = percentile(durations_s, 95)
    if p95 is None:
        return None
    return Duration(mean_s=math.fsum(durations_s) / len(durations_s), p95_s=p95.value)


def concurrency_by_littles_law(rate_per_s: float, time_s: float) -> float:
    """Mean number present: arrivals a second × seconds each stays (Little 1961)."""
    return rate_per_s * time_s


def mean_duration_s(demand: Demand) -> float:
    """What a run takes alone, over all kinds of runs."""
    return math.fsum(part.share * part.duration.mean_s for part in demand.parts)


def duration_scv(demand: Demand) -> float:
    """Variance of the duration ÷ its mean squared, over all kinds of runs.

    A kind without a p95 is taken as exponential (1). With one, as the lognormal distribution of
    that mean and p95.
    """
    mean_s = mean_duration_s(demand)
    second = math.fsum(
        part.share * part.duration.mean_s**2 * (1 + scv_of(part.duration)) for part in demand.parts
    )
    return max(0.0, second / mean_s**2 - 1)


def scv_of(duration: Duration) -> float:
    """Squared coefficient of variation of one kind.

    For the lognormal ln(p95 ÷ mean) = 1.645 σ − σ² ÷ 2, of which the smaller σ is taken: a p95
    far above the mean has two answers. Above e^(1.645² ÷ 2) = 3.9 times the mean there is none,
    and σ = 1.645 stands in. A p95 below the mean is taken as no spread at all.
    """
    if duration.p95_s is None:
        return 1.0
    ratio = math.log(duration.p95_s / duration.mean_s)
    if ratio <= 0:
        return 0.0
    sigma = Z95 - math.sqrt(max(0.0, Z95**2 - 2 * ratio))
    return math.expm1(sigma**2)
