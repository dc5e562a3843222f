"""Facts in Markdown: nothing in them may be read as more than text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from report_context import HOSTILE

from harness.report.markup import (
    ZERO_WIDTH,
    bullets,
    clean,
    code,
    code_block,
    escaped,
    folded,
    prose,
    table,
)

pytestmark = pytest.mark.unit

GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(text: str) -> list[Token]:
    """All tokens, inline ones in their places."""
    return [inner for token in GFM.parse(text) for inner in (token, *(token.children or ()))]


def shown(text: str) -> str:
    """What a reader sees, in one string."""
    return "".join(
        t.content for t in tokens(text) if t.type in ("text", "code_inline", "text_special")
    )


def kinds(text: str) -> set[str]:
    return {token.type for token in tokens(text)}


SHOWN = ("text", "text_special", "code_inline")
PLAIN_PARAGRAPH = {"paragraph_open", "inline", "text", "text_special", "paragraph_close"}


@given(st.text())
def test_a_fact_is_shown_as_it_is_and_as_nothing_else(fact: str) -> None:
    text = escaped(fact)
    seen = shown(text).replace(ZERO_WIDTH, "")
    assert seen == clean(fact)
    assert kinds(text) <= PLAIN_PARAGRAPH


@given(st.text())
def test_a_fact_stays_in_its_table_cell(fact: str) -> None:
    text = table(["a", "b"], [[escaped(fact), code(fact) or "-"], ["x", "y"]])
    found = [token.type for token in tokens(text)]
    assert found.count("td_open") == 4
    assert "html_inline" not in found


@given(st.text())
def test_a_fact_stays_in_its_list_item(fact: str) -> None:
    found = [token.type for token in tokens(bullets([escaped(fact) or "nothing", "second"]))]
    assert found.count("list_item_open") == 2
    assert found.count("bullet_list_open") == 1


@given(st.lists(st.text()))
def test_lines_stay_in_their_block(lines: list[str]) -> None:
    assert [token.type for token in GFM.parse(code_block(lines))] == ["fence"]


@given(st.text())
def test_a_summary_opens_no_element(fact: str) -> None:
    text = folded(fact, "body")
    opened = [token for token in GFM.parse(text) if token.type == "html_block"]
    assert opened[0].content.count("<") == 3
    assert opened[-1].content.strip() == "</details>"


def test_what_cannot_be_misread_is_left_as_it_is() -> None:
    text = "launch_s_p95 17 s, limit 10 s; < 1 at 80 % & more: min(32, CPUs + 4)"
    assert escaped(text) == text
    assert escaped("0.25 launches/s") == "0.25 launches/s"


@pytest.mark.parametrize("name", ["@team", "see #12", "@a @b"])
def test_nobody_is_called(name: str) -> None:
    assert ZERO_WIDTH in escaped(name)
    assert ZERO_WIDTH in folded(name, "")
    assert escaped("mail@host") == "mail@host"


def test_a_hostile_line_is_one_line_without_control_characters() -> None:
    text = escaped(HOSTILE)
    assert not [c for c in text if ord(c) < 32]
    assert text.encode()
    assert "html_inline" not in kinds(text)


def test_a_fact_is_not_endless() -> None:
    assert len(escaped("x" * 100_000)) == 400
    assert escaped("x" * 100_000).endswith("…")


def test_columns_are_padded_to_be_read_as_plain_text() -> None:
    assert table(["a", "long"], [["wide cell", "1"]]).splitlines() == [
        "| a         | long |",
        "| --------- | ---- |",
        "| wide cell | 1 |",
    ]


def test_a_code_span_may_hold_backticks() -> None:
    assert code("a`b") == "``a`b``"
    assert shown(code("`a`")) == "`a`"
    assert code("") == ""


def test_names_in_backticks_stay_names_in_our_own_sentences() -> None:
    text = "Make `step.drain_s` longer, a|b `harness doctor` says."
    assert prose(text) == r"Make `step.drain_s` longer, a\|b `harness doctor` says."


@given(st.text())
def test_our_own_sentences_open_no_element_either(text: str) -> None:
    assert kinds("x " + prose(text)) <= {*PLAIN_PARAGRAPH, "code_inline"}
