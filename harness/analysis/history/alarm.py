"""Does tonight say that something got worse? Red only for what chance and drift do not explain.

Every gating series of the night is looked at over its last one, two and three nights. All those
looks share one level (Holm), so that equal nights turn red less than once in a hundred, whatever
the number of metrics. A difference must also be worth waking somebody for: below `FLOOR` nothing
is red, however sure it is.

A ratio is expected to be 1 for ever: a regression that stands stays red until it is mended or the
baseline is pinned anew. A plain value has nothing to stand against but its own past, so it gets
used to a new level within `nights` nights.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from harness.analysis.comparison.correction import holm
from harness.analysis.comparison.types import Metric, Verdict
from harness.analysis.history.alarm_evidence import LEAST_NIGHTS, TOGETHER, looks_at
from harness.analysis.history.alarm_look import Look
from harness.analysis.history.alarm_series import Gated, gated_series
from harness.analysis.history.alarm_words import Told, absent, found
from harness.analysis.history.types import Alarm, Entry

LEVEL = 0.02
"""Chance that equal nights say better or worse, over everything looked at in one night: half of
it is red."""

FLOOR = 0.03
"""Ratio − 1 below which nothing is better or worse: equal cells of the steadiest metrics differ by
less than 1 %, and nobody changes a plan for less than 3 %."""

OVER_ALL = 4.0
"""Part of the level for a mean over all kinds, where one kind alone has 1: it sees what meets all
of them, as a regression of Dagster does."""


def alarms_of(
    entries: Sequence[Entry], *, gates: Collection[str] = (), nights: int = 14
) -> tuple[Alarm, ...]:
    """What each gating series says of tonight, in the order of tonight's figures.

    Args:
        entries: ascending; the last is tonight. Those of other campaigns are left out, and
            nights without figures are passed over.
        gates: metrics (`per_run_mib`, or at one load `launch_s@3`) that gate besides those that
            do by default.
        nights: how many nights before are looked back at; ten at least, fewer never tell enough.

    Returns:
        None where there is no gating series. What tonight lacks and one of the last three nights
        had is `cannot_tell`.
    """
    if not entries:
        return ()
    tonight = entries[-1]
    before = [e for e in entries[:-1] if e.campaign == tonight.campaign and _usable(e)]
    nights = max(nights, LEAST_NIGHTS)
    series = gated_series(before[-(nights + TOGETHER) :], tonight, gates)
    judged = [(each, *_looks(each, tonight, nights)) for each in series]
    tests = [(look.p, OVER_ALL if each.over_all else 1.0) for each, looks, _ in judged
             for look in looks]  # fmt: skip
    adjusted = iter(holm([p for p, _ in tests], [weight for _, weight in tests]))
    return tuple(
        _alarm(each, looks, [next(adjusted).p for _ in looks], len(series)) if looks
        else _silent(each, why)
        for each, looks, why in judged
    )  # fmt: skip


def _usable(entry: Entry) -> bool:
    return bool(entry.figures) and not entry.problem


def _looks(series: Gated, tonight: Entry, nights: int) -> tuple[tuple[Look, ...], str]:
    if not series.nights or series.nights[-1].entry is not tonight:
        return (), absent(tonight.problem)
    return looks_at(series.nights, form=series.key.form, nights=nights)


def _alarm(series: Gated, looks: Sequence[Look], adjusted: Sequence[float], among: int) -> Alarm:
    sure = [
        (look, p)
        for look, p in zip(looks, adjusted, strict=True)
        if p <= LEVEL and abs(look.log_ratio) >= math.log1p(FLOOR) and look.stands(FLOOR)
    ]
    look, p = min(sure, key=lambda each: each[0].p) if sure else (looks[-1], adjusted[-1])
    verdict = _verdict(look, series.metric, sure=bool(sure))
    low, high = look.interval()
    told = Told(
        key=series.key, tonight=series.nights[-1].entry, look=look, verdict=verdict,
        p_adjusted=p, sure=p <= LEVEL, series=among, floor=FLOOR,
    )  # fmt: skip
    return Alarm(
        key=series.key, metric=series.metric, nights=look.nights,
        ratio=math.exp(look.log_ratio), low=low, high=high, p_adjusted=p,
        verdict=verdict, red=verdict == "worse", why=found(told),
    )  # fmt: skip


def _silent(series: Gated, why: str) -> Alarm:
    return Alarm(
        key=series.key, metric=series.metric, nights=0, ratio=None, low=None, high=None,
        p_adjusted=None, verdict="cannot_tell", red=False, why=why,
    )  # fmt: skip


def _verdict(look: Look, metric: Metric, *, sure: bool) -> Verdict:
    if sure:
        more = look.log_ratio > 0
        return "worse" if more == (metric.better == "lower") else "better"
    low, high = look.interval()
    return "same" if low >= 1 / (1 + FLOOR) and high <= 1 + FLOOR else "cannot_tell"
