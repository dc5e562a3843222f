"""What one run at work holds: the memory of a run process that has done its imports."""

from __future__ import annotations

import numpy as np

from harness.analysis.measures.windows import FloatArray, Samples
from harness.facts.model import Phase

GROWN = 0.8
"""Which quantile over the looks: while one run of several still imports, the mean over them is
low.
"""


def grown_run_bytes(samples: Samples, window: Phase) -> float | None:
    """RSS a resident run, at the 80th percentile over all looks of the window that saw any.

    Shared pages count with every process, so this is no share of the container's memory
    (`per_run_mib` is); but it is read, not fitted. In the committed versions campaign it varied by
    0.1 % between equal cells with one run, by 3 to 5 % with three (some of them still importing);
    the fitted slope by 6 to 14 %. `None` where processes were not looked at.
    """
    looks: list[float] = []
    for source in samples.sources("processes", "resident_runs"):
        times, counts = _within(samples, "resident_runs", source, window)
        rss_times, rss = _within(samples, "runs_rss_bytes", source, window)
        if len(rss_times):
            alive = counts >= 1
            held = np.interp(times, rss_times, rss)[alive]
            looks.extend((held / counts[alive]).tolist())
    return float(np.quantile(looks, GROWN)) if looks else None


def _within(
    samples: Samples, key: str, source: str, window: Phase
) -> tuple[FloatArray, FloatArray]:
    return samples.series(
        "processes", key, source=source, start_s=window.start_s, end_s=window.end_s
    )
