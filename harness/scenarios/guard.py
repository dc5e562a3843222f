"""Does the recommended limit save the server from a burst, and is it the limit that does?

What to run: one burst of three times the capacity at the very server that was measured, once
with `max_concurrent_runs` as recommended and once without. How to judge: with it nothing may be
killed, lost or failed; without it something must be, or the limit has proved nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.findings.types import CellFinding, Findings
from harness.campaign.plan import Campaign, Slos
from harness.errors import CampaignError
from harness.scenarios.burst_outcomes import BurstOutcome, counts_line, outcomes_of
from harness.scenarios.bursts import burst_campaign, limit_of

GUARD_SLOS = Slos(
    no_oom=0,
    failed_runs=0,
    memory_headroom=None,
    launch_s_p95=None,
    slowdown_p95=None,
    probe_s_p99=None,
    pool_queue=None,
    backlog_trend=None,
)
"""Nothing killed, nothing lost. That runs wait is what the limit costs, not what it is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardVerdict:
    """Both bursts (`None`: not measured), whether the limit guards, and why.

    `passed`: `True` when it is proven that the limit guards, `False` when the burst did harm
    although the limit was set, `None` when neither is proven. `results` is the folder with the
    facts, by name, empty where nothing was measured.
    """

    cell: str
    with_limit: BurstOutcome | None
    without_limit: BurstOutcome | None
    passed: bool | None
    sentence: str
    evidence: tuple[str, ...] = ()
    results: str = ""


def guard_campaign(campaign: Campaign, cell_finding: CellFinding) -> Campaign:
    """The campaign of both bursts: everything as it was measured but the feed and the load.

    Raises:
        CampaignError: no limit is recommended, or the cell is not of this campaign.
    """
    return burst_campaign(
        campaign,
        cell_finding,
        name="guard",
        limits=(limit_of(cell_finding), None),
        max_workers=cell_finding.max_workers,
        slos=GUARD_SLOS,
    )


def judge_guard(findings: Findings, cell: str, results: str = "") -> GuardVerdict:
    """Both bursts of one guard campaign, judged together.

    Args:
        findings: of the guard campaign.
        cell: id of the cell whose limit this is.
        results: name of the folder with the facts.
    """
    outcomes = outcomes_of(findings)
    limited = next((each for each in outcomes if each.max_concurrent_runs is not None), None)
    free = next((each for each in outcomes if each.max_concurrent_runs is None), None)
    return GuardVerdict(
        cell=cell,
        with_limit=limited,
        without_limit=free,
        passed=_guards(limited, free),
        sentence=_sentence(limited, free),
        evidence=(*_evidence("with the limit", limited), *_evidence("without it", free)),
        results=results,
    )


def without_guard(cell: CellFinding, error: CampaignError) -> GuardVerdict:
    """The verdict on a cell for which nothing could be planned."""
    return GuardVerdict(
        cell=cell.id,
        with_limit=None,
        without_limit=None,
        passed=None,
        sentence=f"Not proven: {error.what}",
        evidence=(error.evidence,) if error.evidence else (),
    )


def _evidence(which: str, outcome: BurstOutcome | None) -> tuple[str, ...]:
    if outcome is None:
        return ()
    peak = outcome.memory_peak_ratio
    memory = "not known" if peak is None else f"{peak:.0%} of the limit"
    killed = f"{outcome.oom_kills} OOM kills, {outcome.restarts} server deaths"
    return (f"{which}: {counts_line(outcome)}; memory peak: {memory}; {killed}",)


def _guards(limited: BurstOutcome | None, free: BurstOutcome | None) -> bool | None:
    if limited is None or free is None:
        return None
    if limited.passed is False and free.verdict != "invalid":
        return False
    proven = limited.passed and free.verdict != "invalid" and free.harm
    return True if proven else None


def _sentence(limited: BurstOutcome | None, free: BurstOutcome | None) -> str:
    if limited is None or free is None:
        missing = "with" if limited is None else "without"
        return f"Not proven: the burst {missing} the limit was not measured."
    burst = f"{limited.runs} runs at once"
    setting = f"max_concurrent_runs {limited.max_concurrent_runs}"
    if limited.passed is None or free.verdict == "invalid":
        doubtful = limited if limited.passed is None else free
        return f"Not proven: the burst of {burst} is in doubt at {doubtful.cell}{_left(doubtful)}."
    if not limited.passed:
        what = limited.harm or f"broke {', '.join(limited.broken)}"
        return f"The limit does not guard: with {setting}, {burst} ended with {what}."
    if not free.harm:
        return (
            f"Not proven: {burst} passed with {setting}, and without it nothing was killed, lost "
            f"or failed{_left(free)}. The limit was not needed for that."
        )
    return f"The limit guards: with {setting}, {burst} all passed; without it, {free.harm}."


def _left(outcome: BurstOutcome) -> str:
    if not outcome.unfinished:
        return ""
    return f", but {outcome.unfinished} of {outcome.runs} runs were still going at the end"
