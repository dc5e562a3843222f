"""One step as a line of figures: terminal and Markdown say the same."""

from __future__ import annotations

from harness.analysis.findings.types import StepFinding
from harness.report.phrases import marked, percent, plain, rate_phrase


def load_phrase(step: StepFinding) -> str:
    """`8`, or `8 (no. 2)` for a repetition."""
    return f"{step.concurrency}{again_phrase(step)}"


def again_phrase(step: StepFinding) -> str:
    """Which repetition it is, empty for the first."""
    return f" (no. {step.repetition})" if step.repetition > 1 else ""


def outcome_counts(step: StepFinding) -> tuple[int, int, int]:
    """Runs that ended well, ended badly, and were lost."""
    return step.completed - step.failed, step.failed, step.lost


def step_figures(step: StepFinding) -> tuple[str, ...]:
    """Throughput, response p95, launch p95, slowdown, memory, CPU, throttled, pool queue, probe."""
    return (
        rate_phrase(step.throughput_runs_per_s),
        marked(step.response_s.p95, enough=step.response_s.enough),
        marked(step.launch_s.p95, enough=step.launch_s.enough),
        plain(step.slowdown_p95, ".2f"),
        percent(step.memory_peak_ratio),
        plain(step.cpu_cores, ".2f"),
        percent(step.throttled_ratio),
        plain(step.pool_queue_max),
        marked(step.probe_s.p99, enough=step.probe_s.enough),
    )


def verdict_phrase(step: StepFinding) -> str:
    """`pass`, `fail: launch_s_p95`, or `inconclusive:` and what cannot be known."""
    names: tuple[str, ...] = ()
    if step.verdict == "fail":
        names = step.broken
    elif step.verdict == "inconclusive":
        names = tuple(name for name, slo in step.slo.items() if slo.ok is None)
    return f"{step.verdict}: {', '.join(names)}" if names else step.verdict


def has_few(step: StepFinding) -> bool:
    """Whether any of the figures has the star of too few values."""
    seen = (
        (step.response_s.p95, step.response_s.enough),
        (step.launch_s.p95, step.launch_s.enough),
        (step.probe_s.p99, step.probe_s.enough),
    )
    return any(value is not None and not enough for value, enough in seen)
