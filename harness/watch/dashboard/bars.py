"""Rows of text and the bars in them. A row never wraps: what does not fit is cut off."""

from __future__ import annotations

from rich.text import Text

GOOD, WARNING, BAD, QUIET, STRONG = "green", "yellow", "bold red", "dim", "bold"
_FULL, _HALF, _REST, _MARK = "━", "╸", "─", "┃"
SHORTEST_BAR, LONGEST_BAR = 6, 48


def row(*parts: str | tuple[str, str]) -> Text:
    """A row of plain and styled (text, style) parts."""
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def bar(ratio: float, width: int, style: str, *, mark: float | None = None) -> Text:
    """A bar of exactly `width` cells, filled by `ratio` of it.

    Args:
        ratio: 0 to 1; what lies outside is cut to that.
        width: cells, 1 or more.
        style: of the filled part.
        mark: a second ratio, shown as a stroke.
    """
    full, half = divmod(round(min(max(ratio, 0.0), 1.0) * width * 2), 2)
    text = Text(no_wrap=True)
    text.append(_FULL * full + _HALF * half, style)
    text.append(_REST * (width - full - half), QUIET)
    if mark is not None:
        at = min(int(min(max(mark, 0.0), 1.0) * width), width - 1)
        text = Text.assemble(text[:at], (_MARK, STRONG), text[at + 1 :], no_wrap=True)
    return text


def gauge(
    label: str, ratio: float | None, words: tuple[str, ...], width: int, *,
    style: str, mark: float | None = None,
) -> Text:  # fmt: skip
    """A label, a bar, and the longest of the wordings that leaves room for one.

    Args:
        label: the first cells of the row.
        ratio: of the bar; `None` for none.
        words: the longest first.
        width: of the whole row, in cells.
        style: of the filled part.
        mark: see `bar`.
    """
    if ratio is None:
        return row((label, QUIET), words[0])
    free = width - len(label) - 1
    fitting = [each for each in words if free - len(each) >= SHORTEST_BAR]
    chosen = fitting[0] if fitting else words[-1]
    cells = min(free - len(chosen), LONGEST_BAR)
    if cells < 1:
        return row((label, QUIET), chosen)
    filled = bar(ratio, cells, style, mark=mark)
    return Text.assemble((label, QUIET), filled, " ", chosen, no_wrap=True, overflow="ellipsis")


def joined(parts: list[tuple[int, str | tuple[str, str]]], width: int) -> Text:
    """As many parts as fit in one row, in the order given, those of the lowest rank first."""
    kept: list[int] = []
    for index in sorted(range(len(parts)), key=lambda each: parts[each][0]):
        wanted = sorted([*kept, index])
        if sum(_length(parts[each][1]) for each in wanted) + 3 * (len(wanted) - 1) <= width:
            kept = wanted
    pieces: list[str | tuple[str, str]] = []
    for index in kept:
        pieces += [(" · ", QUIET), parts[index][1]] if pieces else [parts[index][1]]
    return row(*pieces)


def level(ratio: float | None, *, warn: float, bad: float) -> str:
    """A style by how high something is."""
    if ratio is None or ratio < warn:
        return GOOD
    return WARNING if ratio < bad else BAD


def _length(part: str | tuple[str, str]) -> int:
    return len(part if isinstance(part, str) else part[0])
