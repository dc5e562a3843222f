"""The page of trends in a real browser: charts, filter, keyboard, phone, and no request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from chart_pages import Opened, drag, plotted, range_of, visit
from playwright.sync_api import Browser, BrowserContext, Page, expect
from trend_history import NIGHTS, told

from harness.scenarios.trends import Told, html_text

pytestmark = pytest.mark.browser

Open = Callable[..., Opened]
SETTLED_MS = 10_000


@pytest.fixture(scope="module")
def whole() -> Told:
    return told()


@pytest.fixture(scope="module")
def path(whole: Told, tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("trends") / "trends.html"
    page.write_text(html_text(whole), encoding="utf-8")
    return page


@pytest.fixture
def opened(browser: Browser, path: Path) -> Iterator[Open]:
    """Open the page under these conditions; all it said and asked is checked at the end."""
    contexts: list[BrowserContext] = []
    pages: list[Opened] = []

    def open_page(*, ready: bool = True, **conditions: Any) -> Opened:
        conditions.setdefault("viewport", {"width": 1440, "height": 900})
        contexts.append(browser.new_context(**conditions))
        pages.append(visit(contexts[-1], path, ready=ready))
        return pages[-1]

    yield open_page
    said = [words for page in pages for words in (*page.complaints, *page.foreign)]
    for context in contexts:
        context.close()
    assert said == []


def chart_of(page: Page, name: str) -> str:
    """The id of the first chart with this title."""
    figure = page.locator("figure.chart").filter(has=page.get_by_text(name, exact=True)).first
    return figure.get_attribute("id") or ""


def shown(page: Page) -> list[str]:
    """Titles of the charts that can be seen."""
    return page.locator(".chart-block.trend:visible figcaption strong").all_text_contents()


def test_a_chart_holds_points_levels_and_changes_of_the_history(opened: Open, whole: Told) -> None:
    page = opened().draw_all()
    traces = plotted(page, chart_of(page, "launch CPU, beside the baseline"))
    trend = next(
        each for each in whole.history.trends
        if (each.key.campaign, each.key.key, each.key.form) == ("nightly", "launch_cpu_s", "ratio")
    )  # fmt: skip
    (points,) = (trace for trace in traces if trace["meta"] == "subject")
    assert points["customdata"] == pytest.approx(
        [point.figure.value for point in trend.points], rel=1e-4
    )
    assert points["x"] == [int(point.started_s) * 1000 for point in trend.points]
    levels = [trace["y"][0] for trace in traces if trace["meta"] == "level subject"]
    assert levels == pytest.approx([level.value for level in trend.levels], rel=1e-4)
    changes = [at for trace in traces if trace["meta"] == "change subject" for at in trace["x"]]
    assert sorted(changes) == [int(each.at_s) * 1000 for each in trend.changes]


def test_a_bad_night_is_drawn_at_the_edge_and_named_an_outlier(opened: Open) -> None:
    page = opened().draw_all()
    chart = chart_of(page, "launch CPU, beside the baseline")
    (points,) = (trace for trace in plotted(page, chart) if trace["meta"] == "subject")
    place = points["customdata"].index(max(points["customdata"]))
    assert points["y"][place] < points["customdata"][place]
    assert points["marker"]["symbol"][place] == "triangle-up-open"
    assert "an outlier" in points["hovertext"][place]


def test_versions_stand_above_the_chart_where_they_began(opened: Open) -> None:
    page = opened().draw_all()
    texts = page.evaluate(
        "(id) => document.querySelector(`#${id} .plot`).layout.annotations.map((a) => a.text)",
        chart_of(page, "launch CPU"),
    )
    assert {"1.13.21", "1.13.22"} <= set(texts)
    assert any("%" in text for text in texts)


def test_only_charts_near_the_eye_are_drawn(opened: Open) -> None:
    page = opened().page
    page.locator("figure.chart").first.scroll_into_view_if_needed()
    page.wait_for_function("() => harnessCharts.plots[0].drawn", timeout=SETTLED_MS)
    drawn = page.evaluate("() => harnessCharts.plots.filter((plot) => plot.drawn).length")
    assert 0 < drawn < page.locator("figure.chart").count()


def test_charts_of_one_campaign_share_their_time(opened: Open) -> None:
    page = opened().draw_all()
    first, second = chart_of(page, "launch CPU"), chart_of(page, "launch time p50 at 3 runs")
    before = range_of(page, second)
    drag(page, first)
    page.wait_for_function(
        "(id) => document.querySelector(`#${id}`).querySelector('.plot-reset').hidden === false",
        arg=second, timeout=SETTLED_MS,
    )  # fmt: skip
    assert range_of(page, second) == range_of(page, first) != before


def test_the_keyboard_walks_along_the_nights_and_hears_them(opened: Open) -> None:
    page = opened().draw_all()
    plot = page.locator(f"#{chart_of(page, 'launch CPU')} .plot")
    plot.focus()
    page.keyboard.press("ArrowRight")
    spoken = page.locator(f"#{chart_of(page, 'launch CPU')} .plot-spoken")
    expect(spoken).to_contain_text("CPU-s")
    expect(spoken).to_contain_text("1.13.20")


def test_a_chart_is_told_in_a_sentence(opened: Open) -> None:
    page = opened().page
    label = page.locator(f"#{chart_of(page, 'launch CPU')} .plot").get_attribute("aria-label")
    assert label is not None
    assert f"launch CPU over {NIGHTS} nights" in label
    assert "better" in label


def test_the_metric_filter_shows_its_charts_also_those_that_were_folded(opened: Open) -> None:
    page = opened().page
    assert "import time at 3 runs" not in shown(page)
    page.get_by_label("Metric").select_option("import_s")
    assert set(shown(page)) == {
        "import time at 3 runs",
        "import time at 3 runs, beside the baseline",
    }
    expect(page.get_by_role("status").first).to_have_text("4 of 20 charts")
    page.get_by_label("Metric").select_option("")
    assert "import time at 3 runs" not in shown(page)


def test_the_campaign_filter_leaves_its_events_and_charts(opened: Open) -> None:
    page = opened().page
    page.get_by_label("Campaign").select_option("quick")
    expect(page.locator("section.cell:visible h2")).to_have_text("quick")
    expect(page.locator("article.event:visible")).to_have_count(0)


def test_only_what_changed_can_be_asked_for(opened: Open) -> None:
    page = opened().page
    page.get_by_label("Only what changed").check()
    assert "capacity" not in shown(page)
    assert "launch CPU" in shown(page)
    expect(page.locator("section.cell:visible")).to_have_count(1)


def test_a_change_leads_to_its_chart_whatever_is_filtered(opened: Open) -> None:
    page = opened().page
    page.get_by_label("Metric").select_option("capacity")
    page.locator("article.event a").first.click()
    expect(page.get_by_label("Metric")).to_have_value("")
    target = page.locator(".chart-block:target")
    expect(target).to_be_visible()
    expect(target).to_be_in_viewport()


def test_without_javascript_changes_and_levels_can_be_read(opened: Open) -> None:
    page = opened(ready=False, java_script_enabled=False).page
    expect(page.locator("article.event").first).to_contain_text("With Dagster 1.13.21 → 1.13.22.")
    expect(page.get_by_label("Metric")).to_be_hidden()
    page.get_by_text("Show the levels").first.click()
    expect(page.locator(".chart-block table").first).to_be_visible()


def test_the_scheme_can_be_switched_and_the_charts_follow(opened: Open) -> None:
    page = opened(color_scheme="light").draw_all()
    chart = chart_of(page, "launch CPU")
    before = plotted(page, chart)[0]["marker"]["color"]
    page.get_by_role("button", name="Switch to dark colours").click()
    page.wait_for_function(
        "([id, before]) => document.querySelector(`#${id} .plot`).data[0].marker.color !== before",
        arg=[chart, before], timeout=SETTLED_MS,
    )  # fmt: skip


def violations(page: Page) -> list[tuple[str, str]]:
    found = Axe().run(page).response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    return [(each["id"], each["nodes"][0]["html"]) for each in grave]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(
    opened: Open, scheme: Literal["light", "dark"], width: int
) -> None:
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900}).draw_all()
    page.get_by_text("Show the levels").first.click()
    assert violations(page) == []


@pytest.mark.parametrize("width", [1440, 820, 390, 320])
def test_no_width_needs_sideways_scrolling(opened: Open, width: int) -> None:
    page = opened(viewport={"width": width, "height": 844}).draw_all()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
