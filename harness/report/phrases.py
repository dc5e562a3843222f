"""How findings are put into words: one place, so that all reports say the same."""

from __future__ import annotations

import math

from harness.analysis.blast import Blast
from harness.analysis.findings.document import (
    Capacity,
    CellFinding,
    CpuFinding,
    MemoryFinding,
    Recommendation,
    SloFinding,
    WorkerFinding,
)
from harness.analysis.findings.types import ProfileFinding
from harness.units import MIB, show_bytes, show_cores, show_seconds, show_span

UNKNOWN = "-"
RATIO_SLOS = ("failed_runs", "memory_headroom")
LIMIT_WORDS = {
    "launch_cpu": "CPU for starting runs",
    "worker_pool": "gRPC workers",
    "memory": "memory",
    "control_plane": "what feeds the server",
    "run_cpu": "CPU of the runs' own work",
}
"""The limits of docs/glossary.md ("What binds") in words."""


def plain(value: object, spec: str = "") -> str:
    """A value as it is, or a dash where it is not known."""
    if value is None:
        return UNKNOWN
    if isinstance(value, float) and not spec:
        return f"{value:g}"
    return format(value, spec)


def seconds(duration_s: float | None) -> str:
    """A duration, or a dash."""
    return UNKNOWN if duration_s is None else show_seconds(duration_s)


def percent(ratio: float | None) -> str:
    """A ratio as whole percent, or a dash."""
    return UNKNOWN if ratio is None else f"{ratio:.0%}"


def marked(duration_s: float | None, *, enough: bool) -> str:
    """A percentile's duration; with a star where it is only the largest of a few values."""
    star = "*" if duration_s is not None and not enough else ""
    return seconds(duration_s) + star


def count_of(number: int | None, noun: str) -> str:
    """`1 run`, `8 runs`."""
    return f"{plain(number)} {noun}" + ("" if number == 1 else "s")


def cell_name(cell: CellFinding) -> str:
    """What distinguishes a cell from its neighbours, short."""
    replicas = f" r{cell.replicas}" if cell.replicas > 1 else ""
    again = f" round {cell.repetition}" if cell.repetition is not None else ""
    return (
        f"{cell.workload} {cell.profile.name} {cell.dagster} w{cell.max_workers}{replicas} "
        f"{cell.feed} {cell.target}{again}"
    )


def cell_title(cell: CellFinding) -> str:
    """What distinguishes a cell from its neighbours, in words."""
    replicas = f", {cell.replicas} replicas" if cell.replicas > 1 else ""
    again = f", round {cell.repetition}" if cell.repetition is not None else ""
    return (
        f"{cell.workload} on {cell.profile.name}, Dagster {cell.dagster}, "
        f"{cell.max_workers} workers{replicas}, {cell.feed} feed, {cell.target}{again}"
    )


def capacity_phrase(capacity: Capacity) -> str:
    """`8 (95 %: 8 to 11)`, `≥ 20 (not bracketed)`, `< 1`, or that there is none.

    A question mark: it was tried and passed, but is less sure than asked for.
    """
    doubt = "" if capacity.confirmed else "?"
    sure = confidence_phrase(capacity)
    if capacity.status == "bracketed":
        ends = show_span(capacity.low, capacity.high)
        return f"{capacity.concurrency}{doubt} ({sure}: {ends})"
    if capacity.status == "above_max":
        return f"≥ {capacity.concurrency}{doubt} (not bracketed)"
    if capacity.status == "below_min":
        return f"< {capacity.first_failing}{doubt}"
    held = f", held at {capacity.low}" if capacity.low is not None else ""
    return f"none (invalid{held})"


def confidence_phrase(capacity: Capacity) -> str:
    """How sure the interval is: `80 %`."""
    return f"{capacity.confidence:.0%}".replace("%", " %")


def sureness_phrase(capacity: Capacity) -> str:
    """`4 holds with a probability of more than 99 %, on 4 judged steps`."""
    steps = count_of(capacity.steps, "judged step")
    if capacity.probability is None or not capacity.concurrency:
        return f"It rests on {steps}"
    probable = probability_phrase(capacity.probability)
    return f"{capacity.concurrency} holds with a probability of {probable}, on {steps}"


def search_phrase(cell: CellFinding) -> str:
    """How sure the capacity is, on how many steps it rests, and why the search ended."""
    ended = f"; {cell.search.ended}" if cell.search.ended else ""
    return f"{sureness_phrase(cell.capacity)}{ended}"


def binding_phrase(cell: CellFinding) -> str:
    """The limit that gave first; `~` where likely, `?` where unclear."""
    binding = cell.binding
    if binding is None or binding.limit is None:
        return UNKNOWN
    mark = {"clear": "", "likely": "~"}.get(binding.strength, "?")
    return f"{mark}{binding.limit}"


def predicted_phrase(cell: CellFinding) -> str:
    """What the model expects of this very cell, always labelled."""
    predicted = cell.predicted
    if predicted is None:
        return UNKNOWN
    ends = "" if predicted.low is None else f" ({predicted.low} to {plain(predicted.high)})"
    limit = f", {predicted.binding} binding" if predicted.binding else ""
    return f"predicted {predicted.concurrency}{ends}{limit}"


def knee_phrase(cell: CellFinding) -> str:
    """Where the response begins to bend."""
    knee = cell.knee
    if knee.runs is None or knee.status != "bracketed":
        return f"knee: {knee.status.replace('_', ' ')}: {knee.reason}"
    ends = "" if knee.low is None else f" ({knee.low:.1f} to {plain(knee.high, '.1f')})"
    return f"knee at {knee.runs:.1f} runs{ends}"


def blast_phrase(blast: Blast) -> str:
    """What an OOM kill cost."""
    who = "the server itself died" if blast.victim == "server" else "runs were killed"
    back = (
        f", serving again after {show_seconds(blast.until_serving_s)}"
        if blast.until_serving_s is not None
        else ""
    )
    return (
        f"out of memory at {count_of(blast.concurrency, 'run')}: {who}, {blast.runs_lost} of "
        f"{blast.runs_offered} runs lost with it, {blast.runs_killed} killed{back} "
        f"({'; '.join(blast.witnesses)})"
    )


def slo_phrase(name: str, slo: SloFinding) -> str:
    """`launch_s_p95 14 s, limit 10 s`, in the objective's own unit."""
    return f"{name} {slo_value(name, slo.observed)}, limit {slo_value(name, slo.limit)}"


def slo_value(name: str, value: float | None) -> str:
    """A value of an objective as people read it."""
    if value is None:
        return "no value"
    if name in RATIO_SLOS:
        return f"{value:.1%}" if value < 0.1 else f"{value:.0%}"
    if "_s_" in name:
        return show_seconds(value)
    return f"{value:.3g}" + ("/s" if name == "backlog_trend" else "")


def broken_phrase(cell: CellFinding) -> str:
    """The objective that broke at the first failing step, observed against its limit."""
    name = cell.capacity.broken_slo
    if name is None:
        return UNKNOWN
    for step in cell.steps:
        if step.concurrency == cell.capacity.first_failing and name in step.broken:
            return slo_phrase(name, step.slo[name])
    return name


def rate_phrase(rate: float | None, *, unit: str = "") -> str:
    """Runs per second."""
    return UNKNOWN if rate is None else f"{rate:.2f}{unit}"


def memory_phrase(memory: MemoryFinding, *, unit: str = "") -> str:
    """Memory a run with its 95 % interval."""
    if memory.per_run_mib is None:
        return UNKNOWN
    text = f"{memory.per_run_mib:.0f}{unit}"
    if memory.per_run_mib_ci is not None:
        low, high = memory.per_run_mib_ci
        text += f" ({low:.0f} to {high:.0f})"
    return text


def launch_cpu_phrase(cpu: CpuFinding) -> str:
    """CPU seconds to start one run."""
    return UNKNOWN if cpu.launch_cpu_s is None else f"{cpu.launch_cpu_s:.2f} CPU-s"


def settings_phrase(recommendation: Recommendation) -> str:
    """The settings to ship, or a dash."""
    if recommendation.max_concurrent_runs is None:
        return UNKNOWN
    workers = plain(recommendation.max_workers)
    return f"workers {workers}, max_concurrent_runs {recommendation.max_concurrent_runs}"


def worker_title(finding: WorkerFinding) -> str:
    """Which cells a comparison of settings is about."""
    at = f" at {count_of(finding.concurrency, 'run')}" if finding.concurrency else ""
    return f"{finding.setting} of {finding.workload} on {finding.profile}{at}"


def limit_words(limit: str | None) -> str:
    """`launch_cpu` as "CPU for starting runs"; a limit this version does not know as it is."""
    return UNKNOWN if limit is None else LIMIT_WORDS.get(limit, limit)


def size_phrase(profile: ProfileFinding) -> str:
    """`1 vCPU / 2 GiB`."""
    return f"{show_cores(profile.vcpu)} / {show_bytes(profile.memory_mib * MIB)}"


def probability_phrase(probability: float | None) -> str:
    """`97 %`, `more than 99 %`, `less than 1 %`: certainty is never claimed."""
    if probability is None:
        return UNKNOWN
    percent_down = math.floor(probability * 100)
    if percent_down >= 99:
        return "more than 99 %"
    return f"{percent_down} %" if percent_down else "less than 1 %"
