"""What moved tonight, since when, with what, and how to find the release that moved it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.analysis.findings.types import CellFinding
from harness.analysis.history.alarm_series import figure_in
from harness.analysis.history.types import Alarm, Annotation, Entry, Figure, History, SeriesKey
from harness.campaign.plan import RELEASE
from harness.report.nightly.summary import Series, Since
from harness.report.phrases import count_of

WHAT: Mapping[str, str] = {
    "dagster": "Dagster", "baseline": "baseline Dagster", "harness": "harness", "host": "host",
    "method": "method of judging",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What alarms are seen in the light of.

    `entries`: of the campaign, ascending; the last is tonight. `history`: trends and annotations;
    `None` where they could not be made. `cells`: one of tonight's of each kind.
    """

    entries: Sequence[Entry]
    history: History | None
    cells: Mapping[str, CellFinding]


def series_of(alarms: Sequence[Alarm], past: Past) -> tuple[Series, ...]:
    """Each alarm with where its change began, and how to find the release."""
    return tuple(_series(alarm, past) for alarm in alarms)


def changed_tonight(past: Past) -> tuple[str, ...]:
    """What else is other than the night before, in words."""
    return _changed(past.entries[-1], past.history)


def silent_phrases(alarms: Sequence[Alarm]) -> Iterator[str]:
    """Why figures cannot tell, the same reason once."""
    reasons: dict[str, int] = {}
    for alarm in alarms:
        if alarm.verdict == "cannot_tell":
            noise = "no difference beyond the noise of equal cells, and none can be ruled out"
            why = noise if alarm.ratio is not None else alarm.why
            reasons[why] = reasons.get(why, 0) + 1
    yield from (f"{count_of(count, 'figure')}: {why}" for why, count in reasons.items())


def _series(alarm: Alarm, past: Past) -> Series:
    if alarm.verdict not in ("better", "worse"):
        return Series(alarm=alarm)
    first = _first(alarm, past)
    since = _since(past, first)
    bisect = _bisect(alarm, past, since, first) if alarm.verdict == "worse" else ""
    return Series(alarm=alarm, since=since, bisect=bisect)


def _first(alarm: Alarm, past: Past) -> int:
    """Index of the night from which on it lies where it lies tonight.

    The last change point towards that side, where one was found; else the stretch of nights before
    tonight that lie beyond half of the difference.
    """
    first = _stretch(alarm, past.entries)
    folders = [entry.folder for entry in past.entries]
    for trend in past.history.trends if past.history is not None else ():
        alike = [each for each in trend.changes if each.verdict == alarm.verdict]
        if trend.key == alarm.key and alike and alike[-1].folder in folders:
            return min(first, folders.index(alike[-1].folder))
    return first


def _stretch(alarm: Alarm, entries: Sequence[Entry]) -> int:
    tonight, last = _figure(alarm.key, entries[-1]), len(entries) - 1
    if tonight is None or not alarm.ratio:
        return last
    expected = 1.0 if alarm.key.form == "ratio" else tonight.value / alarm.ratio
    wanted = math.log(alarm.ratio) / 2
    first = last
    for index in range(last - 1, -1, -1):
        figure, entry = _figure(alarm.key, entries[index]), entries[index]
        if figure is None:
            continue  # a night that did not measure it says nothing
        seen = math.log(figure.value / expected)
        if entry.baseline != entries[-1].baseline or seen * wanted <= 0 or abs(seen) < abs(wanted):
            break
        first = index
    return first


def _figure(key: SeriesKey, entry: Entry) -> Figure | None:
    figure = figure_in(entry, key)
    return figure if figure is not None and figure.value > 0 else None


def _since(past: Past, first: int) -> Since:
    entry = past.entries[first]
    before = past.entries[first - 1].subject if first else ""
    return Since(
        folder=entry.folder,
        started_utc=datetime.fromtimestamp(entry.started_s, UTC).isoformat(timespec="seconds"),
        changed=_changed(entry, past.history),
        before=before,
        now=entry.subject,
    )


def _changed(entry: Entry, history: History | None) -> tuple[str, ...]:
    told = history.annotations.get(entry.campaign, ()) if history is not None else ()
    return tuple(_words(each) for each in told if each.folder == entry.folder)


def _words(annotation: Annotation) -> str:
    what = WHAT.get(annotation.what, annotation.what)
    return f"{what} {annotation.before or '-'} → {annotation.now or '-'}"


def _bisect(alarm: Alarm, past: Past, since: Since, first: int) -> str:
    """From the last good release, where it changed that night; else from the baseline."""
    baseline = past.entries[first].baseline
    good = since.before if since.before not in ("", since.now) else baseline
    cell = past.cells.get(alarm.key.kind)
    if good == since.now or not all(RELEASE.fullmatch(each) for each in (good, since.now)):
        return ""
    where = ("--workload", cell.workload, "--profile", cell.profile.name) if cell else ()
    metric = alarm.key.key
    return shlex.join(
        ["harness", "bisect", "--good", good, "--bad", since.now, "--metric", metric, *where]
    )
