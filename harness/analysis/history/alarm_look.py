"""A night in a series, and what some nights together say with which error."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import stdtr, stdtrit

from harness.analysis.history.types import Entry, Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One night in a series; its figure is above 0."""

    entry: Entry
    figure: Figure

    @property
    def log(self) -> float:
        """ln of the figure."""
        return math.log(self.figure.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """A standard error of ln(ratio), known over `free` degrees of freedom."""

    se: float
    free: float

    def p(self, log_ratio: float) -> float:
        """Of no difference, two-sided, by Student's t."""
        return float(2 * stdtr(self.free, -abs(log_ratio) / self.se))

    def reach(self, confidence: float) -> float:
        """Half of an interval."""
        return float(stdtrit(self.free, 0.5 + confidence / 2)) * self.se


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The last `nights` nights together.

    `log_ratio`: ln(what was seen ÷ what was expected). `errors`: its error by each account there is
    of it (what rounds show; what nights differ in besides): a difference must be sure by all.
    `alone`: ln(ratio) of tonight alone. `mixed`: earlier nights of it were of another version.
    """

    nights: int
    log_ratio: float
    errors: tuple[Error, ...]
    alone: float
    mixed: bool

    @property
    def p(self) -> float:
        """Of no difference, two-sided."""
        return max(error.p(self.log_ratio) for error in self.errors)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Of the ratio."""
        reach = max(error.reach(confidence) for error in self.errors)
        return math.exp(self.log_ratio - reach), math.exp(self.log_ratio + reach)

    def stands(self, floor: float) -> bool:
        """Whether it is about tonight. What another version showed the nights before counts only
        where tonight alone lies beyond the floor too: it may have been mended since.
        """
        toward = math.copysign(1.0, self.log_ratio) * self.alone
        return not self.mixed or toward >= math.log1p(floor)
