"""What a guide scenario is: something to do with real components, and figures of what it saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.analysis.guides.types import Figures
from harness.facts.observations import Observations
from harness.scenarios.guides.bench import Bench


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One question.

    `minutes` and `quick_minutes`: what it takes at most, whole and with `--quick`; `None`: not
    part of a quick run. `version` rises when observations change so that old ones cannot be
    judged. `socket`: why it needs the engine's socket inside containers; empty: it does not.
    `measure` does and notes; it judges nothing. `figures` is pure.
    """

    name: str
    question: str
    minutes: float
    quick_minutes: float | None
    measure: Callable[[Bench], None]
    figures: Callable[[Observations], Figures]
    version: int = 1
    socket: str = ""
