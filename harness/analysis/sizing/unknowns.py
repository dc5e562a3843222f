"""What sizing from measured cells and a model cannot know, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from harness.analysis.sizing.case import Case, sources_of
from harness.analysis.sizing.choice import named
from harness.analysis.sizing.known import ALIKE, Source
from harness.analysis.sizing.types import Option
from harness.units import show_cores, show_seconds

DAEMON_BUSY = 0.5
"""From this part of its time on a daemon that launches one run at a time is worth a sentence."""


def unknowns_of(case: Case) -> tuple[str, ...]:
    """Doubts about the measurement first, then what was never in it."""
    return tuple(_all(case))


def _all(case: Case) -> Iterator[str]:
    sources = sources_of(case.used)
    for source in sources:
        yield from (f"Doubt about {source.name}: {doubt}" for doubt in source.doubts)
    names = " and ".join(each.workload for each in case.used)
    yield (
        f"Your own runs: {names} stand{'' if len(case.used) > 1 else 's'} in for them, with "
        "little to import and little memory. Measure the memory of one of yours and give it with "
        "--per-run-mib."
    )
    yield from _memory(case)
    yield _machine(sources)
    if case.choice is not None:
        yield from _choice(case, case.choice)
    yield from _longer(case)
    yield (
        "Durations: how many are in flight depends on their mean alone, as long as arrivals come "
        "by chance. Runs that all start at minute 0 do not: try --preset burst, or a higher "
        "--burst."
    )
    yield from _feeding(case)
    yield (
        "The price is vCPU and memory around the clock, without storage, logs, addresses, load "
        f"balancer or the agent; {case.terms.price.source}, {case.terms.price.as_of}."
    )


def _memory(case: Case) -> Iterator[str]:
    for each in case.used:
        if each.model.bytes_per_run is None:
            yield f"Memory a run of {each.workload}: it was not found, so memory was not looked at."


def _longer(case: Case) -> Iterator[str]:
    """Durations that were not measured."""
    for part in case.terms.demand.parts:
        known, wanted_s = case.workload(part.workload), part.duration.mean_s
        if known is not None and abs(wanted_s - known.run_s) > ALIKE * known.run_s:
            yield (
                f"Runs of {show_seconds(wanted_s)}: {part.workload} was measured with runs of "
                f"{show_seconds(known.run_s)}; what a launch costs is taken to be the same."
            )


def _machine(sources: tuple[Source, ...]) -> str:
    found = [source.host.get("cpu_model") or "an unnamed CPU" for source in sources]
    cpus = " and ".join(dict.fromkeys(str(each) for each in found))
    return (
        f"The CPU of Fargate: measured on {cpus}. A vCPU there may be slower or faster, and "
        "launch times go with it."
    )


def _choice(case: Case, choice: Option) -> Iterator[str]:
    if choice.basis == "predicted":
        yield f"{named(choice)} itself: it is predicted, not measured. {_verify(case, choice)}"
    if choice.replicas > 1:
        yield (
            "Replicas behind one DNS name: that runs fall on them by chance is read from "
            "Dagster's client, not measured here; nothing keeps one from getting more than its "
            "share."
        )
    yield (
        "What becomes of lost runs: Dagster's default launcher cannot see that a server died, so "
        "they stay STARTED and keep their slots until somebody ends them (read from the code)."
    )


def _verify(case: Case, choice: Option) -> str:
    """The command that measures the choice with the campaign it comes from."""
    sources = sources_of(case.used)
    settings = [f"profiles=[{choice.profile}]", f"replicas={choice.replicas}"]
    if choice.max_workers is not None:
        settings.append(f"max_workers={choice.max_workers}")
    command = " ".join(f"--set '{setting}'" for setting in settings)
    folders = dict.fromkeys(source.folder for source in sources)
    told = [f"harness run {quote(f'{folder}/campaign.yaml')} {command}" for folder in folders]
    need = choice.vcpu * choice.replicas + 1
    return (
        f"Verify with: {'; '.join(told)} (needs {show_cores(need)} on one machine; durations of "
        "your own go into the workload's parameters)."
    )


def _feeding(case: Case) -> Iterator[str]:
    demand, blend = case.terms.demand, case.terms.blend
    hold_s = blend.hold_s(1.0)
    if hold_s is not None and demand.peak_rate_per_s * hold_s > DAEMON_BUSY:
        yield (
            f"What feeds the server: a launch takes the run queue's daemon at least "
            f"{show_seconds(hold_s)}, one at a time unless dequeue threads are on, so it starts "
            f"{1 / hold_s:.2f} runs/s at most; {demand.peak_rate_per_s:.2f} are wanted."
        )
    else:
        yield ("What feeds the server: webserver, daemon, agent and database are taken to keep up.")
    yield (
        "Limits of the control plane: on Dagster+ non-isolated runs have one of their own, "
        "max_concurrent_non_isolated_runs, 1 unless you raise it. Sensors hold workers too: add "
        "those that tick at a time."
    )
