"""`report.html`: one campaign on one page that needs nothing but a browser."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.analysis.findings.types import Findings
from harness.analysis.picture.types import CellPicture
from harness.report import phrases
from harness.report.context import PageContext
from harness.report.html import wording
from harness.report.html.charts import charts_block
from harness.report.html.definitions import definition_groups, definitions
from harness.report.html.palette import palette_css
from harness.report.html.views import page_view
from harness.report.verdict import verdict_sentences

_BLOCK = (
    "article|aside|details|dd|div|dl|dt|figcaption|figure|h[1-4]|li|nav|ol|p|section|summary|table"
    "|tbody|td|th|thead|tr|ul"
)
_AROUND_BLOCKS = re.compile(rf"\n?(</?(?:{_BLOCK})\b[^>]*>)\n?")
_IMPLIED = re.compile(r"</(?:td|th|tr|li|dt|dd)>")
_VERBATIM = re.compile(r"(<(?:pre|script|style)\b.*?</(?:pre|script|style)>)", re.DOTALL)
TEMPLATES = Path(__file__).with_name("templates")
CONTENT_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
"""The page may show and run what is written in it, and ask nobody for anything."""


def render_page(
    findings: Findings,
    pictures: Sequence[CellPicture],
    context: PageContext,
    *,
    pooled: Findings | None = None,
) -> str:
    """The whole page as text.

    Args:
        findings: of one campaign.
        pictures: of its cells, any order; a cell without one says so in place of its charts.
        context: what is not a finding.
        pooled: of a campaign in rounds the same with equal cells as one: its answers.

    Raises:
        ValueError: a number in the findings or pictures is not finite.
    """
    template = page_environment().get_template("report.html.j2")
    text = template.render(
        findings=findings,
        context=context,
        page=page_view(findings, pictures, context, pooled=pooled),
        sentences=verdict_sentences(pooled or findings),
        definitions=definitions(),
        definition_groups=definition_groups(),
        content_policy=CONTENT_POLICY,
        css=page_css(),
        script=page_script(),
        charts=charts_block(_drawn(findings, pooled), pictures),
    )
    return squeezed(text)


def _drawn(findings: Findings, pooled: Findings | None) -> Findings:
    """Every cell there is a chart of: single ones, and the rounds of a kind together."""
    known = {cell.id for cell in findings.cells}
    whole = [cell for cell in (pooled.cells if pooled else ()) if cell.id not in known]
    return replace(findings, cells=(*findings.cells, *whole))


def squeezed(text: str) -> str:
    """A page without the indentation of its templates and the end tags HTML implies.

    A third of a long page is that. What is shown as it stands (`pre`) stays as it is.
    """
    parts = _VERBATIM.split(text)
    return "".join(part if position % 2 else _tight(part) for position, part in enumerate(parts))


def _tight(text: str) -> str:
    lines = re.sub(r"\s*\n\s*", "\n", text)
    return _IMPLIED.sub("", _AROUND_BLOCKS.sub(r"\1", lines))


@cache
def page_environment(*folders: Path) -> Environment:
    """Templates of these folders, then those of a campaign's page, with its words and formats."""
    environment = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= wording.FILTERS
    environment.filters["command"] = shlex.join
    environment.filters["href"] = relative_href
    environment.globals |= {"phrases": phrases, "words": wording}
    return environment


def page_css() -> Markup:
    """Colours and styles of a page."""
    return Markup(palette_css() + _text("page.css"))


def page_script() -> Markup:
    """Navigation, colours, copying, unfolding; a page needs the elements it names."""
    return Markup(_text("page.js"))


def relative_href(path: str) -> str:
    """A path of the results folder as a link, whatever is in it: never another host or scheme."""
    return quote(f"./{path.lstrip('/')}" if path.startswith("/") else path, safe="/")


@cache
def _text(name: str) -> str:
    """A file of ours that goes into the page as it is."""
    return (TEMPLATES / name).read_text("utf-8")
