"""What is written as YAML comes back as it was, from YAML 1.1 and 1.2 alike."""

from __future__ import annotations

import pytest
import yaml as yaml_1_1
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from harness.report.deploy.yaml_text import Item, Row, block, listing, one_line, quoted, yaml_text

pytestmark = pytest.mark.unit

ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(ANYTHING)
def test_a_quoted_string_stays_itself(value: str) -> None:
    text = yaml_text(
        block(Row("a", quoted(value), "why"), Row("b", listing(Item(quoted(value), "why")))),
        header=(),
    )
    said = {"a": value, "b": [value]}
    assert yaml_1_1.safe_load(text) == said
    assert YAML(typ="safe").load(text) == said


@given(ANYTHING)
def test_a_header_stays_a_comment(line: str) -> None:
    text = yaml_text(block(Row("a", 1)), header=(line, "second"))
    assert yaml_1_1.safe_load(text) == {"a": 1}
    assert len(text.splitlines()) == 3


def test_reasons_stand_behind_their_values() -> None:
    text = yaml_text(
        block(Row("cpu", quoted("1024"), "1 vCPU"), None, Row("inner", block(Row("n", 2)), "more")),
        header=("Above",),
    )
    assert text == '# Above\ncpu: "1024" # 1 vCPU\ninner: # more\n  n: 2\n'


def test_lists_are_indented_below_their_key() -> None:
    assert yaml_text(block(Row("l", listing(Item(1), Item(2)))), header=()) == "l:\n  - 1\n  - 2\n"


def test_one_line_keeps_the_words() -> None:
    assert one_line("two\nlines\x1b and\ttabs") == "two lines and tabs"
