"""Do the settings we recommend really hold? One more campaign at each, before anybody ships them.

A trial says what to run and how to judge it: `VERIFY` runs a burst at the recommended settings,
`GUARD` runs it with the recommended limit and without.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import ValidationError

from harness.analysis.findings.types import CellFinding, Findings
from harness.campaign.plan import Campaign
from harness.errors import CampaignError, ExitCode, StoredDataError
from harness.facts.durable import write_text
from harness.facts.layout import ResultsFolder
from harness.rig.protocols import Listener
from harness.scenarios.guard import GuardVerdict, guard_campaign, judge_guard, without_guard
from harness.scenarios.verification import (
    VerifyVerdict,
    judge_verify,
    verify_campaign,
    without_verification,
)

if TYPE_CHECKING:  # the whole rig hangs on it
    from harness.rig.session import SessionOptions

TRIAL_SCHEMA = 1

V = TypeVar("V", VerifyVerdict, GuardVerdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Generic[V]):
    """One question about recommended settings.

    `file`: for the verdicts, beside `findings.json`; replaceable as that is. `saying`: what goes
    before a cell's id when its turn comes. `plan`: what to measure for a cell; `judge`: the
    findings of that, by cell id and name of the folder with the facts; `without`: the verdict on
    a cell for which nothing can be planned.
    """

    file: str
    saying: str
    plan: Callable[[Campaign, CellFinding], Campaign]
    judge: Callable[[Findings, str, str], V]
    without: Callable[[CellFinding, CampaignError], V]


VERIFY = Trial(
    file="verify.json",
    saying="Verifying the settings of",
    plan=verify_campaign,
    judge=judge_verify,
    without=without_verification,
)
"""Do the recommended settings hold a burst of three times the limit?"""

GUARD = Trial(
    file="guard.json",
    saying="A burst with the limit and without, at",
    plan=guard_campaign,
    judge=judge_guard,
    without=without_guard,
)
"""Does that burst do harm without the limit, and none with it?"""


def run_trial(
    trial: Trial[V], results: Path, *, options: SessionOptions, listener: Listener
) -> tuple[V, ...]:
    """Try every recommendation of a results folder; takes minutes a cell.

    Each cell's facts go into a results folder of their own, next to the others, and all verdicts
    into `trial.file` in `results`, anew after each cell. A cell without a recommendation has a
    verdict too: not tried, and why.

    Raises:
        StoredDataError: `results` has no findings, or none that this version reads.
        EnvironmentProblem, TargetFailed, GeneratorFailed, Interrupted: as `session.measure`; the
            verdicts so far stay.
    """
    # Statistics take seconds to import, and the command line imports this module.
    from harness.analysis.findings.rounds import pooled

    findings = pooled(read_findings(results))
    campaign = _campaign_of(findings, results)
    verdicts: list[V] = []
    for cell in findings.cells:
        try:
            plan = trial.plan(campaign, cell)
        except CampaignError as error:
            verdicts.append(trial.without(cell, error))
        else:
            listener.say(f"{trial.saying} {cell.id}")
            measured, folder = _measure(plan, options, listener)
            verdicts.append(trial.judge(measured, cell.id, folder.name))
        write_text(results / trial.file, trial_json(verdicts))
    return tuple(verdicts)


def trial_exit_code(verdicts: Sequence[VerifyVerdict | GuardVerdict]) -> ExitCode:
    """`BREACH` when one did not hold, `INCONCLUSIVE` when not all are known to, else `PASS`."""
    if any(verdict.passed is False for verdict in verdicts):
        return ExitCode.BREACH
    if not verdicts or any(verdict.passed is None for verdict in verdicts):
        return ExitCode.INCONCLUSIVE
    return ExitCode.PASS


def trial_json(verdicts: Sequence[VerifyVerdict | GuardVerdict]) -> str:
    """The text of a trial's file: `schema`, and `cells[]` with the fields of the verdicts."""
    document = {"schema": TRIAL_SCHEMA, "cells": [asdict(verdict) for verdict in verdicts]}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_findings(path: Path) -> Findings:
    """`findings.json` of a results folder.

    Raises:
        StoredDataError: it is not there, or not readable.
    """
    file = ResultsFolder(path).findings_json
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoredDataError(
            f"The findings in {path} cannot be read.",
            evidence=str(error),
            hint=f"Make them from the stored facts: harness analyse {path}",
        ) from error
    from harness.report.json_document import findings_from

    return findings_from(document)


def _campaign_of(findings: Findings, path: Path) -> Campaign:
    try:
        return Campaign.model_validate(findings.campaign)
    except ValidationError as error:
        raise StoredDataError(
            f"The campaign in the findings of {path} is none that this version can repeat.",
            evidence=str(error.errors()[0]["msg"]),
            hint=f"Make the findings anew: harness analyse {path}",
        ) from error


def _measure(
    campaign: Campaign, options: SessionOptions, listener: Listener
) -> tuple[Findings, Path]:
    """Measure and judge one campaign; the one place that knows how."""
    from harness.scenarios import threshold

    folder = threshold.run(campaign, options=options, listener=listener)
    return read_findings(folder.path), folder.path
