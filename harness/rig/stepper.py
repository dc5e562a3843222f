"""One step: order it, watch it, gather its facts, put them on disk."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence

import psycopg

from harness.campaign.estimate import WARMUP_LIMIT_S
from harness.campaign.plan import Campaign, CellPlan, LoadModel
from harness.errors import TargetFailed
from harness.facts.model import Event, Run, Sample, Step
from harness.rig.breaking import Breakable
from harness.rig.bulletin import Bulletin
from harness.rig.fault_injection import Injection
from harness.rig.host_clock import HostClock
from harness.rig.load.arrivals import OPEN_MODELS
from harness.rig.load.phases import RunPhases, merge_phases, on_our_clock, read_phases
from harness.rig.orders import JobOrder, LoadOrder, LoadOutcome, Progress
from harness.rig.parts import Rig
from harness.rig.protocols import Endpoints, ServerDeath, StepOrder

STEP_TAG = "dagster-load-harness/step"
UNDER_LOAD = ("load", "fault")


class Stepper:
    """Runs the steps of one cell and keeps their order, count and server life.

    `kept` are steps recorded before, in order: it goes on after them, on another server.
    """

    def __init__(
        self, campaign: Campaign, plan: CellPlan, rig: Rig, *, kept: Sequence[Step] = ()
    ) -> None:
        self._campaign = campaign
        self._plan = plan
        self._rig = rig
        self._bulletin = Bulletin(rig)
        self._steps: list[Step] = list(kept)
        self._server = 1 + max((step.server for step in kept), default=-1)
        self._sick = ""

    @property
    def steps(self) -> Sequence[Step]:
        """Every step so far, warm-up included, in order."""
        return tuple(self._steps)

    def run(self, order: StepOrder, endpoints: Endpoints) -> tuple[Step, tuple[Run, ...]]:
        """Run one step; its facts are on disk when this returns.

        Raises:
            ValueError: a step of an open model without a rate, or one above `most_at_once`.
        """
        rig = self._rig
        load_order = self._load_order(order, endpoints)
        sending_s = load_order.ramp_s + load_order.settle_s + load_order.hold_s
        rig.listener.step_started(order, sending_s)
        rig.telemetry.begin_step()
        deaths: list[ServerDeath] = []
        observer = _CpuMeter()
        outcome, broken = self._execute(order, load_order, deaths)
        observer_cores = observer.cores()
        samples, events = rig.telemetry.take()
        events += [*outcome.events, *broken]
        events += self._died(deaths, kills=_kills(events, endpoints))
        events += self._compared(endpoints)
        runs = self._runs(outcome, endpoints, lost=bool(deaths))
        step = dataclasses.replace(
            self._step(order, outcome, deaths, kills=_kills(events, endpoints)),
            observer_cpu_cores=observer_cores,
            load_model=load_order.model,
            rate_per_s=load_order.rate_per_s,
        )
        self._store(step, runs, samples, events)
        if outcome.abort_reason and not deaths:
            raise TargetFailed(
                "The measurement was stopped by its guard rail.",
                evidence=outcome.abort_reason,
                hint="What was measured is kept. external.most_failures sets the limit.",
            )
        self._sick = self._sickness(deaths, runs)
        return step, runs

    def healthy(self, endpoints: Endpoints) -> Endpoints:
        """The endpoints of a server fit for the next step: a fresh one after a death or leftovers.

        Runs of the last step that have not ended are given up: they died with their server, but
        Dagster would have them as started for ever, and their slots in its queue as taken.

        Raises:
            TargetFailed: no fresh server could be had, or its queue not be freed.
        """
        if not self._sick:
            return endpoints
        rig = self._rig
        rig.listener.say(f"A fresh server is started: {self._sick}")
        asked_s = rig.clock()
        fresh = rig.target.restart()
        rig.load.wait_until_loadable(fresh, 120)
        until_serving_s = rig.clock() - asked_s
        given_up = rig.load.give_up(fresh, _tags(fresh, self._steps[-1].index))
        rig.telemetry.start(fresh)
        self._server += 1
        event = Event(
            at_s=asked_s, kind="fresh_server", source="harness",
            detail={"why": self._sick, "until_serving_s": until_serving_s,
                    "runs_given_up": given_up},
        )  # fmt: skip
        rig.writer.append_loose([], [event])
        self._bulletin.note(event)
        self._sick = ""
        return fresh

    def _execute(
        self, order: StepOrder, load_order: LoadOrder, deaths: list[ServerDeath]
    ) -> tuple[LoadOutcome, Sequence[Event]]:
        """The load, and beside it what is to be broken: what came of both."""
        rig, abort = self._rig, self._watch(deaths)
        if order.fault is None or not isinstance(rig.target, Breakable):
            told = self._bulletin.progress
            return rig.load.execute(load_order, abort=abort, progress=told), ()
        with Injection(order.fault, rig.target, say=rig.listener.say, clock=rig.clock) as injection:

            def progress(news: Progress) -> None:
                injection.seen(news)
                self._bulletin.progress(news)

            outcome = rig.load.execute(load_order, abort=abort, progress=progress)
        return outcome, injection.events

    def _watch(self, deaths: list[ServerDeath]) -> Callable[[], str]:
        def abort() -> str:
            deaths[:] = self._rig.target.deaths()
            return "; ".join(_obituary(death) for death in deaths)

        return abort

    def _load_order(self, order: StepOrder, endpoints: Endpoints) -> LoadOrder:
        times, warmup, model = self._campaign.step, order.kind == "warmup", self._model(order)
        # A warm-up needs no ramp, and a burst has neither: nothing comes before it.
        at_once = warmup or model == "burst"
        most = endpoints.most_at_once
        if most is not None and order.concurrency > most:
            raise ValueError(f"{order.concurrency} runs at once, where {most} are allowed: {order}")
        return LoadOrder(
            step=len(self._steps),
            webserver_url=endpoints.webserver_url,
            location=endpoints.location,
            jobs=self._jobs(order),
            tags=_tags(endpoints, len(self._steps)),
            concurrency=order.concurrency,
            ramp_s=0 if at_once else times.ramp_s,
            settle_s=0 if at_once else times.settle_s,
            hold_s=WARMUP_LIMIT_S if warmup else times.hold_s,
            drain_s=times.drain_s,
            burst=times.burst and model == "closed",
            max_runs=self._campaign.warmup_runs if warmup else None,
            model=model,
            rate_per_s=_rate_per_s(order, model),
            seed=self._campaign.load.seed,
            access=endpoints.access,
            most_failures=endpoints.most_failures,
            most_at_once=endpoints.most_at_once,
        )

    def _model(self, order: StepOrder) -> LoadModel:
        """The campaign's; but what a run takes alone is asked one run at a time."""
        return self._campaign.load.model if order.kind in UNDER_LOAD else "closed"

    def _jobs(self, order: StepOrder) -> tuple[JobOrder, ...]:
        """The workload's; where no load is meant, in equal shares, so that none goes without."""
        return tuple(
            JobOrder(
                job=job.name,
                share=job.share if order.kind in UNDER_LOAD else 1,
                run_config=job.params,
                tags=job.tags,
                partitions=job.partitions,
                assets=job.assets,
            )
            for job in self._plan.workload.jobs
        )

    def _runs(self, outcome: LoadOutcome, endpoints: Endpoints, *, lost: bool) -> tuple[Run, ...]:
        runs = on_our_clock(outcome.runs, endpoints.clock.here, ends_seen=outcome.ends_seen)
        if endpoints.database_dsn is not None:
            runs = merge_phases(runs, _event_log(endpoints.database_dsn, runs, endpoints.clock))
        if len(endpoints.replicas) == 1:  # of several, nothing yet says which one took a run
            name = endpoints.replicas[0].name
            runs = tuple(dataclasses.replace(run, replica=name) for run in runs)
        if lost:
            runs = tuple(
                dataclasses.replace(run, status="LOST", error_class="server_died")
                if run.status == "UNFINISHED"
                else run
                for run in runs
            )
        return runs

    def _step(
        self,
        order: StepOrder,
        outcome: LoadOutcome,
        deaths: Sequence[ServerDeath],
        *,
        kills: int,
    ) -> Step:
        peak_bytes, peak_source = self._rig.telemetry.peak_bytes()
        return Step(
            index=len(self._steps),
            kind=order.kind,
            concurrency=order.concurrency,
            repetition=order.repetition,
            reason=order.reason,
            phases=outcome.phases,
            outcome="aborted" if outcome.abort_reason else "completed",
            outcome_detail=outcome.abort_reason,
            server=self._server,
            kernel_peak_bytes=peak_bytes,
            peak_source=peak_source,
            # A dead container takes its counter along: its death then has to speak for it.
            oom_kills=max(kills, sum(death.oom for death in deaths)),
            restarts=len(deaths),
            generator_cpu_cores=outcome.generator_cpu_cores,
            dropped_arrivals=outcome.dropped_arrivals,
        )

    def _store(
        self, step: Step, runs: Sequence[Run], samples: list[Sample], events: list[Event]
    ) -> None:
        self._rig.writer.append_step(step, runs=runs, samples=samples, events=events)
        self._steps.append(step)

    def _died(self, deaths: Sequence[ServerDeath], *, kills: int) -> list[Event]:
        """The deaths as events, told to whoever watches."""
        events = [
            Event(
                at_s=self._rig.clock(), kind="server_died", source=death.replica,
                detail={"exit_code": death.exit_code, "oom": death.oom,
                        "witnesses": list(death.witnesses), "log_tail": death.log_tail},
            )
            for death in deaths
        ]  # fmt: skip
        unseen = max(0, sum(death.oom for death in deaths) - kills)
        self._bulletin.note(*events, unseen_kills=unseen)
        return events

    def _compared(self, endpoints: Endpoints) -> list[Event]:
        """The other host's clock held against ours once more, before its stamps are read."""
        offset = endpoints.clock.look()
        if offset is None:
            return []
        detail = {"offset_s": offset.offset_s, "uncertainty_s": offset.uncertainty_s}
        return [Event(at_s=self._rig.clock(), kind="clock_offset", source="harness", detail=detail)]

    def _sickness(self, deaths: Sequence[ServerDeath], runs: Sequence[Run]) -> str:
        if deaths:
            return "; ".join(_obituary(death) for death in deaths)
        unfinished = sum(run.status == "UNFINISHED" for run in runs)
        if unfinished:
            return f"{unfinished} runs still ran when the drain ended"
        return ""


def _tags(endpoints: Endpoints, step: int) -> dict[str, str]:
    """What every run of a step carries."""
    return {**endpoints.tags, STEP_TAG: str(step)}


def _rate_per_s(order: StepOrder, model: LoadModel) -> float | None:
    """The rate of an open model; the others have none.

    Raises:
        ValueError: it is missing.
    """
    if model not in OPEN_MODELS:
        return None
    if order.rate_per_s is None:
        raise ValueError(f"a step of the {model} model needs a rate: {order}")
    return order.rate_per_s


def _event_log(dsn: str, runs: Sequence[Run], clock: HostClock) -> dict[str, RunPhases]:
    try:
        return read_phases(dsn, [run.run_id for run in runs if run.run_id], here=clock.here)
    except psycopg.Error as error:
        raise TargetFailed(
            "The event log cannot be read: the database is gone.",
            evidence=str(error),
            hint="The step in progress is lost, earlier ones are kept. See logs/postgres.log.",
        ) from error


def _kills(events: Sequence[Event], endpoints: Endpoints) -> int:
    """OOM kills that the cgroups' counters saw; on another host those its engine reported."""
    if endpoints.elsewhere:
        servers = {replica.name for replica in endpoints.replicas}
        return sum(event.kind == "oom" and event.source in servers for event in events)
    return int(sum(event.detail.get("count", 1) for event in events if event.kind == "oom_kill"))


class _CpuMeter:
    """CPU this process used between two moments, in cores."""

    def __init__(self) -> None:
        self._cpu_s, self._wall_s = time.process_time(), time.monotonic()

    def cores(self) -> float | None:
        elapsed_s = time.monotonic() - self._wall_s
        return (time.process_time() - self._cpu_s) / elapsed_s if elapsed_s > 0 else None


def _obituary(death: ServerDeath) -> str:
    why = f" ({'; '.join(death.witnesses)})" if death.witnesses else ""
    return f"{death.replica} died with exit code {death.exit_code}{why}"
