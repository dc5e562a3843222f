"""A campaign that broke off, gone on with: what is finished stays, the rest is measured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.campaign.plan import Campaign
from harness.errors import CampaignError, HarnessError
from harness.facts.durable import move_folder
from harness.facts.layout import ResultsFolder
from harness.facts.model import Cell
from harness.facts.reopening import finish_sealing
from harness.facts.store import ResultsWriter, read_cell_json
from harness.rig.cell_session import CellSession, Search
from harness.rig.environment import engine_record, record_environment
from harness.rig.external_guard import check_load_is_allowed, overcommits
from harness.rig.hosting import Hosting, Kind, choose
from harness.rig.ledger import Ledger
from harness.rig.leftovers import refuse_leftovers, remove_leftovers, told
from harness.rig.preflight import check_results_root
from harness.rig.protocols import Listener
from harness.rig.remaining import (
    Choice,
    choose_cells,
    differences,
    first_environment,
    is_complete,
    refuse_another_machine,
)
from harness.rig.server_changes import server_changes, software_changes
from harness.rig.session import SessionOptions, at_work, expect, host, interruptible


class CellChanged(HarnessError):
    """The server a cell would go on with is not the one it began with."""


def measure_rest(
    folder: ResultsFolder,
    campaign: Campaign,
    search: Search,
    *,
    options: SessionOptions,
    listener: Listener,
    again: Collection[str] = (),
) -> None:
    """Measure what a campaign lacks; nothing is left running, whichever way this ends.

    What its dead process left running is removed first. A cell under way goes on after its steps
    where machine, harness, limits and software are the same, else it starts again; what it had is
    moved to `superseded/`. Why is said and journalled.

    Raises:
        CampaignError: a label is another build now, or as `check_load_is_allowed`.
        EnvironmentProblem: it is still being measured, this is another machine, or it is not
            ready; nothing was started.
        StoredDataError: what is stored cannot be read.
        TargetFailed, GeneratorFailed, Interrupted: as `session.measure`.
    """
    removed = _clear_away(listener)
    if not again and is_complete(folder, campaign):
        listener.say(_complete(campaign))
        return
    check_load_is_allowed(campaign, owned=options.owned)
    with at_work(campaign.name):
        now = _environment(folder, campaign, options)
        refuse_another_machine(folder, now)
        choices = choose_cells(folder, campaign, now=now, again=again)
        todo = [each for each in choices if each.how != "keep"]
        overcommitted = overcommits(
            campaign, [each.plan for each in todo], allow_overcommit=options.allow_overcommit
        )
        check_results_root(folder.path)
        _finish_sealing(folder, choices)
        listener.say(_outlook(campaign, choices))
        if not todo:
            return
        listener.campaign_started(
            campaign.name, [expect(campaign, each.plan, kept_steps=each.steps) for each in todo]
        )
        hosting = host(campaign, _kind(campaign, choices, listener), listener)
        _refuse_another_build(choices, hosting)
        rest = _Rest(campaign, hosting, ResultsWriter(folder), overcommitted, listener, choices)
        rest.begin(now, removed)
        with interruptible(folder):
            for number, choice in enumerate(todo, start=1 + len(choices) - len(todo)):
                rest.measure(choice, search, number)


def _finish_sealing(folder: ResultsFolder, choices: Sequence[Choice]) -> None:
    for each in choices:
        if each.how == "keep":
            finish_sealing(folder.cell(each.plan.id))


def _refuse_another_build(choices: Sequence[Choice], hosting: Hosting) -> None:
    """Cells of one label are repetitions of one thing: two builds under it make no average.

    Raises:
        CampaignError: finished cells ran other software than their label stands for now.
    """
    kept = [each.cell for each in choices if each.how == "keep" and each.cell is not None]
    others = [cell for cell in kept if _lock_of(cell) not in ("", _lock_now(cell, hosting))]
    if others:
        labels = ", ".join(dict.fromkeys(cell.dagster for cell in others))
        again = " ".join(f"--again {cell.id}" for cell in others)
        raise CampaignError(
            f"{labels} is another build now than when the finished cells were measured.",
            evidence=f"{len(others)} of {len(choices)} cells ran other software under that name.",
            hint=f"Measure those again too ({again}), or the whole campaign: harness run",
        )


def _lock_of(cell: Cell) -> str:
    """Empty where its record does not tell."""
    return str((cell.detail.get("lock") or {}).get("sha256") or "")


def _lock_now(cell: Cell, hosting: Hosting) -> str:
    known = hosting.software.get(cell.dagster)
    return known.sha256 if known is not None else _lock_of(cell)


def _clear_away(listener: Listener) -> list[str]:
    """What dead harnesses left running, removed and said.

    Raises:
        EnvironmentProblem: something is still there.
    """
    removed = remove_leftovers(Ledger.default())
    for each in removed:
        listener.say(f"Left behind by a harness that is gone: {told(each)}")
    refuse_leftovers(removed)
    return [told(each) for each in removed]


def _outlook(campaign: Campaign, choices: Sequence[Choice]) -> str:
    """`Going on with quick: cell 5 of 16, 4 kept`."""
    kept = sum(each.how == "keep" for each in choices)
    if kept == len(choices):
        return _complete(campaign)
    return f"Going on with {campaign.name}: cell {kept + 1} of {len(choices)}, {kept} kept"


def _complete(campaign: Campaign) -> str:
    cells = sum(1 for _ in campaign.cells())
    return f"{campaign.name} is complete: nothing to measure, {cells} of {cells} cells kept"


def _kind(campaign: Campaign, choices: Sequence[Choice], listener: Listener) -> Kind:
    """The target of the cells there are: what hosts them is not to change within a campaign."""
    kinds: dict[str, Kind] = {"compose": "compose", "process": "process"}
    used = [kinds[each.cell.target] for each in choices if each.cell and each.cell.target in kinds]
    return choose(used[-1] if used else campaign.target, listener.say)


def _environment(
    folder: ResultsFolder, campaign: Campaign, options: SessionOptions
) -> dict[str, Any]:
    """This machine now, and the engine where servers so far ran in containers: `auto` has become
    something by then.
    """
    known = [folder.cell(plan.id) for plan in campaign.cells()]
    used = [read_cell_json(each).target for each in known if each.cell_json.exists()]
    return record_environment(options.command) | engine_record(used[0] if used else campaign.target)


@dataclass(frozen=True, slots=True)
class _Rest:
    """The cells that are left, and all they need."""

    campaign: Campaign
    hosting: Hosting
    writer: ResultsWriter
    overcommitted: bool
    listener: Listener
    choices: Sequence[Choice]

    def begin(self, now: dict[str, Any], removed: Sequence[str]) -> None:
        """Put down that it goes on, and set aside what is measured anew: all before anything runs.

        So that another kill finds it decided.
        """
        changed = differences(first_environment(self.writer.folder, now), now)
        for words in changed:
            self.listener.say(f"Other than when the campaign began: {words}")
        self.writer.journal(
            {
                "resumed": datetime.now(UTC).isoformat(timespec="seconds"),
                "environment": self.writer.add_environment(now),
                "cells": {each.plan.id: each.how for each in self.choices},
                "differences": list(changed),
                "removed": list(removed),
            }
        )
        for each in self.choices:
            if each.how == "anew":
                self._set_aside(each.plan.id, each.why)

    def measure(self, choice: Choice, search: Search, number: int) -> None:
        """One cell to its end; where it cannot go on as it was, from its start."""
        cell_id = choice.plan.id
        self.listener.cell_started(cell_id, number, len(self.choices))
        ended = None
        if choice.how == "go_on":
            ended = self._go_on(choice, search)
            if ended is None:
                self.listener.cell_started(cell_id, number, len(self.choices))
        if ended is None:
            ended = self._session(choice).measure(search, self.listener, started=self._compared())
        self.listener.cell_done(cell_id, ended)

    def _go_on(self, choice: Choice, search: Search) -> str | None:
        """Why the cell ended; `None` where its new server is not what the old one was."""
        count = "1 step" if choice.steps == 1 else f"{choice.steps} steps"
        self._tell(choice.plan.id, "resumed", f"goes on after {count}")
        try:
            return self._session(choice).measure(
                search, self.listener, go_on=True, started=_same_as(choice.cell)
            )
        except CellChanged as changed:
            self._set_aside(choice.plan.id, changed.what)
            return None

    def _session(self, choice: Choice) -> CellSession:
        return CellSession(
            self.campaign, choice.plan, self.hosting, self.writer, self.overcommitted
        )

    def _compared(self) -> Callable[[Cell], None]:
        """Says how the server of a new cell differs from those of finished cells of its version."""

        def started(cell: Cell) -> None:
            for choice in self.choices:
                kept = choice.cell if choice.how == "keep" else None
                if kept is not None and kept.dagster == cell.dagster:
                    for words in software_changes(kept, cell):
                        self._tell(cell.id, "note", f"other than in {kept.id}: {words}")
                    return

        return started

    def _set_aside(self, cell_id: str, why: str) -> None:
        own, aside = self.writer.folder.cell(cell_id), self.writer.folder.superseded_cell(cell_id)
        place = aside.relative_to(self.writer.folder.path)
        # Before it is told: the journal says of what is told here on what machine it was measured.
        move_folder(own.path, aside)
        self._tell(cell_id, "again", f"starts again: {why}; what there was is in {place}")

    def _tell(self, cell_id: str, kind: str, reason: str) -> None:
        self.listener.say(f"{cell_id} {reason}")
        self.writer.journal({"cell": cell_id, "kind": kind, "reason": reason})


def _same_as(before: Cell | None) -> Callable[[Cell], None]:
    def started(cell: Cell) -> None:
        changed = server_changes(before, cell) if before else ()
        if changed:
            raise CellChanged("; ".join(changed))

    return started
