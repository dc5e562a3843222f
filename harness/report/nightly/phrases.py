"""How a night is put into words: one place, so that all its formats say the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.comparison.types import Effect
from harness.analysis.history.types import Alarm
from harness.report.comparison.words import effect_phrase, metric_name
from harness.report.nightly.summary import Breach, Retried, Series, Since, Status, Summary
from harness.report.phrases import count_of
from harness.units import show_seconds

SLO_WORDS: Mapping[str, str] = {"no_oom": "OOM kills", "failed_runs": "failed runs"}
STATUS_WORDS: Mapping[Status, str] = {"green": "GREEN", "red": "RED", "grey": "GREY"}

_VERSION = ", version "
_SHORT = re.compile(r"(\S+)(?: \(.*?\))? on ([^,]+)")

MOST_NAMED = 2
"""So many series the headline names; of more, how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with sentences below; left out where there are none."""

    title: str
    lines: tuple[str, ...]


def headline(summary: Summary) -> str:
    """The first line: the colour and why. Reads everything of the summary but its `headline`."""
    word = STATUS_WORDS[summary.status]
    why = {"red": _why_red, "green": _why_green, "grey": _why_grey}[summary.status](summary)
    return f"{word}: {why}"


def _why_red(summary: Summary) -> str:
    breaches = [breach for breach in summary.breaches if breach.red]
    red = [series for series in moved_series(summary) if series.alarm.red]
    told = [
        *(breach_phrase(breach, summary) for breach in breaches),
        *(series_phrase(series, summary) for series in _first_of_each(red)),
    ][:MOST_NAMED]
    more = len(breaches) + len(red) - len(told)
    rest = f"; and {more} more" if more > 0 else ""
    broke = f" The night broke off: {summary.trouble.what}" if summary.trouble else ""
    return f"{'; '.join(told)}{rest}.{broke}"


def _first_of_each(found: Sequence[Series]) -> list[Series]:
    """One of each metric and kind of cell: the same at another load says little more."""
    firsts: dict[tuple[str, str], Series] = {}
    for series in found:
        firsts.setdefault((series.alarm.metric.key, series.alarm.key.kind), series)
    return list(firsts.values())


def _why_green(summary: Summary) -> str:
    told = [series for series in summary.series if series.alarm.verdict != "cannot_tell"]
    if not told:
        reason = next(iter(summary.unknown), against(summary)).rstrip(".")
        return f"nothing is worse for sure, but nothing could be compared yet: {reason}."
    silent = len(summary.series) - len(told)
    unsure = f" ({silent} of them cannot tell)" if silent else ""
    better = [series for series in told if series.alarm.verdict == "better"]
    gain = "; ".join(series_phrase(each, summary) for each in _first_of_each(better)[:MOST_NAMED])
    figures = count_of(len(summary.series), "gating figure")
    return f"nothing is worse for sure in {figures}{unsure}, {against(summary)}." + (
        f" Better: {gain}." if gain else ""
    )


def _why_grey(summary: Summary) -> str:
    if summary.trouble is not None:
        return summary.trouble.what
    reason = "; ".join((*summary.failures, *summary.unknown)[:1])
    return f"nobody can tell: {reason or 'nothing valid was measured'}".rstrip(".") + "."


def against(summary: Summary) -> str:
    """What tonight was held against."""
    parts = []
    if summary.baseline:
        parts.append(f"Dagster {summary.baseline} of the same night")
    if summary.nights:
        parts.append(count_of(summary.nights, "earlier night"))
    return f"held against {' and '.join(parts)}" if parts else "it is the first night"


def moved_series(summary: Summary) -> tuple[Series, ...]:
    """What is worse or better for sure: red ones first, then by how much."""
    moved = [each for each in summary.series if each.alarm.verdict in ("better", "worse")]
    return tuple(sorted(moved, key=lambda each: (each.alarm.red, _size(each)), reverse=True))


def _size(series: Series) -> float:
    return abs((series.alarm.ratio or 1.0) - 1)


def places(summary: Summary) -> dict[str, str]:
    """Kinds of cells by a short name, `io on 1 vCPU / 2 GiB`, where that tells them apart; of
    several versions under test with the version: `io on 1 vCPU / 2 GiB, 1.13.28`.
    """
    kinds = dict.fromkeys(
        [*(each.alarm.key.kind for each in summary.series), *(b.kind for b in summary.breaches)]
    )
    bare = {kind: kind.partition(_VERSION)[0] for kind in kinds}
    short = {each: match.expand(r"\1 on \2") for each in {*bare.values()}
             if (match := _SHORT.match(each))}  # fmt: skip
    times = Counter(short.values())
    return {
        kind: (short[own] if times[short.get(own, "")] == 1 else own) + _whose(kind, summary)
        for kind, own in bare.items()
    }


def _whose(kind: str, summary: Summary) -> str:
    """Which of several versions under test a kind is of: the index knows it by its number."""
    subjects = [each for each in summary.dagster if each != summary.baseline]
    number = int(kind.partition(_VERSION)[2] or 1)
    return f", {subjects[number - 1]}" if len(subjects) > 1 and number <= len(subjects) else ""


def figure_name(alarm: Alarm) -> str:
    """`launch time p50 at 3 runs`."""
    _, _, load = alarm.key.key.partition("@")
    return metric_name(alarm.metric, int(load) if load.isdigit() else None)


def series_name(alarm: Alarm, summary: Summary) -> str:
    """`launch time p50 at 3 runs, io on 1 vCPU / 2 GiB`."""
    return f"{figure_name(alarm)}, {places(summary)[alarm.key.kind]}"


def series_phrase(series: Series, summary: Summary) -> str:
    """What moved, by how much, since when, with what."""
    since = f", {since_phrase(series.since, summary)}" if series.since else ""
    return f"{series_name(series.alarm, summary)}: {how_much(series.alarm)}{since}"


def how_much(alarm: Alarm) -> str:
    """`+12 % (+8 to +16)`, with the nights it rests on where they are several."""
    effect = Effect(ratio=alarm.ratio, low=alarm.low, high=alarm.high, n=alarm.nights, paired=False)
    nights = f" over {alarm.nights} nights" if alarm.nights > 1 else ""
    return f"{effect_phrase(effect)}{nights}"


def since_phrase(since: Since, summary: Summary) -> str:
    """`since the night of 2026-11-23, with Dagster 1.13.20 → 1.13.21`."""
    changed = " and ".join(since.changed)
    tonight = since.folder == summary.folder
    night = "tonight" if tonight else f"the night of {since.started_utc[:10]}"
    return f"since {night}" + (f", with {changed}" if changed else "")


def breach_name(breach: Breach) -> str:
    """`failed runs at 3 runs`."""
    return f"{SLO_WORDS.get(breach.slo, breach.slo)} at {count_of(breach.concurrency, 'run')}"


def breach_phrase(breach: Breach, summary: Summary) -> str:
    """`failed runs at 3 runs, io on 1 vCPU / 2 GiB: in 4 of 4 steps of Dagster 1.13.28, …`."""
    place = places(summary)[breach.kind].removesuffix(_whose(breach.kind, summary))
    where = f"{breach_name(breach)}, {place}"
    steps = f"in {breach.steps} of {count_of(breach.of, 'step')}"
    return f"{where}: {steps} of Dagster {breach.dagster}; {breach.why}"


def traits(summary: Summary) -> str:
    """When, how long, with what, on what: one line."""
    budget = f" of {show_seconds(summary.budget_s)}" if summary.budget_s else ""
    parts = (
        f"{summary.started_utc[:16].replace('T', ' ')} UTC",
        f"{show_seconds(summary.lasted_s)}{budget}",
        versions(summary),
        summary.host,
        summary.harness,
    )
    return ", ".join(part for part in parts if part)


def versions(summary: Summary) -> str:
    """`Dagster 1.13.28 beside 1.13.27`."""
    others = [each for each in summary.dagster if each != summary.baseline]
    beside = f" beside {summary.baseline}" if summary.baseline else ""
    return f"Dagster {', '.join(others)}{beside}" if others else ""


def sections(summary: Summary) -> Iterator[Section]:
    """Everything below the first lines and the table of what moved, in the order of reading."""
    yield Section(title="Broke off", lines=tuple(_trouble(summary)))
    broken = tuple(breach_phrase(each, summary) for each in summary.breaches)
    yield Section(title="Objectives at equal loads", lines=broken)
    yield Section(title="Compared", lines=tuple(_compared(summary)))
    yield Section(title="Not as the night before", lines=summary.changed)
    yield Section(title="Could not be told", lines=summary.unknown)
    yield Section(title="Shortened", lines=summary.shortened)
    yield Section(title="Measured again", lines=tuple(map(retried_phrase, summary.retried)))
    yield Section(title="Went wrong after measuring", lines=summary.failures)
    yield Section(title="Left by earlier nights", lines=summary.left)
    yield Section(title="Raw facts removed", lines=summary.pruned)
    yield Section(title="Remarks", lines=summary.remarks)


def _trouble(summary: Summary) -> Iterator[str]:
    if summary.trouble is not None:
        trouble = summary.trouble
        yield from (part for part in (trouble.what, trouble.evidence, trouble.hint) if part)


def _compared(summary: Summary) -> Iterator[str]:
    for each in summary.comparisons:
        yield f"{each.with_what}: {each.sentence}"
        yield from (f"differs: {difference}" for difference in each.differences)


def retried_phrase(retried: Retried) -> str:
    """Why a cell was measured again, and what came of it."""
    return f"{retried.cell}: {retried.why}: {retried.outcome}"


def commands(summary: Summary) -> tuple[str, ...]:
    """What to type next: the report, the same measurement, for each metric that moved the search
    for the release.
    """
    named = (summary.commands.report, summary.commands.reproduce, summary.commands.resume)
    bisects = (series.bisect for series in _first_of_each(moved_series(summary)))
    return tuple(dict.fromkeys(command for command in (*named, *bisects) if command))
