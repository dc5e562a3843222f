"""Did the machine itself have CPU to give, and at the same speed throughout?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.analysis.measures.steps import StepSummary
from harness.analysis.measures.windows import Samples, of_the_host
from harness.analysis.validity.case import CellCase, CellCheck, StepCase, StepCheck
from harness.analysis.validity.issue import Issue

STEAL_RATIO = 0.05
"""A convention, not measured: a little above what equal cloud benchmarks differ by (3.7 %, arXiv
2504.11826). Beyond it a neighbour is in the result."""

HOST_FULL = 0.9
"""Of the machine's CPUs, mean of the window. The load average is quoted but does not decide: it
counts what waits for a disk, and stood at 3.5 on two CPUs of which a third was idle."""

FREQUENCY_FELL = 0.9
"""Of the clock in the unloaded step: slower by a tenth, every CPU-second is longer by a tenth."""


def _steal(case: StepCase) -> Iterator[Issue]:
    if case.hold is None:
        return
    seen = of_the_host(case.samples, "cpu_steal_ratio", window=case.hold)
    if seen is None:
        return
    ratio = float(np.mean(seen))
    if ratio > STEAL_RATIO:
        yield case.issue(
            "host_steal",
            "warning",
            f"the hypervisor took {ratio:.0%} of the CPU away",
            remedy="Measure on a dedicated or quieter machine.",
        )


def _full(case: CellCase) -> Iterator[Issue]:
    cpus = case.host_cpus
    used = [(s.host_cpu_cores, s) for s in case.summaries if s.host_cpu_cores is not None]
    if not cpus or not used:
        return
    cores, worst = max(used, key=lambda pair: pair[0])
    if cores < HOST_FULL * cpus:
        return
    load1 = _median(case.samples, worst, "load1")
    load = "" if load1 is None else f", load average {load1:.1f}"
    yield Issue(
        code="host_full",
        severity="warning",
        evidence=f"at concurrency {worst.concurrency} {cores:.1f} of the machine's {cpus:g} CPUs "
        f"were busy{load}: the server had to share",
        remedy="Measure a smaller profile, or use a machine with more CPUs.",
    )


def _slowed(case: CellCase) -> Iterator[Issue]:
    clocks = [
        (mhz, summary)
        for summary in case.summaries
        if (mhz := _median(case.samples, summary, "freq_mhz"))
    ]
    unloaded = [mhz for mhz, summary in clocks if summary.step.kind == "unloaded"]
    if not unloaded:
        return
    reference = max(unloaded)
    mhz, worst = min(clocks, key=lambda pair: pair[0])
    if mhz < FREQUENCY_FELL * reference:
        yield Issue(
            code="host_slowed",
            severity="warning",
            evidence=f"the CPUs ran at {mhz:.0f} MHz at concurrency {worst.concurrency}, at "
            f"{reference:.0f} MHz unloaded",
            remedy="Cool the machine or fix its clock: CPU seconds of these steps do not compare.",
        )


def _median(samples: Samples, summary: StepSummary, key: str) -> float | None:
    if summary.hold is None:
        return None
    seen = of_the_host(samples, key, window=summary.hold)
    return None if seen is None else float(np.median(seen))


STEP_CHECKS: tuple[StepCheck, ...] = (_steal,)
CELL_CHECKS: tuple[CellCheck, ...] = (_full, _slowed)
