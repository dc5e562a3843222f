"""Parts of a rig that remember what was asked of them, in simulated time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import EnvironmentProblem
from harness.facts.model import Event, Limits, Phase, Run, Sample, Step
from harness.rig.orders import LoadOrder, LoadOutcome, Progress
from harness.rig.protocols import (
    Endpoints,
    Expectation,
    Opinion,
    Replica,
    ServerDeath,
    StepOrder,
    Vitals,
)

LIMITS = Limits(cpu_cores=1.0, memory_bytes=2 * 2**30, pids=4096, swap_bytes=0)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, now_s: float = 1_000.0) -> None:
        self.now_s = now_s

    def time(self) -> float:
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s


def endpoints(server: int = 0) -> Endpoints:
    """Addresses nobody listens on; `database_dsn` None, so no event log is read."""
    replica = Replica(
        name="code-server-1", grpc_address=f"127.0.0.1:{4000 + server}", limits=LIMITS
    )
    return Endpoints(
        webserver_url="http://127.0.0.1:1", location="under-test", database_dsn=None,
        replicas=(replica,),
    )  # fmt: skip


@dataclass
class FakeTarget:
    """Serves at once. `die_when` decides at each look whether the server has died."""

    effective: Limits | None = LIMITS
    die_when: Callable[[], bool] = lambda: False
    calls: list[str] = field(default_factory=list)
    starts: int = 0
    stuck: bool = False

    def start(self) -> Endpoints:
        self.calls.append("start")
        return endpoints()

    def describe(self) -> dict[str, Any]:
        return {"fake": True}

    def effective_limits(self) -> Limits | None:
        return self.effective

    def deaths(self) -> tuple[ServerDeath, ...]:
        if not self.die_when():
            return ()
        death = ServerDeath(
            replica="code-server-1", exit_code=137, oom=True, witnesses=("exit code 137",),
            log_tail="last words",
        )  # fmt: skip
        return (death,)

    def restart(self) -> Endpoints:
        self.calls.append("restart")
        self.starts += 1
        self.die_when = lambda: False
        return endpoints(self.starts)

    def stop(self) -> None:
        self.calls.append("stop")
        if self.stuck:
            raise EnvironmentProblem("No Docker engine answers.")


@dataclass
class FakeLoad:
    """Every user finishes one run of `run_s` per step, unless the abort rule speaks first.

    Users take the jobs in turn. Progress is told once. `dropped` arrivals are reported for every
    step.
    """

    clock: Clock
    run_s: float = 5.0
    dropped: int = 0
    unfinished: Iterator[int] = field(default_factory=lambda: iter(()))
    during: Callable[[LoadOrder], None] = lambda _order: None
    orders: list[LoadOrder] = field(default_factory=list)
    given_up: list[dict[str, str]] = field(default_factory=list)

    def wait_until_loadable(self, endpoints: Endpoints, timeout_s: float) -> None: ...

    def give_up(self, endpoints: Endpoints, tags: Mapping[str, str]) -> int:
        self.given_up.append(dict(tags))
        return 0

    def execute(
        self,
        order: LoadOrder,
        *,
        abort: Callable[[], str],
        progress: Callable[[Progress], None],
    ) -> LoadOutcome:
        self.orders.append(order)
        start_s = self.clock.time()
        self.during(order)
        going = order.concurrency
        progress(Progress(phase="hold", in_flight=going, sent=going, completed=0, failed=0))
        self.clock.sleep(order.hold_s)
        reason = abort()
        left = order.concurrency if reason else next(self.unfinished, 0)
        runs = tuple(
            Run(
                step=order.step, user=user, run_id=f"{order.step}-{user}", intended_s=start_s,
                sent_s=start_s, accepted_s=start_s + 1, started_s=start_s + 2,
                ended_s=None if user < left else start_s + self.run_s,
                status="UNFINISHED" if user < left else "SUCCESS",
                job=order.jobs[user % len(order.jobs)].job,
            )
            for user in range(order.concurrency)
        )  # fmt: skip
        phases = (Phase(name="hold", start_s=start_s, end_s=self.clock.time()),)
        return LoadOutcome(
            runs=runs, phases=phases, abort_reason=reason, dropped_arrivals=self.dropped
        )

    def stop(self) -> None: ...


@dataclass
class FakeTelemetry:
    """Takes one sample a step; its vitals are what the test says."""

    names: tuple[str, ...] = ("cgroup",)
    running: bool = False
    known: Vitals = field(default_factory=lambda: Vitals(at_s=1.0, memory_bytes=1.0))
    kills: int = 0

    def start(self, endpoints: Endpoints) -> None:
        self.running = True

    def begin_step(self) -> None: ...

    def peak_bytes(self) -> tuple[float | None, str]:
        return 300.0 * 2**20, "kernel"

    def take(self) -> tuple[list[Sample], list[Event]]:
        sample = Sample(
            device="cgroup", source="code-server-1", key="usage_bytes", due_s=1.0, taken_s=1.0,
            value=1.0,
        )  # fmt: skip
        kills, self.kills = self.kills, 0
        kill = Event(at_s=1.0, kind="oom_kill", source="code-server-1", detail={"count": kills})
        return [sample], [kill] if kills else []

    def vitals(self) -> Vitals:
        return self.known

    def stop(self) -> None:
        self.running = False


@dataclass
class FakeListener:
    """Remembers the news."""

    news: list[str] = field(default_factory=list)
    expected: list[Expectation] = field(default_factory=list)
    seen: list[Vitals] = field(default_factory=list)
    opinions: list[Opinion] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.news.append(text)

    def campaign_started(self, name: str, cells: Sequence[Expectation]) -> None:
        self.expected += cells

    def cell_started(self, cell_id: str, number: int, total: int) -> None: ...

    def step_started(self, order: StepOrder, duration_s: float) -> None:
        self.news.append(f"start {order.kind} {order.concurrency}")

    def progress(self, progress: Progress) -> None: ...

    def vitals(self, vitals: Vitals) -> None:
        self.seen.append(vitals)

    def step_done(self, step: Step, runs: Sequence[Run]) -> None:
        self.news.append(f"done {step.kind} {step.concurrency}")

    def step_judged(self, opinion: Opinion) -> None:
        self.opinions.append(opinion)

    def cell_done(self, cell_id: str, ended: str) -> None: ...
