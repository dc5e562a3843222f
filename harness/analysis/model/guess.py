"""Where a search should begin: a prediction used as a hint, never as an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.analysis.measures.steps import StepSummary
from harness.analysis.model.cell_model import CellModel, Figure
from harness.analysis.model.fitting import kind_of, model_of, pooled
from harness.analysis.model.prediction import HIGHEST, memory_limit, predict, setting_of
from harness.analysis.model.resources import Resources
from harness.facts.model import Cell

TYPICAL_TAIL_RESPONSE = 1.15
TYPICAL_TAIL_LAUNCH = 1.25
"""Taken by `first_guess` alone, which has seen no load: medians over the seven loaded steps of the
committed compose baseline, against the model of its unloaded steps."""


def first_guess(
    cell: Cell,
    summaries: Sequence[StepSummary],
    resources: Resources,
    slos: Mapping[str, float],
    *,
    highest: int = HIGHEST,
) -> int | None:
    """Where to begin the search, knowing the unloaded steps alone. At least 1.

    Args:
        summaries: of the unloaded steps.
        resources: of the same steps.
        highest: of the whole cell; the guess is not above it.

    Returns:
        `None` when the CPU seconds of a run are not known, or its memory where that is limited.
    """
    model = model_of(cell, summaries, resources)
    if model is None:
        return None
    if not model.tail_response.n:
        model = replace(model, tail_response=Figure(value=TYPICAL_TAIL_RESPONSE))
    if not model.tail_launch.n:
        model = replace(model, tail_launch=Figure(value=TYPICAL_TAIL_LAUNCH))
    return _guess(model, cell, slos, highest=highest)


def earlier_guess(
    models: Sequence[CellModel], cell: Cell, slos: Mapping[str, float], *, highest: int = HIGHEST
) -> int | None:
    """Where to begin the search, from models of earlier cells of the same kind. At least 1.

    `None` when none of them is of the same workload, parameters, Dagster, executor, feed and
    target.
    """
    fitting = [model for model in models if model.kind == kind_of(cell)]
    return _guess(pooled(fitting), cell, slos, highest=highest) if fitting else None


def _guess(model: CellModel, cell: Cell, slos: Mapping[str, float], *, highest: int) -> int | None:
    setting = setting_of(cell)
    limited = setting.memory_bytes is not None and memory_limit(slos) is not None
    if limited and model.bytes_per_run is None:
        return None
    share = math.ceil(highest / setting.replicas)
    found = predict(model, setting, slos, highest=share)
    return None if found is None else max(1, min(highest, found.concurrency))
