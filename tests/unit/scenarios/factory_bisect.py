"""Rounds that measure nothing: releases with known levels, in simulated time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.analysis.bisecting.types import Round
from harness.errors import HarnessError, TargetFailed
from harness.scenarios.bisecting import ReleaseFailedError
from harness.scenarios.bisecting_plan import BisectPlan, Wishes, plan_of
from harness.scenarios.bisecting_record import Record

RELEASES = (
    *(f"1.11.{number}" for number in range(17)),
    *(f"1.12.{number}" for number in range(23)),
    *(f"1.13.{number}" for number in range(29)),
)


def plan(**more: object) -> BisectPlan:
    """From 1.11.16 to 1.13.28, which are 52 steps from release to release."""
    given: dict[str, object] = {"good": "1.11.16", "bad": "1.13.28", "metric": "per_run_mib"}
    return plan_of(Wishes(**{**given, **more}), RELEASES)  # type: ignore[arg-type]


def record(made: BisectPlan, root: Path) -> Record:
    return Record(root / made.record_name, made)


@dataclass
class FakeRounds:
    """From `since` on everything is larger by `ratio`.

    `broken`: releases that cannot be made ready. `silent`: those that give no value.
    `error_at`: what breaks off which round. `took_s` passes on the clock for each cell.
    """

    since: str = "1.12.5"
    ratio: float = 1.12
    noise: float = 0.01
    broken: Collection[str] = ()
    silent: Collection[str] = ()
    error_at: dict[int, HarnessError] = field(default_factory=dict)
    pass_time: Callable[[float], None] = lambda _: None
    cell_s: float = 80.0
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def ready(self, releases: Sequence[str]) -> Collection[str]:
        return ()

    def measure(self, plan: BisectPlan, number: int, between: Sequence[str]) -> Round:
        self.asked.append(tuple(between))
        for release in between:
            if release in self.broken:
                error = TargetFailed("The image cannot be built.", evidence="line 1\nline 2")
                raise ReleaseFailedError(release, error)
        if number in self.error_at:
            raise self.error_at.pop(number)
        order = plan.campaign(number, between).dagster
        took_s = self.cell_s * len(order)
        self.pass_time(took_s)
        random = np.random.default_rng(number)
        level = 100 * np.exp(random.normal(0, 0.2))
        values, why = {}, {}
        for release in order:
            larger = RELEASES.index(release) >= RELEASES.index(self.since)
            value = level * (self.ratio if larger else 1) * np.exp(random.normal(0, self.noise))
            if release in self.silent:
                why[release] = "no line through the steps' memory"
            else:
                values[release] = float(value)
        return Round(
            number=number, folder=f"bisect-{number}", releases=order, values=values, why=why,
            took_s=took_s,
        )  # fmt: skip
