"""What the page of trends shows, arranged: events, campaigns, kinds of cells, charts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.comparison.types import Metric
from harness.analysis.history.events import Event
from harness.analysis.history.types import Annotation, Entry, History, Level, SeriesKey, Trend
from harness.report.trends.words import series_name, short_kinds

LEAST_DRAWN = 3
"""Points: fewer are no line, and stand behind the fold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartView:
    """One metric of one kind of cell in one form; `trends`: the version under test, then the
    baseline.
    """

    id: str
    trends: tuple[Trend, ...]

    @property
    def metric(self) -> Metric:
        """What it shows."""
        return self.trends[0].metric

    @property
    def key(self) -> str:
        """The metric with its load, to filter by."""
        return self.trends[0].key.key

    @property
    def name(self) -> str:
        """Its title."""
        first = self.trends[0]
        return series_name(first.key, first.metric)

    @property
    def unit(self) -> str:
        """What its numbers are in."""
        return "ratio" if self.trends[0].key.form == "ratio" else self.metric.unit

    @property
    def points(self) -> int:
        """Of the longest of its series."""
        return max(len(trend.points) for trend in self.trends)

    @property
    def changed(self) -> bool:
        """Whether anything moved."""
        return any(trend.changes for trend in self.trends)

    @property
    def levels(self) -> tuple[tuple[Trend, Level, Level | None], ...]:
        """Every level with the one before it, series by series."""
        return tuple(
            (trend, level, before)
            for trend in self.trends
            for before, level in zip((None, *trend.levels), trend.levels, strict=False)
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Why nothing was looked for."""
        return tuple(dict.fromkeys(trend.note for trend in self.trends if trend.note))


@dataclass(frozen=True, slots=True, kw_only=True)
class KindView:
    """One kind of cell: charts that are shown at once, and those behind a fold."""

    id: str
    name: str
    short: str
    charts: tuple[ChartView, ...]

    @property
    def first(self) -> tuple[ChartView, ...]:
        """What gates, and what moved."""
        return tuple(chart for chart in self.charts if self._leads(chart))

    @property
    def others(self) -> tuple[ChartView, ...]:
        """The rest."""
        return tuple(chart for chart in self.charts if not self._leads(chart))

    def _leads(self, chart: ChartView) -> bool:
        wanted = chart.metric.gates or chart.metric.key == "capacity"
        return chart.changed or (wanted and chart.points >= LEAST_DRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignView:
    """All campaigns of one name. `nights` have figures; `silent` have none, and say why."""

    id: str
    name: str
    nights: tuple[Entry, ...]
    silent: tuple[Entry, ...]
    annotations: tuple[Annotation, ...]
    kinds: tuple[KindView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """The page. `metrics`: what can be filtered by, key and title."""

    events: tuple[Event, ...]
    campaigns: tuple[CampaignView, ...]
    metrics: tuple[tuple[str, str], ...]
    chart_ids: Mapping[SeriesKey, str]

    def chart_id(self, trend: Trend) -> str:
        """Of the chart that shows it."""
        return self.chart_ids[trend.key]

    def short_kind(self, trend: Trend) -> str:
        """What to call its kind of cell beside others of the campaign."""
        return next(
            kind.short
            for campaign in self.campaigns
            if campaign.name == trend.key.campaign
            for kind in campaign.kinds
            if kind.name == trend.key.kind
        )

    @property
    def searched(self) -> bool:
        """Whether any series is long enough to look for changes in."""
        return any(not trend.note for chart in self.charts for trend in chart.trends)

    @property
    def longest(self) -> int:
        """Points of the longest series."""
        return max((chart.points for chart in self.charts), default=0)

    @property
    def charts(self) -> tuple[ChartView, ...]:
        """All of them, in the order of the page."""
        return tuple(
            chart for each in self.campaigns for kind in each.kinds for chart in kind.charts
        )


def page_view(history: History, events: Sequence[Event], entries: Sequence[Entry]) -> PageView:
    """Arrange it.

    Args:
        history: trends and annotations.
        events: of the history, newest first.
        entries: ascending; those the history was made of.
    """
    named: dict[str, list[Trend]] = {entry.campaign: [] for entry in entries}
    for trend in history.trends:
        named.setdefault(trend.key.campaign, []).append(trend)
    campaigns = tuple(
        CampaignView(
            id=f"campaign-{number}",
            name=name,
            nights=tuple(e for e in entries if e.campaign == name and e.valid),
            silent=tuple(e for e in entries if e.campaign == name and not e.valid),
            annotations=history.annotations.get(name, ()),
            kinds=_kinds(f"campaign-{number}", named[name]),
        )
        for number, name in enumerate(sorted(named), start=1)
    )
    return PageView(
        events=tuple(events),
        campaigns=campaigns,
        metrics=_metrics(history.trends),
        chart_ids={
            trend.key: chart.id
            for campaign in campaigns
            for kind in campaign.kinds
            for chart in kind.charts
            for trend in chart.trends
        },
    )


def _kinds(campaign: str, trends: Sequence[Trend]) -> tuple[KindView, ...]:
    kinds: dict[str, list[Trend]] = {}
    for trend in trends:
        kinds.setdefault(trend.key.kind, []).append(trend)
    short = short_kinds(kinds)
    return tuple(
        KindView(
            id=f"{campaign}-{number}",
            name=kind,
            short=short[kind],
            charts=_charts(f"{campaign}-{number}", own),
        )
        for number, (kind, own) in enumerate(kinds.items(), start=1)
    )


def _charts(kind: str, trends: Sequence[Trend]) -> tuple[ChartView, ...]:
    """In the order of the trends; a chart of values, then that of the ratio."""
    charts: dict[tuple[str, str], list[Trend]] = {}
    for trend in trends:
        charts.setdefault((trend.key.key, trend.key.form), []).append(trend)
    return tuple(
        ChartView(
            id=f"{kind}-{number}",
            trends=tuple(sorted(charts[each], key=lambda trend: trend.key.role == "baseline")),
        )
        for number, each in enumerate(_values_first(charts), start=1)
    )


def _values_first(charts: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    keys = list(dict.fromkeys(key for key, _ in charts))
    return [(key, form) for key in keys for form in ("value", "ratio") if (key, form) in charts]


def _metrics(trends: Sequence[Trend]) -> tuple[tuple[str, str], ...]:
    found = {trend.metric.key: trend.metric.name for trend in trends}
    return tuple(found.items())
