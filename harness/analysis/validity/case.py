"""What every check looks at, and the questions several of them ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.analysis.measures.steps import StepSummary
from harness.analysis.measures.windows import Samples, end_of
from harness.analysis.validity.issue import Code, Issue, Severity
from harness.facts.model import Cell, Phase, Run, Step

CPU_FULL = 0.9
"""Of the enforced limit: the part above is lost to the granularity of quota periods."""

THROTTLED = 0.5
"""Of the quota periods: the server waited for its quota in every other one."""

Load = Literal["saturated", "free", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCase:
    """One step. `runs` are all runs sent in it, in the order they were recorded."""

    cell: Cell
    summary: StepSummary
    runs: tuple[Run, ...]
    samples: Samples

    @property
    def step(self) -> Step:
        """The step as it went."""
        return self.summary.step

    @property
    def hold(self) -> Phase | None:
        """The judged window, `None` where the step has none."""
        return self.summary.hold

    @property
    def whole(self) -> Phase | None:
        """From the first phase's start to the last one's end."""
        phases = self.step.phases
        if not phases:
            return None
        return Phase(name="whole", start_s=phases[0].start_s, end_s=phases[-1].end_s)

    def issue(self, code: Code, severity: Severity, evidence: str, *, remedy: str) -> Issue:
        """A doubt about this step."""
        return Issue(
            code=code,
            severity=severity,
            evidence=evidence,
            remedy=remedy,
            step=self.step.index,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCase:
    """A whole cell. `runs` may be of all its steps, or empty where they were not given."""

    cell: Cell
    summaries: tuple[StepSummary, ...]
    runs: Sequence[Run]
    samples: Samples
    unloaded_known: bool
    host_cpus: float | None


StepCheck = Callable[[StepCase], Iterator[Issue]]
CellCheck = Callable[[CellCase], Iterator[Issue]]


def sent_within(runs: Sequence[Run], window: Phase) -> list[Run]:
    """Runs sent in `[start_s, end_s)`."""
    return [run for run in runs if window.start_s <= run.sent_s < window.end_s]


def left_within(runs: Sequence[Run], window: Phase) -> list[Run]:
    """Runs that left the system in `[start_s, end_s)`, however they ended."""
    return [run for run in runs if window.start_s <= end_of(run) < window.end_s]


def saturation(summary: StepSummary) -> str:
    """Why the server itself was at its limit, in words; empty where nothing says so."""
    server, queues = summary.server, summary.queues
    said = []
    if server.cpu_ratio is not None and server.cpu_ratio >= CPU_FULL:
        said.append(f"the server's CPU was at {server.cpu_ratio:.0%} of its limit")
    if server.throttled_ratio is not None and server.throttled_ratio >= THROTTLED:
        said.append(f"it was throttled in {server.throttled_ratio:.0%} of the periods")
    if queues.pool_median:
        said.append(f"{queues.pool_median:g} requests waited for a worker (median)")
    return ", ".join(said)


def load_of(summary: StepSummary) -> Load:
    """Whether the server was at its limit. `free` needs both its CPU and its pool to be known."""
    if saturation(summary):
        return "saturated"
    known = summary.server.cpu_ratio is not None and summary.queues.pool_median is not None
    return "free" if known else "unknown"
