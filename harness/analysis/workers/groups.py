"""Which cells can be compared: those that differ in one setting and in nothing else."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.analysis.judging import JudgedCell
from harness.analysis.measures.windows import CellRecord
from harness.analysis.model.resources import Resources
from harness.analysis.workers.dagster_defaults import steps_at_once
from harness.analysis.workers.points import WorkerPoint, point_of
from harness.campaign.plan import CellPlan
from harness.facts.dagster_versions import STEPS_VARIABLE
from harness.facts.model import Cell

Setting = Literal["max_workers", "steps_at_once"]
MeasuredCell = tuple[CellRecord, JudgedCell, Resources]

SETTINGS: tuple[Setting, ...] = ("max_workers", "steps_at_once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A cell with its steps, its value of each setting, and what it must share to be compared.

    `alike` is equal for cells that differ in that setting alone, `same_work` also for those with
    other workers or other sensors.
    """

    cell: Cell
    resources: Resources
    points: tuple[WorkerPoint, ...]
    values: Mapping[Setting, int | None]
    alike: Mapping[Setting, Hashable]
    same_work: Hashable


def member_of(
    measured: MeasuredCell, plans: Mapping[str, CellPlan], host_cpus: float | None
) -> Member:
    """One cell; see `rule.worker_findings` for the arguments."""
    record, judged, resources = measured
    cell, plan = record.cell, plans.get(record.cell.id)
    variables = plan.workload.environment if plan else {}
    others = {name: value for name, value in variables.items() if name != STEPS_VARIABLE}
    everything, rest = repr(sorted(variables.items())), repr(sorted(others.items()))
    where_and_what, sensors = (*_place(cell, plan), _work(cell, plan)), repr(cell.sensors)
    return Member(
        cell=cell,
        resources=resources,
        points=tuple(point_of(record, step) for step in judged.steps),
        values={
            "max_workers": cell.max_workers,
            "steps_at_once": steps_at_once(cell, variables, host_cpus) if plan else None,
        },
        alike={
            "max_workers": (where_and_what, sensors, everything),
            "steps_at_once": (where_and_what, sensors, rest, cell.max_workers),
        },
        same_work=(where_and_what, everything),
    )


def groups_of(members: Iterable[Member], setting: Setting) -> list[list[Member]]:
    """Members that differ in the setting alone, two values at least; in order of their first."""
    groups: dict[Hashable, list[Member]] = {}
    for member in members:
        if member.values[setting] is not None:
            groups.setdefault(member.alike[setting], []).append(member)
    return [group for group in groups.values() if len({m.values[setting] for m in group}) > 1]


def by_value(group: Sequence[Member], setting: Setting) -> dict[int, list[Member]]:
    """The members of each value, ascending; those without one are left out."""
    values = sorted({value for m in group if (value := m.values[setting]) is not None})
    return {value: [m for m in group if m.values[setting] == value] for value in values}


def _place(cell: Cell, plan: CellPlan | None) -> tuple[Hashable, ...]:
    return (
        cell.profile, cell.vcpu, cell.memory_bytes, cell.dagster, cell.replicas, cell.feed,
        cell.target, cell.max_concurrent_runs, cell.executor, repr(plan.queue) if plan else "",
    )  # fmt: skip


def _work(cell: Cell, plan: CellPlan | None) -> str:
    """What a run does, whatever the workload is called."""
    if plan is None:
        return repr((cell.workload, sorted(cell.params.items())))
    workload = plan.workload
    return repr((workload.parts, workload.params, workload.executor, workload.steps))
