"""Since when something moved, with what, and how to find the release that moved it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from factory_bursts import cell_of
from factory_nightly import KIND, NEWEST, alarm_of, entry_at, figure

from harness.analysis.history.types import (
    Alarm,
    Annotation,
    ChangePoint,
    Entry,
    History,
    Trend,
)
from harness.report.nightly.summary import Series
from harness.scenarios.nightly.series import Past, changed_tonight, series_of, silent_phrases

pytestmark = pytest.mark.unit


def nights(*values: float | None, **changes: Any) -> list[Entry]:
    """Night after night, the last is tonight; `None` is a night that did not measure it."""
    return [
        entry_at(
            len(values) - 1 - place,
            figures=() if value is None else (figure(value),),
            subject=f"1.13.{20 + place}",
            **changes,
        )
        for place, value in enumerate(values)
    ]


def told(alarm: Alarm, entries: Sequence[Entry], history: History | None = None) -> Series:
    past = Past(entries=entries, history=history, cells={KIND: cell_of()})
    (series,) = series_of([alarm], past)
    return series


def since(alarm: Alarm, entries: Sequence[Entry], history: History | None = None) -> int:
    """Index of the night."""
    found = told(alarm, entries, history).since
    assert found
    return [entry.folder for entry in entries].index(found.folder)


def test_it_began_with_the_first_night_of_the_stretch_that_ends_tonight() -> None:
    assert since(alarm_of(1.1), nights(1.0, 1.1, 1.0, 1.09, 1.12, 1.1)) == 3


def test_a_night_without_the_figure_does_not_end_the_stretch() -> None:
    assert since(alarm_of(1.1), nights(1.0, 1.1, None, 1.1)) == 1


def test_a_night_beside_another_baseline_does() -> None:
    entries = nights(1.0, 1.1, 1.1, 1.1)
    entries[1] = replace(entries[1], baseline="1.13.1")
    assert since(alarm_of(1.1), entries) == 2


def test_a_plain_value_is_held_against_what_was_expected() -> None:
    key = replace(alarm_of().key, form="value")
    entries = [
        replace(entry, figures=(figure(value, form="value"),))
        for entry, value in zip(nights(*[1.0] * 5), (2.0, 2.0, 2.2, 2.2, 2.2), strict=True)
    ]
    assert since(alarm_of(1.1, key=key.key), entries) == 4
    assert since(replace(alarm_of(1.1), key=key), entries) == 2


def test_a_change_point_towards_that_side_tells_more_than_the_stretch() -> None:
    entries = nights(1.0, 1.1, 1.02, 1.1, 1.1)
    assert since(alarm_of(1.1), entries) == 3
    assert since(alarm_of(1.1), entries, history(entries[1], "worse")) == 1
    assert since(alarm_of(1.1), entries, history(entries[1], "better")) == 3


def history(entry: Entry, verdict: Any, *annotations: Annotation) -> History:
    change = ChangePoint(
        folder=entry.folder, at_s=entry.started_s, before=1.0, after=1.1, p=0.001, verdict=verdict
    )
    alarm = alarm_of()
    trend = Trend(key=alarm.key, metric=alarm.metric, points=(), changes=(change,))
    return History(trends=(trend,), annotations={"nightly": annotations})


def annotation(entry: Entry, what: str, before: str, now: str) -> Annotation:
    return Annotation(folder=entry.folder, at_s=entry.started_s, what=what, before=before, now=now)


def test_what_else_changed_with_it_is_told() -> None:
    entries = nights(1.0, 1.1, 1.1)
    found = History(
        trends=(),
        annotations={
            "nightly": (
                annotation(entries[1], "dagster", "1.13.20", "1.13.21"),
                annotation(entries[1], "harness", "0.5", "0.6"),
                annotation(entries[2], "host", "2 CPUs", "4 CPUs"),
            )
        },
    )
    moved = told(alarm_of(1.1), entries, found).since
    assert moved
    assert moved.changed == ("Dagster 1.13.20 → 1.13.21", "harness 0.5 → 0.6")
    past = Past(entries=entries, history=found, cells={})
    assert changed_tonight(past) == ("host 2 CPUs → 4 CPUs",)


def test_the_release_is_looked_for_between_the_last_good_night_and_the_first_bad_one() -> None:
    assert told(alarm_of(1.1), nights(1.0, 1.0, 1.1, 1.1)).bisect == (
        "harness bisect --good 1.13.21 --bad 1.13.22 --metric launch_cpu_s --workload io "
        "--profile 1vcpu-2gb"
    )


def test_on_the_first_night_it_is_looked_for_from_the_baseline_on() -> None:
    (entry,) = nights(1.1)
    assert "--good 1.13.27 --bad 1.13.20 " in told(alarm_of(1.1), [entry]).bisect


@pytest.mark.parametrize(
    "entries",
    [
        [entry_at(1, figures=(figure(),), baseline=""), entry_at(0, figures=(figure(1.1),),
                                                                 baseline="")],
        [entry_at(0, figures=(figure(1.1),), subject="mine (1.13.28)")],
        [entry_at(0, figures=(figure(1.1),), subject="1.13.27")],
    ],
    ids=["the same version", "a build", "the baseline itself"],
)  # fmt: skip
def test_where_no_release_can_have_done_it_nothing_is_bisected(entries: list[Entry]) -> None:
    assert told(alarm_of(1.1), entries).bisect == ""


def test_what_became_better_is_dated_and_not_bisected() -> None:
    series = told(alarm_of(0.9, verdict="better", red=False), nights(1.0, 0.9))
    assert series.since
    assert series.bisect == ""


@pytest.mark.parametrize("verdict", ["same", "cannot_tell"])
def test_what_did_not_move_has_no_date(verdict: Any) -> None:
    assert told(alarm_of(1.01, verdict=verdict), nights(1.0, 1.01)).since is None


def test_reasons_of_silence_are_told_once() -> None:
    alarms = [
        alarm_of(None, why="not known tonight"),
        alarm_of(None, why="not known tonight"),
        alarm_of(1.02, verdict="cannot_tell"),
        alarm_of(1.03, verdict="cannot_tell"),
        alarm_of(1.0),
    ]
    assert list(silent_phrases(alarms)) == [
        "2 figures: not known tonight",
        "2 figures: no difference beyond the noise of equal cells, and none can be ruled out",
    ]


def test_the_newest_of_all_is_the_one_under_test() -> None:
    series = told(alarm_of(1.1), [entry_at(0, figures=(figure(1.1),))])
    assert series.since
    assert (series.since.before, series.since.now) == ("", NEWEST)
