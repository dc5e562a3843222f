"""The charts of a page: data, library and script, all inside the file.

Data and library are embedded as gzip in base64, which the browser unpacks: no request is made,
and no text of a campaign can end the element it lies in, since base64 has no `<`.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources

from markupsafe import Markup

from harness.analysis.findings.types import Findings
from harness.analysis.picture.types import CellPicture
from harness.report.html.charts_payload import payload_json

SCRIPTS = (
    "words", "marks", "theme", "unpack", "data", "figure", "legend", "guides", "curve", "phases",
    "lines", "happenings", "time", "gantt", "kinds", "keyboard", "plot", "main",
)  # fmt: skip
"""The parts of the script in the order they are joined: what runs at once is in the last."""

_BLOCK = '<script type="application/octet-stream" id="{id}">{data}</script>\n'


def charts_block(findings: Findings, pictures: Sequence[CellPicture]) -> Markup:
    """What a page needs once, before `</body>`, so that its chart figures are drawn.

    Raises:
        ValueError: a number in the findings or pictures is not finite.
    """
    return drawing_block(payload_json(findings, pictures), map(shared_script, SCRIPTS))


def drawing_block(payload: str, scripts: Iterable[str]) -> Markup:
    """The same for any page of ours: data, library and script.

    Args:
        payload: JSON; `reportFrom` and `cellsOf` among the scripts know what is in it.
        scripts: JavaScript in the order it is joined, one scope for all; `main` is the last, and
            `KINDS` names the kinds of charts.
    """
    data = gzip.compress(payload.encode(), 9, mtime=0)
    return Markup(
        _BLOCK.format(id="harness-data", data=_base64(data))
        + _BLOCK.format(id="harness-plotly", data=_library())
        + f"<script>\n{_joined(scripts)}</script>\n"
    )


@cache
def shared_script(name: str) -> str:
    """A part of the script of a campaign's page, by its name in `SCRIPTS`."""
    return _asset("charts", f"{name}.js").decode()


@cache
def _library() -> str:
    return _base64(_asset("plotly-basic.min.js.gz"))


def _joined(parts: Iterable[str]) -> str:
    """Our own script in a scope of its own; the style sheet travels in it as a string."""
    style = json.dumps(_asset("charts.css").decode())
    return "\n".join(['(() => {\n"use strict";', f"const STYLE = {style};", *parts, "})();\n"])


def _asset(*path: str) -> bytes:
    return (resources.files("harness.report.html") / "assets").joinpath(*path).read_bytes()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
