"""Recommended settings put to the test: what to run, and how to judge it. `trials` does it.

What to run: the recommended workers and `max_concurrent_runs`, and a burst of three times that.
How to judge: by what may not happen while runs wait in the queue. How long a launch or a run
takes does not count here: with a limit they wait, by design.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.findings.types import CellFinding, Findings, StepFinding
from harness.campaign.plan import Campaign, Slos
from harness.errors import CampaignError
from harness.scenarios.burst_outcomes import BurstOutcome, counts_line, outcomes_of
from harness.scenarios.bursts import burst_campaign, limit_of

LEFT_OUT = {
    "launch_s_p95": None,
    "slowdown_p95": None,
    "pool_queue": None,
    "backlog_trend": None,
}
"""A launch and a response include the wait in the run queue, and a burst is a backlog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyVerdict:
    """Whether one cell's settings held.

    `passed` is `None` where that cannot be said; `sentence` says why. `results` is the folder
    with the facts, by name, empty where nothing was measured. `left_out` names the objectives
    that do not apply.
    """

    cell: str
    max_workers: int | None
    max_concurrent_runs: int | None
    runs: int | None
    passed: bool | None
    sentence: str
    evidence: tuple[str, ...] = ()
    left_out: tuple[str, ...] = tuple(LEFT_OUT)
    results: str = ""


def verify_campaign(campaign: Campaign, cell_finding: CellFinding) -> Campaign:
    """One cell at the recommended settings under a burst of three times the limit.

    Where no number of workers is recommended, the measured one. `no_oom`, `failed_runs`,
    `memory_headroom` and `probe_s_p99` apply, with the campaign's own limits; the first two
    cannot be switched off.

    Raises:
        CampaignError: no limit is recommended, or the cell is not of this campaign.
    """
    defaults = Slos()
    own = {name: limit for name, limit in campaign.slos.model_dump().items() if limit is not None}
    always = {"no_oom": defaults.no_oom, "failed_runs": defaults.failed_runs}
    off = dict.fromkeys(Slos.model_fields)
    return burst_campaign(
        campaign,
        cell_finding,
        name="verify",
        limits=(limit_of(cell_finding),),
        max_workers=cell_finding.recommendation.max_workers or cell_finding.max_workers,
        slos=Slos(**{**off, **always, **own, **LEFT_OUT}),
    )


def judge_verify(findings: Findings, cell: str, results: str = "") -> VerifyVerdict:
    """The burst of one verify campaign, judged.

    Args:
        findings: of the verify campaign.
        cell: id of the cell whose settings these are.
        results: name of the folder with the facts.
    """
    plan = next(Campaign.model_validate(findings.campaign).cells())
    outcomes = outcomes_of(findings)
    outcome = outcomes[0] if outcomes else None
    passed, sentence = _answer(outcome)
    steps = [step for each in findings.cells for step in each.steps if step.kind == "load"]
    return VerifyVerdict(
        cell=cell,
        max_workers=plan.max_workers,
        max_concurrent_runs=plan.max_concurrent_runs,
        runs=outcome.runs if outcome else None,
        passed=passed,
        sentence=sentence,
        evidence=_evidence(outcome, steps[0]) if outcome else (),
        results=results,
    )


def without_verification(cell: CellFinding, error: CampaignError) -> VerifyVerdict:
    """The verdict on a cell for which nothing could be planned."""
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


def _answer(outcome: BurstOutcome | None) -> tuple[bool | None, str]:
    if outcome is None:
        return None, "Not verified: the burst was not measured."
    burst = f"{outcome.runs} runs at once with max_concurrent_runs {outcome.max_concurrent_runs}"
    if outcome.passed and outcome.run_queue_max == 0:
        return None, f"Not verified: of {burst} none ever waited, so the limit was not at work."
    if outcome.passed:
        return True, f"Verified: {burst} all passed."
    if outcome.passed is None:
        why = {
            "invalid": "the measurement is in doubt",
            "inconclusive": "an objective could not be decided",
        }.get(outcome.verdict, f"only {outcome.completed} were seen to end")
        return None, f"Not verified: {burst}, but {why}."
    what = "; ".join(part for part in (", ".join(outcome.broken), outcome.harm) if part)
    return False, f"The settings do not hold: {burst} broke {what}."


def _evidence(outcome: BurstOutcome, step: StepFinding) -> tuple[str, ...]:
    return (
        counts_line(outcome),
        *(
            f"{name}: {_shown(slo.observed)}, limit {slo.limit:g}"
            + (f" ({slo.note})" if slo.note else "")
            for name, slo in step.slo.items()
        ),
    )


def _shown(observed: float | None) -> str:
    return "not known" if observed is None else f"{observed:.3g}"
