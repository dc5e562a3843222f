"""Terminal, Markdown, page and JUnit say the same of a campaign, in the same figures."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import pytest
from page_tree import Element, Material, Render
from rich.console import Console

from harness.errors import ExitCode
from harness.report.html.wording import DASH
from harness.report.junit import render_junit
from harness.report.markdown import render_markdown
from harness.report.phrases import UNKNOWN, broken_phrase, sureness_phrase
from harness.report.step_phrases import load_phrase, outcome_counts, step_figures
from harness.report.terminal import render

pytestmark = pytest.mark.unit


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def page(quick: Material, tree_of: Render) -> Element:
    return tree_of(quick)


@pytest.fixture
def terminal(quick: Material) -> str:
    console = Console(file=io.StringIO(), width=400, color_system=None)
    render(quick.findings, console)
    return words(console.file.getvalue())  # type: ignore[attr-defined]


@pytest.fixture
def markdown(quick: Material) -> str:
    text = render_markdown(quick.findings, quick.context, verdict=ExitCode.PASS)
    return words(text.replace("\\", ""))


@pytest.fixture
def junit(quick: Material) -> str:
    return words(" ".join(ET.fromstring(render_junit(quick.findings, quick.context)).itertext()))


def page_rows(page: Element, number: int) -> list[list[str]]:
    """A cell's table of steps, without what the other reports leave out: the run queue."""
    table = page.one(id=f"cell-{number}-steps").one("table", class_="steps")
    rows = [[each.text for each in row.all("td")] for row in table.one("tbody").all("tr")]
    return [[*row[:-2], row[-1]] for row in rows]


def test_a_steps_figures_are_the_same_in_terminal_markdown_and_page(
    quick: Material, terminal: str, markdown: str, page: Element
) -> None:
    for number, cell in enumerate(quick.findings.cells, start=1):
        for step, row in zip(cell.steps, page_rows(page, number), strict=True):
            load, counts, figures = load_phrase(step), outcome_counts(step), step_figures(step)
            shown = (load, "/".join(map(str, counts)), *figures, step.verdict)
            assert " ".join(shown) in terminal
            shown = (load, " / ".join(map(str, counts)), *figures)
            assert f"| {words(' | '.join(shown))} | " in markdown
            shown = (step.verdict, *map(str, counts), *figures)
            assert [text.replace(DASH, UNKNOWN) for text in row] == list(shown)


def test_an_answer_is_as_sure_in_terminal_page_and_junit(
    quick: Material, terminal: str, page: Element, junit: str
) -> None:
    for number, cell in enumerate(quick.findings.cells, start=1):
        said = sureness_phrase(cell.capacity)
        assert said in page.one(id=f"cell-{number}-curve").text
        assert said in terminal
        assert said in junit


def test_what_broke_and_the_settings_are_the_same_everywhere(
    quick: Material, terminal: str, markdown: str, page: Element, junit: str
) -> None:
    for cell in quick.findings.cells:
        observed = broken_phrase(cell).split(" ", 1)[1]
        assert all(observed in each for each in (terminal, markdown, page.text, junit))
        for line in cell.recommendation.paste:
            assert all(words(line) in each for each in (terminal, markdown, page.text))
