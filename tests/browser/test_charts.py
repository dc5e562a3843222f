"""The charts of a page, in a real browser: their numbers, their hands and feet, their manners."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from chart_pages import (
    KINDS,
    Opened,
    bare_page,
    drag,
    figure_of,
    plotted,
    range_of,
    values_by_step,
    visit,
)
from playwright.sync_api import Browser, BrowserContext

from harness.analysis.findings.document import Findings
from harness.analysis.picture.campaign import pictures_of
from harness.analysis.picture.types import CellPicture, Group, Mark
from harness.facts.store import read_results
from harness.report.context import PageContext
from harness.report.html import charts
from harness.report.html.page import render_page
from harness.report.json_document import findings_json
from harness.scenarios.threshold import judge
from harness.units import show_seconds

pytestmark = pytest.mark.browser

DRAWN = "() => harnessCharts.plots.map((plot) => plot.drawn)"
SETTLED_MS = 10_000
HOSTILE = "</script><img src=x onerror=alert(1)> <b>bold</b> &amp; %{x}"


@pytest.fixture
def desk(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    yield context
    context.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    yield context
    context.close()


Drawn = tuple[Findings, tuple[CellPicture, ...]]


@pytest.fixture(scope="module")
def quick(repo_root: Path) -> Drawn:
    path = repo_root / "results" / "baselines" / "quick-compose"
    findings = judge(path, write=False)
    return findings, pictures_of(read_results(path).cells, findings)


@pytest.fixture(scope="module")
def report(quick: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a committed baseline."""
    context = PageContext(title="quick", folder="quick-compose", version="test")
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_page(*quick, context), encoding="utf-8")
    return path


def test_a_hover_label_and_a_table_write_a_duration_alike(desk: BrowserContext) -> None:
    durations_s = [0.0123, 0.9, 4.21, 9.97, 10.4, 119.4, 120, 754, 5400, 7199, 7200, 8100, 3.7e6]
    words = Path(charts.__file__).parent / "assets" / "charts" / "words.js"
    script = words.read_text(encoding="utf-8")
    page = desk.new_page()
    written = page.evaluate(f"(values) => {{ {script}\nreturn values.map(seconds); }}", durations_s)
    assert written == [show_seconds(each) for each in durations_s]


@pytest.fixture
def opened(desk: BrowserContext, report: Path) -> Opened:
    return visit(desk, report)


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("curve", ("response_s.p95", "launch_s.p95", "throughput_runs_per_s")),
        (
            "phases",
            ("phases.queue_s", "phases.spawn_s", "phases.import_s", "phases.first_step_s",
             "launch_s.p50", "launch_s.p95"),
        ),
    ],
)  # fmt: skip
def test_charts_hold_the_numbers_of_the_findings(
    opened: Opened, quick: Drawn, kind: str, keys: tuple[str, ...]
) -> None:
    page = opened.draw_all()
    cells = json.loads(findings_json(quick[0]))["cells"]
    assert cells
    for number, cell in enumerate(cells, start=1):
        traces = plotted(page, f"chart-{number}-{kind}")
        for key in keys:
            known = {step["index"]: figure_of(step, key) for step in cell["steps"]}
            wanted = {index: value for index, value in known.items() if value is not None}
            assert values_by_step(traces, key.removeprefix("phases.")) == wanted


def test_the_curve_marks_what_the_cell_holds(opened: Opened, quick: Drawn) -> None:
    page = opened.draw_all()
    for number, cell in enumerate(quick[0].cells, start=1):
        words = page.locator(f"#chart-{number}-curve .annotation").all_text_contents()
        assert f"holds {cell.capacity.concurrency}" in words
        assert f"fails at {cell.capacity.first_failing}" in words
        label = page.locator(f"#chart-{number}-curve .plot").get_attribute("aria-label") or ""
        assert f"holds {cell.capacity.concurrency}" in label


def test_lines_over_time_are_those_of_the_picture(opened: Opened, quick: Drawn) -> None:
    page = opened.draw_all()
    for number, picture in enumerate(quick[1], start=1):
        traces = {trace.get("meta"): trace for trace in plotted(page, f"chart-{number}-memory")}
        for line in picture.memory.lines:
            assert traces[line.metric]["y"] == list(line.values)
        report = page.evaluate("(n) => harnessReport.cells[n].picture", number - 1)
        assert [line["times_s"] for line in report["probe"]["lines"]] == [
            list(line.times_s) for line in picture.probe.lines
        ]
        assert [lanes["ended_s"] for lanes in report["runs"]] == [
            list(lanes.ended_s) for lanes in picture.runs
        ]


def test_every_chart_is_drawn_without_a_complaint_or_a_request(opened: Opened) -> None:
    page = opened.draw_all()
    places = page.locator("figure.chart").count()
    assert places == page.locator("figure.chart .main-svg:first-of-type").count()
    assert places == len(page.evaluate(DRAWN))
    assert all(page.evaluate(DRAWN))
    assert opened.complaints == []
    assert opened.foreign == []


def test_charts_are_drawn_when_one_comes_near_them(opened: Opened) -> None:
    page = opened.page
    page.wait_for_timeout(200)
    assert not all(page.evaluate(DRAWN))
    last = page.locator("figure.chart .plot").last
    assert last.locator(".main-svg").count() == 0
    last.scroll_into_view_if_needed()
    last.locator(".main-svg").first.wait_for(timeout=SETTLED_MS)


def test_arrow_keys_walk_through_the_steps_and_say_them(opened: Opened, quick: Drawn) -> None:
    page = opened.draw_all()
    plot, spoken = page.locator("#chart-1-curve .plot"), page.locator("#chart-1-curve .plot-spoken")
    steps = sorted(quick[0].cells[0].steps, key=lambda step: step.concurrency)
    plot.focus()
    for step in steps:
        page.keyboard.press("ArrowRight")
        words = "1 run," if step.concurrency == 1 else f"{step.concurrency} runs,"
        assert spoken.inner_text().startswith(words)
        assert step.verdict in spoken.inner_text()
    assert plot.locator(".hoverlayer .hovertext").count() == 1
    page.keyboard.press("Home")
    assert spoken.inner_text().startswith(f"{steps[0].concurrency} run")
    page.keyboard.press("Escape")
    assert plot.locator(".hoverlayer .hovertext").count() == 0
    assert page.evaluate("() => document.activeElement.tagName") == "BODY"


@pytest.mark.parametrize("kind", KINDS)
def test_the_keyboard_reads_every_kind_of_chart(opened: Opened, kind: str) -> None:
    page = opened.draw_all()
    spoken = page.locator(f"#chart-1-{kind} .plot-spoken")
    page.locator(f"#chart-1-{kind} .plot").focus()
    page.keyboard.press("End")
    first = spoken.inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    assert first
    assert spoken.inner_text() not in ("", first)
    assert opened.complaints == []


def test_charts_follow_the_colour_scheme(opened: Opened) -> None:
    page = opened.draw_all()
    colour = "() => document.querySelector('#chart-1-memory .plot').layout.font.color"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"(before) => ({colour})() !== before", arg=light, timeout=SETTLED_MS)
    dark = page.evaluate(colour)
    page.locator("#theme").click()
    page.wait_for_function(f"(before) => ({colour})() === before", arg=light, timeout=SETTLED_MS)
    assert dark != light


def test_the_timeline_shows_the_chosen_step_and_no_other(opened: Opened, quick: Drawn) -> None:
    page = opened.draw_all()
    chooser = page.locator("#chart-1-gantt select")
    for lanes in quick[1][0].runs:
        chooser.select_option(str(lanes.step))
        bars = plotted(page, "chart-1-gantt")
        executing = next(trace for trace in bars if trace["name"] == "executing")
        assert len(executing["x"]) == sum(start is not None for start in lanes.started_s)
        assert all(len(trace["x"]) <= len(lanes.lane) for trace in bars)


def test_the_timeline_begins_where_it_first_broke(opened: Opened, quick: Drawn) -> None:
    page = opened.draw_all()
    for number, cell in enumerate(quick[0].cells, start=1):
        chosen = int(page.locator(f"#chart-{number}-gantt select").input_value())
        step = next(step for step in cell.steps if step.index == chosen)
        assert (step.verdict, step.concurrency) == ("fail", cell.capacity.first_failing)


def test_a_legend_item_hides_what_it_names_and_keeps_the_focus(opened: Opened) -> None:
    page = opened.draw_all()
    button = page.locator("#chart-1-memory .plot-legend button").first
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    assert plotted(page, "chart-1-memory")[0]["visible"] is False
    assert button.evaluate("(element) => element === document.activeElement")
    page.keyboard.press("Enter")
    assert plotted(page, "chart-1-memory")[0]["visible"] is True


def test_zooming_one_chart_over_time_zooms_all_of_its_cell(opened: Opened) -> None:
    page = opened.draw_all()
    whole, other = range_of(page, "chart-1-memory"), range_of(page, "chart-2-memory")
    drag(page, "chart-1-memory")
    reset = page.locator("#chart-1-memory .plot-reset")
    reset.wait_for(timeout=SETTLED_MS)
    for kind in ("memory", "cpu", "throttling", "queues", "probe", "processes"):
        assert range_of(page, f"chart-1-{kind}") == range_of(page, "chart-1-memory") != whole
    assert range_of(page, "chart-2-memory") == other
    reset.click()
    assert range_of(page, "chart-1-cpu") == range_of(page, "chart-1-memory") == whole
    assert reset.is_hidden()


def test_a_zoom_outlives_a_change_of_colours(opened: Opened) -> None:
    page = opened.draw_all()
    drag(page, "chart-1-curve")
    page.locator("#chart-1-curve .plot-reset").wait_for(timeout=SETTLED_MS)
    zoomed = range_of(page, "chart-1-curve")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert range_of(page, "chart-1-curve") == zoomed
    page.locator("#chart-1-curve .plot-reset").click()
    assert range_of(page, "chart-1-curve") != zoomed


def test_paper_gets_every_chart_in_light(opened: Opened) -> None:
    page = opened.page
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => window.Plotly", timeout=SETTLED_MS)
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert all(page.evaluate(DRAWN))
    look = "() => document.querySelector('#chart-3-probe .plot').layout"
    printed = page.evaluate(look)
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    shown = page.evaluate(look)
    assert printed["font"]["color"] != shown["font"]["color"]
    assert printed["width"] <= 700
    assert opened.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_the_charts(opened: Opened, scheme: Any) -> None:
    page = opened.draw_all()
    page.emulate_media(color_scheme=scheme)
    found = Axe().run(page, context="figure.chart").response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"]) for each in grave] == []


def test_a_phone_needs_no_sideways_scrolling_and_scrolls_over_charts(
    phone: BrowserContext, report: Path
) -> None:
    opened = visit(phone, report)
    page = opened.draw_all()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.locator("#chart-1-memory .plot").scroll_into_view_if_needed()
    before = page.evaluate("() => scrollY")
    client = phone.new_cdp_session(page)
    client.send("Input.synthesizeScrollGesture", {"x": 195, "y": 500, "yDistance": -200})
    page.wait_for_function("(before) => scrollY > before + 50", arg=before, timeout=SETTLED_MS)
    assert opened.complaints == []


def test_a_browser_that_cannot_unpack_says_so_in_each_place(
    desk: BrowserContext, report: Path
) -> None:
    desk.add_init_script("delete window.DecompressionStream")
    opened = visit(desk, report)
    places = opened.page.locator("figure.chart .plot").all_inner_texts()
    assert places
    assert all("too old to unpack the charts" in words for words in places)
    assert opened.complaints == []


def test_hostile_words_are_shown_as_words(
    desk: BrowserContext, quick: Drawn, tmp_path: Path
) -> None:
    findings, pictures = quick
    marks = (Mark(at_s=30.0, kind="oom_kill", source=HOSTILE, text=HOSTILE),)
    memory = replace(pictures[0].memory, limit_name=HOSTILE)
    picture = replace(pictures[0], marks=marks, memory=memory)
    opened = visit(desk, bare_page(tmp_path / "page.html", findings, (picture,)))
    page = opened.draw_all()
    page.locator("#chart-1-memory .plot").focus()
    page.keyboard.press("ArrowUp")
    assert HOSTILE in page.locator("#chart-1-memory .plot-spoken").inner_text()
    assert HOSTILE in page.locator("#chart-1-memory .hoverlayer").text_content()
    assert HOSTILE in page.locator("#chart-1-memory .plot-legend").inner_text()
    assert any(HOSTILE in words for words in page.locator(".annotation").all_text_contents())
    assert page.locator("figure img, figure b").count() == 0
    assert opened.complaints == []
    assert opened.foreign == []


def test_a_chart_without_data_says_why(desk: BrowserContext, quick: Drawn, tmp_path: Path) -> None:
    findings, pictures = quick
    reason = "The device cgroup was not there."
    bare = replace(pictures[0], memory=Group(lines=(), missing=reason), runs=())
    opened = visit(desk, bare_page(tmp_path / "page.html", findings, (bare,)))
    page = opened.draw_all()
    assert page.locator("#chart-1-memory .plot").inner_text() == reason
    assert "No runs were recorded" in page.locator("#chart-1-gantt .plot").inner_text()
    assert "Nothing was recorded" in page.locator("#chart-2-cpu .plot").inner_text()
    assert page.locator("#chart-2-curve .main-svg").count() > 0
    assert opened.complaints == []


def test_steps_whose_runs_did_not_succeed_stand_at_the_top_of_the_curve(
    desk: BrowserContext, quick: Drawn, tmp_path: Path
) -> None:
    findings, pictures = quick
    cell = findings.cells[0]
    lost = replace(cell.steps[-1], response_s=replace(cell.steps[-1].response_s, p95=None))
    cell = replace(cell, steps=(*cell.steps[:-1], lost))
    path = bare_page(tmp_path / "page.html", replace(findings, cells=(cell,)), pictures)
    page = visit(desk, path).draw_all()
    beyond = next(t for t in plotted(page, "chart-1-curve") if re.match("no p95", t["name"]))
    assert (beyond["x"], beyond["customdata"]) == ([lost.concurrency], [lost.index])
    shown = values_by_step(plotted(page, "chart-1-curve"), "response_s.p95")
    assert lost.index not in shown
    assert beyond["y"][0] > max(shown.values())
