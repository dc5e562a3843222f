"""What a large report costs: a made-up campaign, its page written, weighed and opened.

The clock starts when the facts are on disk. The browser is timed from asking for the file until the
answers can be read, until the charts can be drawn, and until all of them are.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from analysis_speed import write

from harness.errors import ExitCode

BAR_S, BAR_BYTES = 5.0, 1_500_000
RUNS_A_STEP_AND_USER = 4.6
"""Of the made-up campaign: a run takes some 10 s, a step sends for 52 s."""


def written(path: Path) -> tuple[dict[str, Any], Path]:
    """Seconds to judge and to write the page, its size, and where it is."""
    started = time.perf_counter()
    from harness.scenarios.reporting import html_text, judge_stored

    loaded = time.perf_counter()
    judged = judge_stored(path)
    known = time.perf_counter()
    text = html_text(judged)
    done = time.perf_counter()
    page = path / "report.html"
    page.write_text(text, encoding="utf-8")
    return {
        "runs": sum(len(cell.runs) for cell in judged.stored.cells),
        "steps": sum(len(cell.steps) for cell in judged.findings.cells),
        "import_s": loaded - started,
        "judge_s": known - loaded,
        "render_s": done - known,
        "page_bytes": page.stat().st_size,
    }, page


def opened(page: Path, chromium: str) -> dict[str, float]:
    """Seconds until the page is there, until it is ready to draw, until every chart is drawn."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1440, "height": 900})
        started = time.perf_counter()
        tab.goto(page.as_uri())
        there = time.perf_counter()
        tab.evaluate("() => harnessCharts.ready")
        ready = time.perf_counter()
        tab.evaluate("() => harnessCharts.drawAll()")
        drawn = time.perf_counter()
        browser.close()
    return {
        "open_s": there - started,
        "charts_ready_s": ready - started,
        "all_drawn_s": drawn - started,
    }


def main() -> int:
    """0: under the bars; 5: slower or larger."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=10)
    parser.add_argument("--steps", type=int, default=10, help="of each cell")
    parser.add_argument("--runs", type=int, default=20_000, help="of all, about")
    options = parser.parse_args()
    users = round(options.runs / (options.cells * (options.steps - 1)) / RUNS_A_STEP_AND_USER)
    with tempfile.TemporaryDirectory(prefix="report-cost-") as root:
        path, samples = write(
            Path(root), cells=options.cells, steps=options.steps, concurrency=max(1, users)
        )
        found, page = written(path)
        chromium = shutil.which("chromium")
        seen = opened(page, chromium) if chromium else {}
    document = {"samples": samples, "bar_s": BAR_S, "bar_bytes": BAR_BYTES, **found, **seen}
    print(json.dumps(document, indent=2))
    missed = max(found["judge_s"] + found["render_s"], seen.get("charts_ready_s", 0)) > BAR_S
    missed = missed or found["page_bytes"] > BAR_BYTES
    return ExitCode.INCONCLUSIVE if missed else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
