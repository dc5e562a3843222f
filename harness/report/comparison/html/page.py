"""`comparison.html`: versions beside each other on one page that needs nothing but a browser."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from markupsafe import Markup

from harness.analysis.comparison.types import ComparisonDocument
from harness.report.comparison import words
from harness.report.comparison.html.payload import payload_json
from harness.report.comparison.html.views import page_view
from harness.report.comparison.reasons import difference_phrase
from harness.report.html.charts import drawing_block, shared_script
from harness.report.html.page import (
    CONTENT_POLICY,
    page_css,
    page_environment,
    page_script,
    squeezed,
)
from harness.report.phrases import capacity_phrase

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
SHARED_BEFORE = ("words", "marks", "theme", "unpack", "figure", "legend")
OWN = ("subjects", "values")
SHARED_AFTER = ("keyboard", "plot", "main")
"""The script is the shared one of a campaign's page, with our own kinds of charts in its middle."""


def render_comparison_page(document: ComparisonDocument, *, version: str) -> str:
    """The whole page as text.

    Args:
        document: what was compared.
        version: of the harness that makes this page.

    Raises:
        ValueError: a number in the document is not finite.
    """
    page = page_view(document)
    text = page_environment(TEMPLATES).get_template("comparison.html.j2").render(
        document=document,
        page=page,
        version=version,
        say=words,
        capacity_phrase=capacity_phrase,
        difference_phrase=difference_phrase,
        content_policy=CONTENT_POLICY,
        css=page_css() + Markup(_text("comparison.css")),
        script=page_script(),
        charts=drawing_block(payload_json(page), _scripts()),
        definitions={},
    )  # fmt: skip
    return squeezed(text)


def _scripts() -> tuple[str, ...]:
    own = [(HERE / "charts" / f"{name}.js").read_text("utf-8") for name in OWN]
    return (*map(shared_script, SHARED_BEFORE), *own, *map(shared_script, SHARED_AFTER))


@cache
def _text(name: str) -> str:
    """A file of ours that goes into the page as it is."""
    return (TEMPLATES / name).read_text("utf-8")
