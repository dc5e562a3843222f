"""From judged steps to a capacity: the highest concurrency that holds, as an interval.

Success is taken to be monotonic in load: what fails at N fails above N. So a pass above a fail
does not count, and the answer lies between the last pass below the first failure and the
concurrency just under that failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.analysis.slo import Verdict

Status = Literal["bracketed", "above_max", "below_min", "invalid"]
RungVerdict = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One judged repetition of one concurrency."""

    concurrency: int
    verdict: Verdict
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """All repetitions of one concurrency together. `broken` names the SLOs of the failed ones."""

    concurrency: int
    verdict: RungVerdict
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The highest concurrency at which every objective held.

    `bracketed`: it held at `low` = `concurrency` and broke at `first_failing`; the truth lies in
    `low`..`high`. `above_max`: nothing broke, so it is `concurrency` or more (`high` is `None`).
    `below_min`: not even the lowest tried held; `concurrency` is 0. `invalid`: the facts do not
    support a capacity; `concurrency` is `None`, and `low` the highest that held, where any did.
    """

    concurrency: int | None
    low: int | None
    high: int | None
    first_failing: int | None
    status: Status
    binding: str | None = None
    broken_slo: str | None = None
    evidence: tuple[str, ...] = ()


def rungs_of(trials: Iterable[Trial]) -> tuple[Rung, ...]:
    """One rung a concurrency, ascending. See `_decide` for repetitions."""
    by_concurrency: dict[int, list[Trial]] = {}
    for trial in trials:
        by_concurrency.setdefault(trial.concurrency, []).append(trial)
    return tuple(_decide(n, by_concurrency[n]) for n in sorted(by_concurrency))


def _decide(concurrency: int, trials: Sequence[Trial]) -> Rung:
    """The majority of the repetitions that passed or failed; a tie is a failure.

    Repetitions that are invalid or inconclusive have no vote; where none has one, the rung is
    unknown.
    """
    passed = [trial for trial in trials if trial.verdict == "pass"]
    failed = [trial for trial in trials if trial.verdict == "fail"]
    if not passed and not failed:
        return Rung(concurrency=concurrency, verdict="unknown")
    if len(passed) > len(failed):
        return Rung(concurrency=concurrency, verdict="pass")
    names = tuple(dict.fromkeys(name for trial in failed for name in trial.broken))
    return Rung(concurrency=concurrency, verdict="fail", broken=names)


def capacity_of(trials: Iterable[Trial]) -> Capacity:
    """The capacity these trials support, its binding limit not yet named."""
    rungs = rungs_of(trials)
    failing = next((rung for rung in rungs if rung.verdict == "fail"), None)
    below = [rung for rung in rungs if failing is None or rung.concurrency < failing.concurrency]
    passing = [rung.concurrency for rung in below if rung.verdict == "pass"]
    low = max(passing, default=None)
    first_failing = failing.concurrency if failing else None
    broken_slo = failing.broken[0] if failing and failing.broken else None
    high = first_failing - 1 if first_failing is not None else None
    if low is None and (failing is None or below):
        return Capacity(
            concurrency=None,
            low=None,
            high=high,
            first_failing=first_failing,
            status="invalid",
            broken_slo=broken_slo,
            evidence=("no step below the first failing one could be judged",)
            if failing
            else ("no step could be judged",),
        )
    status: Status = "bracketed" if failing else "above_max"
    return Capacity(
        concurrency=low if low is not None else 0,
        low=low if low is not None else 0,
        high=high,
        first_failing=first_failing,
        status="below_min" if low is None else status,
        broken_slo=broken_slo,
        evidence=_untested(rungs, low=low or 0, first_failing=first_failing),
    )


def _untested(rungs: Sequence[Rung], *, low: int, first_failing: int | None) -> tuple[str, ...]:
    """What lies between the answer's ends, or above it, without a verdict."""
    blind = [
        str(rung.concurrency)
        for rung in rungs
        if rung.verdict == "unknown"
        and rung.concurrency > low
        and (first_failing is None or rung.concurrency < first_failing)
    ]
    return (f"no valid verdict at {', '.join(blind)}",) if blind else ()


def with_binding(capacity: Capacity, limit: str | None, evidence: Sequence[str] = ()) -> Capacity:
    """Name the limit that binds.

    Where it is the control plane, what fed the server gave out before the server did: that is no
    threshold of the server, and the capacity becomes invalid.
    """
    named = replace(capacity, binding=limit, evidence=(*capacity.evidence, *evidence))
    if limit != "control_plane":
        return named
    return replace(
        named,
        concurrency=None,
        low=capacity.low or None,
        status="invalid",
        evidence=(*named.evidence, "the server was not what gave out: not its threshold"),
    )
