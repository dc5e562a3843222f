"""Was the server the one that was meant, the same throughout, and evenly used?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from harness.analysis.measures.steps import TOLD
from harness.analysis.measures.windows import gauges
from harness.analysis.validity.case import CellCase, CellCheck, StepCase, StepCheck
from harness.analysis.validity.issue import Issue
from harness.facts.model import Limits, Phase
from harness.units import show_bytes

LIMIT_TOLERANCE = 0.01
"""The kernel rounds memory to pages and CPU to microseconds of a period."""

UNEVEN = 1.5
"""Times the even share. Two replicas may then differ three to one."""

UNEVEN_RUNS = 2.0
"""And by so many runs: a remainder always lies somewhere."""


def _unenforced(case: CellCase) -> Iterator[Issue]:
    # Of a server that never came up it is not known: its limits were not read back.
    if case.summaries and not case.cell.limits_enforced:
        evidence = "nothing enforced the profile's CPU and memory limits"
        remedy = (
            "Use a Docker engine, or run where a cgroup can be made "
            "(`harness doctor` says what is missing)."
        )
        if case.cell.target == "external":
            evidence = "the limits of the deployment's servers are not known"
            remedy = "Let them tell (DAGSTER_ENABLE_SERVER_METRICS=1), or say them (--server-size)."
        yield Issue(code="limits_unenforced", severity="warning", evidence=evidence, remedy=remedy)


def _limits_differ(case: CellCase) -> Iterator[Issue]:
    cell = case.cell
    difference = _difference(cell.requested_limits, cell.effective_limits)
    if cell.limits_enforced and difference:
        yield Issue(
            code="effective_limits_differ",
            severity="fatal",
            evidence=difference,
            remedy="See why the engine did not apply the limits; `harness doctor` shows its "
            "cgroup support.",
        )


def _difference(wanted: Limits, real: Limits | None) -> str:
    if real is None:
        return "the limits in force could not be read back"
    pairs = (
        ("CPU", wanted.cpu_cores, real.cpu_cores),
        ("memory", wanted.memory_bytes, real.memory_bytes),
    )
    return "; ".join(
        f"{name}: {asked:g} asked for, {got if got is None else format(got, 'g')} in force"
        for name, asked, got in pairs
        if asked is not None and (got is None or abs(got - asked) > LIMIT_TOLERANCE * asked)
    )


def _overcommitted(case: CellCase) -> Iterator[Issue]:
    cell = case.cell
    if cell.overcommitted:
        yield Issue(
            code="overcommitted",
            severity="warning",
            evidence=f"{cell.replicas} × {cell.vcpu:g} vCPU and "
            f"{show_bytes(cell.memory_bytes)} are more than this machine can spare",
            remedy="Measure a smaller profile, or use a larger machine.",
        )


def _replaced(case: CellCase) -> Iterator[Issue]:
    lives: dict[int, list[str]] = {}
    for summary in case.summaries:
        lives.setdefault(summary.step.server, []).append(str(summary.concurrency))
    if len(lives) > 1:
        said = "; ".join(
            f"{', '.join(steps)} on server {life + 1}" for life, steps in lives.items()
        )
        yield Issue(
            code="server_replaced",
            severity="warning",
            evidence=f"not every step met the same server: concurrency {said}",
            remedy="A fresh server after a death is not warmed up: repeat the first step after it.",
        )


def _peak_sampled(case: CellCase) -> Iterator[Issue]:
    steps = [
        str(summary.concurrency)
        for summary in case.summaries
        if summary.server.memory_peak_bytes is not None
        and not summary.server.peak_source.startswith("kernel")
    ]
    if steps:
        told = any(summary.server.peak_source == TOLD for summary in case.summaries)
        who = "what the server told every few seconds" if told else "the highest sample"
        kernel = "" if told else ", or use a kernel with cgroup v1 or memory.peak"
        yield Issue(
            code="peak_sampled",
            severity="warning",
            evidence=f"the memory peak is {who}, not the kernel's own counter, at "
            f"concurrency {', '.join(steps)}",
            remedy=f"A peak between two looks is not in it: leave memory headroom{kernel}.",
        )


def _aborted(case: StepCase) -> Iterator[Issue]:
    """A step broken off by the server's death is a measurement; any other is none."""
    step, summary = case.step, case.summary
    if step.outcome != "aborted":
        return
    died = bool(summary.server.oom_kills or step.restarts or summary.counts.lost)
    yield case.issue(
        "step_aborted",
        "warning" if died else "fatal",
        step.outcome_detail or "the step broke off, no reason recorded",
        remedy="The server died under this load: see its log." if died else "Measure it again.",
    )


def _uneven(case: StepCase) -> Iterator[Issue]:
    count = case.cell.replicas
    if count < 2 or case.hold is None:
        return
    shares = _runs_by_replica(case) or _resident_by_replica(case, case.hold)
    even = sum(shares.values()) / count
    if not shares or not even:
        return
    fullest = max(shares, key=lambda name: shares[name])
    most = shares[fullest]
    if most > UNEVEN * even and most - even >= UNEVEN_RUNS:
        yield case.issue(
            "replicas_uneven",
            "warning",
            f"{fullest} carried {most:.1f} runs, {even:.1f} of {count} replicas would be even",
            remedy="Fresh connections choose a replica by name lookup: see how names resolve.",
        )


def _runs_by_replica(case: StepCase) -> Mapping[str, float]:
    """Runs sent, where it is known of each which replica took it."""
    names = [run.replica for run in case.runs if run.run_id is not None]
    known = [name for name in names if name is not None]
    return {n: float(c) for n, c in Counter(known).items()} if len(known) == len(names) else {}


def _resident_by_replica(case: StepCase, hold: Phase) -> Mapping[str, float]:
    """Mean of the run processes alive."""
    seen = gauges(case.samples, "processes", "resident_runs", window=hold)
    return {name: float(values.mean()) for name, values in seen.items()}


STEP_CHECKS: tuple[StepCheck, ...] = (_aborted, _uneven)
CELL_CHECKS: tuple[CellCheck, ...] = (
    _unenforced,
    _limits_differ,
    _overcommitted,
    _replaced,
    _peak_sampled,
)
