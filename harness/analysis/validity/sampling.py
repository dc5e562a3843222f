"""Did the observer see enough, in time, and without being in the way?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.analysis.measures.percentiles import percentile
from harness.analysis.measures.windows import Samples, gauges, is_sparse
from harness.analysis.validity.case import CellCase, CellCheck, StepCase, StepCheck
from harness.analysis.validity.issue import Issue

SAMPLES_WANTED = 0.8
"""Of the looks due: with fewer, a counter's edge and a short peak may fall into a gap."""

SAMPLES_LATE_S = 0.5
"""More than two beats of the fastest device (5 Hz)."""

SLOW_BEAT_S = 0.6
"""The engine's statistics come once a second, cgroup files five times: this lies between."""

OBSERVER_BUSY_CORES = 0.25
"""Six times what it uses with every device (0.03 to 0.05 cores); on a small machine it is then
taken from the server or from what feeds it."""

LOCAL_DEVICES = ("cgroup", "processes")
"""Read from this machine alone: when they are late, the observer is, not the server."""


def _late(case: CellCase) -> Iterator[Issue]:
    for device in LOCAL_DEVICES:
        late = percentile(case.samples.lateness_s(device).tolist(), 95)
        if late is not None and late.value > SAMPLES_LATE_S:
            yield Issue(
                code="samples_late",
                severity="warning",
                evidence=f"samples of device {device} came {late.value:.1f} s late (p95)",
                remedy="Leave the observer more CPU: a smaller profile or a larger machine.",
            )


def _missing(case: StepCase) -> Iterator[Issue]:
    hold = case.hold
    if hold is None or "cgroup" not in case.cell.devices or case.cell.unavailable("cgroup"):
        return
    seen = gauges(case.samples, "cgroup", "usage_bytes", window=hold)
    wanted = (hold.end_s - hold.start_s) * _rate_hz(case.samples) * case.cell.replicas
    count = sum(len(values) for values in seen.values())
    if count < SAMPLES_WANTED * wanted:
        yield case.issue(
            "samples_missing",
            "warning",
            f"{count} of {wanted:.0f} memory and CPU samples were taken",
            remedy="Leave the observer more CPU, or switch off devices (`doctor --devices`).",
        )


def _rate_hz(samples: Samples) -> float:
    """5 Hz from cgroup files; 1 Hz where the engine's statistics stand in for them; as often as a
    server tells of itself.
    """
    for source in samples.sources("cgroup", "usage_bytes"):
        times, _ = samples.series("cgroup", "usage_bytes", source=source)
        if is_sparse(times):
            return 1.0 / float(np.median(np.diff(times)))
        if len(times) >= 2:
            return 1.0 if float(np.median(np.diff(times))) > SLOW_BEAT_S else 5.0
    return 5.0


def _errors(case: StepCase) -> Iterator[Issue]:
    """The sampler writes one sample of this running count for every look that failed."""
    whole = case.whole
    if whole is None:
        return
    failed = {
        device: len(
            case.samples.series(device, "errors", start_s=whole.start_s, end_s=whole.end_s)[0]
        )
        for device in case.cell.devices
    }
    said = [f"{count} of {device}" for device, count in failed.items() if count]
    if said:
        yield case.issue(
            "device_errors",
            "warning",
            f"looks that failed: {', '.join(said)}",
            remedy="The event `device_error` in events.jsonl says why.",
        )


def _observer_busy(case: StepCase) -> Iterator[Issue]:
    cores = case.step.observer_cpu_cores
    if cores is not None and cores >= OBSERVER_BUSY_CORES:
        yield case.issue(
            "observer_busy",
            "warning",
            f"the harness itself used {cores:.2f} cores beside the load",
            remedy="Switch off devices (`doctor --devices` says what each costs).",
        )


STEP_CHECKS: tuple[StepCheck, ...] = (_missing, _errors, _observer_busy)
CELL_CHECKS: tuple[CellCheck, ...] = (_late,)
