"""The page of all campaigns in a real browser: filter, sort, keyboard, phone, and no request."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from harness.scenarios.overview import write_index

pytestmark = pytest.mark.browser

COLUMNS = ("Started (UTC)", "Campaign", "Verdict", "Doubts", "Cell", "Holds, runs at once",
           "Binds", "Since the one before")  # fmt: skip
NEWEST_FIRST = ("failed", "half-finished", "nightly", "broken", "nightly", "quick")
Open = Callable[..., "Opened"]


class Opened:
    """A page and what it said and asked for."""

    def __init__(self, context: BrowserContext, path: Path) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def campaigns(self) -> list[str]:
        """The campaigns that are shown, in their order."""
        return self.page.locator("tbody:visible .name").all_text_contents()

    def head(self, name: str) -> Any:
        """The button that sorts by a column."""
        return self.page.get_by_role("columnheader").get_by_role("button", name=name, exact=True)


@pytest.fixture(scope="module")
def index(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six campaigns: judged, judged and fallen, breach, damaged, and two that went wrong."""
    root = tmp_path_factory.mktemp("browser") / "results"
    quick = repo_root / "results/baselines/quick-compose/findings.json"
    findings = json.loads(quick.read_text(encoding="utf-8"))
    store(root / "20260101T000000Z-quick", findings)
    capacity = findings["cells"][0]["capacity"]
    capacity.update(concurrency=2, low=2, high=3)
    store(root / "20260102T000000Z-nightly", findings)
    capacity.update(concurrency=0, low=0, high=0, first_failing=1, status="below_min")
    store(root / "20260104T000000Z-nightly", findings)
    store(root / "20260103T000000Z-broken", {"schema": 1})
    for name in ("20261125T151345Z-half-finished", "20261125T151535Z-failed"):
        shutil.copytree(repo_root / "tests/data/results" / name, root / name)
    return write_index(root)


def store(folder: Path, findings: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    (folder / "findings.json").write_text(json.dumps(findings), encoding="utf-8")
    (folder / "report.html").write_text("<title>The report</title>", encoding="utf-8")


@pytest.fixture
def opened(browser: Browser, index: Path) -> Iterator[Open]:
    """Open the page under these conditions; everything said and asked is checked at the end."""
    contexts: list[BrowserContext] = []
    pages: list[Opened] = []

    def open_page(path: Path = index, **conditions: Any) -> Opened:
        conditions.setdefault("viewport", {"width": 1440, "height": 900})
        contexts.append(browser.new_context(**conditions))
        pages.append(Opened(contexts[-1], path))
        return pages[-1]

    yield open_page
    complaints = [words for page in pages for words in page.complaints]
    foreign = [url for page in pages for url in page.requests if not url.startswith("file:")]
    for context in contexts:
        context.close()
    assert (complaints, foreign) == ([], [])


def test_campaigns_stand_newest_first(opened: Open) -> None:
    page = opened()
    assert tuple(page.campaigns()) == NEWEST_FIRST
    expect(page.page.get_by_role("status")).to_have_text("6 campaigns, newest first")


def test_nothing_is_asked_of_anybody(opened: Open, index: Path) -> None:
    page = opened()
    for name in COLUMNS:
        page.head(name).click()
    page.page.get_by_label("Filter").fill("io")
    assert page.requests == [index.as_uri()]


def test_without_javascript_the_table_is_whole(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    assert tuple(page.campaigns()) == NEWEST_FIRST
    expect(page.page.get_by_label("Filter")).to_be_hidden()
    assert page.page.locator("thead button").count() == 0
    expect(page.page.get_by_role("columnheader", name="Campaign")).to_be_visible()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("quick", ["quick"]),  # not those that were put beside it
        ("NIGHTLY breach", ["nightly"]),
        ("mixed", ["half-finished", "nightly", "nightly", "quick"]),
        ("unreadable", ["broken"]),
        ("1.13.27 cut off", ["half-finished"]),
        ("launch_cpu inconclusive", []),
    ],
)
def test_the_filter_keeps_what_has_every_word(opened: Open, words: str, shown: list[str]) -> None:
    page = opened()
    page.page.get_by_label("Filter").fill(words)
    assert page.campaigns() == shown
    expect(page.page.get_by_role("status")).to_contain_text(f"{len(shown)} of 6 campaigns")


def test_a_filter_that_keeps_nothing_can_be_cleared(opened: Open) -> None:
    page = opened()
    page.page.get_by_label("Filter").fill("no such thing")
    expect(page.page.get_by_role("table")).to_be_hidden()
    page.page.get_by_role("button", name="Clear the filter").click()
    assert len(page.campaigns()) == 6
    expect(page.page.get_by_label("Filter")).to_be_focused()


@pytest.mark.parametrize(
    ("column", "ascending", "descending"),
    [
        ("Started (UTC)", list(reversed(NEWEST_FIRST)), list(NEWEST_FIRST)),
        (
            "Campaign",
            ["broken", "failed", "half-finished", "nightly", "nightly", "quick"],
            ["quick", "nightly", "nightly", "half-finished", "failed", "broken"],
        ),
        (
            "Verdict",
            ["broken", "nightly", "failed", "half-finished", "nightly", "quick"],
            ["nightly", "quick", "failed", "half-finished", "nightly", "broken"],
        ),
        ("Doubts", [], ["nightly", "nightly", "quick"]),
        ("Holds, runs at once", ["nightly", "nightly", "quick"], ["nightly", "quick", "nightly"]),
        ("Since the one before", ["nightly", "nightly"], ["nightly", "nightly"]),
    ],
)
def test_a_column_sorts_both_ways_and_equal_ones_stay_newest_first(
    opened: Open, column: str, ascending: list[str], descending: list[str]
) -> None:
    page = opened()
    head = page.page.get_by_role("columnheader", name=column)
    seen: dict[str, list[str]] = {}
    for _ in range(2):
        page.head(column).click()
        way = head.get_attribute("aria-sort") or ""
        expect(page.page.get_by_role("status")).to_contain_text(f"by {column}, {way}")
        assert page.page.locator("[aria-sort]").count() == 1
        seen[way] = page.campaigns()
    assert seen["ascending"][: len(ascending)] == ascending
    assert seen["descending"][: len(descending)] == descending


def test_what_is_not_known_comes_last_both_ways(opened: Open) -> None:
    page = opened()
    for _ in range(2):
        page.head("Holds, runs at once").click()
        assert set(page.campaigns()[3:]) == {"failed", "half-finished", "broken"}


def test_cells_of_a_campaign_stay_together(opened: Open) -> None:
    page = opened()
    page.head("Campaign").click()
    cells = page.page.locator("tbody").filter(has_text="quick").last.locator("[data-label=Cell]")
    assert [text.split()[0] for text in cells.all_text_contents()] == ["io", "cpu", "mixed"]


def test_the_keyboard_reaches_and_does_everything(opened: Open) -> None:
    page = opened()
    keyboard = page.page.keyboard
    keyboard.press("Tab")
    expect(page.page.get_by_role("link", name="Skip to the campaigns")).to_be_focused()
    keyboard.press("Tab")
    expect(page.page.get_by_label("Filter")).to_be_focused()
    keyboard.type("nightly")
    for name in COLUMNS:
        keyboard.press("Tab")
        expect(page.head(name)).to_be_focused()
    keyboard.press("Enter")
    head = page.page.get_by_role("columnheader", name="Since the one before")
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(page.head("Since the one before")).to_be_focused()
    keyboard.press("Space")
    expect(head).to_have_attribute("aria-sort", "descending")
    keyboard.press("Tab")
    expect(page.page.locator("tbody:visible a").first).to_be_focused()


def test_a_report_is_one_step_away(opened: Open) -> None:
    page = opened()
    page.page.get_by_role("link", name="report of 20260101T000000Z-quick").click()
    expect(page.page).to_have_title("The report")


def test_a_link_to_a_hidden_campaign_shows_it(opened: Open) -> None:
    page = opened()
    page.page.get_by_label("Filter").fill("nightly inconclusive pass")
    page.page.get_by_label("Filter").fill("2026-01-02")
    assert page.campaigns() == ["nightly"]
    page.page.get_by_role("link", name="20260101T000000Z-quick", exact=True).first.click()
    expect(page.page.locator("tbody:target .name")).to_have_text("quick")


def violations(page: Page) -> list[tuple[str, str]]:
    found = Axe().run(page).response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    return [(each["id"], each["nodes"][0]["html"]) for each in grave]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(
    opened: Open, scheme: Literal["light", "dark"], width: int
) -> None:
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900})
    assert violations(page.page) == []
    page.page.get_by_label("Filter").fill("no such thing")
    assert violations(page.page) == []


@pytest.mark.parametrize("width", [1440, 820, 390, 320])
def test_no_width_needs_sideways_scrolling(opened: Open, width: int) -> None:
    page = opened(viewport={"width": width, "height": 844})
    assert page.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_every_cell_says_what_its_values_are(opened: Open) -> None:
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    label = page.page.locator("[data-label=Holds]").first.evaluate(
        "(cell) => getComputedStyle(cell, '::before').content"
    )
    assert label == '"Holds: "'
    page.head("Campaign").tap()
    assert page.campaigns()[0] == "broken"


def test_names_are_text_and_never_markup(opened: Open, tmp_path: Path) -> None:
    folder = tmp_path / "20260101T000000Z-<img src=x onerror=alert(1)>"
    store(folder, {"schema": "<script>alert(1)</script>"})
    page = opened(write_index(tmp_path))
    assert page.campaigns() == ["<img src=x onerror=alert(1)>"]
    assert page.page.locator("img").count() == 0
