"""Nights made of the noise of real cells: equal ones, and such with a regression built in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from nights_noise import KindNoise, Noise

from harness.analysis.comparison.metrics import metric_of
from harness.analysis.history.types import Entry, Figure

FloatArray = npt.NDArray[np.float64]

BASELINE, SUBJECT = "1.13.27", "1.13.28"
DAY_S = 86_400.0
SMOOTH = 0.3
"""Width of the smoothing around a drawn residual, in standard deviations: a dozen rows would
otherwise repeat themselves, and show no tails beyond their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How nights go.

    `rounds`: cells of each side and kind a night. `history`: equal nights before. `single`: one
    version without a baseline. Not in the noise of one campaign, and assumed: `common_sd`, by how
    much all launches of a night are slower alike (of ln(value), a tenth of it for memory), which
    cancels in a ratio; `side_sd`, by how much those of one side are, which does not.
    """

    rounds: int
    history: int = 14
    single: bool = False
    common_sd: float = 0.10
    side_sd: float = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A regression: launches `slower` by a ratio − 1, and `mib` more a run."""

    slower: float = 0.0
    mib: float = 0.0

    def log_effect(self, noise: KindNoise) -> FloatArray:
        """ln(regressed ÷ not) of each key of a kind."""
        levels = dict(zip(noise.keys, noise.levels, strict=True))
        return np.log([self._ratio(key, levels) for key in noise.keys])

    def _ratio(self, key: str, levels: Mapping[str, float]) -> float:
        metric, _, load = key.partition("@")
        if metric in ("launch_cpu_s", "launch_s", "launch_work"):
            return 1 + self.slower
        if metric in ("run_rss_mib", "per_run_mib"):
            return 1 + self.mib / levels[key]
        if metric == "throughput_runs_per_s":
            return 1 / (1 + self.slower * _launching(levels, load))
        return 1.0


def _launching(levels: Mapping[str, float], load: str) -> float:
    """Which part of its response a run spends being launched: in-flight launches ÷ runs in flight,
    launches being throughput × launch time (Little).
    """
    launch_s = levels.get(f"launch_s@{load}", 0.0)
    return min(1.0, levels[f"throughput_runs_per_s@{load}"] * launch_s / int(load))


@dataclass(frozen=True)
class Source:
    """Draws cells of one kind."""

    noise: KindNoise

    @cached_property
    def _way(self) -> FloatArray:
        """What of each key moves, and where to, when launches of a night are slower."""
        slower = Injected(slower=0.01).log_effect(self.noise) / math.log(1.01)
        memory = [metric_of(key).unit == "MiB" for key in self.noise.keys]
        return np.where(memory, 0.1, slower)

    @cached_property
    def _rows(self) -> FloatArray:
        rows = np.array(self.noise.residuals)
        return rows - rows.mean(axis=0)

    @cached_property
    def _smoothing(self) -> FloatArray:
        """Scaled rows: noise mixed of them has their covariance, also where they are few."""
        return self._rows / math.sqrt(len(self._rows))

    def cells(self, shape: tuple[int, ...], draw: np.random.Generator) -> FloatArray:
        """Residuals of so many cells; the last axis is the keys. Their covariance is that of the
        rows (smoothed bootstrap, Silverman & Young 1987, Biometrika 74).
        """
        chosen = self._rows[draw.integers(len(self._rows), size=shape)]
        mixed = draw.standard_normal((*shape, len(self._rows))) @ self._smoothing
        return (chosen + SMOOTH * mixed) / math.sqrt(1 + SMOOTH**2)

    def nights(self, setup: Setup, count: int, draw: np.random.Generator) -> FloatArray:
        """ln(value ÷ level), with axes night, round, side (baseline first), key."""
        sides = 1 if setup.single else 2
        found = self.cells((count, setup.rounds, sides), draw)
        drift = np.array(self.noise.drift_per_h) * self.noise.gap_h
        found += np.multiply.outer(
            np.multiply.outer(draw.standard_normal(count), _places(setup.rounds, sides)), drift
        )
        alike = draw.standard_normal((count, 1, 1, 1)) * setup.common_sd
        apart = draw.standard_normal((count, 1, sides, 1)) * setup.side_sd
        return found + (alike + apart) * self._way


def _places(rounds: int, sides: int) -> FloatArray:
    """When each cell of a kind has its turn, in cells of that kind, from the middle of the night:
    ABBA.
    """
    places = np.arange(rounds * sides, dtype=float).reshape(rounds, sides)
    places[1::2] = places[1::2, ::-1]
    return places - places.mean()


def figures_of(logs: FloatArray, kind: KindNoise) -> tuple[Figure, ...]:
    """One night of one kind as the index keeps it; axes round, side, key."""
    rounds, sides, _ = logs.shape
    ratio = sides == 2
    values = logs[:, 1] - logs[:, 0] if ratio else logs[:, 0] + np.log(kind.levels)
    middles = np.exp(values.mean(axis=0)).tolist()
    spread = values.std(axis=0, ddof=1) / math.sqrt(sides) if rounds > 1 else None
    sds = [None] * len(middles) if spread is None else spread.tolist()
    return tuple(
        Figure(
            kind=kind.kind, key=key, role="subject", form="ratio" if ratio else "value",
            value=middle, rounds=rounds, sd=sd, free=rounds - 1,
        )
        for key, middle, sd in zip(kind.keys, middles, sds, strict=True)
    )  # fmt: skip


def chains(
    noise: Noise,
    setup: Setup,
    *,
    trials: int,
    seed: int,
    injected: Injected | None = None,
    after: int = 1,
) -> list[list[Entry]]:
    """Independent histories: `setup.history` equal nights, then `after` nights with what is
    injected (else equal ones too).
    """
    draw = np.random.default_rng(seed)
    length = setup.history + after
    by_kind = []
    for kind in noise.kinds:
        logs = Source(kind).nights(setup, trials * length, draw)
        logs = logs.reshape(trials, length, *logs.shape[1:])
        if injected is not None:
            logs[:, setup.history :, :, -1] += injected.log_effect(kind)
        by_kind.append((kind, logs))
    return [
        [
            _entry(night, [(kind, logs[trial, night]) for kind, logs in by_kind])
            for night in range(length)
        ]
        for trial in range(trials)
    ]


def _entry(night: int, kinds: Sequence[tuple[KindNoise, FloatArray]]) -> Entry:
    single = kinds[0][1].shape[1] == 1
    return Entry(
        folder=f"night-{night:04d}", stamp="", campaign="nightly", started_s=night * DAY_S,
        subject=SUBJECT, baseline="" if single else BASELINE, host="host", harness="", method=1,
        figures=tuple(figure for kind, logs in kinds for figure in figures_of(logs, kind)),
    )  # fmt: skip
