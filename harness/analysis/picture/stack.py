"""The chart of who holds a server's memory: the server itself, its runs, their steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harness.analysis.measures.windows import CellRecord
from harness.analysis.picture.absence import why_nothing
from harness.analysis.picture.canvas import Canvas, Quantity
from harness.analysis.picture.series import drawable, together
from harness.analysis.picture.thinning import curve_of
from harness.analysis.picture.types import Group, Line
from harness.units import MIB

DEVICE = "processes"
LEAST_LOOKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A way of counting memory: `pss` shares out what processes share, `rss` counts it in each."""

    key: str
    title: str

    def quantity(self, who: str, name: str) -> Quantity:
        """What one layer of the stack shows."""
        return Quantity(
            name=f"{name} ({self.title})",
            metric=f"{who}_{self.key}_bytes",
            unit="MiB",
            digits=1,
            scale=1 / MIB,
        )


MEASURES = (
    Measure(key="pss", title="PSS"),
    Measure(key="rss", title="RSS, shared pages more than once"),
)


def processes_of(record: CellRecord, canvas: Canvas) -> Group:
    """Layers to stack for each replica: server, runs, steps; all of one replica at equal times."""
    sources = {
        source
        for measure in MEASURES
        for source in canvas.samples.sources(DEVICE, f"server_{measure.key}_bytes")
    }
    lines = drawable([line for source in sorted(sources) for line in _layers(canvas, source)])
    return Group(lines=lines, missing="" if lines else why_nothing(record, "process", DEVICE))


def _layers(canvas: Canvas, source: str) -> list[Line]:
    """By PSS where it was told, else by RSS; without steps where they were not told apart."""
    for measure in MEASURES:
        server = measure.quantity("server", "server")
        runs = measure.quantity("runs", "runs and their steps")
        times, server_bytes, runs_bytes = together(
            canvas, DEVICE, (server.metric, runs.metric), source=source
        )
        if len(times) < LEAST_LOOKS and measure != MEASURES[-1]:
            continue
        steps = measure.quantity("steps", "steps")
        told_s, *told = together(
            canvas, DEVICE, (server.metric, runs.metric, steps.metric), source=source
        )
        if len(told_s) == 0:
            curves = [curve_of(times, server_bytes), curve_of(times, runs_bytes)]
            return canvas.stack([server, runs], source, curves)
        alone = np.maximum(told[1] - told[2], 0.0)
        quantities = [server, replace(runs, name=f"runs ({measure.title})"), steps]
        curves = [curve_of(told_s, values) for values in (told[0], alone, told[2])]
        return canvas.stack(quantities, source, curves)
    return []
