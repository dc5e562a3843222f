"""`comparison.html` in a real browser, from a campaign in rounds as `harness compare` makes it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from chart_pages import Opened, plotted, visit
from playwright.sync_api import Browser, BrowserContext, Page, expect

from harness.report.comparison.html.page import render_comparison_page
from harness.scenarios.comparing import compare_folders, keep_comparison
from harness.scenarios.reporting import write_reports

sys.path.append(str(Path(__file__).parents[1] / "unit"))
sys.path.append(str(Path(__file__).parents[1] / "unit" / "report" / "comparison"))

import comparison_cases as cases
from rounds_folder import NAME, make_rounds

pytestmark = pytest.mark.browser

A4_WITHOUT_MARGINS_PX = 695
MOST_BYTES = 1_500_000
WIDTHS = (390, 820, 1440)
UNFOLD = "() => document.querySelectorAll('details').forEach((each) => { each.open = true })"
Open = Callable[..., Opened]

MADE = {
    "one": cases.document, "forced": cases.forced, "several": cases.several,
    "hostile": cases.hostile,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of two versions in rounds, compared and reported."""
    path = tmp_path_factory.mktemp("comparison") / "results" / NAME
    make_rounds(repo_root / "results/baselines/quick-process", path, slower=1.15)
    keep_comparison(compare_folders(path), path)
    write_reports(path)
    return path


@pytest.fixture(scope="module")
def pages(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages by name: the campaign's, and those made by hand."""
    root = tmp_path_factory.mktemp("pages")
    made = {"campaign": folder / "comparison.html"}
    for name, document in MADE.items():
        made[name] = root / f"{name}.html"
        made[name].write_text(render_comparison_page(document(), version="0.1.0"), "utf-8")
    return made


@pytest.fixture
def visiting(browser: Browser) -> Iterator[Open]:
    """Open a file in a window of that width; everything said and asked is checked at the end."""
    contexts: list[BrowserContext] = []
    opened: list[Opened] = []

    def open_(path: Path, width: int = 1440, **options: Any) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        opened.append(visit(context, path, ready=options.get("java_script_enabled", True)))
        return opened[-1]

    yield open_
    complaints = [words for page in opened for words in page.complaints]
    foreign = [url for page in opened for url in page.foreign]
    for context in contexts:
        context.close()
    assert (complaints, foreign) == ([], [])


def grave_faults(page: Page) -> list[tuple[str, str, str]]:
    """What axe holds to be serious or critical: rule, element, why."""
    return [
        (each["id"], node["html"][:200], node["failureSummary"])
        for each in Axe().run(page).response["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def overflow(page: Page) -> int:
    found: int = page.evaluate("() => document.scrollingElement.scrollWidth - innerWidth")
    return found


@pytest.mark.parametrize("name", ["campaign", *MADE])
def test_it_opens_without_a_complaint_and_asks_nobody(
    visiting: Open, pages: dict[str, Path], name: str
) -> None:
    opened = visiting(pages[name])
    opened.draw_all()
    opened.page.wait_for_timeout(200)
    assert opened.requests == [pages[name].as_uri()]


def test_it_is_small_enough_to_send(pages: dict[str, Path]) -> None:
    assert pages["campaign"].stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", ["campaign", "forced", "several"])
def test_axe_finds_no_serious_fault(
    visiting: Open, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    page = visiting(pages[name], width, color_scheme=scheme).draw_all()
    page.evaluate(UNFOLD)
    assert grave_faults(page) == []


@pytest.mark.parametrize("width", [*WIDTHS, 320])
@pytest.mark.parametrize("name", ["campaign", *MADE])
def test_no_width_needs_sideways_scrolling(
    visiting: Open, pages: dict[str, Path], name: str, width: int
) -> None:
    page = visiting(pages[name], width).draw_all()
    page.evaluate(UNFOLD)
    assert overflow(page) <= 0


def test_charts_show_the_numbers_of_the_json(visiting: Open, folder: Path) -> None:
    document = json.loads((folder / "comparison.json").read_bytes())
    page = visiting(folder / "comparison.html").draw_all()
    page.evaluate(UNFOLD)
    (comparison,) = document["comparisons"]
    compared = 0
    for number, group in enumerate(comparison["groups"], start=1):
        for entry in group["metrics"]:
            at = "" if entry["at"] is None else f"-at-{entry['at']}"
            chart = f"chart-kind-{number}-{entry['metric']['key']}{at}"
            sides = [entry["baseline"], entry["contender"]]
            if all(side["middle"] is None for side in sides):
                expect(page.locator(f"#{chart}")).to_contain_text("unavailable on every side")
                continue
            traces = plotted(page, chart)
            shown = [value for trace in traces if trace.get("meta") == "value"
                     for value in trace["y"]]  # fmt: skip
            middles = [trace["y"][0] for trace in traces if trace.get("meta") == "middle"]
            assert shown == [v["value"] for side in sides for v in side["values"]
                             if v["value"] is not None]  # fmt: skip
            assert middles == [side["middle"] for side in sides if side["middle"] is not None]
            compared += len(shown)
    assert compared > 300


def test_the_table_says_the_verdicts_of_the_json(visiting: Open, folder: Path) -> None:
    document = json.loads((folder / "comparison.json").read_bytes())
    page = visiting(folder / "comparison.html").page
    words = {"worse": "worse", "better": "better", "same": "same within",
             "cannot_tell": "cannot tell"}  # fmt: skip
    for number, group in enumerate(document["comparisons"][0]["groups"], start=1):
        for entry in group["metrics"]:
            at = "" if entry["at"] is None else f"-at-{entry['at']}"
            link = f"a[href='#chart-kind-{number}-{entry['metric']['key']}{at}']"
            row = page.locator("tr", has=page.locator(link))
            expect(row.locator("td").last).to_contain_text(words[entry["verdict"]])


def test_without_javascript_verdict_tables_and_lines_are_there(
    visiting: Open, pages: dict[str, Path]
) -> None:
    page = visiting(pages["campaign"], java_script_enabled=False).page
    expect(page.locator("h1")).to_have_text("Dagster 1.13.28 beside 1.12.22: worse")
    assert page.locator("svg.forest").count() > 10
    page.locator("#kind-1-values > summary").click()
    assert "needs JavaScript" in page.locator("figure noscript").first.inner_text()


@pytest.mark.parametrize("width", [390, 1440])
def test_a_mark_is_seen_before_anything_is_scrolled(
    visiting: Open, pages: dict[str, Path], width: int
) -> None:
    page = visiting(pages["forced"], width).page
    mark = page.locator(".note.forced h2")
    expect(mark).to_be_in_viewport()
    expect(mark).to_contain_text("must not be compared")


def test_on_a_phone_every_value_says_what_it_is(visiting: Open, pages: dict[str, Path]) -> None:
    page = visiting(pages["one"], 390, has_touch=True, is_mobile=True).page
    label = page.locator("[data-label='noise floor']").first.evaluate(
        "(cell) => getComputedStyle(cell, '::before').content"
    )
    assert "noise floor" in label
    row = page.locator("tr", has=page.locator("a[href='#chart-kind-1-launch_cpu_s']"))
    name, verdict = (row.locator(part).bounding_box() for part in ("th", "[data-label='verdict']"))
    assert name is not None
    assert verdict is not None
    assert abs(name["y"] - verdict["y"]) < 12  # in one line


def test_the_line_of_ratios_stands_where_its_numbers_say(
    visiting: Open, pages: dict[str, Path]
) -> None:
    page = visiting(pages["one"]).page
    centre = "(e) => { const b = e.getBoundingClientRect(); return b.x + b.width / 2 }"
    row = page.locator("tr", has=page.locator("a[href='#chart-kind-1-launch_cpu_s']"))
    same = row.locator(".same-line").evaluate(centre)
    assert row.locator("use.point").evaluate(centre) > same + 5  # 12 % more
    lower = page.locator(
        "tr", has=page.locator("a[href='#chart-kind-1-throughput_runs_per_s-at-3']")
    )
    assert lower.locator("use.point").evaluate(centre) < same - 5


def test_the_keyboard_walks_through_the_cells_and_they_are_spoken(
    visiting: Open, pages: dict[str, Path]
) -> None:
    page = visiting(pages["one"]).draw_all()
    plot = page.locator("#chart-kind-1-launch_cpu_s .plot")
    expect(plot).to_be_hidden()
    page.locator('a[href="#chart-kind-1-launch_cpu_s"]').click()  # unfolds what it leads to
    expect(plot).to_be_visible()
    plot.focus()
    page.keyboard.press("ArrowRight")
    spoken = page.locator("#chart-kind-1-launch_cpu_s .plot-spoken")
    expect(spoken).to_contain_text("1.12.22, round 1")
    expect(spoken).to_contain_text("2.63 CPU-s")
    label = plot.get_attribute("aria-label") or ""
    assert "1.13.28 2.95 CPU-s (4 cells), +12 % (+8 to +16): worse" in label


def test_a_value_that_is_not_known_is_told_below_its_chart(
    visiting: Open, pages: dict[str, Path]
) -> None:
    page = visiting(pages["one"]).draw_all()
    page.evaluate(UNFOLD)
    note = page.locator("#chart-kind-1-queue_s-at-3 .plot-note")
    expect(note).to_contain_text("Unavailable: 1.12.22, round 1")


def test_it_fits_on_paper(visiting: Open, pages: dict[str, Path]) -> None:
    page = visiting(pages["several"], A4_WITHOUT_MARGINS_PX).draw_all()
    page.emulate_media(media="print")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    page.wait_for_timeout(200)
    assert overflow(page) <= 0
    closed = page.evaluate("() => document.querySelectorAll('details:not([open])').length")
    assert closed == 0


def test_the_report_of_the_campaign_leads_there_and_keeps_its_rounds_folded(
    visiting: Open, folder: Path
) -> None:
    opened = visiting(folder / "report.html")
    page = opened.page
    assert page.locator("details.round").count() == 16
    assert page.locator("details.round[open]").count() == 0
    page.locator(".toc a", has_text="Round 3").first.evaluate("(a) => a.click()")
    expect(page.locator("details.round[open]")).to_have_count(1)
    page.get_by_role("link", name="The Dagster versions beside each other").click()
    expect(page).to_have_title("Dagster 1.13.28 beside 1.12.22: worse")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_report_in_rounds_is_sound(visiting: Open, folder: Path, width: int) -> None:
    page = visiting(folder / "report.html", width).page
    assert overflow(page) <= 0
    assert grave_faults(page) == []
