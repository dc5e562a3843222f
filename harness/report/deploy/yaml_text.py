"""Values as YAML that every parser reads back the same, with the reason behind them.

Dagster, Helm and Kubernetes read YAML 1.1, where `yes` is true and `007` is seven: whatever is
not a word of ours is quoted.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

Value = str | int | bool | CommentedMap | CommentedSeq

NEVER_FOLD = 2**31 - 1


class Row(NamedTuple):
    """A key with its value, and why it has it."""

    key: str
    value: Value
    why: str = ""


class Item(NamedTuple):
    """An entry of a list, and why it is there."""

    value: Value
    why: str = ""


def quoted(value: str) -> DoubleQuotedScalarString:
    """A string that stays one, whatever is in it."""
    scalar: DoubleQuotedScalarString = DoubleQuotedScalarString(value)
    return scalar


def block(*rows: Row | None) -> CommentedMap:
    """A mapping in this order; `None` is left out."""
    mapping = CommentedMap()
    for row in rows:
        if row is not None:
            mapping[row.key] = row.value
            if row.why:
                mapping.yaml_add_eol_comment(row.why, row.key, column=0)
    return mapping


def listing(*items: Item) -> CommentedSeq:
    """A list in this order."""
    sequence = CommentedSeq([item.value for item in items])
    for index, item in enumerate(items):
        if item.why:
            sequence.yaml_add_eol_comment(item.why, index, column=0)
    return sequence


def yaml_text(root: CommentedMap, *, header: Sequence[str]) -> str:
    """The document, ending in a newline.

    Args:
        root: the whole document.
        header: comment lines above it; what cannot stand in one line is squeezed into it.
    """
    yaml = YAML()
    yaml.width = NEVER_FOLD
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(root, stream)
    return "".join(f"# {one_line(line)}\n" for line in header) + stream.getvalue()


def one_line(text: str) -> str:
    """The text without line breaks and unprintable signs, so that a comment stays one."""
    printable = (sign if sign.isprintable() else " " for sign in text)
    return " ".join("".join(printable).split())
