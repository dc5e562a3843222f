"""The charts of a page: data, library and script, all inside the file.

Data and library are embedded as gzip in base64, which the browser unpacks: no request is made,
and no text of a campaign can end the element it lies in, since base64 has no `<`.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources

from markupsafe import Markup

from harness.analysis.findings.types import Findings
from harness.analysis.picture.types import CellPicture
from harness.report.html.charts_payload import payload_json

SCRIPTS = (
    "words", "marks", "theme", "unpack", "data", "figure", "legend", "guides", "curve", "phases",
    "lines", "happenings", "time", "gantt", "keyboard", "plot", "main",
)  # fmt: skip
"""The parts of the script in the order they are joined: what runs at once is in the last."""

_BLOCK = '<script type="application/octet-stream" id="{id}">{data}</script>\n'


def charts_block(findings: Findings, pictures: Sequence[CellPicture]) -> Markup:
    """What a page needs once, before `</body>`, so that its chart figures are drawn.

    Raises:
        ValueError: a number in the findings or pictures is not finite.
    """
    data = payload_json(findings, pictures).encode()
    return Markup(
        _BLOCK.format(id="harness-data", data=_base64(gzip.compress(data, 9, mtime=0)))
        + _BLOCK.format(id="harness-plotly", data=_library())
        + f"<script>\n{_script()}</script>\n"
    )


@cache
def _library() -> str:
    return _base64(_asset("plotly-basic.min.js.gz"))


@cache
def _script() -> str:
    """Our own script in a scope of its own; the style sheet travels in it as a string."""
    style = json.dumps(_asset("charts.css").decode())
    parts = [_asset("charts", f"{name}.js").decode() for name in SCRIPTS]
    return "\n".join(['(() => {\n"use strict";', f"const STYLE = {style};", *parts, "})();\n"])


def _asset(*path: str) -> bytes:
    return (resources.files("harness.report.html") / "assets").joinpath(*path).read_bytes()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
