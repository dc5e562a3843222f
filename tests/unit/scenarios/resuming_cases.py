"""Campaigns that broke off in simulated time, and what their records tell of going on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_rig import Machine, cell_ids, plan, shape, stored

from harness.errors import Interrupted, TargetFailed
from harness.rig.orders import LoadOrder

PLAN = plan()
IO, CPU = cell_ids(PLAN)
GONE = {"owner_pid": 2**22 + 1, "owner_created_s": 1.0}  # above the kernel's highest pid


def at(cell_number: int, step: int, error: BaseException) -> Callable[[LoadOrder], None]:
    """Raises in that step of that cell; both count from 0."""
    seen = {"cell": -1}

    def during(order: LoadOrder) -> None:
        seen["cell"] += order.step == 0
        if (seen["cell"], order.step) == (cell_number, step):
            raise error

    return during


def broken_off(
    machine: Machine, cell_number: int, step: int, error: BaseException | None = None
) -> Path:
    """A campaign that ended there, by Ctrl-C unless an error is given."""
    machine.during = at(cell_number, step, error or KeyboardInterrupt())
    with pytest.raises((Interrupted, TargetFailed)):
        machine.run(PLAN)
    machine.during = lambda _: None
    machine.targets.clear()
    machine.orders.clear()
    path = machine.only()
    assert path is not None
    return path


def journal(path: Path) -> list[dict[str, Any]]:
    return stored(path).journal


def said(path: Path, cell_id: str) -> list[str]:
    """What the journal tells of a cell's going on."""
    kinds = ("resumed", "again", "note")
    return [
        line["reason"]
        for line in journal(path)
        if line.get("cell") == cell_id and line.get("kind") in kinds
    ]


def resumptions(path: Path) -> list[dict[str, Any]]:
    return [line for line in journal(path) if "environment" in line]


def kinds(path: Path, cell_id: str) -> list[str]:
    (facts,) = (each for each in stored(path).cells if each.cell.id == cell_id)
    return [step.kind for step in facts.steps]


def whole(tmp_path: Path) -> dict[str, Any]:
    """The shape of the same campaign measured in one go."""
    with pytest.MonkeyPatch.context() as patch:
        return shape(Machine(tmp_path / "whole", patch).run(PLAN))
