"""What is known of one workload: the cells it was measured in, and the model they make together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from harness.analysis.findings.types import CellFinding
from harness.analysis.model.cell_model import CellModel, Figure
from harness.analysis.model.fitting import pooled
from harness.analysis.model.guess import TYPICAL_TAIL_LAUNCH, TYPICAL_TAIL_RESPONSE

ALIKE = 0.10
"""Durations that differ by no more than this part are taken as the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One measured cell.

    `campaign` is the results folder's name, `folder` where it lies. `run_s`: median execution
    time alone. `doubts`: what was doubted of the measurement, in sentences. `steps_at_once`: of
    the multiprocess executor. `host`: `environment.json`'s, of the machine.
    """

    campaign: str
    folder: str
    finding: CellFinding
    model: CellModel
    run_s: float
    slos: Mapping[str, float]
    steps_at_once: int | None = None
    doubts: tuple[str, ...] = ()
    host: Mapping[str, object]

    @property
    def name(self) -> str:
        """Where a number came from: campaign and cell."""
        return f"{self.campaign}: {self.finding.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One workload: `model` of all its sources, which are of one kind; `run_s` their median."""

    workload: str
    model: CellModel
    run_s: float
    sources: tuple[Source, ...]

    def measured(self, profile: str, replicas: int, run_s: float) -> Source | None:
        """The cell of this very size with runs of this duration, if one was measured."""
        for source in self.sources:
            same = source.finding.profile.name == profile and source.finding.replicas == replicas
            held = source.finding.capacity.status != "invalid"
            if same and held and abs(run_s - source.run_s) <= ALIKE * source.run_s:
                return source
        return None


def known_of(sources: Sequence[Source]) -> Known:
    """One workload from its cells.

    Raises:
        ValueError: no cell, or cells of different kinds.
    """
    return Known(
        workload=sources[0].finding.workload if sources else "",
        model=_with_tails(pooled([source.model for source in sources])),
        run_s=median(source.run_s for source in sources),
        sources=tuple(sources),
    )


def _with_tails(model: CellModel) -> CellModel:
    """Where no step under load was seen, p95 lies as far above the mean as it typically does."""
    if not model.tail_response.n:
        model = replace(model, tail_response=Figure(value=TYPICAL_TAIL_RESPONSE))
    if not model.tail_launch.n:
        model = replace(model, tail_launch=Figure(value=TYPICAL_TAIL_LAUNCH))
    return model
