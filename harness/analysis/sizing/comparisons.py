"""The questions of the sizing guide: its rules of thumb beside what was measured or predicted."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.findings.types import StepFinding
from harness.analysis.sizing import guide
from harness.analysis.sizing.case import Case, sources_of
from harness.analysis.sizing.choice import named
from harness.analysis.sizing.comparisons_servers import server_questions
from harness.analysis.sizing.demand import mean_duration_s
from harness.analysis.sizing.known import Known, Source
from harness.analysis.sizing.types import Comparison
from harness.analysis.workers.dagster_defaults import FARGATE_VISIBLE_CPUS, default_workers
from harness.units import MIB, show_cores, show_rate, show_seconds


def compare(case: Case) -> tuple[Comparison, ...]:
    """All questions, in the guide's own order."""
    return tuple(_all(case))


def _all(case: Case) -> Iterator[Comparison]:
    yield _peak(case)
    yield _task_size(case)
    yield from (_memory(each) for each in case.used)
    yield from (_cpu(each) for each in case.used)
    yield from _workers(case)
    yield _default_threads(case)
    yield from _queued_requests(case)
    yield from server_questions(case)


def _peak(case: Case) -> Comparison:
    demand = case.terms.demand
    rate, mean_s = demand.runs_per_hour * demand.growth, mean_duration_s(demand)
    says = (
        f"{mean_s:g} s ÷ 3600 × {rate:,.12g} × {guide.BURST:g} = "
        f"{show_rate(guide.peak_concurrency(demand))} at once"
    )
    best = case.choice or next((o for o in case.options if o.in_flight is not None), None)
    if best is None or best.in_flight is None:
        here = "no size here can do that rate"
    else:
        alone_s = sum(
            part.share * known.model.launch_s(known.model.at(1, vcpu=1.0))
            for part in demand.parts
            if (known := case.workload(part.workload)) is not None
        )
        here = (
            f"{best.in_flight:.1f} on average at {demand.burst:g} times the mean rate on "
            f"{named(best)}, {best.in_flight_p95} at p95: to the duration come the launch "
            f"({show_seconds(alone_s)} alone on one core) and what load slows down, and arrivals "
            "by chance"
        )
    question = "How many runs at once at the busiest time?"
    return guide.beside(question, says, here, sources=sources_of(case.used))


def _task_size(case: Case) -> Comparison:
    says, profile = guide.size_for(guide.peak_concurrency(case.terms.demand))
    theirs = case.option(profile, 1) if profile else None
    if theirs is not None:
        says += f", {case.money(theirs.per_month)} a month"
    choice = case.choice
    here = "nothing that was looked at holds it"
    if choice is not None:
        here = (
            f"{named(choice)}, {case.money(choice.per_month)} a month; "
            f"{choice.binding or 'nothing'} gives first"
        )
    return guide.beside(
        "Which task size for that?",
        says,
        here,
        basis=choice.basis if choice else "predicted",
        sources=sources_of(case.used),
    )


def _memory(known: Known) -> Comparison:
    model = known.model
    here = "memory a run was not found"
    if model.base_bytes and model.bytes_per_run:
        run = model.bytes_per_run
        ends = ""
        if run.low is not None and run.high is not None:
            ends = f" (95 %: {run.low / MIB:.0f} to {run.high / MIB:.0f})"
        here = (
            f"{model.base_bytes.value / MIB:.0f} MiB + {run.value / MIB:.0f} MiB{ends} a run in "
            "flight, at the kernel's peak: a run is a process of its own with its own imports, "
            "which a profile taken inside an asset does not see"
        )
    return guide.beside(
        f"How much memory? ({known.workload})",
        "base + peak memory of one run × runs at once",
        here,
        basis="measured" if model.bytes_per_run else "not measured",
        sources=known.sources,
    )


def _cpu(known: Known) -> Comparison:
    launch, work = known.model.launch_cpu_s, known.model.run_cpu_s
    return guide.beside(
        f"How much CPU? ({known.workload})",
        "base + CPU of one run × runs at once",
        f"{launch.value:.2f} CPU-s to start a run, {work.value:.2f} for its own work: arrivals "
        f"cost CPU, not runs that are there. One core starts {1 / launch.value:.2f} runs/s",
        basis="measured",
        sources=known.sources,
    )


def _workers(case: Case) -> Iterator[Comparison]:
    """More runs than workers, where that was seen."""
    seen = [
        (source, step)
        for source in sources_of(case.used)
        for step in source.finding.steps
        if (step.mean_in_flight or 0) > source.finding.max_workers and step.completed
    ]
    choice, here = case.choice, ""
    if seen:
        source, step = seen[0]
        here = f"{step.mean_in_flight:.1f} runs were in flight on {source.finding.max_workers} "
        here += "workers, because a run is a process and its worker is free once it has started"
    if choice is not None and choice.max_workers is not None:
        joined = "; " if here else ""
        here += f"{joined}{choice.max_workers} workers are enough for {choice.max_concurrent_runs} "
        here += f"runs on {named(choice)} (launches under way + 3, predicted)"
    yield guide.beside(
        "How many gRPC workers?",
        "DAGSTER_GRPC_MAX_WORKERS ≥ max_concurrent_runs, else runs do not start",
        here or "nothing was found",
        basis="measured" if seen else "predicted" if here else "not measured",
        sources=[source for source, _ in seen[:1]],
    )


def _default_threads(case: Case) -> Comparison:
    vcpu = case.choice.vcpu if case.choice else 2.0
    cpus = FARGATE_VISIBLE_CPUS.get(vcpu, 2)
    return guide.beside(
        "How many workers where nothing is set?",
        f"vCPU × {guide.THREADS_PER_VCPU}: {vcpu * guide.THREADS_PER_VCPU:g} on {show_cores(vcpu)}",
        f"min(32, CPUs seen + 4): {default_workers(cpus)} where a Fargate task of "
        f"{show_cores(vcpu)} sees {cpus} CPUs (read from the code of Python)",
        basis="not measured",
    )


def _queued_requests(case: Case) -> Iterator[Comparison]:
    """A step in which requests waited although workers were not what was short."""
    question = "Do waiting requests mean too few workers?"
    says = "num_queued_requests > 0 for long: workers too low or the task too small"
    for source in sources_of(case.used):
        for step in source.finding.steps:
            if step.pool_queue_max and _cpu_full(step) and _cpu_bound(source):
                yield guide.beside(
                    question,
                    says,
                    f"not by themselves: at {step.concurrency} runs up to "
                    f"{step.pool_queue_max:.0f} requests waited for {source.finding.max_workers} "
                    f"workers while the CPU was {step.cpu_ratio:.0%} used, and "
                    f"{source.finding.capacity.binding} was what gave first",
                    basis="measured",
                    sources=[source],
                )
                return
    yield guide.beside(question, says, "no requests waited here", basis="not measured")


def _cpu_full(step: StepFinding) -> bool:
    return step.cpu_ratio is not None and step.cpu_ratio >= 0.8


def _cpu_bound(source: Source) -> bool:
    return source.finding.capacity.binding in ("launch_cpu", "run_cpu")
