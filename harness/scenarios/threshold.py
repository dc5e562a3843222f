"""The question every campaign asks first: up to how many runs does this server hold its SLOs?

What to run: each cell is searched as its campaign says, the unloaded step first. How to judge:
`harness.analysis` over stored facts, the same code while measuring and ever after.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

from harness.analysis.findings.document import Findings, findings_of
from harness.analysis.judging import DEFAULT, Judging
from harness.campaign.plan import Campaign, CellPlan
from harness.errors import CampaignError
from harness.facts.durable import write_text
from harness.facts.layout import CellFolder, ResultsFolder
from harness.facts.store import read_results
from harness.report.json_document import findings_json
from harness.rig.protocols import Listener, NextStep
from harness.rig.session import Search, SessionOptions, measure
from harness.rig.versions import pinned
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
    _check_jobs(campaign)
    campaign = pinned(campaign, say=listener.say)
    search = searching(campaign, listener, begun=begun)
    folder = measure(campaign, search, options=options, listener=listener)
    judge(folder.path)
    return folder


def _check_jobs(campaign: Campaign) -> None:
    for workload in campaign.workloads:
        if workload.code is not None and not workload.code.jobs:
            raise CampaignError(
                f"The workload {workload.name} names no job to launch.",
                hint="Name them under code.jobs, or measure it by itself: harness run --image, "
                "--project, which finds the only job there is.",
            )


def searching(
    campaign: Campaign, listener: Listener, *, begun: Callable[[Path], None] = lambda _: None
) -> Search:
    """How each cell of a campaign is searched, knowing the facts of those planned before it.

    Args:
        campaign: says how.
        listener: is told what each step was judged to be.
        begun: is given the results folder, once, when a cell begins.
    """
    cells = list(campaign.cells())
    told: list[Path] = []

    def search(cell: CellPlan, folder: CellFolder) -> NextStep:
        results = ResultsFolder(folder.results)
        if not told:
            told.append(results.path)
            begun(results.path)
        earlier = takewhile(lambda other: other.id != cell.id, cells)
        return Seeker(
            campaign,
            cell,
            folder,
            earlier=[Measured(cell=each, folder=results.cell(each.id)) for each in earlier],
            host_cpus=os.cpu_count(),
            tell=listener.step_judged,
        ).next_step

    return search


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
