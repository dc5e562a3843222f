"""Will this configuration hold what it promises? Exactly that server, pushed to its own cap.

What to run: the promised size, workers and replicas behind the promised limit, a burst of the limit
and one of three times as many, with runs that last long enough to fill it. Where they did not,
once more with runs as long as the pace that was seen asks for. How to judge:
`harness.analysis.validation`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from harness.analysis.inside import Inside, inside_of
from harness.analysis.validation import Asked, Validation, judge_validation
from harness.campaign.filling import Filling, Need, filled_workload, filling_of
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
from harness.campaign.profiles import profile_of
from harness.campaign.promises.types import Promise
from harness.errors import CampaignError
from harness.facts.durable import write_text
from harness.facts.store import read_results
from harness.rig.preflight import size_for
from harness.rig.protocols import Listener
from harness.rig.session import SessionOptions

BURST_FACTOR = 3
MOST_RUNS = 500
SLACK_S = 5.0
LONGEST_HOLD_S = 900.0
LONGEST_DRAIN_S = 3600.0
RUN_S = 15.0
"""What a run takes whose length nobody can choose or knows."""

LONGER = 1.2
"""A second attempt is worth it with runs longer by this factor at least."""

ELSEWHERE = (
    "Test it on a larger machine. --allow-overcommit tests it here all the same, without what the "
    "machine lacks."
)

FILE = "validation.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """The answer, and the folder with its facts (`None`: nothing was measured).

    `again`: why it was measured twice, empty where it was not.
    """

    promise: Promise
    validation: Validation
    results: Path | None
    again: str = ""


def validation_campaign(
    promise: Promise,
    workload: Workload,
    *,
    dagster: str,
    run_s: float | None,
    pace_s: float | None = None,
) -> Campaign:
    """The promised server, behind the promised limit, under both bursts.

    Args:
        promise: what the configuration says.
        workload: what the runs do.
        dagster: the release.
        run_s: what one run takes; `None`: as one of our workloads, which then last as long as it
            takes to fill the limit.
        pace_s: from one launch to the next, where it was measured.

    Raises:
        CampaignError: three times the limit is more than one step can send.
    """
    most = _most_runs(promise)
    need = need_of(promise, pace_s)
    filling = filling_of(need, workload) if run_s is None else None
    if filling is not None:
        workload, run_s = filled_workload(workload, filling), filling.run_s
    return Campaign(
        name=f"validate-{_name(promise.name)}",
        description=f"{promise.limit} and {most} runs at once, as configured.",
        feed="queued",
        profiles=(profile_of(promise.vcpu, promise.memory_mib),),
        workloads=(workload.model_copy(update={"concurrencies": None}),),
        dagster=(dagster,),
        max_workers=(promise.max_workers,),
        replicas=(promise.replicas,),
        max_concurrent_runs=(promise.limit,),
        queue=_queue(promise),
        load=Load(model="burst", run_s=run_s),
        warmup_runs=1,
        step=_times(need, run_s or RUN_S),
        search=Search(
            # What the limit breaks, three times the limit does not mend.
            strategy="ladder",
            concurrencies=(max(2, promise.limit), most),
            stop_after_failures=1,
        ),
        slos=Slos(launch_s_p95=None, slowdown_p95=None, pool_queue=None, backlog_trend=None),
    )


def _queue(promise: Promise) -> Queue:
    """As it is configured: it is on trial with the server."""
    return Queue(
        dequeue_interval_s=promise.dequeue_interval_s,
        dequeue_threads=promise.dequeue_threads,
        on_trial=True,
    )


def _most_runs(promise: Promise) -> int:
    """Runs in the larger burst.

    Raises:
        CampaignError: one step cannot send that many.
    """
    most = BURST_FACTOR * promise.limit
    if most > MOST_RUNS:
        raise CampaignError(
            f"A burst of {BURST_FACTOR} × {promise.limit} runs is more than one step can send.",
            evidence=f"One step sends at most {MOST_RUNS} runs.",
            hint=f"Test a smaller limit: --limit {MOST_RUNS // BURST_FACTOR}",
        )
    return most


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
    if not options.allow_overcommit and (why := refusal(campaign)):
        answer = Validation(answer="cannot be tested here", why=why, meaning=(ELSEWHERE,))
        return Validated(promise=promise, validation=answer, results=None)
    done, inside = _attempt(promise, campaign, options, listener)
    longer = longer_campaign(promise, campaign, inside)
    if done.validation.answer != "limit never filled" or longer is None:
        return done
    run_s = longer.load.run_s or 0.0
    again = f"at most {_most(inside)} of {promise.limit} runs were inside at once"
    listener.say(f"The limit was not filled ({again}): once more, with runs of {run_s:.0f} s")
    done, _ = _attempt(promise, longer, options, listener)
    return replace(done, again=again)


def longer_campaign(
    promise: Promise, campaign: Campaign, inside: Mapping[int, Inside]
) -> Campaign | None:
    """The same bursts with runs as long as the measured pace of launches asks for.

    Returns:
        `None` where the runs' length is not ours to choose, or would not be longer by much.
    """
    paces = [each.pace_s for each in inside.values() if each.pace_s]
    (workload,), before_s = campaign.workloads, campaign.load.run_s
    if not paces or before_s is None:
        return None
    filling = filling_of(need_of(promise, max(paces)), workload)
    if filling is None or filling.run_s < LONGER * before_s:
        return None
    return validation_campaign(
        promise, workload, dagster=campaign.dagster[0], run_s=None, pace_s=max(paces)
    )


def filling_for(promise: Promise, workload: Workload) -> Filling | None:
    """How long runs are made to last; `None` where that is not ours to choose."""
    return filling_of(need_of(promise), workload)


def need_of(promise: Promise, pace_s: float | None = None) -> Need:
    """What has to be filled, and how fast launches can be expected to come."""
    return Need(
        limit=promise.limit, cores=promise.vcpu * promise.replicas,
        threads=promise.dequeue_threads or 1, pace_s=pace_s,
        look_s=float(promise.dequeue_interval_s),
    )  # fmt: skip


def _attempt(
    promise: Promise, campaign: Campaign, options: SessionOptions, listener: Listener
) -> tuple[Validated, Mapping[int, Inside]]:
    """One measurement, judged and kept."""
    from harness.scenarios import threshold

    folder = threshold.run(campaign, options=options, listener=listener)
    findings = threshold.judge(folder.path, write=False)
    (record,) = read_results(folder.path).cells
    bursts = [step for step in record.steps if step.kind == "load"]
    seen = {step.index: inside_of(record, step, promise.limit) for step in bursts}
    inside = {index: each for index, each in seen.items() if each is not None}
    answer = judge_validation(findings, asked_of(promise), inside)
    write_text(folder.path / FILE, validation_json(promise, answer))
    return Validated(promise=promise, validation=answer, results=folder.path), inside


def _most(inside: Mapping[int, Inside]) -> int:
    return max((each.most for each in inside.values()), default=0)


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


def _times(need: Need, run_s: float) -> StepTimes:
    """A hold in which the limit fills and is filled again as runs end, which is when the server has
    most to do. The rest of three waves ends in the drain, which is over with the last run.
    """
    hold_s = math.ceil(need.look_s + need.filling_s + 2 * run_s + SLACK_S)
    waves_s = math.ceil(BURST_FACTOR * (need.look_s + need.filling_s + run_s) + SLACK_S)
    return StepTimes(
        ramp_s=1,
        settle_s=0,
        hold_s=float(min(LONGEST_HOLD_S, hold_s)),
        drain_s=float(min(LONGEST_DRAIN_S, 3 * waves_s)),
    )


def _name(text: str) -> str:
    kept = "".join(c if c.isalnum() or c in "._-" else "-" for c in text.lower()).strip("-._")
    return kept[:40] or "server"
