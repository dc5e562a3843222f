"""Markdown: the answer first, doubts above what they void, and short enough for a comment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from report_context import context_of, hostile, only, with_steps

from harness.analysis.findings.document import Findings, exit_code
from harness.errors import ExitCode
from harness.report.context import CellRecord, PageContext
from harness.report.markdown import render_markdown
from harness.report.terminal import DOUBT_MARK, FEW_MARK, LIMIT_MARK

pytestmark = pytest.mark.unit

GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def text_of(findings: Findings, context: PageContext | None = None) -> str:
    return render_markdown(findings, context or context_of(findings), verdict=exit_code(findings))


def tables(text: str) -> list[list[list[str]]]:
    """Every table as rows of cells, the headings first."""
    found: list[list[list[str]]] = []
    for token in GFM.parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level > 3:
            found[-1][-1].append(plain(token))
    return found


def plain(token: Token) -> str:
    return "".join(child.content for child in token.children or ())


def fences(text: str) -> list[str]:
    return [token.content for token in GFM.parse(text) if token.type == "fence"]


def before(text: str, *marks: str) -> bool:
    """Whether these stand in the text in this order."""
    places = [text.index(mark) for mark in marks]
    return places == sorted(places)


def many_steps(findings: Findings, count: int) -> Findings:
    steps = findings.cells[0].steps
    return with_steps(findings, [replace(steps[n % len(steps)], index=n) for n in range(count)])


def test_the_first_lines_answer_the_three_questions(bracketed: Findings) -> None:
    first, *_ = tables(text_of(bracketed))
    assert len(first) == 2
    answer = dict(zip(*first, strict=True))
    assert answer["holds (runs at once)"] == "4 (90 %: 4 to 6)"
    assert answer["what broke"] == "launch_s_p95 14 s, limit 10 s"
    assert answer["binds"].startswith("worker_pool")
    assert answer["set"] == "workers 4, max_concurrent_runs 4"


def test_the_answer_is_told_in_a_sentence_above_the_table(bracketed: Findings) -> None:
    text = text_of(bracketed)
    assert before(text, "holds 4 io runs at once.", "| cell")


def test_settings_can_be_pasted_as_they_are(bracketed: Findings) -> None:
    paste = "\n".join(bracketed.cells[0].recommendation.paste)
    assert fences(text_of(bracketed))[0] == paste + "\n"


def test_cells_are_called_by_what_tells_them_apart(everything: Findings) -> None:
    first, *_ = tables(text_of(everything))
    assert [row[0] for row in first[1:]][:3] == ["io, compose", "cpu, compose", "memory, compose"]
    assert "1vcpu-2gb (1 vCPU, 2 GiB), Dagster" in text_of(everything)


@pytest.mark.parametrize(
    ("cell", "word"), [("cpu", "pass"), ("memory", "SLO breach"), ("late", "inconclusive")]
)
def test_the_heading_says_how_it_ended(cell: str, word: str, everything: Findings) -> None:
    assert text_of(only(everything, cell)).splitlines()[0] == f"## Load test quick: {word}"


def test_doubts_stand_above_everything_they_void(everything: Findings) -> None:
    text = text_of(everything)
    assert before(text, "**fatal** `generator_late`", "Of 6 cells", "| cell", "<details>")
    assert before(text, "**fatal**", "| cell", "- warning", "<details>")
    assert text.rindex("(void)") < text.index("| cell")


def test_equal_doubts_are_told_once_with_their_places(everything: Findings) -> None:
    late = only(everything, "late")
    issue = next(each for each in late.validity if each.step is not None)
    again = [replace(issue, step=n, concurrency=n) for n in (3, 9, 27)]
    text = text_of(replace(late, validity=tuple(again)))
    assert text.count(f"`{issue.code}`") == 1
    assert "at 3, 9, 27 runs (3 steps)" in text


def test_many_doubts_are_folded(everything: Findings) -> None:
    late = only(everything, "late")
    issue = late.validity[0]
    codes = [f"code_{n}" for n in range(30)]
    issues = [replace(issue, code=code, severity="warning") for code in codes]
    text = text_of(replace(late, validity=(*issues, replace(issue, severity="fatal"))))
    assert "<summary>22 more doubts</summary>" in text
    assert before(text, "**fatal**", "`code_0`", "<details>", "`code_29`")


def test_unenforced_limits_are_said_above_the_answers(unenforced: Findings) -> None:
    assert before(text_of(unenforced), LIMIT_MARK, "| cell")


def test_every_step_is_in_the_folded_table(bracketed: Findings) -> None:
    steps = tables(text_of(bracketed))[1]
    assert len(steps) == 1 + len(bracketed.cells[0].steps)
    assert [row[0] for row in steps[1:]] == ["1", "4", "8"]
    assert steps[-1][-1] == "fail: launch_s_p95, slowdown_p95, pool_queue"
    assert {len(row) for row in steps} == {12}


def test_details_are_folded_and_closed(everything: Findings) -> None:
    text = text_of(everything)
    assert text.count("<details>") == text.count("</details>") >= len(everything.cells)


def test_the_command_can_be_run_again(bracketed: Findings) -> None:
    text = text_of(bracketed)
    assert fences(text)[-1] == "harness run --set 'slos.launch_s_p95=20 s'\n"
    assert "`harness analyse results/20260101T000000Z-quick`" in text
    untold = text_of(bracketed, context_of(bracketed, command=()))
    assert "The command was not recorded." in untold


def test_marks_are_explained_where_they_are_used(bracketed: Findings) -> None:
    cell = bracketed.cells[0]
    sure = text_of(bracketed)
    assert f"`*` {FEW_MARK[2:]}" in sure
    assert DOUBT_MARK[2:] not in sure
    unsure = replace(cell, capacity=replace(cell.capacity, confirmed=False))
    assert f"`?` {DOUBT_MARK[2:]}" in text_of(replace(bracketed, cells=(unsure,)))


def test_what_is_missing_is_said_first(bracketed: Findings) -> None:
    records = (
        CellRecord(cell="io", ended="", sealed=False),
        CellRecord(cell="cpu", ended="failed: the database is gone", sealed=True),
    )
    context = context_of(bracketed, planned=("io", "cpu", "mixed"), records=records)
    text = text_of(bracketed, context)
    assert text.splitlines()[0].endswith("pass, not complete")
    assert before(text, "- io: cut off", "- cpu: failed: the database is gone",
                  "- mixed: not measured", "| cell")  # fmt: skip


def test_a_cell_without_steps_says_so(everything: Findings) -> None:
    text = text_of(only(everything, "nothing"))
    assert "none (invalid)" in text
    assert "No setting: the measurement supports no capacity." in text


def test_an_empty_campaign_says_so(bracketed: Findings) -> None:
    empty = replace(bracketed, cells=(), validity=())
    text = render_markdown(empty, context_of(empty), verdict=ExitCode.INCONCLUSIVE)
    assert "Nothing was measured, so there is no answer." in text
    assert tables(text) == []


def size(text: str) -> int:
    return len(text.encode())


def test_a_hundred_steps_fit_into_a_comment_with_all_of_them(bracketed: Findings) -> None:
    text = text_of(many_steps(bracketed, 100))
    assert size(text) < 60_000
    assert len(tables(text)[1]) == 101


@pytest.mark.parametrize(("cells", "steps"), [(1, 2000), (40, 100), (300, 3)])
def test_what_does_not_fit_is_left_out_and_that_is_said(
    bracketed: Findings, cells: int, steps: int
) -> None:
    cell = many_steps(bracketed, steps).cells[0]
    many = tuple(replace(cell, id=f"c{n}", max_workers=n) for n in range(cells))
    text = text_of(replace(bracketed, cells=many))
    assert size(text) < 60_000
    assert "Left out here to stay short" in text
    assert before(text, "holds (runs at once)", "How to reproduce it")


def names(found: Sequence[Token]) -> set[str]:
    return {token.type for each in found for token in (each, *(each.children or ()))}


def test_whatever_a_fact_holds_it_stays_a_fact(everything: Findings) -> None:
    nasty = hostile(everything)
    text = text_of(nasty, context_of(nasty, title="a|b <script>"))
    found = GFM.parse(text)
    assert not names(found) & {"html_inline", "link_open", "em_open", "s_open", "image"}
    html = "".join(token.content for token in found if token.type == "html_block")
    assert set(re.findall(r"</?\w+", html)) == {
        "<details", "</details", "<summary", "</summary"
    }  # fmt: skip
    assert not [c for c in text if ord(c) < 32 and c != "\n"]
    rows = tables(text)[0]
    assert {len(row) for row in rows} == {9}
