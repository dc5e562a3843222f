"""A whole campaign among fakes: real searches, real facts on disk, no server and no time."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fakes import LIMITS, Clock, FakeListener, FakeLoad, FakeTarget, FakeTelemetry

from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign, CellPlan
from harness.errors import EnvironmentProblem
from harness.facts.layout import ResultsFolder
from harness.facts.model import Event, Limits, Phase, Run, Sample
from harness.facts.store import read_results
from harness.facts.table import ResultsFacts
from harness.rig import cell_session, external_guard, resumed_session, session
from harness.rig.orders import LoadOrder, LoadOutcome, Progress
from harness.rig.parts import Rig
from harness.rig.session import SessionOptions
from harness.scenarios import resuming, threshold

CAMPAIGN = """
name: fake
profiles: 1vcpu-2gb
workloads:
  - {name: io, concurrencies: [1, 2, 4, 8]}
  - {name: cpu, concurrencies: [1, 2]}
warmup_runs: 1
idle_s: 2
step: {ramp_s: 0, settle_s: 0, hold_s: 20, drain_s: 10}
search: {strategy: adaptive, confidence: 0.9, max_steps: 6}
slos: {memory_headroom: null, probe_s_p99: null, pool_queue: null, backlog_trend: null}
"""
ENVIRONMENT: dict[str, Any] = {
    "harness": {"version": "1", "commit": "abc", "command": []},
    "host": {
        "cpus": 2, "cpu_model": "fast", "machine": "x86_64", "memory_bytes": 8 << 30,
        "kernel": "6.1", "cgroup": "v2",
    },
    "python": "3.11",
    "libraries": {"locust": "2.0"},
}  # fmt: skip


class Watching(FakeListener):
    """Remembers the cells too."""

    def cell_started(self, cell_id: str, number: int, total: int) -> None:
        self.news.append(f"cell {number} of {total}: {cell_id}")

    def cell_done(self, cell_id: str, ended: str) -> None:
        self.news.append(f"{cell_id} done: {ended}")


@dataclass
class SteadyLoad(FakeLoad):
    """Every user launches run after run until the hold is over; more users take longer."""

    def execute(
        self,
        order: LoadOrder,
        *,
        abort: Callable[[], str],
        progress: Callable[[Progress], None],
    ) -> LoadOutcome:
        begin_s = self.clock.time()
        self.orders.append(order)
        self.during(order)
        run_s = max(1.0, order.concurrency / 2)
        hold_s = order.hold_s if order.max_runs is None else run_s * order.max_runs
        rounds = math.ceil(hold_s / run_s)
        runs = tuple(
            Run(
                step=order.step, user=user, run_id=f"{order.step}-{user}-{number}",
                intended_s=at_s, sent_s=at_s, accepted_s=at_s + 0.1, started_s=at_s + 0.2,
                ended_s=at_s + run_s, status="SUCCESS",
            )
            for number in range(rounds)
            for user in range(order.concurrency)
            if (at_s := begin_s + number * run_s)
        )  # fmt: skip
        self.clock.sleep(rounds * run_s)
        end_s = begin_s + hold_s
        phases = (
            Phase(name="hold", start_s=begin_s, end_s=end_s),
            Phase(name="drain", start_s=end_s, end_s=self.clock.time()),
        )
        return LoadOutcome(runs=runs, phases=phases, abort_reason=abort())


@dataclass
class Telemetry(FakeTelemetry):
    """One sample and one remark each time it is asked, at the time of the clock; steady memory
    all through a step.
    """

    clock: Clock = field(default_factory=Clock)
    began_s: float | None = None

    def begin_step(self) -> None:
        self.began_s = self.clock.time()

    def take(self) -> tuple[list[Sample], list[Event]]:
        samples, events = super().take()
        at_s = self.clock.time()
        remark = Event(at_s=at_s, kind="remark", source="fake")
        made = [replace(each, due_s=at_s, taken_s=at_s) for each in samples]
        if self.began_s is not None:
            times = np.linspace(self.began_s, at_s, 20)
            made += [
                replace(made[0], key="anon_bytes", due_s=each, taken_s=each, value=3e8)
                for each in map(float, times)
            ]
            self.began_s = None
        return made, [*events, remark]


@dataclass
class FakeHosting:
    """Stands for `Hosting`: its targets serve at once. `builds` of the machine are its software."""

    machine: Machine
    kind: str = "process"
    pool_probe: bool = True

    @property
    def software(self) -> dict[str, SimpleNamespace]:
        return {
            entry: SimpleNamespace(sha256=digest) for entry, digest in self.machine.builds.items()
        }

    def target(self, cell: CellPlan, folder: Path) -> FakeTarget:
        self.machine.targets.append(cell.id)
        target = FakeTarget(effective=self.machine.limits)
        target.describe = lambda: dict(self.machine.software)  # type: ignore[method-assign]
        return target


class Machine:
    """A machine on which campaigns are measured; what differs on it later can be set.

    `during` is called with each order that reaches the generator. `owned`: what exists there may be
    loaded. `too_small`: it has room for no profile.
    """

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.clock = Clock(1_700_000_000.0)
        self.environment = copy.deepcopy(ENVIRONMENT)
        self.engine: dict[str, Any] = {}
        self.limits: Limits | None = LIMITS
        self.software: dict[str, Any] = {"lock": {"sha256": "a"}, "project": "chance"}
        self.builds: dict[str, str] = {}
        self.targets: list[str] = []
        self.orders: list[LoadOrder] = []
        self.during: Callable[[LoadOrder], None] = lambda _: None
        self.owned = False
        self.too_small = False
        patch.setenv("DAGSTER_LOAD_HARNESS_STATE", str(root / "state"))
        for module in (session, resumed_session):
            patch.setattr(module, "choose", lambda kind, _: kind if kind != "auto" else "process")
            patch.setattr(module, "record_environment", lambda _: copy.deepcopy(self.environment))
            patch.setattr(module, "engine_record", lambda _: copy.deepcopy(self.engine))
        patch.setattr(external_guard, "check_fit", self._fits)
        patch.setattr(session, "prepare", lambda kind, *_, **__: FakeHosting(self, kind))
        patch.setattr(
            cell_session, "Rig", partial(Rig, clock=self.clock.time, sleep=self.clock.sleep)
        )
        patch.setattr(cell_session, "LocustDriver", lambda _, **__: self._load())
        patch.setattr(cell_session, "TelemetrySuite", lambda _: Telemetry(clock=self.clock))

    def _load(self) -> FakeLoad:
        load = SteadyLoad(self.clock)
        load.orders = self.orders
        load.during = self._at
        return load

    def _at(self, order: LoadOrder) -> None:
        self.during(order)

    def _fits(self, *_: object, **__: object) -> bool:
        if self.too_small:
            raise EnvironmentProblem("Too small.")
        return False

    @property
    def options(self) -> SessionOptions:
        root = self.root / "results"
        return SessionOptions(results_root=root, owned=self.owned, command=["test"])

    def run(self, plan: Campaign, listener: FakeListener | None = None) -> Path:
        """Measure from the start; where the results are."""
        return threshold.run(plan, options=self.options, listener=listener or Watching()).path

    def resume(self, path: Path, listener: FakeListener | None = None, **options: Any) -> Path:
        """Go on."""
        self.clock.sleep(10_000)
        made = listener or Watching()
        return resuming.resume(path, options=self.options, listener=made, **options).path

    def only(self) -> Path | None:
        """The one results folder there is, if there is one."""
        return next((self.root / "results").glob("*Z-*"), None)


def plan(*overrides: str) -> Campaign:
    """Two small cells."""
    return load_campaign(CAMPAIGN, source="fake", overrides=overrides)


def stored(path: Path) -> ResultsFacts:
    """What is in the folder."""
    return read_results(path)


def shape(path: Path) -> dict[str, tuple[str, list[tuple[str, int, int, str, int]]]]:
    """What must not depend on kills: of each cell why it ended, and its steps but the warm-ups.

    Of each step its kind, concurrency, repetition, outcome and number of runs.
    """
    found = {}
    for facts in read_results(path).cells:
        steps = [
            (s.kind, s.concurrency, s.repetition, s.outcome, len(facts.runs_of(s)))
            for s in facts.steps
            if s.kind != "warmup"
        ]
        found[facts.cell.id] = (facts.cell.ended, steps)
    return found


def cell_ids(campaign: Campaign) -> list[str]:
    """Of all planned cells, in order."""
    return [cell.id for cell in campaign.cells()]


__all__ = [
    "ENVIRONMENT", "Machine", "ResultsFolder", "Watching", "cell_ids", "plan", "shape", "stored",
]  # fmt: skip
