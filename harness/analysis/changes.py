"""What changed since the campaign before: cells of one kind, side by side.

Two results differ by chance, too. So a change is told with both intervals, and where two campaigns
were measured or judged in different ways nothing is compared: the differences are named instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.analysis.capacity import Capacity
from harness.analysis.findings.types import CellFinding, Findings
from harness.analysis.kinds import (
    Difference,
    conditions_of,
    definition_of,
    limits_of,
    setup_of,
    text,
    unequal,
)

__all__ = ["Change", "Difference", "History", "Shift", "change_of", "snapshots_of"]

Relation = Literal["first", "compared", "not_comparable"]
Place = Literal["inside", "between", "outside"]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One figure before and now, in `unit`.

    `ratio` is now ÷ before, `None` where one is unknown or before was 0. `place`: `inside` where
    each lies in the other's interval, `outside` where neither does, else `between`; `None` where
    an interval is unknown.
    """

    name: str
    unit: str
    before: float | None
    now: float | None
    ratio: float | None
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One cell beside the last one of its kind.

    Attributes:
        cell: id of this cell.
        relation: `first` of its kind; `compared`; `not_comparable` because of `differences`.
        against: the label of the other campaign, empty for the first of its kind.
        differences: what forbids comparing; empty unless not comparable.
        remarks: what differs and does not forbid it: the Dagster version, the certainty asked for.
        capacity: in runs; `None` unless compared. A side is `None` where there was no capacity.
        answers: the capacities before and now in full; `None` unless compared.
        figures: launch CPU and memory a run; empty unless compared.
    """

    cell: str
    relation: Relation
    against: str = ""
    differences: tuple[Difference, ...] = ()
    remarks: tuple[Difference, ...] = ()
    capacity: Shift | None = None
    answers: tuple[Capacity, Capacity] | None = None
    figures: tuple[Shift, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value with its interval, either of which may be unknown."""

    value: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is kept of a cell to compare later ones with.

    `place`: profile and workload. `setup`: the rest of what makes a kind of cell, but for the
    Dagster version. `conditions`: how it was measured and judged. All by name.
    """

    cell: str
    label: str
    place: str
    setup: Mapping[str, str]
    conditions: Mapping[str, str]
    remarks: Mapping[str, str]
    capacity: Capacity
    launch_cpu_s: Figure
    per_run_mib: Figure

    @property
    def kind(self) -> str:
        """Equal for cells that differ in nothing but the Dagster version."""
        return text([self.place, self.setup])


@dataclass(slots=True)
class History:
    """The newest cells of every kind; told of campaigns from the oldest on."""

    _kinds: dict[str, tuple[Snapshot, ...]] = field(default_factory=dict)
    _relatives: dict[str, Snapshot] = field(default_factory=dict)

    def changes(self, label: str, findings: Findings) -> tuple[Change, ...]:
        """Each cell beside the last of its kind, in order; then this campaign is the last.

        Args:
            label: what to call this campaign in later changes.
            findings: of one campaign, newer than all told before.
        """
        cells = snapshots_of(label, findings)
        found = tuple(change_of(cell, self._before(cell)) for cell in cells)
        for kind in {cell.kind for cell in cells}:
            self._kinds[kind] = tuple(cell for cell in cells if cell.kind == kind)
        self._relatives |= {cell.place: cell for cell in cells}
        return found

    def _before(self, cell: Snapshot) -> Snapshot | None:
        """The same kind, of the same Dagster version if there is one; else the last relative."""
        same = self._kinds.get(cell.kind, ())
        alike = [each for each in same if each.remarks["Dagster"] == cell.remarks["Dagster"]]
        return next(reversed([*same, *alike]), self._relatives.get(cell.place))


def snapshots_of(label: str, findings: Findings) -> tuple[Snapshot, ...]:
    """What is kept of a campaign's cells, in their order."""
    conditions = conditions_of(findings)
    return tuple(_snapshot(cell, label, findings.campaign, conditions) for cell in findings.cells)


def change_of(now: Snapshot, before: Snapshot | None) -> Change:
    """One cell beside another of the same place, `None` where there is no other."""
    if before is None:
        return Change(cell=now.cell, relation="first")
    differences = (
        *unequal(before.setup, now.setup),
        *unequal(before.conditions, now.conditions),
    )
    remarks = unequal(before.remarks, now.remarks)
    if differences:
        return Change(
            cell=now.cell, relation="not_comparable", against=before.label,
            differences=differences, remarks=remarks,
        )  # fmt: skip
    return Change(
        cell=now.cell,
        relation="compared",
        against=before.label,
        remarks=remarks,
        capacity=_shift("capacity", "runs", _runs(before.capacity), _runs(now.capacity)),
        answers=(before.capacity, now.capacity),
        figures=(
            _shift("launch CPU", "CPU-s", before.launch_cpu_s, now.launch_cpu_s),
            _shift("memory a run", "MiB", before.per_run_mib, now.per_run_mib),
        ),
    )


def _shift(name: str, unit: str, before: Figure, now: Figure) -> Shift:
    ratio = now.value / before.value if before.value and now.value is not None else None
    return Shift(
        name=name, unit=unit, before=before.value, now=now.value, ratio=ratio,
        place=_place(before, now),
    )  # fmt: skip


def _place(before: Figure, now: Figure) -> Place | None:
    if before.interval is None or now.interval is None:
        return None
    held = [_within(now.value, before.interval), _within(before.value, now.interval)]
    if None in held:
        return None
    return "inside" if all(held) else "between" if any(held) else "outside"


def _within(value: float | None, interval: Interval) -> bool | None:
    return None if value is None else interval[0] <= value <= interval[1]


def _runs(capacity: Capacity) -> Figure:
    """The interval of a capacity that nothing bounds is open above."""
    low, high = capacity.low, capacity.high
    if capacity.status == "invalid" or low is None:
        return Figure(value=None, interval=None)
    return Figure(
        value=capacity.concurrency, interval=(low, float("inf") if high is None else high)
    )


def _snapshot(
    cell: CellFinding,
    label: str,
    campaign: Mapping[str, Any],
    conditions: Mapping[str, str],
) -> Snapshot:
    return Snapshot(
        cell=cell.id,
        label=label,
        place=text([cell.profile.vcpu, cell.profile.memory_mib, cell.workload]),
        setup={**setup_of(cell, campaign), **definition_of(cell.workload, campaign)},
        conditions={**conditions, "limits": limits_of(cell)},
        remarks={"Dagster": cell.dagster, "certainty": f"{cell.capacity.confidence:.0%}"},
        capacity=cell.capacity,
        launch_cpu_s=Figure(value=cell.cpu.launch_cpu_s, interval=cell.cpu.launch_cpu_s_ci),
        per_run_mib=Figure(value=cell.memory.per_run_mib, interval=cell.memory.per_run_mib_ci),
    )
