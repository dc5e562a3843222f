"""The question every campaign asks first: up to how many runs does this server hold its SLOs?

What to run: each cell climbs a fixed ladder of concurrencies, the unloaded step first, and stops
after the agreed number of failing rungs. How to judge: `harness.analysis` over stored facts,
the same code while measuring and ever after.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.analysis.findings import Findings, findings_of, step_verdict
from harness.campaign.estimate import steps_of
from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign, CellPlan
from harness.facts.durable import write_text
from harness.facts.layout import CellFolder, ResultsFolder
from harness.facts.model import Step
from harness.facts.store import read_cell, read_results
from harness.report.json_document import findings_json
from harness.rig.protocols import Done, Listener, NextStep, StepOrder
from harness.rig.session import SessionOptions, measure


def run(campaign: Campaign, *, options: SessionOptions, listener: Listener) -> ResultsFolder:
    """Measure the campaign, then judge it; the folder then holds `findings.json` too."""

    def search(cell: CellPlan, folder: CellFolder) -> NextStep:
        return climb(campaign, cell, folder)

    folder = measure(campaign, search, options=options, listener=listener)
    judge(folder.path)
    return folder


def judge(path: Path) -> Findings:
    """Judge stored facts and (re)write `findings.json` beside them.

    Raises:
        StoredDataError: the folder cannot be read.
    """
    stored = read_results(path)
    campaign = load_campaign(stored.campaign_text, source=str(path / "campaign.yaml"))
    findings = findings_of(campaign, stored.environment, stored.cells)
    write_text(ResultsFolder(path).findings_json, findings_json(findings))
    return findings


def climb(campaign: Campaign, cell: CellPlan, folder: CellFolder) -> NextStep:
    """The ladder as a search: rung by rung, every repetition, until enough rungs failed."""
    planned = steps_of(campaign, cell)
    orders = [
        StepOrder(
            kind=kind,
            concurrency=concurrency,
            repetition=repetition,
            reason=f"step {number} of {len(planned)} of the ladder",
        )
        for number, (kind, concurrency, repetition) in enumerate(planned, start=1)
    ]

    def next_step(steps: Sequence[Step]) -> StepOrder | Done:
        measured = [step for step in steps if step.kind != "warmup"]
        failed = _failing_rungs(folder, measured)
        if len(failed) >= campaign.search.stop_after_failures:
            broken = ", ".join(str(concurrency) for concurrency in failed)
            return Done(reason=f"the ladder stops: an SLO broke at {broken}")
        if len(measured) == len(orders):
            return Done(reason="the ladder is at its end")
        return orders[len(measured)]

    return next_step


def _failing_rungs(folder: CellFolder, measured: Sequence[Step]) -> list[int]:
    """The unbroken tail of failing concurrencies; empty while the last one passed."""
    if not measured:
        return []
    facts = read_cell(folder)
    failed: list[int] = []
    for step in measured:
        verdict, _ = step_verdict(facts, step.index)
        if verdict == "fail":
            if step.concurrency not in failed:
                failed.append(step.concurrency)
        else:
            failed = []
    return failed
