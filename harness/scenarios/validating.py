"""Will this configuration hold what it promises? Exactly that server, pushed to its own cap.

What to run: the promised size, workers and replicas behind the promised limit, a burst of the limit
and one of three times as many. How to judge: `harness.analysis.validation`.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.analysis.validation import Asked, Validation, judge_validation
from harness.campaign.host_fit import fit_problems
from harness.campaign.plan import (
    Campaign,
    Load,
    Queue,
    Search,
    Slos,
    StepTimes,
    Workload,
)
from harness.campaign.profiles import FARGATE, Profile
from harness.campaign.promises.types import Promise
from harness.errors import CampaignError
from harness.facts.durable import write_text
from harness.rig.preflight import size_for
from harness.rig.protocols import Listener
from harness.rig.session import SessionOptions

BURST_FACTOR = 3
MOST_RUNS = 500
SLACK_S = 20.0
LONGEST_HOLD_S = 900.0
LONGEST_DRAIN_S = 3600.0
RUN_S = 15.0
"""What a run of our own workloads takes, launch included, on a server that is not full."""

FILE = "validation.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """The answer, and the folder with its facts (`None`: nothing was measured)."""

    promise: Promise
    validation: Validation
    results: Path | None


def validation_campaign(
    promise: Promise, workload: Workload, *, dagster: str, run_s: float | None
) -> Campaign:
    """The promised server, behind the promised limit, under both bursts.

    Args:
        promise: what the configuration says.
        workload: what the runs do.
        dagster: the release.
        run_s: what one run takes; `None`: as one of our workloads.

    Raises:
        CampaignError: three times the limit is more than one step can send.
    """
    most = BURST_FACTOR * promise.limit
    if most > MOST_RUNS:
        raise CampaignError(
            f"A burst of {BURST_FACTOR} × {promise.limit} runs is more than one step can send.",
            evidence=f"One step sends at most {MOST_RUNS} runs.",
            hint=f"Test a smaller limit: --limit {MOST_RUNS // BURST_FACTOR}",
        )
    return Campaign(
        name=f"validate-{_name(promise.name)}",
        description=f"{promise.limit} and {most} runs at once, as configured.",
        feed="queued",
        profiles=(_profile(promise),),
        workloads=(workload.model_copy(update={"concurrencies": None}),),
        dagster=(dagster,),
        max_workers=(promise.max_workers,),
        replicas=(promise.replicas,),
        max_concurrent_runs=(promise.limit,),
        queue=Queue(dequeue_threads=promise.dequeue_threads),
        load=Load(model="burst", run_s=run_s),
        step=_times(promise, run_s or RUN_S),
        search=Search(
            strategy="ladder", concurrencies=(max(2, promise.limit), most), stop_after_failures=2
        ),
        slos=Slos(launch_s_p95=None, slowdown_p95=None, pool_queue=None, backlog_trend=None),
    )


def refusal(campaign: Campaign) -> str:
    """Why this machine cannot be that server; empty where it can."""
    return "; ".join(fit_problems(campaign.cells(), size_for(campaign.target)))


def validate(
    promise: Promise, campaign: Campaign, *, options: SessionOptions, listener: Listener
) -> Validated:
    """Measure and judge; the answer is kept beside the facts.

    Raises:
        EnvironmentProblem, TargetFailed, GeneratorFailed, Interrupted: as `session.measure`.
    """
    from harness.scenarios import threshold

    if not options.allow_overcommit and (why := refusal(campaign)):
        answer = Validation(answer="cannot be tested here", why=why)
        return Validated(promise=promise, validation=answer, results=None)
    folder = threshold.run(campaign, options=options, listener=listener)
    findings = threshold.judge(folder.path, write=False)
    answer = judge_validation(findings, asked_of(promise))
    write_text(folder.path / FILE, validation_json(promise, answer))
    return Validated(promise=promise, validation=answer, results=folder.path)


def asked_of(promise: Promise) -> Asked:
    """What the judgement needs of a promise."""
    return Asked(
        limit=promise.limit,
        memory_mib=promise.memory_mib,
        max_workers=promise.max_workers,
        replicas=promise.replicas,
    )


def validation_json(promise: Promise, answer: Validation) -> str:
    """The text of `validation.json`: `schema`, `promise`, `validation`."""
    document = {"schema": SCHEMA, "promise": asdict(promise), "validation": asdict(answer)}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _profile(promise: Promise) -> Profile:
    named = [
        profile
        for profile in FARGATE.values()
        if (profile.vcpu, profile.memory_mib) == (promise.vcpu, promise.memory_mib)
    ]
    if named:
        return named[0]
    return Profile.model_validate({"vcpu": promise.vcpu, "memory_mib": promise.memory_mib})


def _times(promise: Promise, run_s: float) -> StepTimes:
    """Long enough for three waves through the limit, launched at about a run a second a vCPU."""
    launching_s = BURST_FACTOR * promise.limit / (promise.vcpu * promise.replicas)
    waves_s = float(math.ceil((BURST_FACTOR + 1) * run_s + launching_s + SLACK_S))
    return StepTimes(hold_s=min(LONGEST_HOLD_S, waves_s), drain_s=min(LONGEST_DRAIN_S, 3 * waves_s))


def _name(text: str) -> str:
    kept = "".join(c if c.isalnum() or c in "._-" else "-" for c in text.lower()).strip("-._")
    return kept[:40] or "server"
