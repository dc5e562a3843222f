"""A machine that drifts and is noisy, and releases whose level is known."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.analysis.bisecting.conclude import conclude
from harness.analysis.bisecting.evidence import Evidence
from harness.analysis.bisecting.strategy import Measure, Stop, next_round
from harness.analysis.bisecting.types import USUAL, BisectFinding, Question, Round, Rules
from harness.analysis.comparison.types import Metric

METRIC = Metric(
    key="per_run_mib", name="memory a run", unit="MiB", better="lower", at_load=False, gates=False
)
ENOUGH = 80
"""Rounds after which a trial has gone wrong."""


def releases_of(count: int) -> tuple[str, ...]:
    """`1.12.0`, `1.12.1`, …"""
    return tuple(f"1.12.{number}" for number in range(count))


def question_of(releases: Sequence[str]) -> Question:
    return Question(
        key="per_run_mib", metric=METRIC, setup={"workload": "io"}, good=releases[0],
        bad=releases[-1], turned=False,
    )  # fmt: skip


def round_of(number: int, values: Mapping[str, float], **more: object) -> Round:
    """One round that measured what it has values for."""
    fields: dict[str, object] = {
        "number": number, "folder": f"bisect-{number}", "releases": tuple(values),
        "values": dict(values), **more,
    }  # fmt: skip
    return Round(**fields)  # type: ignore[arg-type]


@dataclass
class Machine:
    """Measures releases: level of the release × level of the round × noise.

    `levels`: ln of the metric, by place. `broken`: releases that never give a value.
    """

    levels: Sequence[float]
    noise: float
    seed: int
    broken: Collection[str] = ()
    drift: float = 0.1
    skipped: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.releases = releases_of(len(self.levels))
        self._random = np.random.default_rng(self.seed)

    def measure(self, number: int, order: Sequence[str]) -> Round:
        level = self._random.normal(0, self.drift)
        values = {}
        for release in order:
            own = self.levels[self.releases.index(release)]
            noise = self._random.normal(0, self.noise)
            if release not in self.broken:
                values[release] = 100 * math.exp(level + own + noise)
        return round_of(number, values, releases=tuple(order))


@dataclass(frozen=True)
class Outcome:
    """What a bisection over a machine came to."""

    finding: BisectFinding
    evidence: Evidence
    orders: tuple[Measure, ...]

    @property
    def named(self) -> tuple[str, str] | None:
        """The two releases it says it moved between."""
        if self.finding.status not in ("found", "several"):
            return None
        step = self.finding.steps[0]
        return step.after, step.upto

    @property
    def measured(self) -> int:
        """How many releases were."""
        return len(self.evidence.places)


def bisect(
    machine: Machine, rules: Rules = USUAL, ready: Collection[str] = (), **evidence: object
) -> Outcome:
    """Bisect to the end; a broken release is skipped when it was tried."""
    known = Evidence(releases=machine.releases, **evidence)  # type: ignore[arg-type]
    orders: list[Measure] = []
    while isinstance(order := next_round(known, rules, ready), Measure):
        orders.append(order)
        turn = (machine.releases[0], *order.releases, machine.releases[-1])
        done = machine.measure(len(orders), turn if len(orders) % 2 else turn[::-1])
        skipped = {each: "it does not start" for each in order.releases if each in machine.broken}
        known = Evidence(
            releases=known.releases, rounds=(*known.rounds, done),
            skipped={**known.skipped, **skipped}, candidates=known.candidates,
        )  # fmt: skip
        assert len(orders) < ENOUGH
    assert isinstance(order, Stop)
    found = conclude(known, question_of(machine.releases), rules=rules, ended=order.reason)
    return Outcome(finding=found, evidence=known, orders=tuple(orders))


def step(count: int, at: int, ratio: float = 1.15) -> list[float]:
    """Levels that step up at one place."""
    return [math.log(ratio) if place >= at else 0.0 for place in range(count)]
