"""A page as a browser's parser sees it: elements with attributes, and the text inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from harness.analysis.findings.document import Findings
from harness.analysis.picture.types import CellPicture
from harness.report.context import PageContext

VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})
ENDS_BEFORE = {
    "td": {"td", "th", "tr", "tbody"}, "th": {"td", "th", "tr", "tbody"}, "tr": {"tr", "tbody"},
    "li": {"li"}, "dt": {"dt", "dd"}, "dd": {"dt", "dd"},
}  # fmt: skip
"""Elements without an end tag of their own, and what ends them."""


@dataclass(eq=False)
class Element:
    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    parts: list[str | Element] = field(default_factory=list)
    parent: Element | None = None

    @property
    def text(self) -> str:
        """All text inside, blanks collapsed."""
        return " ".join(self._raw().split())

    def _raw(self) -> str:
        return "".join(p if isinstance(p, str) else f" {p._raw()} " for p in self.parts)

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Every element inside, in order; `class_` matches one of the classes."""
        found = []
        for child in self.children:
            if (not tag or child.tag == tag) and child._has(attributes):
                found.append(child)
            found += child.all(tag, **attributes)
        return found

    def _has(self, attributes: dict[str, str]) -> bool:
        for name, value in attributes.items():
            own = self.attributes.get(name.rstrip("_").replace("_", "-"))
            if own is None or value not in (own, *(own.split() if name == "class_" else ())):
                return False
        return True

    def one(self, tag: str = "", **attributes: str) -> Element:
        """The only such element."""
        (found,) = self.all(tag, **attributes)
        return found


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element("", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while self.at.parent and tag in ENDS_BEFORE.get(self.at.tag, ()):
            self.at = self.at.parent
        new = Element(tag, {name: value or "" for name, value in attrs}, parent=self.at)
        self.at.children.append(new)
        self.at.parts.append(new)
        if tag not in VOID:
            self.at = new

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.at.tag == tag and self.at.parent:
            self.at = self.at.parent

    def handle_endtag(self, tag: str) -> None:
        at: Element | None = self.at
        while at is not None and at.tag != tag:
            if at.tag not in (*ENDS_BEFORE, ""):
                raise AssertionError(f"</{tag}> inside <{at.tag}>")
            at = at.parent
        assert at is not None, f"</{tag}> without a beginning"
        assert at.parent is not None
        self.at = at.parent

    def handle_data(self, data: str) -> None:
        self.at.parts.append(data)


def parse(text: str) -> Element:
    """The root above `html`; an end tag in the wrong place is an error."""
    builder = _Builder()
    builder.feed(text)
    builder.close()
    return builder.root


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a page is made of."""

    findings: Findings
    pictures: Sequence[CellPicture]
    context: PageContext

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(cell.id for cell in self.findings.cells)


Text = Callable[[Material], str]
Render = Callable[[Material], Element]
