"""Text as GitHub-flavoured Markdown that says what the text says and nothing else.

A fact may hold anything: a pipe ends no table cell here, a tag opens no element, a name calls
nobody. What cannot be misread is left as it is, so that the source reads well too.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

LONGEST = 400
"""Characters of one fact that are shown."""

ZERO_WIDTH = "\u200b"

_UNSEEN = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]+")
_UNSEEN_IN_CODE = re.compile(r"[^\S\t ]|[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_SPECIAL = re.compile(r"[\\`*|~$\[\]]|(?<![^\W_])_|_(?![^\W_])")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_MENTION = re.compile(r"(?<!\w)([@#])(?=\w)")
_SPAN = re.compile(r"`([\w .=:/<>-]+)`")
_BLOCK = re.compile(r"^(?:([#>+=-])|(\d{1,9})([.)])(?=\s|$))")


def clean(text: object, *, longest: int = LONGEST) -> str:
    """One line without control characters, and not endless."""
    line = _UNSEEN.sub(" ", str(text)).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def inline(text: object, *, longest: int = LONGEST) -> str:
    """A fact as inline text, also in a table cell; not at the beginning of a line."""
    return _harmless(clean(text, longest=longest))


def _harmless(line: str) -> str:
    line = _SPECIAL.sub(r"\\\g<0>", line)
    line = _TAG.sub("&lt;", _ENTITY.sub("&amp;", line))
    return _MENTION.sub(rf"\1{ZERO_WIDTH}", line)


def escaped(text: object, *, longest: int = LONGEST) -> str:
    """A fact as inline text, also at the beginning of a line or a list item."""
    line = inline(text, longest=longest)
    return _BLOCK.sub(lambda m: rf"\{m[1]}" if m[1] else rf"{m[2]}\{m[3]}", line)


def prose(text: object) -> str:
    """A sentence of ours, in which a command or a name may stand in backticks."""
    parts = _SPAN.split(clean(text))
    return "".join(code(part) if n % 2 else _harmless(part) for n, part in enumerate(parts))


def code(text: object) -> str:
    """A fact as a code span, also in a table cell."""
    line = clean(text)
    if not line or "|" in line:  # a code span says a pipe otherwise inside a table than outside
        return escaped(line)
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def code_block(lines: Iterable[str], language: str = "") -> str:
    """Lines as a fenced block; long ones stay whole, because they are there to be copied."""
    body = [_UNSEEN_IN_CODE.sub(" ", line).rstrip() for line in lines]
    fence = "`" * max(3, _longest_run("\n".join(body)) + 1)
    return "\n".join((f"{fence}{language}", *body, fence))


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of text that is Markdown already; columns are padded, to be read as plain text too."""
    body = [list(row) for row in rows]
    widths = [max(3, *(len(row[n]) for row in (headings, *body))) for n in range(len(headings))]
    ruled = ["-" * width for width in widths]
    return "\n".join(_row(row, widths) for row in (headings, ruled, *body))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells[:-1], widths, strict=False))
    return "| " + " | ".join((*padded, cells[-1])) + " |"


def folded(summary: str, body: str) -> str:
    """What is shown when asked for."""
    title = _MENTION.sub(rf"\1{ZERO_WIDTH}", html.escape(clean(summary), quote=False))
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def bullets(texts: Iterable[str]) -> str:
    """A list of text that is Markdown already."""
    return "\n".join(f"- {text}" for text in texts)
