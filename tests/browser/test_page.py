"""The report of a campaign in a real browser, made from the baselines as `harness report` does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from chart_pages import Opened, visit
from playwright.sync_api import Browser, BrowserContext, Page, expect

from harness.report.context import PageContext
from harness.report.html.page import render_page
from harness.scenarios.reporting import judge_stored, write_reports

pytestmark = pytest.mark.browser

BASELINES = ("quick-compose", "quick-process")
MOST_BYTES = 1_500_000
WIDTHS = (390, 820, 1440)
A4_WITHOUT_MARGINS_PX = 695
UNFOLD = "() => document.querySelectorAll('details').forEach((each) => { each.open = true })"
REACHABLE = "a[href], button, select, input, textarea, summary, [tabindex]:not([tabindex='-1'])"
Open = Callable[..., Opened]


@pytest.fixture(scope="module")
def reports(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`report.html` of each baseline, beside its facts."""
    root = tmp_path_factory.mktemp("page") / "results"
    made = {}
    for name in BASELINES:
        folder = root / f"20260101T000000Z-{name}"
        shutil.copytree(repo_root / "results" / "baselines" / name, folder)
        made[name] = write_reports(folder).report_html
    return made


@pytest.fixture(params=BASELINES)
def report(request: pytest.FixtureRequest, reports: dict[str, Path]) -> Path:
    return reports[request.param]


@pytest.fixture
def quick(reports: dict[str, Path]) -> Path:
    return reports[BASELINES[0]]


@pytest.fixture
def visiting(browser: Browser) -> Iterator[Open]:
    """Open a file in a window of that width; keywords as of `new_context`."""
    contexts: list[BrowserContext] = []

    def open_(path: Path, width: int = 1440, **options: Any) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        return visit(context, path, ready=options.get("java_script_enabled", True))

    yield open_
    for context in contexts:
        context.close()


def grave_faults(page: Page) -> list[tuple[str, str, str]]:
    """What axe holds to be serious or critical: rule, element, why."""
    return [
        (each["id"], node["html"][:200], node["failureSummary"])
        for each in Axe().run(page).response["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    found: int = page.evaluate("() => document.scrollingElement.scrollWidth - innerWidth")
    return found


def test_it_opens_without_a_complaint_and_asks_nobody(visiting: Open, report: Path) -> None:
    opened = visiting(report)
    opened.draw_all()
    opened.page.wait_for_timeout(300)
    assert opened.complaints == []
    assert [url for url in opened.requests if url != report.as_uri()] == []


WENT_WRONG = ("half-finished", "failed", "never-ready", "invalid", "out-of-memory")


@pytest.mark.parametrize("ending", WENT_WRONG)
def test_a_campaign_that_went_wrong_is_reported_as_well(
    visiting: Open, repo_root: Path, tmp_path: Path, ending: str
) -> None:
    (source,) = (repo_root / "tests/data/results").glob(f"*-{ending}")
    folder = Path(shutil.copytree(source, tmp_path / source.name))
    opened = visiting(write_reports(folder).report_html, 390)
    page = opened.draw_all()
    page.evaluate(UNFOLD)
    assert (opened.complaints, opened.foreign) == ([], [])
    assert grave_faults(page) == []
    assert overflow(page) <= 0
    said = {"half-finished": "not complete", "failed": "exited with 137", "invalid": "void",
            "never-ready": "did not become ready", "out-of-memory": "OOM"}  # fmt: skip
    assert said[ending] in page.locator("main").inner_text()


def test_it_is_small_enough_to_send(report: Path) -> None:
    assert report.stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_no_serious_fault(visiting: Open, report: Path, width: int, scheme: str) -> None:
    page = visiting(report, width, color_scheme=scheme).draw_all()
    page.evaluate(UNFOLD)
    assert grave_faults(page) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_never_scrolls_sideways(visiting: Open, report: Path, width: int) -> None:
    page = visiting(report, width).draw_all()
    assert overflow(page) <= 0
    page.evaluate(UNFOLD)
    assert overflow(page) <= 0


def test_the_answer_is_on_the_first_screen(visiting: Open, quick: Path) -> None:
    page = visiting(quick).page
    for words in ("One server of 1 vCPU / 2 GiB holds 4 io runs at once", "First to give out"):
        assert words in page.locator(".verdict").inner_text()
    for place in (".holds .big", ".binds .lead", ".set .settings"):
        box = page.locator(place).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900


@pytest.mark.parametrize("width", [390, 1440])
def test_tab_reaches_everything_and_shows_where_it_is(
    visiting: Open, quick: Path, width: int
) -> None:
    page = visiting(quick, width).draw_all()
    expected = page.evaluate(
        """(reachable) => {
          window.reached = new Map();
          document.addEventListener("focusin", ({ target }) => {
            const style = getComputedStyle(target);
            const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
            reached.set(target, seen);
          });
          window.wanted = [...document.querySelectorAll(reachable)].filter(
            (each) => !each.disabled && each.tabIndex >= 0
              && each.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: false }),
          );
          return wanted.length;
        }""",
        REACHABLE,
    )
    assert expected > 100
    for _ in range(expected + 5):
        page.keyboard.press("Tab")
    name = (
        "(each) => `${each.tagName} ${each.id || each.className} ${each.textContent}`.slice(0, 90)"
    )
    missed = page.evaluate(f"() => wanted.filter((each) => !reached.has(each)).map({name})")
    unseen = page.evaluate(
        f"() => [...reached].filter(([, seen]) => !seen).map(([each]) => each).map({name})"
    )
    assert missed == []
    assert unseen == []


def test_what_has_the_focus_is_not_behind_the_navigation(visiting: Open, quick: Path) -> None:
    page = visiting(quick, 390).draw_all()
    page.evaluate("() => document.querySelector('#cell-2 .scroll').focus()")
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        hidden = page.evaluate(
            """() => {
              const bar = document.querySelector(".toc").getBoundingClientRect();
              const own = document.activeElement.getBoundingClientRect();
              return !document.activeElement.closest(".toc") && own.bottom <= bar.bottom;
            }"""
        )
        assert not hidden


def test_every_link_inside_leads_somewhere_and_every_fact_is_there(
    visiting: Open, report: Path
) -> None:
    page = visiting(report).page
    hrefs = page.eval_on_selector_all("a[href]", "(all) => all.map((a) => a.getAttribute('href'))")
    ids = set(page.eval_on_selector_all("[id]", "(all) => all.map((each) => each.id)"))
    assert {href[1:] for href in hrefs if href.startswith("#")} - ids == set()
    facts = [report.parent / unquote(href) for href in hrefs if not href.startswith("#")]
    assert len(facts) > 10
    assert [path for path in facts if not path.exists()] == []


def test_a_figure_leads_to_its_definition_and_says_it_on_hover(visiting: Open, quick: Path) -> None:
    page = visiting(quick).page
    link = page.locator("#cell-1-steps a[href='#def-throttled_ratio']").first
    link.hover()
    assert "quota periods" in (link.get_attribute("title") or "")
    link.click()
    expect(page.locator("#def-throttled_ratio")).to_be_in_viewport()


def test_a_link_to_something_folded_unfolds_it(visiting: Open, quick: Path) -> None:
    page = visiting(quick).page
    folded = page.locator("#cell-1 details.step:not([open])").first
    name = folded.get_attribute("id")
    page.locator(f"#cell-1-journal a[href='#{name}']").click()
    expect(page.locator(f"#{name}")).to_have_attribute("open", "")
    expect(page.locator(f"#{name} table")).to_be_in_viewport()


def test_the_navigation_says_where_one_is(visiting: Open, quick: Path) -> None:
    page = visiting(quick).page
    page.locator(".toc").get_by_role("link", name="mixed", exact=True).click()
    expect(page.locator(".toc a[aria-current]")).to_contain_text("mixed")
    expect(page.locator(".toc").get_by_role("link", name="Journal of mixed")).to_be_visible()


def test_the_button_changes_the_colours_and_leaves_no_trace(visiting: Open, quick: Path) -> None:
    page = visiting(quick, color_scheme="light").page
    ground = "() => getComputedStyle(document.body).backgroundColor"
    before, button = page.evaluate(ground), page.locator("#theme")
    assert button.inner_text() == "Dark"
    button.click()
    assert page.evaluate(ground) != before
    assert button.inner_text() == "Light"
    assert page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]") == [
        0, 0, "",
    ]  # fmt: skip
    page.reload()
    assert page.evaluate(ground) == before


def test_settings_are_copied_as_they_are_shown(visiting: Open, quick: Path) -> None:
    opened = visiting(quick, permissions=["clipboard-read", "clipboard-write"])
    page = opened.page
    page.locator("[data-copy=paste-1]").click()
    expect(page.locator("#said")).to_have_text("Copied.")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == page.locator("#paste-1").text_content()
    assert "DAGSTER_GRPC_MAX_WORKERS=5" in copied
    assert opened.complaints == []


def test_paper_gets_everything_and_cuts_nothing_off(visiting: Open, report: Path) -> None:
    opened = visiting(report, A4_WITHOUT_MARGINS_PX, color_scheme="dark")
    page = opened.draw_all()
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("nav, .skip, .copy").evaluate_all(
        "(all) => all.every((each) => getComputedStyle(each).display === 'none')"
    )
    assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(27, 31, 36)"
    cut = page.locator(".scroll, pre, figure").evaluate_all(
        """(all) => all.filter((each) => each.scrollWidth > each.clientWidth + 1)
          .map((each) => each.getAttribute("aria-label") || each.id)"""
    )
    assert cut == []
    assert overflow(page) <= 0
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0
    assert opened.complaints == []


def test_it_prints(visiting: Open, quick: Path) -> None:
    opened = visiting(quick)
    printed = opened.page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert 5 < printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") < 80
    assert opened.complaints == []


def test_without_scripts_it_still_answers(visiting: Open, quick: Path) -> None:
    opened = visiting(quick, java_script_enabled=False)
    page = opened.page
    expect(page.locator(".holds .big").first).to_be_visible()
    expect(page.locator("#cell-1 table.steps")).to_be_visible()
    expect(page.locator("button").first).to_be_hidden()
    notes = page.locator("#cell-1 figure noscript")
    assert "needs JavaScript" in notes.first.inner_text()
    box = page.locator("#chart-1-curve .plot").bounding_box()
    assert box is None or box["height"] == 0
    page.locator("#cell-1 details.data summary").first.click()
    expect(page.locator("#cell-1 details.data table").first).to_be_visible()
    assert opened.foreign == []


def test_an_empty_campaign_opens_as_well(visiting: Open, repo_root: Path, tmp_path: Path) -> None:
    judged = judge_stored(repo_root / "results" / "baselines" / BASELINES[0])
    findings = replace(judged.findings, cells=(), validity=(), workers=())
    context = PageContext(title="empty", folder="results/empty", version="test")
    path = tmp_path / "report.html"
    path.write_text(render_page(findings, (), context), encoding="utf-8")
    opened = visiting(path)
    opened.page.evaluate(UNFOLD)
    assert "Nothing was measured" in opened.page.locator(".verdict").inner_text()
    assert grave_faults(opened.page) == []
    assert opened.complaints == []


def test_doubts_and_gaps_keep_the_page_accessible(
    visiting: Open, repo_root: Path, tmp_path: Path
) -> None:
    judged = judge_stored(repo_root / "results" / "baselines" / BASELINES[0])
    cell = judged.findings.cells[0]
    void = replace(
        cell,
        capacity=replace(cell.capacity, status="invalid", concurrency=None, confirmed=False),
        steps=tuple(replace(step, verdict="invalid") for step in cell.steps),
        limits_enforced=False,
    )
    issue = replace(judged.findings.validity[0], cell=cell.id, severity="fatal")
    findings = replace(
        judged.findings,
        cells=(void, *judged.findings.cells[1:]),
        validity=(issue, *judged.findings.validity),
    )
    context = replace(judged.context, planned=(*judged.context.planned, "one_more"))
    path = tmp_path / "report.html"
    path.write_text(render_page(findings, (), context), encoding="utf-8")
    for scheme in ("light", "dark"):
        opened = visiting(path, color_scheme=scheme)
        opened.page.evaluate(UNFOLD)
        assert grave_faults(opened.page) == []
        assert overflow(opened.page) <= 0
        assert opened.complaints == []


@pytest.mark.parametrize("width", [390, 1440])
def test_endless_words_stay_inside_the_page(
    visiting: Open, repo_root: Path, tmp_path: Path, width: int
) -> None:
    judged = judge_stored(repo_root / "results" / "baselines" / BASELINES[0])
    endless = "x" * 400
    cells = tuple(
        replace(
            cell,
            workload=endless,
            recommendation=replace(cell.recommendation, why=(endless,), paste=(endless,)),
            steps=tuple(replace(step, reason=endless) for step in cell.steps),
        )
        for cell in judged.findings.cells
    )
    issues = tuple(replace(issue, evidence=endless) for issue in judged.findings.validity)
    findings = replace(judged.findings, cells=cells, validity=issues)
    context = replace(judged.context, title=endless, folder=endless, command=(endless,))
    path = tmp_path / "report.html"
    path.write_text(render_page(findings, (), context), encoding="utf-8")
    page = visiting(path, width).page
    page.evaluate(UNFOLD)
    assert overflow(page) <= 0
