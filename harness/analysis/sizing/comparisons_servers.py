"""The guide's questions about one server or several, and what each of them holds."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.sizing import guide
from harness.analysis.sizing.blend import Blend, ingredient
from harness.analysis.sizing.case import Case, sources_of
from harness.analysis.sizing.choice import named
from harness.analysis.sizing.holding import Held, held_by
from harness.analysis.sizing.known import Known
from harness.analysis.sizing.types import Comparison, Option
from harness.campaign.profiles import FARGATE
from harness.units import MIB, show_cores, show_seconds, show_span


def server_questions(case: Case) -> Iterator[Comparison]:
    """How many runs on one server, whether Python's lock limits them, and when to split."""
    for workload, kind, runs in guide.ON_ONE_SERVER:
        yield _on_one_server(case, workload, kind, runs)
    yield _plateau(case)
    yield _one_or_several(case)
    yield _shared_state(case)
    yield _out_of_memory(case)
    yield _deploys()
    yield _start_with(case)


def _on_one_server(case: Case, workload: str, kind: str, runs: str) -> Comparison:
    question, says = f"How many {kind} runs on one server?", f"{runs}, whatever its size"
    known = case.workload(workload)
    if known is None:
        here = f"no usable cell of {workload}"
        return guide.beside(question, says, here, basis="not measured")
    run_s = next(
        (p.duration.mean_s for p in case.terms.demand.parts if p.workload == workload), None
    )
    found = _held(case, known, run_s)
    length = show_seconds(run_s or known.run_s)
    if found is None:
        here = "no objective can be foreseen"
        return guide.beside(question, says, here, basis="not measured")
    return guide.beside(
        question,
        says,
        f"{found.runs}{_ends(found)} runs of {length} ({workload}) on {guide.COMMON_SIZE}, where "
        f"{found.binding or 'nothing'} gives first{_small(known)}",
        sources=known.sources,
    )


def _held(case: Case, known: Known, run_s: float | None) -> Held | None:
    blend = Blend(ingredients=(ingredient(known, share=1.0, run_s=run_s),))
    return held_by(blend, FARGATE[guide.COMMON_SIZE], case.terms.slos)


def _ends(held: Held) -> str:
    if held.low is None or held.low == held.high:
        return ""
    return f" ({show_span(held.low, held.high)})"


def _small(known: Known) -> str:
    """What was measured, as far as it was."""
    source = known.sources[0]
    capacity = source.finding.capacity
    if capacity.concurrency is None:
        return ""
    return (
        f"; measured: {capacity.concurrency} of {show_seconds(source.run_s)} on "
        f"{source.finding.profile.name}"
    )


def _plateau(case: Case) -> Comparison:
    question = "Do CPU-bound runs stop at one vCPU?"
    says = "yes: about 1 vCPU whatever the task, for the runs share Python's lock"
    known = case.workload("cpu")
    if known is None:
        return guide.beside(question, says, "no usable cell of cpu", basis="not measured")
    most = {}
    for source in known.sources:
        rates = [step.throughput_runs_per_s or 0.0 for step in source.finding.steps]
        most[source.finding.profile.vcpu] = max(rates, default=0.0)
    model, sizes = known.model, sorted(most)
    per_core = 1 / model.cpu_s
    if len(sizes) > 1 and sizes[-1] > 1 and most[sizes[0]] > 0:
        return guide.beside(
            question,
            says,
            (
                f"no: {most[sizes[-1]] / most[sizes[0]]:.2f} times the runs/s on "
                f"{show_cores(sizes[-1])} as on {show_cores(sizes[0])}"
            ),
            basis="measured",
            sources=known.sources,
        )
    return guide.beside(
        question,
        says,
        f"they are processes, so the model has no such limit: {per_core:.2f} runs/s a vCPU, "
        f"{4 * per_core:.2f} on 4. Above {show_cores(sizes[-1])} it was not measured here",
        sources=known.sources,
    )


def _one_or_several(case: Case) -> Comparison:
    question = "Replicas or a bigger task?"
    says = "3 replicas lose a third of the runs of one server; CPU-bound runs need replicas"
    pair = _pair(case)
    if pair is None:
        return guide.beside(question, says, "no two options of the same vCPU hold it")
    few, many = pair
    return guide.beside(
        question,
        says,
        f"{named(few)} holds {_capacity(few)}, {case.money(few.per_month)} a month, and takes "
        f"{few.blast_mean:.1f} runs with it ({few.blast_worst} at p95); {named(many)} "
        f"{_capacity(many)}, {case.money(many.per_month)}, {many.blast_mean:.1f} "
        f"({many.blast_worst})",
    )


def _pair(case: Case) -> tuple[Option, Option] | None:
    """Two that hold, of the same vCPU in all and about the price of the choice, or above."""
    holding = [each for each in case.options if each.holds]
    for few in holding:
        for many in holding:
            same = few.vcpu * few.replicas == many.vcpu * many.replicas
            if same and few.replicas < many.replicas:
                return few, many
    return None


def _capacity(option: Option) -> str:
    if option.capacity_low is None or option.capacity_low == option.capacity_high:
        return f"{option.capacity}"
    return f"{option.capacity} ({show_span(option.capacity_low, option.capacity_high)})"


def _shared_state(case: Case) -> Comparison:
    question = "Does a bigger task let runs share loaded models and tables?"
    says = "yes: keep one large server where loading them anew would be costly"
    heavy = case.workload("heavy-import")
    seen = ""
    if heavy is not None and heavy.model.bytes_per_run is not None:
        seen = f"; measured: {heavy.model.bytes_per_run.value / MIB:.0f} MiB for each run of it"
    return guide.beside(
        question,
        says,
        "no: every run is a spawned process that imports all of it again, on any size (read from "
        f"the code){seen}",
        basis="measured" if seen else "not measured",
        sources=heavy.sources if heavy is not None and seen else (),
    )


def _out_of_memory(case: Case) -> Comparison:
    question, says = "What does running out of memory cost?", "all runs of that server"
    for source in sources_of(case.known):
        for blast in source.finding.blasts:
            return guide.beside(
                question,
                says,
                f"at {blast.concurrency} runs: {blast.runs_lost} of {blast.runs_offered} lost, "
                f"{blast.runs_killed} killed; what died was the {blast.victim}",
                basis="measured",
                sources=[source],
            )
    return guide.beside(
        question,
        says,
        "nothing was killed here. Linux kills the largest process, which is one run or the server "
        "itself",
        basis="not measured",
    )


def _deploys() -> Comparison:
    return guide.beside(
        "Do replicas give clean rolling deploys?",
        "yes: one replica drains at a time",
        "the Dagster+ agent for ECS starts a new service and ends the old one without waiting for "
        "its runs, however many replicas (read from the code)",
        basis="not measured",
    )


def _start_with(case: Case) -> Comparison:
    theirs = case.option(guide.COMMON_SIZE, guide.COMMON_REPLICAS)
    says = (
        f"{guide.COMMON_REPLICAS} × {guide.COMMON_SIZE}, each with about {guide.COMMON_RUNS} runs"
    )
    if theirs is None:
        here = "that many replicas were not looked at"
        return guide.beside("What to start with?", says, here)
    per_month = case.money(theirs.per_month)
    here = f"that costs {per_month} a month and would hold {_capacity(theirs)} of these runs"
    if case.choice is not None:
        here += f"; {named(case.choice)} costs {case.money(case.choice.per_month)}"
    return guide.beside("What to start with?", says, here)
