"""Trends in words, for a terminal, for a program, and as a page."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console
from trend_history import KIND, NIGHTS, told

from harness.analysis.history.types import SeriesKey
from harness.report.trends.terminal import render_terminal
from harness.report.trends.views import page_view
from harness.report.trends.words import (
    causes,
    causes_sentence,
    change_sentence,
    event_sentence,
    series_name,
    short_kinds,
)
from harness.scenarios.trends import Told, html_text, json_text, told_by

pytestmark = pytest.mark.unit

HOSTILE = "<img src=x onerror=alert(1)> & </script>"


@pytest.fixture(scope="module")
def whole() -> Told:
    return told()


@pytest.fixture(scope="module")
def page(whole: Told) -> str:
    return html_text(whole)


def payload(page: str) -> dict[str, Any]:
    found = re.search(r'id="harness-data">([^<]+)<', page)
    assert found is not None
    document: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return document


def sentences(whole: Told) -> list[str]:
    return [change_sentence(moved) for event in whole.events for moved in event.moved]


def test_a_change_is_told_with_its_size_its_day_and_what_came_with_it(whole: Told) -> None:
    assert any(
        re.fullmatch(
            r"launch CPU \+1[01] % since 2026-01-18, with Dagster 1\.13\.20 → 1\.13\.21", sentence
        )
        for sentence in sentences(whole)
    ), sentences(whole)


def test_what_nothing_came_with_is_said_so(whole: Told) -> None:
    moved = whole.events[0].moved[0]
    alone = replace(moved, change=replace(moved.change, annotations=()))
    assert change_sentence(alone).endswith("; nothing else changed that night")
    assert causes_sentence(()) == "Nothing else changed that night."
    assert causes(whole.events[-1].annotations) == "Dagster 1.13.20 → 1.13.21"


def test_events_say_how_many_figures_became_what(whole: Told) -> None:
    newest, oldest = whole.events
    assert event_sentence(newest) == f"{len(newest.moved)} figures became better"
    assert event_sentence(oldest) == f"{len(oldest.moved)} figures became worse"
    mixed = replace(newest, moved=(*newest.moved[:2], *oldest.moved[:1]))
    assert event_sentence(mixed) == "1 figure became worse, 2 better"


@pytest.mark.parametrize(
    ("role", "form", "name"),
    [
        ("subject", "value", "launch time p50 at 3 runs"),
        ("baseline", "value", "launch time p50 at 3 runs of the baseline"),
        ("subject", "ratio", "launch time p50 at 3 runs, beside the baseline"),
    ],
)
def test_a_series_says_whose_figure_it_is(whole: Told, role: Any, form: Any, name: str) -> None:
    key = SeriesKey(campaign="nightly", kind=KIND, key="launch_s@3", role=role, form=form)
    trend = next(each for each in whole.history.trends if each.key == key)
    assert series_name(key, trend.metric) == name


def test_kinds_are_called_by_their_workload_where_that_is_enough() -> None:
    other = "cpu on 1 vCPU / 2 GiB, compose"
    assert short_kinds([KIND, other]) == {KIND: "io", other: "cpu"}
    second = f"{KIND}, version 2"
    assert short_kinds([KIND, second]) == {KIND: "io", second: "io, version 2"}
    larger = KIND.replace("1 vCPU", "2 vCPU")
    assert short_kinds([KIND, larger]) == {KIND: KIND, larger: larger}


def terminal(whole: Told) -> str:
    lines = io.StringIO()
    console = Console(file=lines, width=120)
    console.print(render_terminal(whole.history, whole.events, whole.entries))
    return lines.getvalue()


def test_the_terminal_shows_the_newest_event_first(whole: Told) -> None:
    text = terminal(whole)
    first, second = text.index("became better"), text.index("became worse")
    assert first < second
    assert "With Dagster 1.13.21 → 1.13.22." in text
    assert re.search(r"\+1[01] % +launch CPU +io +2\.\d+ CPU-s +2\.\d+ CPU-s +worse", text)


def test_the_terminal_says_why_nothing_changed(whole: Told) -> None:
    assert terminal(told_by(())) == "No campaign has figures yet. Measure one: harness run\n"
    short = terminal(told_by(whole.entries[:9]))
    assert short.startswith("9 campaigns with figures, at most 6 of one name and kind: ten")
    quiet = told_by([each for each in whole.entries if each.campaign == "nightly"][:14])
    assert terminal(quiet) == "No lasting change in 14 campaigns.\n"


def test_json_holds_every_series_and_every_campaign(whole: Told) -> None:
    document = json.loads(json_text(whole))
    assert document["schema"] == 1
    assert len(document["campaigns"]) == len(whole.entries)
    assert document["campaigns"][-1]["problem"] == "without findings.json"
    assert len(document["series"]) == len(whole.history.trends)
    (own,) = (
        each for each in document["series"]
        if (each["key"], each["form"], each["campaign"]) == ("launch_cpu_s", "ratio", "nightly")
    )  # fmt: skip
    assert len(own["points"]) == NIGHTS
    assert [change["verdict"] for change in own["changes"]] == ["worse", "better"]
    assert len(own["levels"]) == 3
    assert document["events"][0]["moved"][0]["told"] == sentences(whole)[0]


def test_the_schema_holds(whole: Told, repo_root: Path) -> None:
    schema = json.loads((repo_root / "results/trends.schema.json").read_text("utf-8"))
    for each in (whole, told_by(()), told_by(whole.entries[:5])):
        jsonschema.validate(json.loads(json_text(each)), schema)


def test_metrics_and_campaigns_can_be_picked(whole: Told) -> None:
    one = told_by(whole.entries, campaigns=["nightly"], metrics=["launch_s"])
    keys = {(trend.key.campaign, trend.key.key) for trend in one.history.trends}
    assert keys == {("nightly", "launch_s@3")}
    exact = told_by(whole.entries, metrics=["launch_s@3", "capacity"])
    assert {trend.key.key for trend in exact.history.trends} == {"launch_s@3", "capacity"}


def test_charts_hold_the_numbers_of_the_history(whole: Told, page: str) -> None:
    nightly = next(c for c in payload(page)["campaigns"] if len(c["folders"]) == NIGHTS)
    charts = {(chart["name"], chart["form"]): chart for chart in nightly["charts"]}
    ratio = charts["launch CPU, beside the baseline", "ratio"]["series"]
    trend = next(
        each for each in whole.history.trends
        if (each.key.campaign, each.key.key, each.key.form) == ("nightly", "launch_cpu_s", "ratio")
    )  # fmt: skip
    (own,) = ratio
    assert own["values"] == pytest.approx([p.figure.value for p in trend.points], rel=1e-4)
    assert [level["n"] for level in own["levels"]] == [level.n for level in trend.levels]
    assert [nightly["folders"][each["at"]] for each in own["changes"]] == [
        change.folder for change in trend.changes
    ]
    both = charts["launch CPU", "value"]["series"]
    assert [series["role"] for series in both] == ["subject", "baseline"]


def test_what_gates_or_moved_is_shown_and_the_rest_is_folded(whole: Told) -> None:
    view = page_view(whole.history, whole.events, whole.entries)
    nightly = next(campaign for campaign in view.campaigns if campaign.name == "nightly")
    (kind,) = nightly.kinds
    assert {chart.metric.key for chart in kind.others} == {"import_s"}
    assert {chart.metric.key for chart in kind.first} >= {"capacity", "launch_cpu_s", "launch_s"}
    assert len(kind.first) + len(kind.others) == len(kind.charts) == 10


def test_the_page_tells_changes_in_words_without_a_script(page: str) -> None:
    words = re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert re.search(r"nightly, 2026-02-0\d: \d+ figures became better", words)
    assert "With Dagster 1.13.20 → 1.13.21." in words
    assert "1 campaign without figures" in words
    assert "3 of the 10 campaigns that are needed to look for changes" in words


def test_every_link_leads_somewhere(page: str) -> None:
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links - {"index.html"} <= ids
    assert 'href="index.html"' in page


def test_names_are_text_and_never_markup(whole: Told) -> None:
    entries = [
        replace(e, campaign=HOSTILE, subject=f"{HOSTILE} {e.subject}") for e in whole.entries
    ]
    page = html_text(told_by(entries))
    plain = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<img" not in plain
    assert payload(page)["campaigns"]


def test_an_empty_history_is_a_page_too() -> None:
    page = html_text(told_by(()))
    assert "There is nothing to see yet" in page


def test_a_page_is_the_same_each_time(whole: Told, page: str) -> None:
    assert html_text(whole) == page
