"""Parts of a soak with one deployment: `harness resume` goes on with another database, webserver
and server, so that nothing can be told across it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from harness.analysis.measures.windows import CellRecord
from harness.facts.model import Step

RESUMED = "resumed"


def stretches(record: CellRecord, segments: Sequence[Step]) -> list[list[Step]]:
    """The segments of each deployment, in order; one list where the soak never broke off."""
    cuts = _cuts(record)
    found: dict[int, list[Step]] = {}
    for step in segments:
        if step.phases:
            found.setdefault(bisect_right(cuts, step.phases[0].start_s), []).append(step)
    return list(found.values())


def longest_stretch(record: CellRecord, segments: Sequence[Step]) -> list[Step]:
    """The segments of the deployment that served the most of them."""
    return max(stretches(record, segments), key=len, default=[])


def end_of_stretch_s(record: CellRecord, at_s: float) -> float:
    """When the deployment of that moment was gone for sure; +inf where it was the last one."""
    return next((cut for cut in _cuts(record) if cut > at_s), math.inf)


def _cuts(record: CellRecord) -> list[float]:
    return sorted(event.at_s for event in record.events if event.kind == RESUMED)
