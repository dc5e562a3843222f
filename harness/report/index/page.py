"""`results/index.html`: all campaigns on one page that needs nothing but a browser."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from harness.report.html.palette import palette_css
from harness.report.index.rows import CampaignRow, anchor_of


def render_index(
    rows: Sequence[CampaignRow], *, title: str = "Load tests", trends: str = ""
) -> str:
    """The page as text.

    Args:
        rows: newest first; that is the order without JavaScript.
        title: of the page.
        trends: the page of trends beside it; empty where there is none.
    """
    return _template().render(
        rows=rows,
        title=title,
        trends=trends,
        newest=rows[0].folder if rows else "",
        css=Markup(palette_css() + _part("index.css")),
        script=Markup(_part("index.js")),
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["path"] = quote
    environment.filters["anchor"] = anchor_of
    return environment.from_string(_part("index.html.j2"))


def _part(name: str) -> str:
    return resources.files("harness.report.index").joinpath(name).read_text(encoding="utf-8")
