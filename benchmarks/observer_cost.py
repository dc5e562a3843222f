"""What watching costs: one cell with all devices against the same cell with none.

Measured as with, without, without, with (ABBA): a machine that slowly changes burdens both alike.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from harness.analysis.measures.percentiles import median
from harness.analysis.measures.windows import counters, hold_of
from harness.campaign.loading import load_campaign
from harness.errors import ExitCode, HarnessError
from harness.facts.model import Step
from harness.facts.store import read_results
from harness.facts.table import CellFacts
from harness.rig.protocols import Done, StepOrder
from harness.rig.session import SessionOptions, measure
from harness.watch.plain import PlainListener

WHAT = "one cell with all devices against the same cell with none; ratios are with / without"
INTERVAL = "95 %, two-stage bootstrap: cells of a side, then runs within them"
DRAWS, SEED, CONCURRENCY = 2000, 20260101, 4
CAMPAIGN = """
{name: observer-cost, profiles: 1vcpu-2gb, warmup_runs: 1, idle_s: 0,
 workloads: [{name: io, params: {requests: 2, wait_s: 1.0}}],
 step: {ramp_s: 3, settle_s: 0, drain_s: 40}}
"""

Values = tuple[float, ...]
Ratio = dict[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """One cell's load step. `metrics` has a value a run, or one for all, or none if not known.

    `problems` says why the cell should not be trusted.
    """

    devices: bool
    metrics: Mapping[str, Values] = field(default_factory=dict)
    device_cpu_cores: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def order_of(pairs: int) -> str:
    """Which cells to measure, A with and B without devices: 2 → `ABBA`, 3 → `ABBAAB`."""
    return "".join("BA" if pair % 2 else "AB" for pair in range(pairs))


def numbers_of(facts: CellFacts, *, devices: bool) -> Numbers:
    """What one measured cell says."""
    step = next((step for step in facts.steps if step.kind == "load"), None)
    hold = hold_of(step) if step else None
    if step is None or hold is None:
        return Numbers(devices=devices, problems=("its load step has no hold",))
    runs = facts.runs_of(step)
    good = [run for run in runs if run.status == "SUCCESS"]
    ends = [run.ended_s for run in good if run.ended_s is not None]
    # Not over the hold: runs end in batches, and one at its edge would look like a difference.
    took_s = max(ends) - min(run.sent_s for run in runs) if ends else math.inf
    raw: dict[str, list[float | None]] = {
        "response_s": [r.ended_s - r.intended_s for r in good if r.ended_s is not None],
        "launch_s": [r.started_s - r.sent_s for r in good if r.started_s is not None],
        "throughput_runs_per_s": [len(ends) / took_s],
        "observer_cpu_cores": [step.observer_cpu_cores],
        # By samples it is known only with devices: nothing to compare it with.
        "kernel_peak_bytes": [step.kernel_peak_bytes] if step.peak_source == "kernel" else [],
    }
    used = counters(facts.samples, "observer", "device_cpu_s", window=hold)
    problems = [f"aborted: {step.outcome_detail}"] if step.outcome == "aborted" else []
    if not good or len(good) < len(runs):
        problems.append(f"{len(good)} of {len(runs)} runs succeeded")
    if not facts.cell.limits_enforced:
        problems.append("limits unenforced: watching could use CPU the server did not want")
    return Numbers(
        devices=devices,
        metrics={name: tuple(v for v in found if v is not None) for name, found in raw.items()},
        device_cpu_cores={device: growth.rate for device, growth in used.items()},
        problems=tuple(problems),
    )


def ratio_of(with_: Sequence[Values], without: Sequence[Values], *, seed: int = SEED) -> Ratio:
    """Ratio of two sides, each given as the positive values of its cells.

    A side is the geometric mean of its cells' medians. Each bootstrap draw takes cells with
    replacement and, of each, runs with replacement: the interval holds the difference between
    equal cells as well as that between runs. All is `None` when any cell lacks the metric, `low`
    and `high` also where a side has fewer than two cells.
    """
    if not (with_ and without and all(cell and min(cell) > 0 for cell in (*with_, *without))):
        return Ratio(ratio=None, low=None, high=None)
    ratio = math.exp(_level(with_) - _level(without))
    if min(len(with_), len(without)) < 2:
        return Ratio(ratio=ratio, low=None, high=None)
    rng = np.random.default_rng(seed)
    draws = [_level(_redraw(with_, rng)) - _level(_redraw(without, rng)) for _ in range(DRAWS)]
    low, high = np.exp(np.quantile(draws, [0.025, 0.975]))
    return Ratio(ratio=ratio, low=float(low), high=float(high))


def document_of(cells: Sequence[Numbers]) -> dict[str, Any]:
    """All that follows from the cells, in the order they were measured; JSON-ready."""
    sides = [[cell for cell in cells if cell.devices is devices] for devices in (True, False)]
    ratios = {
        name: ratio_of(*([cell.metrics.get(name, ()) for cell in side] for side in sides))
        for name in dict.fromkeys(name for cell in cells for name in cell.metrics)
    }
    rows = [
        {**asdict(cell), "medians": {name: median(values) for name, values in cell.metrics.items()},
         "device_cpu_shares": {device: cores / (sum(cell.device_cpu_cores.values()) or 1.0)
                               for device, cores in cell.device_cpu_cores.items()}}
        for cell in cells
    ]  # fmt: skip
    problems = [f"cell {n}: {text}" for n, cell in enumerate(cells, 1) for text in cell.problems]
    return {"what": WHAT, "ratios": ratios, "interval": INTERVAL, "problems": problems,
            "cells": rows}  # fmt: skip


def _level(cells: Sequence[Values]) -> float:
    return sum(math.log(median(cell) or math.nan) for cell in cells) / len(cells)


def _redraw(cells: Sequence[Values], rng: np.random.Generator) -> list[Values]:
    chosen = [cells[index] for index in rng.integers(len(cells), size=len(cells))]
    return [tuple(rng.choice(cell, size=len(cell))) for cell in chosen]


def next_step(steps: Sequence[Step]) -> StepOrder | Done:
    """The search: one step at a fixed concurrency."""
    order = StepOrder(kind="load", concurrency=CONCURRENCY, repetition=1, reason="fixed")
    return Done(reason="one is all") if any(step.kind == "load" for step in steps) else order


def run(options: argparse.Namespace, root: Path) -> dict[str, Any]:
    """Measure all cells and compare them. Raises as `harness.rig.session.measure`."""
    cells, order = [], order_of(options.pairs)
    session = SessionOptions(results_root=root, command=sys.argv)
    listener = PlainListener(Console(stderr=True))
    for letter in order:
        overrides = [f"target={options.target}", f"step.hold_s={options.hold}"]
        overrides += ["devices=[]"] * (letter == "B")
        plan = load_campaign(CAMPAIGN, source="observer_cost", overrides=overrides)
        folder = measure(plan, lambda *_: next_step, options=session, listener=listener)
        facts = read_results(folder.path)
        cells.append(numbers_of(facts.cells[0], devices=letter == "A"))
    host, commit = facts.environment["host"], facts.environment["harness"]["commit"]
    return {
        **document_of(cells),
        **{"order": order, "concurrency": CONCURRENCY, "hold_s": options.hold},
        **{"target": facts.cells[0].cell.target, "harness_commit": commit},
        "environment": {"cpus": host["cpus_usable"], "kernel": host["kernel"]},
    }


def _show(document: Mapping[str, Any]) -> None:
    print(f"{'ratio with devices / without':30} ratio  interval", file=sys.stderr)
    for name, found in document["ratios"].items():
        ratio, low, high = ("?" if v is None else f"{v:.3f}" for v in found.values())
        print(f"{name:30} {ratio:5}  {low} to {high}", file=sys.stderr)
    for problem in document["problems"]:
        print(problem, file=sys.stderr)


def main() -> int:
    """0: measured; 5: measured, but a cell has a problem; else as `harness run`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=("auto", "compose", "process"), default="auto")
    parser.add_argument("--pairs", type=int, choices=range(1, 11), default=2)
    parser.add_argument("--hold", type=float, default=25.0, help="seconds")
    parser.add_argument("--out", type=Path, help="write the JSON here, not to standard output")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="observer-cost-") as root:
            document = run(options, Path(root))
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    _show(document)
    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    sys.stdout.write(text) if options.out is None else options.out.write_text(text, "utf-8")
    return ExitCode.INCONCLUSIVE if document["problems"] else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
