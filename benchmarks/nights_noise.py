"""The noise of real cells: how far equal ones lie apart, all metrics of a cell together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.analysis.comparison.metrics import METRICS
from harness.analysis.comparison.values import cell_values
from harness.analysis.findings.document import findings_of
from harness.analysis.history.kinds import kind_of, workload_in
from harness.errors import StoredDataError
from harness.facts.model import Cell
from harness.facts.store import read_results
from harness.scenarios.stored_plan import stored_plan

SCHEMA = 1
LEAST_CELLS = 4
MOST = 0.75
"""A key that fewer cells have is left out (a load only some searches went to); where a cell lacks
one of the others, the cell is."""

ALSO = ("per_run_mib",)
"""Metrics that do not gate, and are asked about all the same."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One real cell. `values`: by key, `launch_s@3` of a step; only those above 0."""

    folder: str
    kind: str
    build: str
    start_s: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindNoise:
    """What equal cells of one kind showed.

    `levels`: geometric mean of each key. `residuals`: one row a cell, ln(value) without its
    build's mean and without `drift_per_h`, scaled so that their variance is not too small for
    what was taken off. `gap_h`: hours from one cell of the kind to the next. `left_out`: keys
    that too few cells have.
    """

    kind: str
    keys: tuple[str, ...]
    levels: tuple[float, ...]
    residuals: tuple[tuple[float, ...], ...]
    drift_per_h: tuple[float, ...]
    gap_h: float
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """A noise file. `sources`: names of the results folders it was made from."""

    sources: tuple[str, ...]
    cells: int
    kinds: tuple[KindNoise, ...]


def noise_from(folders: Iterable[Path]) -> Noise:
    """The noise of all equal cells in some results folders, judged as the harness does today.

    Cells are equal that are of one kind and one build, in whatever folder.

    Raises:
        StoredDataError: a folder cannot be read, or too few cells are equal.
    """
    folders = sorted(folders)
    seen = [cell for folder in folders for cell in cells_in(folder)]
    return noise_of(seen, sources=[folder.name for folder in folders])


def cells_in(folder: Path) -> list[Seen]:
    """Every cell of a results folder with its gating figures."""
    stored = read_results(folder)
    campaign = stored_plan(folder, stored)
    findings = findings_of(campaign, stored.environment, stored.cells)
    planned = findings.campaign
    wanted = {metric.key for metric in METRICS if metric.gates} | set(ALSO)
    found = []
    for facts, cell in zip(stored.cells, findings.cells, strict=True):
        values = {
            key if load is None else f"{key}@{load}": known.value
            for (key, load), known in cell_values(cell).items()
            if key in wanted and known.value is not None and known.value > 0
        }
        found.append(
            Seen(
                folder=folder.name,
                kind=kind_of(cell, planned, workload_in(planned, cell.workload)),
                build=cell.dagster,
                start_s=_start_s(facts.cell),
                values=values,
            )
        )
    return found


def noise_of(seen: Sequence[Seen], *, sources: Sequence[str]) -> Noise:
    """The noise of cells that were read.

    Raises:
        StoredDataError: no kind has four equal cells with a figure in common.
    """
    kinds = [
        kind
        for name in sorted({cell.kind for cell in seen})
        if (kind := _kind_noise([cell for cell in seen if cell.kind == name])) is not None
    ]
    if not kinds:
        raise StoredDataError(
            f"No {LEAST_CELLS} cells are equal: nothing tells how far they scatter.",
            hint="Measure a campaign with `repetitions: 4`.",
        )
    cells = sum(len(kind.residuals) for kind in kinds)
    return Noise(sources=tuple(sources), cells=cells, kinds=tuple(kinds))


def document_of(noise: Noise) -> dict[str, Any]:
    """As it is written, five digits being enough."""
    return {"schema": SCHEMA, **_rounded(asdict(noise))}


def noise_in(document: Mapping[str, Any]) -> Noise:
    """As it was written.

    Raises:
        StoredDataError: of another schema.
        KeyError, TypeError: no noise file at all.
    """
    if document["schema"] != SCHEMA:
        raise StoredDataError(f"This is not a noise file of schema {SCHEMA}.")
    kinds = tuple(
        KindNoise(
            kind=each["kind"],
            keys=tuple(each["keys"]),
            levels=tuple(each["levels"]),
            residuals=tuple(tuple(row) for row in each["residuals"]),
            drift_per_h=tuple(each["drift_per_h"]),
            gap_h=each["gap_h"],
            left_out=tuple(each["left_out"]),
        )
        for each in document["kinds"]
    )
    return Noise(sources=tuple(document["sources"]), cells=document["cells"], kinds=kinds)


def _kind_noise(cells: Sequence[Seen]) -> KindNoise | None:
    keys = _keys(cells)
    everywhere = [key for key in keys if sum(key in c.values for c in cells) >= MOST * len(cells)]
    whole = [cell for cell in cells if all(key in cell.values for key in everywhere)]
    builds = [cell.build for cell in whole]
    equal = sorted(
        (cell for cell in whole if builds.count(cell.build) > 1), key=lambda cell: cell.start_s
    )
    if len(equal) < LEAST_CELLS or not everywhere:
        return None
    logs = np.log([[cell.values[key] for key in everywhere] for cell in equal])
    hours = np.array([cell.start_s - equal[0].start_s for cell in equal]) / 3600
    groups = [
        np.flatnonzero([cell.build == build for cell in equal])
        for build in dict.fromkeys(cell.build for cell in equal)
    ]
    around, since = logs.copy(), hours.copy()
    for rows in groups:
        around[rows] -= logs[rows].mean(axis=0)
        since[rows] -= hours[rows].mean()
    power = float(since @ since)
    drift = since @ around / power if power > 0 else np.zeros(len(everywhere))
    spent = len(groups) + (power > 0)
    scale = math.sqrt(len(equal) / max(1, len(equal) - spent))
    return KindNoise(
        kind=equal[0].kind,
        keys=tuple(everywhere),
        levels=tuple(np.exp(logs.mean(axis=0)).tolist()),
        residuals=tuple(tuple(row) for row in ((around - np.outer(since, drift)) * scale).tolist()),
        drift_per_h=tuple(drift.tolist()),
        gap_h=float(np.median(np.diff(hours))),
        left_out=tuple(key for key in keys if key not in everywhere),
    )


def _keys(cells: Sequence[Seen]) -> list[str]:
    return list(dict.fromkeys(key for cell in cells for key in cell.values))


def _start_s(cell: Cell) -> float:
    return cell.idle_start_s or 0.0


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
