"""The words every search shares: what a probe showed, and what to try next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.analysis.slo import SloResult, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One judged step as a search sees it.

    `margins`: ln(observed ÷ limit) of every objective that has one, by name; above 0 it broke.
    `bare_ok`: whether all objectives that only hold or break held; `None` where there are none.
    `runs`: how many runs the margins rest on; 0 where that does not matter.
    """

    concurrency: int
    verdict: Verdict
    margins: Mapping[str, float] = field(default_factory=dict)
    bare_ok: bool | None = None
    runs: int = 0

    @property
    def counts(self) -> bool:
        """Whether it says anything about the threshold."""
        return self.verdict in ("pass", "fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Try this concurrency next, and why."""

    concurrency: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Nothing more to try, and why."""

    reason: str


NextProbe = Callable[[Sequence[Observation]], Probe | Finished]
"""Everything observed so far, in order, in; the next probe out. Pure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a search is to find out and what it may spend.

    Attributes:
        grid: the concurrencies an answer may be, ascending.
        confidence: how sure each end of the answer is to be, as a probability.
        max_steps: probes at most.
        guess: where a model expects the threshold; `None` where nothing is known.
        at_most: what a larger server was found to hold: this one is not expected to hold more.
    """

    grid: tuple[int, ...]
    confidence: float = 0.95
    max_steps: int = 24
    guess: int | None = None
    at_most: int | None = None


def observe(
    concurrency: int, verdict: Verdict, slos: Sequence[SloResult], *, runs: int = 0
) -> Observation:
    """What a judged step tells a search.

    A margin beyond all bounds says only *broken*: it joins the objectives that hold or break.
    """
    margins = {
        slo.name: slo.margin for slo in slos if slo.margin is not None and slo.margin < float("inf")
    }
    bare = [slo.ok for slo in slos if slo.name not in margins and slo.ok is not None]
    if not margins and not bare and verdict in ("pass", "fail"):
        bare = [verdict == "pass"]
    return Observation(
        concurrency=concurrency,
        verdict=verdict,
        margins=margins,
        bare_ok=all(bare) if bare else None,
        runs=runs,
    )
