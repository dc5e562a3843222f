"""What is left of a campaign that broke off: of each planned cell, what becomes of it."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.campaign.plan import Campaign, CellPlan
from harness.errors import AnotherMachine, StoredDataError
from harness.facts.layout import ResultsFolder
from harness.facts.model import Cell, broke_off
from harness.facts.store import read_cell, read_cell_json, read_environment, read_journal
from harness.facts.table import CellFacts
from harness.rig.environment_changes import Weight, changes_between

How = Literal["keep", "go_on", "anew", "begin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What becomes of one planned cell.

    `how`: `keep` as it is, `go_on` after its steps, measure `anew` what was begun, or `begin`.
    `why`: the reason to measure anew. `cell`: its stored record, of those that are kept or gone on
    with. `steps`: how many steps that count are stored, the warm-up not among them.
    """

    plan: CellPlan
    how: How
    why: str = ""
    cell: Cell | None = None
    steps: int = 0


def is_complete(folder: ResultsFolder, campaign: Campaign) -> bool:
    """Whether every planned cell is sealed and came to its own end; facts are not read.

    Raises:
        StoredDataError: a `cell.json` cannot be read.
    """
    return all(_is_over(folder, plan) for plan in campaign.cells())


def choose_cells(
    folder: ResultsFolder, campaign: Campaign, *, now: Mapping[str, Any], again: Collection[str]
) -> tuple[Choice, ...]:
    """What becomes of each planned cell, in the order of measuring. Nothing is changed.

    Args:
        folder: where its facts are.
        campaign: as planned.
        now: this machine, as `record_environment` tells.
        again: ids of cells to measure anew whatever became of them.

    Raises:
        StoredDataError: a cell that is not in `again` cannot be read.
    """
    places = _environments_of_cells(folder)
    return tuple(
        _choose(folder, plan, now=now, then=places.get(plan.id), again=plan.id in again)
        for plan in campaign.cells()
    )


def refuse_another_machine(folder: ResultsFolder, now: Mapping[str, Any]) -> None:
    """Cells of two machines make no campaign.

    Args:
        folder: knows on which machine it was begun, if that was recorded.
        now: this machine.

    Raises:
        AnotherMachine: this one has other CPUs than the one it was begun on.
    """
    words = differences(first_environment(folder, now), now, "campaign")
    if words:
        raise AnotherMachine(
            "This is another machine than the campaign was begun on.",
            evidence="\n".join(words),
            hint="Go on with it there, or measure all of it here: "
            f"harness run {shlex.quote(str(folder.campaign_yaml))}",
        )


def first_environment(folder: ResultsFolder, now: Mapping[str, Any]) -> Mapping[str, Any]:
    """The machine the campaign was begun on: this one, where it came to a record of none.

    Raises:
        StoredDataError: the record cannot be read.
    """
    known = folder.environments()
    return read_environment(known[0]) if known else now


def differences(
    then: Mapping[str, Any], now: Mapping[str, Any], *weights: Weight
) -> tuple[str, ...]:
    """The differences of these weights in words; of all where none is named."""
    found = changes_between(then, now)
    return tuple(each.words for each in found if not weights or each.weight in weights)


def _is_over(folder: ResultsFolder, plan: CellPlan) -> bool:
    own = folder.cell(plan.id)
    if not own.cell_json.exists() or own.parts.exists():
        return False
    cell = read_cell_json(own)
    return cell.sealed and not broke_off(cell.ended)


def _choose(
    folder: ResultsFolder,
    plan: CellPlan,
    *,
    now: Mapping[str, Any],
    then: Mapping[str, Any] | None,
    again: bool,
) -> Choice:
    own = folder.cell(plan.id)
    if not own.path.exists():
        return Choice(plan=plan, how="begin")
    if again:
        return Choice(plan=plan, how="anew", why="it was asked for")
    if not own.cell_json.exists():
        return Choice(plan=plan, how="anew", why="it had recorded nothing yet")
    facts = _facts(folder, plan)
    if facts.cell.sealed and not broke_off(facts.cell.ended):
        return Choice(plan=plan, how="keep", cell=facts.cell)
    steps = sum(step.kind != "warmup" for step in facts.steps)
    why = _why_anew(steps, then=then, now=now)
    if why:
        return Choice(plan=plan, how="anew", why=why)
    return Choice(plan=plan, how="go_on", cell=facts.cell, steps=steps)


def _why_anew(steps: int, *, then: Mapping[str, Any] | None, now: Mapping[str, Any]) -> str:
    """Why a cell under way cannot go on; empty when it can."""
    if not steps:
        return "it had recorded no step yet"
    if then is None:
        return "nobody knows on what machine it was measured"
    return "; ".join(differences(then, now, "campaign", "cell"))


def _facts(folder: ResultsFolder, plan: CellPlan) -> CellFacts:
    try:
        return read_cell(folder.cell(plan.id))
    except StoredDataError as error:
        again = f"harness resume {shlex.quote(str(folder.path))} --again {shlex.quote(plan.id)}"
        raise StoredDataError(
            error.what, evidence=error.evidence, hint=f"To measure this cell anew: {again}"
        ) from error


def _environments_of_cells(folder: ResultsFolder) -> dict[str, Mapping[str, Any]]:
    """On what machine each cell was last measured: the journal tells the order of things."""
    known = {path.name: read_environment(path) for path in folder.environments()}
    current = known.get(folder.environment_json.name)
    found: dict[str, Mapping[str, Any]] = {}
    for line in read_journal(folder):
        cell = line.get("cell")
        if cell is None and "environment" in line:
            current = known.get(str(line["environment"]))
        elif cell is not None and current is not None:
            found[str(cell)] = current
        else:
            found.pop(str(cell), None)
    return found
