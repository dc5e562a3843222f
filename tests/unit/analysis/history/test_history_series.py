"""Entries as series: which belong together, what changed, and beside what."""

from __future__ import annotations

import math

import numpy as np
import pytest
from factory_history import entry, nights

from harness.analysis.history.annotations import annotations_of, around
from harness.analysis.history.events import events_of
from harness.analysis.history.series import history_of, series_of
from harness.analysis.history.types import Annotation, Entry, History, Trend

pytestmark = pytest.mark.unit


def steps(*levels: float, each: int = 12, seed: int = 1, sd: float = 0.01) -> list[float]:
    """ln of a figure that has these levels, so many nights each."""
    noise = np.random.default_rng(seed).normal(0, sd, each * len(levels))
    return (np.repeat(levels, each) + noise).tolist()


def only(history: History) -> Trend:
    (trend,) = history.trends
    return trend


def shifted(logs: list[float], **changes: object) -> Trend:
    return only(history_of(nights(logs, **changes)))


def test_points_follow_the_entries() -> None:
    found = series_of(nights([0.0, 0.1, 0.2]))
    ((key, points),) = found.items()
    assert (key.campaign, key.kind, key.key, key.role, key.form) == (
        "nightly", "io", "launch_cpu_s", "subject", "value"
    )  # fmt: skip
    assert [math.log(point.figure.value) for point in points] == pytest.approx([0.0, 0.1, 0.2])


def test_every_campaign_kind_metric_role_and_form_is_a_series_of_its_own() -> None:
    others = [
        entry(1, campaign="quick"), entry(1, kind="cpu"), entry(1, key="base_mib"),
        entry(1, role="baseline"), entry(1, form="ratio"),
    ]  # fmt: skip
    assert len(series_of([entry(0), *others])) == 6


def test_nights_without_figures_leave_no_point() -> None:
    (points,) = series_of([entry(0), entry(1, None, problem="damaged"), entry(2)]).values()
    assert len(points) == 2


def test_metrics_come_in_their_order_and_loads_by_number() -> None:
    keys = ["probe_s@1", "launch_s@10", "launch_s@3", "capacity", "launch_cpu_s"]
    found = series_of([entry(0, key=key) for key in keys])
    assert [key.key for key in found] == [
        "capacity", "launch_cpu_s", "launch_s@3", "launch_s@10", "probe_s@1"
    ]  # fmt: skip


def test_what_this_version_does_not_know_is_no_trend() -> None:
    assert history_of([entry(0, key="of_a_later_harness")]).trends == ()


def test_fewer_than_ten_points_are_shown_and_not_searched() -> None:
    trend = shifted([0.0] * 3 + [1.0] * 6)
    assert (trend.changes, trend.levels) == ((), ())
    assert trend.note == "9 of the 10 campaigns that are needed to look for changes"
    assert len(trend.points) == 9


@pytest.mark.parametrize(
    ("key", "by", "verdict"),
    [
        ("launch_cpu_s", 0.1, "worse"),
        ("launch_cpu_s", -0.1, "better"),
        ("throughput_runs_per_s@3", 0.1, "better"),
        ("capacity", -0.3, "worse"),
    ],
)
def test_a_change_is_better_or_worse_by_its_metric(key: str, by: float, verdict: str) -> None:
    trend = shifted(steps(0.0, by), key=key)
    (change,) = trend.changes
    assert change.verdict == verdict
    assert change.ratio == pytest.approx(math.exp(by), rel=0.02)
    assert change.folder == trend.points[12].folder
    assert change.at_s == trend.points[12].started_s


def test_levels_are_told_with_the_band_of_single_nights_and_outliers() -> None:
    logs = steps(0.0, 0.2, each=40)
    logs[5] += 1.0
    trend = shifted(logs)
    first, second = trend.levels
    assert (first.n, second.n) == (40, 40)
    assert first.outliers == (trend.points[5].folder,)
    assert (first.first, first.last) == (trend.points[0].folder, trend.points[39].folder)
    assert math.log(second.high / second.value) == pytest.approx(1.96 * 0.01, rel=0.2)
    assert second.value / second.low == pytest.approx(second.high / second.value)


def dagsters(*versions: str, each: int = 12) -> list[Entry]:
    """The figure moves with each new version but the first."""
    logs = steps(*[0.1 * number for number in range(len(versions))], each=each)
    return [
        entry(night, math.exp(log), subject=versions[night // each])
        for night, log in enumerate(logs)
    ]


def test_a_change_says_what_else_changed_that_night() -> None:
    change = only(history_of(dagsters("1.13.20", "1.13.21"))).changes[0]
    assert [(each.what, each.before, each.now) for each in change.annotations] == [
        ("dagster", "1.13.20", "1.13.21")
    ]


def test_a_change_with_nothing_beside_it_says_so() -> None:
    assert shifted(steps(0.0, 0.1)).changes[0].annotations == ()


def test_what_changed_is_told_by_campaign_name_and_from_night_to_night() -> None:
    entries = [
        entry(0), entry(1, subject="1.13.28"), entry(2, None, problem="damaged", host=""),
        entry(3, subject="1.13.28", host="4 CPUs", harness="0.2.0", method=3, baseline="1.12.22"),
        entry(4, campaign="quick", subject="1.5.0"),
    ]  # fmt: skip
    told = history_of(entries).annotations
    assert [(each.what, each.before, each.now) for each in told["nightly"]] == [
        ("dagster", "1.13.27", "1.13.28"), ("baseline", "none", "1.12.22"),
        ("harness", "0.1.0", "0.2.0"), ("method", "2", "3"), ("host", "2 CPUs", "4 CPUs"),
    ]  # fmt: skip
    assert told["quick"] == ()


def note(night: int, what: str = "dagster") -> Annotation:
    return Annotation(folder=str(night), at_s=float(night), what=what, before="a", now="b")


def test_what_changed_with_the_point_itself_comes_first() -> None:
    times = [float(night) for night in range(10)]
    found = around(times, 5, [note(3), note(4), note(5, "host"), note(6), note(7)])
    assert [each.folder for each in found] == ["5", "4", "6"]


def test_what_changed_between_two_points_came_with_the_later() -> None:
    # This series has a point every fifth night only.
    found = around([0.0, 5.0, 10.0, 15.0], 2, [note(7), note(3), note(18)])
    assert [each.folder for each in found] == ["7", "3"]


def test_annotations_need_two_campaigns() -> None:
    assert annotations_of([entry(0)]) == ()


def history_with(*shifts: tuple[str, int, float]) -> History:
    """Metrics that move at a night, each by so much."""
    entries = []
    for key, at, by in shifts:
        logs = steps(0.0, each=40, seed=len(entries))
        entries += [entry(n, math.exp(log + by * (n >= at)), key=key) for n, log in enumerate(logs)]
    return history_of(sorted(entries, key=lambda each: each.started_s))


def test_figures_that_moved_together_are_one_event_worse_and_gating_first() -> None:
    history = history_with(
        ("throughput_runs_per_s@3", 20, 0.1), ("idle_cores", 20, 0.3), ("launch_cpu_s", 20, 0.1),
        ("launch_s@3", 21, 0.2),
    )  # fmt: skip
    (event,) = events_of(history)
    assert [each.trend.key.key for each in event.moved] == [
        "launch_s@3", "launch_cpu_s", "idle_cores", "throughput_runs_per_s@3"
    ]  # fmt: skip
    assert (event.worse, event.campaign) == (3, "nightly")
    assert event.folder == history.trends[0].points[20].folder


def test_events_come_newest_first() -> None:
    events = events_of(history_with(("launch_cpu_s", 12, 0.1), ("launch_s@3", 25, 0.1)))
    assert [event.moved[0].trend.key.key for event in events] == ["launch_s@3", "launch_cpu_s"]


def test_a_series_with_few_points_joins_the_event_between_them() -> None:
    dense = [entry(n, math.exp(v)) for n, v in enumerate(steps(0.0, 0.1, each=30))]
    sparse = [entry(n, math.exp(0.1 * (n >= 30)), key="launch_s@9") for n in range(0, 60, 5)]
    history = history_of(sorted([*dense, *sparse], key=lambda each: each.started_s))
    (event,) = events_of(history)
    assert {each.trend.key.key for each in event.moved} == {"launch_cpu_s", "launch_s@9"}
    assert event.at_s == dense[30].started_s


def test_a_quiet_history_has_no_events() -> None:
    assert events_of(history_of(nights(steps(0.0, each=30)))) == ()
