"""From the observations of a campaign back to the model of a cell, and to other sizes by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from harness.analysis.model.cell_model import CellModel, Figure, Kind
from harness.analysis.model.guess import TYPICAL_TAIL_LAUNCH, TYPICAL_TAIL_RESPONSE
from harness.analysis.model.prediction import Prediction, Setting, predict
from harness.campaign.plan import Slos
from harness.facts.observations import Observations, Values

MIB = 1024**2
SLOS: Mapping[str, float] = Slos().model_dump(exclude_none=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A task size the guide names: Fargate's vCPU and GiB."""

    vcpu: int
    memory_gib: int


def model_of(cell: Values, steps: Sequence[Values]) -> CellModel | None:
    """The model that `harness.analysis.model.fitting` made of a cell, from its `cell` and `step`
    observations. Where no step under load was seen, p95 lies as far above the mean as typical.

    Returns:
        `None` where the cell has no model, or no run was seen alone, or where what was measured
        was not the server: its costs are those of a machine that was busy with something else.
    """
    told = cell.get("model")
    alone = [
        step["launch_s"]["p50"]
        for step in steps
        if step["kind"] == "unloaded" and step["launch_s"]["p50"] is not None
    ]
    if not told or not alone or cell["capacity"]["status"] == "invalid":
        return None
    vcpu, idle = cell["profile"]["vcpu"], cell["cpu"]["idle_cores"] or 0.0
    core, launch_s = min(1.0, vcpu - idle), median(alone)
    launch = _figure(told["launch_cpu_s"])
    if core <= 0:
        return None
    before_s = min(launch.value, launch_s * core)
    return CellModel(
        kind=Kind(workload=cell["workload"], params="", dagster=cell["dagster"], executor="",
                  feed=cell["feed"], target=cell["target"]),
        profiles=(cell["profile"]["name"],),
        vcpu=vcpu,
        base_bytes=_figure(told["base_mib"], MIB) if told["base_mib"] else None,
        bytes_per_run=_figure(told["per_run_mib"], MIB) if told["per_run_mib"] else None,
        launch_cpu_s=launch,
        run_cpu_s=_figure(told["run_cpu_s"]),
        idle_cores=idle,
        z_s=_figure(told["z_s"]),
        launch_wait_s=max(0.0, launch_s - before_s / core),
        launch_before_s=before_s,
        hold_share=_figure(told["hold_share"]) if told["hold_share"] else None,
        tail_response=_tail(told["tail_response"], TYPICAL_TAIL_RESPONSE),
        tail_launch=_tail(told["tail_launch"], TYPICAL_TAIL_LAUNCH),
    )  # fmt: skip


def models(seen: Observations) -> dict[str, CellModel]:
    """The model of every workload that has one, by its name."""
    found = {}
    for cell in seen.of("cell"):
        model = model_of(cell, seen.of("step", cell=cell["cell"]))
        if model is not None:
            found[str(cell["workload"])] = model
    return found


def at(model: CellModel, size: Size, *, run_s: float | None = None) -> Prediction | None:
    """What one server of another size would hold, by the objectives of a campaign.

    The CPU of launches and runs and the memory of a run stay what they were measured to be, the
    quota and the memory grow, and worker threads are taken to be enough. `run_s`: what a run takes
    alone, if not what was measured; it waits longer or shorter for it, its CPU stays the same.
    """
    setting = Setting(
        vcpu=size.vcpu, memory_bytes=size.memory_gib * 1024.0 * MIB, max_workers=None, run_s=run_s
    )
    return predict(model, setting, SLOS)


def _figure(told: Mapping[str, Any], per: float = 1.0) -> Figure:
    low, high = told["low"], told["high"]
    return Figure(
        value=told["value"] * per,
        low=None if low is None else low * per,
        high=None if high is None else high * per,
        n=told["n"],
    )


def _tail(told: Mapping[str, Any], typical: float) -> Figure:
    return _figure(told) if told["n"] else Figure(value=typical)
