"""What a search thinks after a step, in a record for whoever watches."""

from __future__ import annotations

from collections.abc import Iterable

from harness.analysis.capacity import capacity_of
from harness.analysis.judging import JudgedStep
from harness.analysis.measures.percentiles import Quantile
from harness.analysis.search.base import Observation
from harness.analysis.search.boundary import believe, whole
from harness.rig.protocols import Opinion


def opinion_of(
    judged: JudgedStep, observations: Iterable[Observation], *, confidence: float
) -> Opinion:
    """The step's verdict, and where the threshold lies by all observations so far.

    Args:
        judged: the step that was judged last.
        observations: of the cell so far, this one among them.
        confidence: how sure `low` to `high` is to be.
    """
    seen = [each for each in observations if each.counts]
    found = capacity_of(seen, confidence=confidence)
    step, times = judged.summary.step, judged.summary.times
    return Opinion(
        step=step.index,
        kind=step.kind,
        concurrency=step.concurrency,
        repetition=step.repetition,
        verdict=judged.verdict,
        broken=judged.broken,
        throughput_runs_per_s=judged.summary.throughput_runs_per_s,
        response_p95_s=_known(times.response_s.p95),
        launch_p95_s=_known(times.launch_s.p95),
        slowdown_p95=_known(times.slowdown_p95),
        low=found.low,
        high=found.high,
        probability=_holds(seen, found.low),
    )


def _holds(seen: list[Observation], concurrency: int | None) -> float | None:
    """That the server holds this many; nothing at all it always holds."""
    if concurrency is None:
        return None
    if concurrency == 0:
        return 1.0
    return believe(whole(max(each.concurrency for each in seen)), seen).holds(concurrency)


def _known(quantile: Quantile | None) -> float | None:
    return None if quantile is None else quantile.finite
