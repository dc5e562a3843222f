"""Do the settings we recommend really hold? One more cell at them, before anybody ships them.

`verification` says what is run and how it is judged.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from harness.analysis.finding_types import CellFinding, Findings
from harness.campaign.plan import Campaign
from harness.errors import CampaignError, ExitCode, StoredDataError
from harness.facts.durable import write_text
from harness.facts.layout import ResultsFolder
from harness.rig.protocols import Listener
from harness.scenarios.verification import VerifyVerdict, judge_verify, verify_campaign

if TYPE_CHECKING:  # the whole rig hangs on it
    from harness.rig.session import SessionOptions

__all__ = [
    "VERIFY_JSON",
    "VerifyVerdict",
    "judge_verify",
    "read_findings",
    "run_verify",
    "verify_campaign",
    "verify_exit_code",
    "verify_json",
]

VERIFY_SCHEMA = 1
VERIFY_JSON = "verify.json"
"""Beside `findings.json` of the campaign whose settings were verified; replaceable as that is."""


def run_verify(
    results: Path, *, options: SessionOptions, listener: Listener
) -> tuple[VerifyVerdict, ...]:
    """Verify every recommendation of a results folder; takes minutes a cell.

    Each cell's facts go into a results folder of their own, next to the others, and all verdicts
    into `verify.json` in `results`, anew after each cell. A cell without a recommendation has a
    verdict too: not verified, and why.

    Raises:
        StoredDataError: `results` has no findings, or none that this version reads.
        EnvironmentProblem, TargetFailed, GeneratorFailed, Interrupted: as `session.measure`; the
            verdicts so far stay.
    """
    findings = read_findings(results)
    campaign = _campaign_of(findings, results)
    verdicts: list[VerifyVerdict] = []
    for cell in findings.cells:
        try:
            plan = verify_campaign(campaign, cell)
        except CampaignError as error:
            verdicts.append(_without(cell, error))
        else:
            listener.say(f"Verifying the settings of {cell.id}")
            measured, folder = _measure(plan, options, listener)
            verdicts.append(judge_verify(measured, cell=cell.id, results=folder.name))
        write_text(results / VERIFY_JSON, verify_json(verdicts))
    return tuple(verdicts)


def verify_exit_code(verdicts: Sequence[VerifyVerdict]) -> ExitCode:
    """`BREACH` when some did not hold, `INCONCLUSIVE` when not all are verified, else `PASS`."""
    if any(verdict.passed is False for verdict in verdicts):
        return ExitCode.BREACH
    if not verdicts or any(verdict.passed is None for verdict in verdicts):
        return ExitCode.INCONCLUSIVE
    return ExitCode.PASS


def verify_json(verdicts: Sequence[VerifyVerdict]) -> str:
    """The text of `verify.json`: `schema`, and `cells[]` with the fields of `VerifyVerdict`."""
    document = {"schema": VERIFY_SCHEMA, "cells": [asdict(verdict) for verdict in verdicts]}
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
    # Statistics take seconds to import, and the command line imports this module.
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


def _without(cell: CellFinding, error: CampaignError) -> VerifyVerdict:
    settings = cell.recommendation
    return VerifyVerdict(
        cell=cell.id,
        max_workers=settings.max_workers,
        max_concurrent_runs=settings.max_concurrent_runs,
        runs=None,
        passed=None,
        sentence=f"Not verified: {error.what}",
        evidence=(error.evidence,) if error.evidence else (),
    )
