"""The question every campaign asks first: up to how many runs does this server hold its SLOs?

What to run: each cell is searched as its campaign says, the unloaded step first. How to judge:
`harness.analysis` over stored facts, the same code while measuring and ever after.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from harness.analysis.findings.document import Findings, findings_of
from harness.analysis.judging import DEFAULT, Judging
from harness.campaign.plan import Campaign, CellPlan
from harness.facts.durable import write_text
from harness.facts.layout import CellFolder, ResultsFolder
from harness.facts.store import read_results
from harness.report.json_document import findings_json
from harness.rig.protocols import Listener, NextStep
from harness.rig.session import SessionOptions, measure
from harness.scenarios.seeking import Measured, Seeker
from harness.scenarios.stored_plan import stored_plan


def run(
    campaign: Campaign,
    *,
    options: SessionOptions,
    listener: Listener,
    begun: Callable[[Path], None] = lambda _: None,
) -> ResultsFolder:
    """Measure the campaign, then judge it; the folder then holds `findings.json` too.

    Args:
        campaign: what to measure.
        options: how, beside what.
        listener: who is told.
        begun: is given the results folder when the first cell begins, so that a campaign that
            breaks off can be reported too.
    """
    earlier: list[Measured] = []

    def search(cell: CellPlan, folder: CellFolder) -> NextStep:
        if not earlier:
            begun(folder.results)
        seeker = Seeker(
            campaign,
            cell,
            folder,
            earlier=tuple(earlier),
            host_cpus=os.cpu_count(),
            tell=listener.step_judged,
        )
        earlier.append(Measured(cell=cell, folder=folder))
        return seeker.next_step

    folder = measure(campaign, search, options=options, listener=listener)
    judge(folder.path)
    return folder


def judge(path: Path, *, options: Judging = DEFAULT, write: bool = True) -> Findings:
    """Judge stored facts and, if wanted, (re)write `findings.json` beside them.

    Args:
        path: the results folder.
        options: other objectives or another warm-up cut than measured with.
        write: only sensible with the campaign's own objectives.

    Raises:
        StoredDataError: the folder cannot be read.
    """
    stored = read_results(path)
    campaign = stored_plan(path, stored)
    findings = findings_of(campaign, stored.environment, stored.cells, options=options)
    if write:
        write_text(ResultsFolder(path).findings_json, findings_json(findings))
    return findings
