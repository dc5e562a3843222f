"""Pages with charts as a test opens them, and what can be read off them."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from harness.analysis.findings.document import Findings
from harness.analysis.picture.types import CellPicture
from harness.report.html.charts import charts_block
from harness.report.html.palette import palette_css

KINDS = (
    "curve", "phases", "gantt", "memory", "cpu", "throttling", "queues", "probe", "processes",
)  # fmt: skip


@dataclass(kw_only=True)
class Opened:
    """A page and what went wrong while it was open."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def foreign(self) -> list[str]:
        """What was asked of anything but the file itself."""
        return [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))]

    def draw_all(self) -> Page:
        """The page with every chart drawn."""
        self.page.evaluate("() => harnessCharts.drawAll()")
        return self.page


def visit(context: BrowserContext, path: Path, *, ready: bool = True) -> Opened:
    """The page, its data unpacked."""
    opened = Opened(page=context.new_page())
    page = opened.page
    page.on("request", lambda request: opened.requests.append(request.url))
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    page.on("console", lambda said: opened.complaints.append(f"{said.type}: {said.text}"))
    page.on("dialog", lambda dialog: (opened.complaints.append("dialog"), dialog.dismiss()))
    page.goto(path.as_uri())
    if ready:
        page.evaluate("() => harnessCharts.ready")
    return opened


def bare_page(path: Path, findings: Findings, pictures: tuple[CellPicture, ...]) -> Path:
    """A page with a place for each chart and nothing else, written to `path`."""
    figures = "".join(
        f'<figure class="chart" id="chart-{number}-{kind}" data-chart="{kind}" '
        f'data-cell="{html.escape(cell.id)}"><div class="plot"></div></figure>'
        for number, cell in enumerate(findings.cells, start=1)
        for kind in KINDS
    )
    path.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>Charts</title><style>{palette_css()}</style>"
        f"<body>{figures}{charts_block(findings, pictures)}</body></html>",
        encoding="utf-8",
    )
    return path


def plotted(page: Page, chart: str) -> list[dict[str, Any]]:
    """The traces of a drawn chart."""
    found: list[dict[str, Any]] = page.evaluate(
        "(id) => JSON.parse(JSON.stringify(document.querySelector(`#${id} .plot`).data))", chart
    )
    return found


def values_by_step(traces: list[dict[str, Any]], key: str) -> dict[int, float]:
    """What a chart shows of one figure, by the step's index."""
    own = [trace for trace in traces if trace.get("meta") == key]
    return {
        index: value
        for trace in own
        for index, value in zip(trace["customdata"], trace["y"], strict=True)
        if value is not None
    }


def figure_of(step: dict[str, Any], key: str) -> Any:
    """`response_s.p95` of a step of `findings.json`."""
    value: Any = step
    for part in key.split("."):
        value = value[part]
    return value


def range_of(page: Page, chart: str) -> list[float]:
    found: list[float] = page.evaluate(
        "(id) => document.querySelector(`#${id} .plot`)._fullLayout.xaxis.range", chart
    )
    return found


def drag(page: Page, chart: str) -> None:
    """Mark a piece of the chart with the mouse."""
    area = page.locator(f"#{chart} .nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle + 3, steps=6)
    page.mouse.up()
