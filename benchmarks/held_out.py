"""Is the model right about sizes it has not seen? Each profile left out once and predicted.

Reads one results folder whose campaign measured a workload on several profiles. Nothing is
measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from harness.analysis.capacity import Capacity
from harness.analysis.findings.document import findings_of
from harness.analysis.judging import judge_cell
from harness.analysis.model.fitting import model_of
from harness.analysis.model.hold_out import HeldOut, Measured, held_out
from harness.analysis.model.resources import resources_of
from harness.campaign.loading import load_campaign
from harness.errors import ExitCode, HarnessError
from harness.facts.store import read_results
from harness.facts.table import CellFacts, ResultsFacts

HEADERS = ("left out", "workload", "predicted", "low..high", "measured", "error", "", "")


def capacities(stored: ResultsFacts) -> list[Capacity]:
    """What each cell was found to hold, doubt about what fed the server included."""
    campaign = load_campaign(stored.campaign_text, source="campaign.yaml")
    findings = findings_of(campaign, stored.environment, stored.cells)
    return [cell.capacity for cell in findings.cells]


def measured(facts: CellFacts, capacity: Capacity) -> Measured:
    """One stored cell with its model."""
    summaries = [step.summary for step in judge_cell(facts).steps]
    resources = resources_of(facts.cell, summaries, runs=facts.runs, samples=facts.samples)
    model = model_of(facts.cell, summaries, resources)
    return Measured(cell=facts.cell, model=model, capacity=capacity)


def read(path: Path) -> list[Measured]:
    """All cells of a results folder. Raises `HarnessError` where it cannot be read."""
    stored = read_results(path)
    found = zip(stored.cells, capacities(stored), strict=True)
    return [measured(facts, capacity) for facts, capacity in found]


def table(rows: Sequence[HeldOut]) -> str:
    """The rows for people, one line each."""
    lines = [HEADERS, *(_words(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADERS))]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _words(row: HeldOut) -> tuple[str, ...]:
    ratio = "" if row.error_ratio is None else f" ({row.error_ratio:+.0%})"
    verdict = {True: "within", False: "OUTSIDE", None: "no verdict"}[row.within]
    return (
        row.profile,
        row.workload,
        _number(row.predicted),
        f"{_number(row.low)}..{_number(row.high)}",
        _number(row.measured),
        "" if row.error_runs is None else f"{row.error_runs:+d}{ratio}",
        verdict,
        row.reason or f"from {', '.join(row.fitted_on)}; {row.binding} binds",
    )


def _number(value: int | None) -> str:
    return "?" if value is None else str(value)


def exit_code(rows: Sequence[HeldOut]) -> ExitCode:
    """Pass when every row is within, breach when one is not, inconclusive without any verdict."""
    verdicts = [row.within for row in rows if row.within is not None]
    if not verdicts:
        return ExitCode.INCONCLUSIVE
    return ExitCode.PASS if all(verdicts) else ExitCode.BREACH


def main(arguments: Sequence[str] | None = None) -> int:
    """0: all within one run or 10 %; 1: one is not; 5: nothing to compare; 2: not readable."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="a results folder with several profiles")
    parser.add_argument("--hold-out", metavar="PROFILE", help="leave out this profile alone")
    parser.add_argument("--json", action="store_true", help="JSON on standard output")
    options = parser.parse_args(arguments)
    try:
        cells = read(options.results)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    profiles = sorted({each.cell.profile for each in cells})
    if options.hold_out is not None and options.hold_out not in profiles:
        print(f"No cell of profile {options.hold_out}; there are: {profiles}.", file=sys.stderr)
        return ExitCode.BAD_INPUT
    rows = held_out(cells, only=options.hold_out)
    if options.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}, indent=2, allow_nan=False))
    else:
        print(table(rows))
    return exit_code(rows)


if __name__ == "__main__":
    sys.exit(main())
