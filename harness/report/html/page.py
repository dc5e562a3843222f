"""`report.html`: one campaign on one page that needs nothing but a browser."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.analysis.findings.types import Findings
from harness.analysis.picture.types import CellPicture
from harness.report import phrases
from harness.report.html import wording
from harness.report.html.charts import charts_block
from harness.report.html.context import PageContext
from harness.report.html.definitions import definition_groups, definitions
from harness.report.html.palette import palette_css
from harness.report.html.views import page_view
from harness.report.verdict import verdict_sentences

TEMPLATES = Path(__file__).with_name("templates")
CONTENT_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
"""The page may show and run what is written in it, and ask nobody for anything."""


def render_page(findings: Findings, pictures: Sequence[CellPicture], context: PageContext) -> str:
    """The whole page as text.

    Args:
        findings: of one campaign.
        pictures: of its cells, any order; a cell without one says so in place of its charts.
        context: what is not a finding.

    Raises:
        ValueError: a number in the findings or pictures is not finite.
    """
    template = _environment().get_template("report.html.j2")
    return template.render(
        findings=findings,
        context=context,
        page=page_view(findings, pictures, context),
        sentences=verdict_sentences(findings),
        definitions=definitions(),
        definition_groups=definition_groups(),
        content_policy=CONTENT_POLICY,
        css=Markup(palette_css() + _text("page.css")),
        script=Markup(_text("page.js")),
        charts=charts_block(findings, pictures),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= wording.FILTERS
    environment.filters["command"] = shlex.join
    environment.filters["href"] = lambda path: quote(str(path), safe="/")
    environment.globals |= {"phrases": phrases, "words": wording}
    return environment


@cache
def _text(name: str) -> str:
    """A file of ours that goes into the page as it is."""
    return (TEMPLATES / name).read_text("utf-8")
