"""Signs for a limit, and how they add up to a score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.binding.evidence import Limit
from harness.analysis.binding.look import Look
from harness.analysis.binding.looking import Figures

TOLD = 0.1
"""Signs that weigh less are noise and are not quoted."""

ALL, HALF = 1.0, 0.45
"""What a sign keeps where the server had CPU left, and where it had none: then it may be a
consequence, and 0.45 keeps it below any CPU that is full."""

CPU_FREE, CPU_FULL = 0.7, 0.9
THROTTLED_LITTLE, THROTTLED_MUCH = 0.3, 0.6
"""Of the limit, of the periods. At 70 % a burst still finds CPU (the threshold of docs/method.md
for the pool); above 90 % what is left is lost to the granularity of quota periods. Runs of
one second's start-up on a quiet server were throttled in 20 to 40 % of the periods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One observation: how much it could say at most, how far it is there (both 0 to 1)."""

    weight: float
    degree: float
    text: str

    @property
    def says(self) -> float:
        """What it adds to a score that was zero."""
        return self.weight * self.degree


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How much speaks for one limit, 0 to 1.

    `decisive`: a wall was hit, and nothing else needs weighing. `evidence`: the signs, the
    heaviest first. `against`: one sentence, why it is not this one, should that be so. `blind`:
    what could not be seen, empty when everything could.
    """

    limit: Limit
    value: float
    evidence: tuple[str, ...] = ()
    against: str = ""
    blind: str = ""
    decisive: bool = False


def combined(signs: Sequence[Sign]) -> float:
    """1 − Π (1 − weight · degree): more signs say more, and none takes away (noisy or)."""
    return 1.0 - math.prod(1.0 - sign.says for sign in signs)


def told(signs: Sequence[Sign]) -> tuple[str, ...]:
    """The sentences worth quoting, the heaviest first."""
    heavy = sorted((s for s in signs if s.says >= TOLD), key=lambda s: s.says, reverse=True)
    return tuple(sign.text for sign in heavy)


def ramp(value: float | None, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, straight between; 0 where the value is not known."""
    if value is None:
        return 0.0
    return min(1.0, max(0.0, (value - low) / (high - low)))


def growth(at: float | None, below: float | None) -> float | None:
    """How many times as much as in the step below; `None` where one is not known, or was zero."""
    return at / below if at is not None and below else None


def starved(look: Look) -> float:
    """How far the server lacked CPU under its own limit, 0 to 1."""
    return max(
        ramp(look.cpu_ratio, CPU_FREE, CPU_FULL),
        ramp(look.throttled_ratio, THROTTLED_LITTLE, THROTTLED_MUCH),
    )


def free(look: Look) -> float:
    """What a sign keeps that only means something while the server has CPU left.

    Halfway where nothing is known of the CPU.
    """
    if look.cpu_ratio is None and look.throttled_ratio is None:
        return (ALL + HALF) / 2
    return ALL - (ALL - HALF) * starved(look)


def both(figures: Figures, at: str, below: str | None) -> str:
    """`at 8: …; at 6: …`, the second part where there is something to say."""
    look = figures.at
    equal = f" (median of {look.repetitions})" if look.repetitions > 1 else ""
    head = f"at {look.concurrency}{equal}: {at}"
    if figures.below is None or below is None:
        return head
    return f"{head}; at {figures.below.concurrency}: {below}"


def percent(value: float | None) -> str | None:
    """`0.98` → `98%`."""
    return None if value is None else f"{value:.0%}"
