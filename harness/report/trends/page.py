"""`trends.html`: how every figure moved over the years, on one page that needs only a browser."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from markupsafe import Markup

from harness.analysis.history.events import Event
from harness.analysis.history.types import Entry, History
from harness.report.html.charts import drawing_block, shared_script
from harness.report.html.page import (
    CONTENT_POLICY,
    page_css,
    page_environment,
    page_script,
    squeezed,
)
from harness.report.trends import words
from harness.report.trends.payload import payload_json
from harness.report.trends.views import page_view

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
SHARED_BEFORE = ("words", "marks", "theme", "unpack", "figure", "legend")
OWN = ("nights", "trend")
SHARED_AFTER = ("keyboard", "plot", "main")
"""The script is the shared one of a campaign's page, with our own kind of chart in its middle."""


def render_trends(
    history: History, events: Sequence[Event], entries: Sequence[Entry], *, version: str
) -> str:
    """The whole page as text.

    Args:
        history: trends and annotations.
        events: of the history, newest first.
        entries: ascending; those the history was made of, also such without figures.
        version: of the harness that makes this page.

    Raises:
        ValueError: a number in the history is not finite.
    """
    page = page_view(history, events, entries)
    text = page_environment(TEMPLATES).get_template("trends.html.j2").render(
        page=page,
        version=version,
        say=words,
        content_policy=CONTENT_POLICY,
        css=page_css() + Markup(_text("trends.css")),
        script=page_script() + Markup(_text("trends.js")),
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
