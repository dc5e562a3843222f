"""How long a results root of years takes: made-up campaigns, indexed, analysed and shown.

Half of the campaigns compare two Dagster versions (two workloads, four rounds: 16 cells), half
measure one version (three cells). Their figures are those of a committed baseline with noise, and
with one change in the middle. The clock starts when all of it is on disk: once without an index,
once with it. CPU time stands beside it: on a busy machine the clock tells of its neighbours.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.errors import ExitCode

BAR_S = 2.0
SEED = 20260101
ROOT = Path(__file__).resolve().parents[1]
FIRST_NIGHT = datetime.datetime(2024, 1, 1, 2, tzinfo=datetime.UTC)
ROUNDS, BASELINE, SUBJECT = 4, "1.12.22", "1.13.28"
NOISE = 0.03
RUN_RSS_MIB = 120.0
STEPS = 3
"""Of a cell that is compared: the preset measures two loads and one at the boundary."""
SLOWER = 1.10
"""Launching, from the middle of all campaigns on."""
LAUNCH = ("launch_s", "response_s", "phases")


class Night:
    """One campaign's findings: a baseline's, each figure a little different."""

    def __init__(self, source: dict[str, Any], rng: random.Random) -> None:
        self._cells = [json.dumps(cell) for cell in source["cells"]]
        self._rest = json.dumps({**source, "cells": []})
        self._rng = rng

    def compared(self, *, slower: float) -> dict[str, Any]:
        """Two versions, two workloads, four rounds; the subject launches slower."""
        findings = self._findings("nightly", [BASELINE, SUBJECT])
        for number in range(1, ROUNDS + 1):
            for cell in self._cells[:2]:
                for version, factor in ((BASELINE, 1.0), (SUBJECT, slower)):
                    made = self._cell(cell, factor)
                    made["dagster"], made["repetition"] = version, number
                    made["steps"] = made["steps"][:STEPS]
                    made["steps"][-1]["concurrency"] = self._rng.randint(5, 8)
                    made["id"] = f"{made['workload']}_{version}_n{number}"
                    findings["cells"].append(made)
        return findings

    def alone(self, *, slower: float) -> dict[str, Any]:
        """One version, three workloads, once."""
        findings = self._findings("quick", [SUBJECT])
        findings["cells"] = [self._cell(cell, slower) for cell in self._cells]
        for cell in findings["cells"]:
            cell["dagster"] = SUBJECT
        return findings

    def _findings(self, name: str, versions: list[str]) -> dict[str, Any]:
        findings: dict[str, Any] = json.loads(self._rest)
        findings["campaign"].update(name=name, dagster=versions)
        return findings

    def _cell(self, text: str, slower: float) -> dict[str, Any]:
        cell: dict[str, Any] = json.loads(text)
        cell["cpu"]["launch_cpu_s"] *= slower
        self._shake(cell["cpu"], ("launch_cpu_s", "idle_cores"))
        self._shake(cell["memory"], ("base_mib", "per_run_mib", "peak_per_run_mib"))
        for step in cell["steps"]:
            step["run_rss_mib"] = RUN_RSS_MIB
            self._shake(step, ("throughput_runs_per_s", "cpu_s_per_run", "run_rss_mib"))
            self._shake(step["probe_s"], ("p50",))
            for name in LAUNCH:
                times = step[name]
                for key in [key for key, value in times.items() if isinstance(value, float)]:
                    times[key] *= slower
                self._shake(
                    times, [key for key, value in times.items() if isinstance(value, float)]
                )
        return cell

    def _shake(self, holder: dict[str, Any], keys: Any) -> None:
        for key in keys:
            if holder[key] is not None:
                holder[key] *= self._rng.lognormvariate(0, NOISE)


def write(root: Path, campaigns: int) -> int:
    """The results folders; returns the bytes of their findings."""
    source = json.loads(
        (ROOT / "results/baselines/quick-compose/findings.json").read_text(encoding="utf-8")
    )
    night, total = Night(source, random.Random(SEED)), 0
    for number in range(campaigns):
        slower = SLOWER if number >= campaigns / 2 else 1.0
        made = night.alone if number % 2 else night.compared
        findings = made(slower=slower)
        at = FIRST_NIGHT + datetime.timedelta(hours=12 * number)
        folder = root / f"{at:%Y%m%dT%H%M%SZ}-{findings['campaign']['name']}"
        folder.mkdir()
        text = json.dumps(findings, indent=2)
        (folder / "findings.json").write_text(text, encoding="utf-8")
        total += len(text)
    return total


def cpu_s() -> float:
    """Of this process and of the children that ended."""
    return sum(os.times()[:4])


def timed(root: Path) -> dict[str, Any]:
    """Seconds to load the code, to index without and with an index, to analyse, and to show."""
    marks = [(time.perf_counter(), cpu_s())]

    def lap() -> tuple[float, float]:
        marks.append((time.perf_counter(), cpu_s()))
        (wall, cpu), (wall_before, cpu_before) = marks[-1], marks[-2]
        return wall - wall_before, cpu - cpu_before

    from harness.scenarios.history import refresh_history
    from harness.scenarios.history_index import history_jsonl
    from harness.scenarios.trends import html_text, told_by

    found: dict[str, Any] = {}
    found["import_s"], found["import_cpu_s"] = lap()
    entries = refresh_history(root)
    found["cold_index_s"], found["cold_index_cpu_s"] = lap()
    told = told_by(entries)
    found["analyse_s"], found["analyse_cpu_s"] = lap()
    entries = refresh_history(root)
    found["warm_index_s"], found["warm_index_cpu_s"] = lap()
    page = html_text(told)
    found["page_s"], found["page_cpu_s"] = lap()
    found["page_bytes"] = len(page.encode())
    found["index_bytes"] = history_jsonl(root).stat().st_size
    found["figures"] = sum(len(entry.figures) for entry in entries)
    found["series"] = len(told.history.trends)
    found["change_points"] = sum(len(trend.changes) for trend in told.history.trends)
    found["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def main() -> int:
    """0: at or under the bar; 5: slower."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="history-speed-") as folder:
        findings_bytes = write(Path(folder), options.campaigns)
        found = timed(Path(folder))
    whole_s = found["cold_index_s"] + found["analyse_s"]
    document = {
        "campaigns": options.campaigns, "findings_bytes": findings_bytes, "bar_s": BAR_S,
        "index_and_analyse_s": whole_s,
        "index_and_analyse_cpu_s": found["cold_index_cpu_s"] + found["analyse_cpu_s"], **found,
    }  # fmt: skip
    print(json.dumps(document, indent=2))
    slow = whole_s > BAR_S
    print(
        f"{options.campaigns} campaigns, {findings_bytes / 1e6:.0f} MB of findings: indexed in "
        f"{found['cold_index_s']:.2f} s, analysed in {found['analyse_s']:.2f} s; with an index "
        f"{found['warm_index_s']:.2f} s" + (f": slower than {BAR_S:g} s" if slow else ""),
        file=sys.stderr,
    )
    return ExitCode.INCONCLUSIVE if slow else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
