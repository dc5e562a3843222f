"""Pictures of a report for these pages: `python docs/screenshots.py RESULTS OUT_DIR`.

Needs the development requirements and a Chromium on the PATH. The report is made anew from the
facts in RESULTS; nothing is written there.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from harness.scenarios.reporting import html_text, judge_stored

MOST_BYTES = 300_000
SETTLE_MS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture. `place`: a selector to cut out; without one, the first screen."""

    name: str
    width: int = 1440
    height: int = 900
    scheme: Literal["light", "dark"] = "light"
    place: str = ""


SHOTS = (
    Shot(name="report"),
    Shot(name="report-dark", scheme="dark"),
    Shot(name="report-tablet", width=820, height=1180),
    Shot(name="report-phone", width=390, height=844),
    Shot(name="report-phone-dark", width=390, height=844, scheme="dark"),
    Shot(name="report-curve", place="#chart-1-curve"),
    Shot(name="report-steps", place="#cell-1-steps"),
    Shot(name="report-time", place="#cell-1-time"),
    Shot(name="report-runs", place="#chart-1-gantt"),
)


def main() -> int:
    """Write every picture; 1 when one is too large for a repository."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("results", type=Path, help="a results folder")
    parser.add_argument("out", type=Path, help="where the pictures go")
    asked = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("No Chromium on the PATH: apt-get install chromium", file=sys.stderr)
        return 3
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        report = Path(folder) / "report.html"
        report.write_text(html_text(judge_stored(asked.results)), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        sizes = [take(browser, report, shot, asked.out) for shot in SHOTS]
        browser.close()
    return int(max(sizes) > MOST_BYTES)


def take(browser: Browser, report: Path, shot: Shot, out: Path) -> int:
    """One picture; returns its size in bytes."""
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme=shot.scheme,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(report.as_uri())
    page.evaluate("() => harnessCharts.ready.then(() => harnessCharts.drawAll())")
    page.wait_for_timeout(SETTLE_MS)
    path = out / f"{shot.name}.png"
    path.write_bytes(picture(page, shot))
    context.close()
    size = path.stat().st_size
    print(f"{path}: {size / 1000:.0f} kB" + (" - too large" if size > MOST_BYTES else ""))
    return size


def picture(page: Page, shot: Shot) -> bytes:
    """The PNG of the place, or of the first screen."""
    if not shot.place:
        return page.screenshot()
    return page.locator(shot.place).screenshot()


if __name__ == "__main__":
    raise SystemExit(main())
