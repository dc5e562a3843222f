"""What the last nights say of one series, one, two and three of them taken together.

A night's ratio scatters by what its rounds show (`Figure.sd`, pooled over nights), and by what
nights differ in beyond that. A night whose own rounds lie further apart than is usual counts with
its own scatter: a neighbour on the machine must not look like a regression.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

import numpy as np
from scipy.special import chdtri, fdtri

from harness.analysis.history.alarm_look import Error, Look, Night
from harness.analysis.history.types import Figure, Form

TOGETHER = 3
"""So many nights at most are taken together."""

LEAST_NIGHTS = 10
"""A plain value needs so many earlier nights to stand against."""

LEAST_NIGHTLY_SD = 0.01
"""Two sides of a night, or two nights, are taken to differ by so much of ln(value) at least, in
ways that no round shows: what was cached, where on disk an image lies, how whole numbers were
counted. A metric whose cells agree in every digit proves nothing finer."""

UNUSUAL = 0.05
"""A night's rounds scatter more than usual where chance alone gives that less often."""

BEYOND_ROUNDS = 0.01
"""Nights differ in more than their rounds show where chance alone gives that less often: rarely
found, for it costs much of what is known, and `LEAST_NIGHTLY_SD` is there anyway."""

KNOWN = 1e6
"""Degrees of freedom of a variance that is set, not estimated."""

NORMAL_MAD = 1.4826
"""Standard deviation of a normal distribution ÷ its median absolute deviation."""

MAD_EFFICIENCY = 0.37
"""What n values say of their scatter by the median deviation, they would say as 0.37 n by the
variance."""

LEAST_STEPS = 5
"""Differences between nights that tell what nights differ in."""

MEDIAN_COST = math.pi / 2
"""Variance of a median ÷ that of a mean, of normal values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variance:
    """An estimated variance, over `free` degrees of freedom."""

    value: float
    free: float


def looks_at(points: Sequence[Night], *, form: Form, nights: int) -> tuple[tuple[Look, ...], str]:
    """One look for each number of nights taken together, one night first; else none, and why.

    Args:
        points: ascending, one or more, of one series; the last is tonight.
        form: a `ratio` is expected to be 1, a `value` where the nights before were.
        nights: how many nights before are looked back at.
    """
    return _ratios(points, nights) if form == "ratio" else _values(points, nights)


def _ratios(points: Sequence[Night], nights: int) -> tuple[tuple[Look, ...], str]:
    tonight, past = points[-1], points[-(nights + 1) :]
    rounds = pooled([night.figure for night in past])
    between = _between(past[:-1], rounds)
    if between is None:
        return (), "nothing tells how far equal cells scatter: one round, and no nights before"
    alike = [night for night in past if night.entry.baseline == tonight.entry.baseline]
    looks = tuple(
        _together(alike[-together:], rounds, between)
        for together in range(1, min(TOGETHER, len(alike)) + 1)
    )
    return looks, ""


def _together(taken: Sequence[Night], rounds: _Variance | None, between: _Variance) -> Look:
    """Some nights' ln(ratio), each by what it is worth.

    By rounds alone the error has few degrees of freedom and Student's t is exact; nights add to it,
    and a small sum must not pass for a well-known one.
    """
    within = [0.0 if rounds is None else _night_variance(n.figure, rounds) for n in taken]
    weights = [1 / (each + between.value) for each in within]
    total = sum(weights)
    errors = [Error(se=math.sqrt(1 / total), free=between.free)]
    if rounds is not None and any(within):
        alone = sum(w**2 * each for w, each in zip(weights, within, strict=True)) / total**2
        errors.append(Error(se=math.sqrt(alone), free=rounds.free))
    tonight = taken[-1]
    return Look(
        nights=len(taken),
        log_ratio=sum(w * n.log for w, n in zip(weights, taken, strict=True)) / total,
        errors=tuple(errors),
        alone=tonight.log,
        mixed=any(night.entry.subject != tonight.entry.subject for night in taken),
    )


def pooled(figures: Sequence[Figure]) -> _Variance | None:
    """Variance of ln(value) between equal cells, of all nights; `None` where none shows it."""
    known = [(f.sd, f.free) for f in figures if f.sd is not None and f.free > 0]
    free = sum(each for _, each in known)
    if not free:
        return None
    return _Variance(value=sum(sd**2 * each for sd, each in known) / free, free=free)


def _night_variance(figure: Figure, usual: _Variance) -> float:
    """Of a night's ln(ratio), by its rounds: the usual scatter of cells, or the night's own where
    that is larger than chance makes it.
    """
    cell = usual.value
    if figure.sd is not None and figure.free > 0:
        most = usual.value * float(fdtri(figure.free, usual.free, 1 - UNUSUAL))
        cell = figure.sd**2 if figure.sd**2 > most else usual.value
    return cell * 2 / figure.rounds


def _between(past: Sequence[Night], rounds: _Variance | None) -> _Variance | None:
    """What nights differ in beyond their rounds; `None` where neither rounds nor nights tell how
    far anything scatters.

    From the median difference of successive nights, which a step between two of them does not move.
    """
    least = _Variance(value=LEAST_NIGHTLY_SD**2, free=KNOWN)
    steps = [
        abs(later.log - earlier.log)
        for earlier, later in pairwise(past)
        if later.entry.baseline == earlier.entry.baseline
    ]
    if len(steps) < LEAST_STEPS:
        return least if rounds is not None else None
    seen = (NORMAL_MAD * float(np.median(steps))) ** 2 / 2
    free = len(steps) * MAD_EFFICIENCY
    expected = 0.0
    if rounds is not None:
        expected = float(np.median([2 * rounds.value / night.figure.rounds for night in past]))
        if seen <= expected * float(chdtri(free, BEYOND_ROUNDS)) / free:
            return least
    beyond = seen - expected
    return _Variance(value=beyond, free=free) if beyond > least.value else least


def _values(points: Sequence[Night], nights: int) -> tuple[tuple[Look, ...], str]:
    tonight = points[-1].entry
    alike = list(
        takewhile(
            lambda night: (night.entry.host, night.entry.method) == (tonight.host, tonight.method),
            reversed(points),
        )
    )[::-1]
    if len(alike) <= LEAST_NIGHTS:
        since = "so far" if len(alike) == len(points) else "since the host or the method changed"
        return (), f"{len(alike) - 1} nights {since}, {LEAST_NIGHTS} needed"
    looks = [
        _beside_the_past(alike[-together:], alike[:-together][-nights:])
        for together in range(1, min(TOGETHER, len(alike) - LEAST_NIGHTS) + 1)
    ]
    return tuple(looks), ""


def _beside_the_past(taken: Sequence[Night], past: Sequence[Night]) -> Look:
    """The mean of some nights beside the median of those before them."""
    logs = np.array([night.log for night in past])
    level = float(np.median(logs))
    nightly = NORMAL_MAD * float(np.median(np.abs(logs - level)))
    own = [(night.figure.sd or 0.0) ** 2 / night.figure.rounds for night in (*taken, *past)]
    usual = max(nightly**2, float(np.median(own[len(taken) :])), LEAST_NIGHTLY_SD**2)
    seen = sum(max(usual, each) for each in own[: len(taken)]) / len(taken) ** 2
    tonight = taken[-1]
    se = math.sqrt(seen + usual * MEDIAN_COST / len(past))
    return Look(
        nights=len(taken),
        log_ratio=sum(night.log for night in taken) / len(taken) - level,
        errors=(Error(se=se, free=len(past) * MAD_EFFICIENCY),),
        alone=tonight.log - level,
        mixed=any(night.entry.subject != tonight.entry.subject for night in taken),
    )
