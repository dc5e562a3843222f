"""How a campaign under way is put into words; the lines of a log and the dashboard share them.

The words of finished findings are in `harness.report.phrases`; those need the statistics, which a
command line that only asks for help must not wait for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.facts.model import Run, Step, StepKind
from harness.rig.protocols import Opinion
from harness.units import mib, show_seconds, show_span

SURE = 0.995
"""From here on two digits of a probability would say 1.00, which nothing is."""

STATUSES = {
    "SUCCESS": "succeeded", "FAILURE": "failed", "CANCELED": "canceled", "LOST": "lost",
    "UNFINISHED": "unfinished", "REJECTED": "rejected",
}  # fmt: skip


def one_line(text: str) -> str:
    """The text on one line, without anything that could move a cursor."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def load_words(kind: StepKind, concurrency: int, rate_per_s: float | None = None) -> str:
    """What a step offers: `8 at once`, `8 offered at 0.50/s`."""
    if kind == "warmup":
        return "warm-up"
    beside = ", beside a fault" if kind == "fault" else ""
    if rate_per_s is not None:
        return f"{concurrency} offered at {rate_per_s:.2f}/s{beside}"
    return f"{concurrency} at once{beside}"


def counts_words(step: Step, runs: Sequence[Run]) -> str:
    """What was seen of a step, without judging it: counts, time, memory."""
    by_status = {status: sum(r.status == status for r in runs) for status in STATUSES}
    counts = ", ".join(f"{n} {STATUSES[status]}" for status, n in by_status.items() if n)
    peak = f", peak {mib(step.kernel_peak_bytes):,.0f} MiB" if step.kernel_peak_bytes else ""
    lasted = show_seconds(step.phases[-1].end_s - step.phases[0].start_s) if step.phases else "0 s"
    return f"{counts or 'no runs'} in {lasted}{peak}"


def verdict_words(opinion: Opinion) -> str:
    """`pass`, or `fail (launch_s_p95, slowdown_p95)`."""
    broken = f" ({', '.join(opinion.broken)})" if opinion.broken else ""
    return f"{opinion.verdict}{broken}"


def figures_words(opinion: Opinion) -> str:
    """`response p95 9.1 s, 0.41 runs/s`, as far as known."""
    figures = []
    if opinion.response_p95_s is not None:
        figures.append(f"response p95 {show_seconds(opinion.response_p95_s)}")
    if opinion.throughput_runs_per_s is not None:
        figures.append(f"{opinion.throughput_runs_per_s:.2f} runs/s")
    return ", ".join(figures)


def threshold_words(opinion: Opinion | None) -> str:
    """Where the threshold lies so far: `threshold 4 to 7`; empty where none is looked for."""
    if opinion is not None and not opinion.seeks:
        return ""
    if opinion is None or opinion.low is None:
        return "threshold not known yet"
    if opinion.high is None and not opinion.low:
        return "threshold not known yet"
    if opinion.high == 0:
        return "threshold below 1"
    return f"threshold {show_span(opinion.low, opinion.high)}"


def sure_words(opinion: Opinion | None) -> str:
    """How sure its lower end is: `4 holds, P = 0.97`; empty where there is nothing to say."""
    if opinion is None or not opinion.low or opinion.probability is None:
        return ""
    if opinion.probability >= SURE:
        return f"{opinion.low} holds, P > 0.99"
    return f"{opinion.low} holds, P = {opinion.probability:.2f}"


def elapsed(duration_s: float) -> str:
    """Time that goes on, in whole seconds: `7 s`, `12 min 34 s`."""
    whole_s = max(0, math.floor(duration_s))
    return f"{whole_s} s" if whole_s < 120 else show_seconds(whole_s)


def about(duration_s: float) -> str:
    """A duration nobody knows exactly: `about 40 s`, `about 6 min`, `about 2 h 10 min`."""
    if duration_s < 95:
        return f"about {max(10, math.ceil(duration_s / 10) * 10)} s"
    minutes = round(duration_s / 60)
    if minutes < 100:
        return f"about {minutes} min"
    hours, minutes = divmod(round(minutes, -1), 60)
    return f"about {hours} h {minutes} min" if minutes else f"about {hours} h"
