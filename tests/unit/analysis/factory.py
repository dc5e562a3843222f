"""Cells made of known truth: what each run took and cost is chosen, so findings can be checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Any

from harness.facts.model import Cell, Limits, Phase, Run, RunStatus, Sample, Step, StepKind
from harness.facts.table import CellFacts, SamplesTable

MIB = 1024 * 1024
START_S = 1_700_000_000.0
IDLE_S = 10.0
IDLE_CORES = 0.02
BASE_MIB = 120.0
PER_RUN_MIB = 100.0
LAUNCH_CPU_S = 0.04
WORK_CPU_S = 0.01

ALL_SLOS = {
    "no_oom": 0.0,
    "failed_runs": 0.01,
    "memory_headroom": 0.9,
    "launch_s_p95": 10.0,
    "slowdown_p95": 2.0,
    "probe_s_p99": 5.0,
    "pool_queue": 0.0,
    "backlog_trend": 0.0,
}
ALL_DEVICES = ("cgroup", "processes", "pool", "probe", "run_queue", "support", "host")


@dataclass(frozen=True, kw_only=True)
class Rung:
    """The truth of one step. `late_status` is what becomes of every `late_every`-th run.

    `exec_s` by job makes a mix: each user takes the jobs in turn. `slower_per_s` is how much
    longer each run executes than one sent a second earlier, since the ramp began.
    """

    concurrency: int
    kind: StepKind = "load"
    repetition: int = 1
    launch_s: float = 1.0
    exec_s: float | Mapping[str, float] = 4.0
    slower_per_s: float = 0.0
    hold_s: float = 40.0
    cpu_cores: float | None = None
    throttled_ratio: float = 0.1
    pool_queue: float = 0.0
    pool_growth_per_s: float = 0.0
    probe_s: float = 0.01
    probes_lost: int = 0
    peak_mib: float | None = None
    late_status: RunStatus | None = None
    late_every: int = 10
    support_cores: float = 0.2
    host_cores: float = 1.0
    steal: float = 0.0
    bare_start_s: float | None = None
    send_lag_s: float = 0.0
    sample_share: float = 1.0
    silent: tuple[str, ...] = ()
    step: dict[str, Any] = field(default_factory=dict)

    @property
    def jobs(self) -> Mapping[str, float]:
        """Execution time of each job, in seconds."""
        return {"load": self.exec_s} if isinstance(self.exec_s, float | int) else self.exec_s


def make_cell(**changes: Any) -> Cell:
    """A 1 vCPU, 2 GiB cell with enforced limits and every device."""
    limits = Limits(cpu_cores=1.0, memory_bytes=2048 * MIB)
    cell = Cell(
        id="1vcpu-2gb_io_1.13.27_w6_r1_direct",
        profile="1vcpu-2gb",
        vcpu=1.0,
        memory_bytes=2048 * MIB,
        workload="io",
        params={"requests": 4},
        dagster="1.13.27",
        max_workers=6,
        replicas=1,
        feed="direct",
        target="compose",
        requested_limits=limits,
        effective_limits=limits,
        limits_enforced=True,
        overcommitted=False,
        devices=ALL_DEVICES,
        slos=dict(ALL_SLOS),
        idle_start_s=START_S,
        idle_end_s=START_S + IDLE_S,
        sealed=True,
    )
    return replace(cell, **changes)


def make_facts(rungs: Sequence[Rung], **changes: Any) -> CellFacts:
    """One cell that went through these rungs, one after the other, after an idle window."""
    cell = make_cell(**changes)
    steps: list[Step] = []
    runs: list[Run] = []
    samples = list(_readings(START_S, IDLE_S, _Truth(rung=Rung(concurrency=0), cell=cell)))
    now_s, cpu_s = START_S + IDLE_S, IDLE_S * IDLE_CORES
    for index, rung in enumerate(rungs, start=1):
        now_s += 5
        step = make_step(index, rung, now_s)
        steps.append(step)
        own = make_runs(step, rung)
        runs += own
        length_s = step.phases[-1].end_s - now_s
        truth = _Truth(
            rung=rung, cell=cell, cpu_s=cpu_s, hold=step.phase("hold"),
            runs_per_s=len(own) / length_s,
        )  # fmt: skip
        samples += _readings(now_s, length_s, truth)
        now_s += length_s
        cpu_s += 1000
    return CellFacts(cell=cell, steps=steps, runs=runs, samples=SamplesTable.of(samples), events=[])


def make_step(index: int, rung: Rung, at_s: float) -> Step:
    """Ramp and settle of 5 s each, the hold, a drain of 10 s."""
    lengths = (("ramp", 5.0), ("settle", 5.0), ("hold", rung.hold_s), ("drain", 10.0))
    phases = []
    for name, length_s in lengths:
        phases.append(Phase(name=name, start_s=at_s, end_s=at_s + length_s))
        at_s += length_s
    peak_mib = rung.peak_mib or BASE_MIB + PER_RUN_MIB * rung.concurrency
    step = Step(
        index=index,
        kind=rung.kind,
        concurrency=rung.concurrency,
        repetition=rung.repetition,
        reason="ladder",
        phases=tuple(phases),
        outcome="completed",
        kernel_peak_bytes=peak_mib * MIB,
        peak_source="kernel",
        generator_cpu_cores=0.1,
        observer_cpu_cores=0.05,
    )
    return replace(step, **rung.step)


def make_runs(step: Step, rung: Rung) -> list[Run]:
    """A closed loop: each user sends its next run when the last one ended.

    Of a burst each user sends one run at the start of the hold, and no more.
    """
    ramp, hold = step.phase("ramp"), step.phase("hold")
    assert ramp is not None
    assert hold is not None
    runs: list[Run] = []
    for user in range(rung.concurrency):
        sent_s = ramp.start_s + 5.0 * user / rung.concurrency
        for job in cycle(rung.jobs):
            if step.load_model == "burst":
                sent_s = hold.start_s
            if sent_s >= hold.end_s:
                break
            exec_s = rung.jobs[job] + rung.slower_per_s * (sent_s - ramp.start_s)
            truth = replace(rung, exec_s={job: exec_s})
            runs.append(_run(step, truth, user=user, sent_s=sent_s, number=len(runs) + 1))
            sent_s += rung.launch_s + exec_s
            if step.load_model == "burst":
                break
    return runs


def _run(step: Step, rung: Rung, *, user: int, sent_s: float, number: int) -> Run:
    started_s = sent_s + rung.launch_s
    ((job, exec_s),) = rung.jobs.items()
    run = Run(
        step=step.index,
        user=user,
        run_id=f"{step.index}-{number}",
        intended_s=sent_s - rung.send_lag_s,
        sent_s=sent_s,
        accepted_s=sent_s + 0.6 * rung.launch_s,
        dequeued_s=sent_s + 0.1 * rung.launch_s,
        process_started_s=sent_s + 0.6 * rung.launch_s,
        started_s=started_s,
        first_step_s=started_s + 0.1,
        ended_s=started_s + exec_s,
        status="SUCCESS",
        work_cpu_s=WORK_CPU_S,
        job=job,
    )
    if rung.late_status is None or number % rung.late_every:
        return run
    if rung.late_status in ("LOST", "UNFINISHED"):
        return replace(run, status=rung.late_status, started_s=None, ended_s=None)
    return replace(run, status=rung.late_status)


@dataclass(frozen=True, kw_only=True)
class _Truth:
    rung: Rung
    cell: Cell
    cpu_s: float = 0.0
    hold: Phase | None = None
    runs_per_s: float = 0.0

    @property
    def cores(self) -> float:
        rung = self.rung
        if rung.cpu_cores is not None:
            return rung.cpu_cores
        return IDLE_CORES + self.runs_per_s * (LAUNCH_CPU_S + WORK_CPU_S)


def _readings(start_s: float, length_s: float, truth: _Truth) -> Iterator[Sample]:
    """All devices over a stretch; counters go on from where they were."""
    rung = truth.rung
    replicas = [f"code-server-{number}" for number in range(1, truth.cell.replicas + 1)]
    for tick in range(round(length_s * 5) + 1):
        at_s, passed_s = start_s + tick / 5, tick / 5
        if (tick * rung.sample_share) % 1 + rung.sample_share < 1:
            continue
        for replica in replicas:
            yield from _fast(replica, at_s, passed_s, truth)
            if tick % 5 == 0:
                yield from _slow(replica, at_s, passed_s, truth)


def _fast(replica: str, at_s: float, passed_s: float, truth: _Truth) -> Iterator[Sample]:
    rung, count = truth.rung, truth.cell.replicas
    memory = (BASE_MIB + PER_RUN_MIB * rung.concurrency / count) * MIB
    cgroup = {
        "usage_bytes": memory * 1.1,
        "anon_bytes": memory,
        "oom_kills": 0.0,
        "cpu_s": truth.cpu_s + passed_s * truth.cores / count,
        "periods": passed_s * 10,
        "throttled_periods": passed_s * 10 * rung.throttled_ratio,
    }
    for key, value in cgroup.items():
        yield from _sample(rung, "cgroup", replica, key=key, at_s=at_s, value=value)
    held_s = at_s - truth.hold.start_s if truth.hold else 0.0
    queue = rung.pool_queue + max(0.0, held_s) * rung.pool_growth_per_s
    yield from _sample(rung, "pool", replica, key="pool_queue", at_s=at_s, value=queue)


def _slow(replica: str, at_s: float, passed_s: float, truth: _Truth) -> Iterator[Sample]:
    rung = truth.rung
    held = truth.hold is not None and truth.hold.start_s <= at_s < truth.hold.end_s
    lost = held and truth.hold is not None and at_s - truth.hold.start_s < rung.probes_lost
    values = [
        ("processes", replica, "resident_runs", rung.concurrency / truth.cell.replicas),
        ("probe", replica, "probe_lost", float(lost)),
        ("run_queue", "postgres", "queued", 0.0),
        ("support", "webserver", "cpu_s", passed_s * rung.support_cores),
        ("host", "host", "cpu_used_cores", rung.host_cores),
        ("host", "host", "cpu_steal_ratio", rung.steal),
    ]
    if not lost:
        values.append(("probe", replica, "probe_s", rung.probe_s))
    if rung.bare_start_s is not None:
        values.append(("pace", "host", "start_cpu_s", rung.bare_start_s))
    for device, source, key, value in values:
        yield from _sample(rung, device, source, key=key, at_s=at_s, value=value)


def _sample(
    rung: Rung, device: str, source: str, *, key: str, at_s: float, value: float
) -> Iterator[Sample]:
    if device not in rung.silent:
        yield Sample(
            device=device, source=source, key=key, due_s=at_s, taken_s=at_s + 0.001, value=value
        )
