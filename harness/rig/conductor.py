"""One cell from start to seal: start, warm up, step, step …, stop.

The conductor joins target, load and telemetry, writes facts after every step and judges
nothing: which step comes next is asked of a function it is given. A cell that broke off goes on the
same way, on a fresh server, after the steps it has.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from harness.campaign.plan import Campaign, CellPlan
from harness.errors import EnvironmentProblem, HarnessError
from harness.facts.model import Cell, Event, Limits, Step
from harness.rig.host_clock import HostClock
from harness.rig.parts import Rig
from harness.rig.protocols import Done, Endpoints, NextStep, StepOrder
from harness.rig.stepper import Stepper

LOADABLE_TIMEOUT_S = 120
LIMIT_TOLERANCE = 0.01


class Conductor:
    """Measures one cell.

    Args:
        campaign: the plan the cell belongs to.
        plan: the cell.
        cell: the cell's record so far; completed and sealed here.
        rig: the parts, not yet started.
        kept: the steps it goes on after, in order.
        started: is given the record as it is once the server serves, before anything is written
            of it; what it raises ends the cell.
    """

    def __init__(
        self,
        campaign: Campaign,
        plan: CellPlan,
        *,
        cell: Cell,
        rig: Rig,
        kept: Sequence[Step] = (),
        started: Callable[[Cell], None] = lambda _: None,
    ) -> None:
        self._campaign = campaign
        self._plan = plan
        self._cell = cell
        self._rig = rig
        self._kept = tuple(kept)
        self._started = started
        self._stepper = Stepper(campaign, plan, rig, kept=kept)
        self._clock: HostClock | None = None

    def measure(self, next_step: NextStep) -> Cell:
        """Run the whole cell; returns its sealed record.

        Whatever happens, the target is stopped and the facts on disk are readable. A server that
        dies is a fact, not an error.

        Raises:
            EnvironmentProblem: the kernel enforces other limits than asked for.
            TargetFailed, GeneratorFailed: the cell could not be measured (to its end).
            KeyboardInterrupt: after everything is down.
        """
        self._rig.writer.write_cell(self._cell)
        done = next_step(self._kept) if self._kept else None
        if isinstance(done, Done):  # it was cut off between its last step and its seal
            self._seal(self._finish(done))
            return self._cell
        ended, failing = "failed", True
        try:
            endpoints = self._start()
            self._warm_up(endpoints)
            ended, failing = self._climb(next_step, endpoints), False
        except KeyboardInterrupt:
            ended = "interrupted"
            self._rig.listener.say("Interrupted: everything is taken down now")
            raise
        except Exception as error:
            ended = f"failed: {error}".splitlines()[0]
            raise
        finally:
            self._end(ended, failing=failing)
        return self._cell

    def _start(self) -> Endpoints:
        rig = self._rig
        endpoints = rig.target.start()
        effective = rig.target.effective_limits()
        found = dataclasses.replace(
            self._cell,
            effective_limits=effective,
            limits_enforced=effective is not None,
            detail=dict(rig.target.describe()),
        )
        self._clock = endpoints.clock
        self._started(found)
        self._record(self._with_clock(found))
        if effective is not None:
            check_limits(self._cell.requested_limits, effective)
        rig.load.wait_until_loadable(endpoints, LOADABLE_TIMEOUT_S)
        rig.telemetry.start(endpoints)
        if self._kept:
            steps = sum(step.kind != "warmup" for step in self._kept)
            went_on = Event(
                at_s=rig.clock(), kind="resumed", source="harness", detail={"kept_steps": steps}
            )
            rig.writer.append_loose([], [went_on])
        return endpoints

    def _warm_up(self, endpoints: Endpoints) -> None:
        """The first runs read bytecode from disk and fill caches: recorded, never judged.

        A server that a cell goes on with idles as long; the window of the first one stays, for the
        steps that were judged by it.
        """
        if self._campaign.warmup_runs:
            earlier = sum(step.kind == "warmup" for step in self._kept)
            order = StepOrder(
                kind="warmup", concurrency=1, repetition=1 + earlier, reason="warm the caches"
            )
            self._step(order, endpoints)
        self._rig.listener.say("Watching the idle server")
        start_s = self._rig.clock()
        self._rig.sleep(self._campaign.idle_s)
        if not self._kept:
            end_s = self._rig.clock()
            self._record(dataclasses.replace(self._cell, idle_start_s=start_s, idle_end_s=end_s))

    def _climb(self, next_step: NextStep, endpoints: Endpoints) -> str:
        while True:
            order = next_step(self._stepper.steps)
            if isinstance(order, Done):
                return self._finish(order)
            endpoints = self._stepper.healthy(endpoints)
            self._step(order, endpoints)

    def _finish(self, done: Done) -> str:
        self._rig.journal({"cell": self._plan.id, "done": done.reason})
        return done.reason

    def _step(self, order: StepOrder, endpoints: Endpoints) -> None:
        self._rig.journal({"cell": self._plan.id, **dataclasses.asdict(order)})
        step, runs = self._stepper.run(order, endpoints)
        self._rig.listener.step_done(step, runs)

    def _end(self, ended: str, *, failing: bool) -> None:
        rig = self._rig
        try:
            rig.load.stop()
            if self._clock is not None and not failing:
                self._clock.look()
            rig.telemetry.stop()
            samples, events = rig.telemetry.take()
            rig.writer.append_loose(samples, events)
            self._seal(ended)
        finally:
            self._take_down(failing=failing)

    def _seal(self, ended: str) -> None:
        writer = self._rig.writer
        end = Event(at_s=self._rig.clock(), kind="end", source="harness", detail={"reason": ended})
        writer.append_loose([], [end])
        self._cell = dataclasses.replace(self._with_clock(self._cell), sealed=True, ended=ended)
        writer.seal(self._cell)

    def _take_down(self, *, failing: bool) -> None:
        try:
            self._rig.target.stop()
        except KeyboardInterrupt:
            self._rig.target.stop()  # asked to stop while stopping: nothing is left all the same
            raise
        except HarnessError as error:
            if not failing:
                raise
            # What went wrong first is what the user has to read: a dead engine, say.
            self._rig.listener.say(
                f"Not everything could be taken down ({error.what}) "
                "When that is mended, `harness down` removes the rest."
            )

    def _with_clock(self, cell: Cell) -> Cell:
        """How the clock of the server's host stands to ours, first and last."""
        if self._clock is None:
            return cell
        return dataclasses.replace(cell, detail={**cell.detail, "clock": self._clock.record()})

    def _record(self, cell: Cell) -> None:
        self._cell = cell
        self._rig.writer.write_cell(cell)


def check_limits(requested: Limits, effective: Limits) -> None:
    """Compare what was asked for with what the kernel enforces.

    Raises:
        EnvironmentProblem: CPU or memory differ by more than 1 %.
    """
    pairs = (
        ("CPU (cores)", requested.cpu_cores, effective.cpu_cores),
        ("memory (bytes)", requested.memory_bytes, effective.memory_bytes),
    )
    wrong = [
        f"{name}: asked {asked}, enforced {real if real is not None else 'no limit'}"
        for name, asked, real in pairs
        if asked is not None and (real is None or abs(real - asked) > LIMIT_TOLERANCE * asked)
    ]
    if wrong:
        raise EnvironmentProblem(
            "The kernel does not enforce the limits this cell asked for.",
            evidence="; ".join(wrong),
            hint="harness doctor shows which cgroup controllers this machine offers.",
        )
