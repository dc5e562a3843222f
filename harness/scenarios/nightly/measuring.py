"""Measuring a night: begin or complete it, then once more what came out invalid."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from harness.analysis.findings.types import Findings
from harness.campaign.estimate import estimate_cell_s, estimate_s
from harness.campaign.outline import lasts
from harness.errors import AnotherMachine, CampaignError, StoredDataError
from harness.report.nightly.summary import Retried
from harness.scenarios.nightly import joints
from harness.scenarios.nightly.book import Book, told
from harness.scenarios.nightly.breaches import equal_loads
from harness.scenarios.nightly.mark import Mark, write_mark
from harness.scenarios.nightly.preparing import Unfinished
from harness.units import show_seconds


def measure(book: Book, begun: Unfinished | None) -> None:
    """Measure the plan, or what a night before left of it.

    Raises:
        HarnessError: it broke off; `book.folder` is there if anything was measured.
    """
    if begun is not None and _completed(book, begun):
        return
    _note(book, Mark(campaign=book.plan.name, started_s=book.started_s, pid=os.getpid()))
    book.listener.say(f"Night {book.plan.name}: {lasts(book.plan)}")
    begin = partial(_begin, book)
    book.begin(joints.measure(book.plan, book.order.options, book.listener, begin))


def _begin(book: Book, folder: Path) -> None:
    """The folder is there: from now on a night that is cut short can be found and completed."""
    book.begin(folder)
    if book.mark is not None:
        _note(book, replace(book.mark, folder=folder.name))


def _completed(book: Book, begun: Unfinished) -> bool:
    """Complete a night that was cut short; `False` where its record does not allow it.

    Raises:
        HarnessError: it broke off again, and may be completed another time; or its record does
            not allow it, and too little of the budget is left for a whole night.
    """
    if begun.folder is None:
        return False
    _note(book, replace(begun.mark, pid=os.getpid()))
    book.resumed = True
    book.begin(begun.folder)
    try:
        joints.resume(begun.folder, book.order.options, book.listener)
    except (StoredDataError, CampaignError, AnotherMachine) as error:
        if not _fits(book):
            raise
        left = f"{begun.folder.name} could not be completed and is left: {told(error)}"
        book.left.append(left)
        book.listener.say(left)
        book.folder, book.resumed = None, False
    return book.resumed


def _fits(book: Book) -> bool:
    """Whether a whole night fits into what is left of the budget."""
    budget_s = book.order.budget_s
    return budget_s is None or estimate_s(book.plan) <= budget_s - _spent_s(book)


def _spent_s(book: Book) -> float:
    return joints.now_s() - book.started_s


def _note(book: Book, mark: Mark) -> None:
    write_mark(book.order.root, mark)
    book.mark = mark


def measure_again(book: Book, folder: Path) -> None:
    """Measure invalid cells anew: as often as the campaign says, while the budget lasts."""
    invalid = invalid_cells(joints.judge(folder), equal_loads(book.plan))
    for _ in range(book.order.campaign.nightly.retries):
        again = _that_fit(book, invalid)
        if not again:
            break
        listed = ", ".join(again)
        book.listener.say(f"Invalid, measured again: {listed}")
        failed = len(book.failures)
        with book.attempt("Measuring invalid cells again"):
            joints.resume(folder, book.order.options, book.listener, again)
        after = invalid_cells(joints.judge(folder), equal_loads(book.plan))
        for cell in again:
            outcome = f"invalid again: {after[cell]}" if cell in after else "valid now"
            book.retried.append(Retried(cell=cell, why=invalid[cell], again=True, outcome=outcome))
        invalid = after
        if len(book.failures) > failed:
            break
    book.unknown += [f"{cell}: {why}" for cell, why in invalid.items()]


def invalid_cells(findings: Findings, loads: Collection[int]) -> dict[str, str]:
    """Cells whose measurement is void, with the reason: as a whole, or at an equal load.

    What a search tried beyond the equal loads may be void, and the cell still says what nights
    are compared by.
    """
    found: dict[str, str] = {}
    for cell in findings.cells:
        fatal = [
            issue
            for issue in findings.validity
            if issue.cell == cell.id
            and issue.severity == "fatal"
            and (issue.concurrency is None or issue.concurrency in loads)
        ]
        if fatal:
            found[cell.id] = f"{fatal[0].code}: {fatal[0].evidence}"
        elif not any(step.verdict != "invalid" for step in cell.steps):
            found[cell.id] = cell.search.ended or "no step was recorded"
    return found


def _that_fit(book: Book, invalid: Mapping[str, str]) -> list[str]:
    """The invalid cells there is time for; the others are noted."""
    budget_s = book.order.budget_s
    left_s = None if budget_s is None else budget_s - _spent_s(book)
    chosen = []
    for cell in book.plan.cells():
        if cell.id not in invalid:
            continue
        needed_s = estimate_cell_s(book.plan, cell)
        if left_s is None or needed_s <= left_s:
            chosen.append(cell.id)
            left_s = None if left_s is None else left_s - needed_s
            continue
        outcome = (
            f"not measured again: it takes about {show_seconds(needed_s)}, "
            f"{show_seconds(max(0.0, left_s))} of the budget are left"
        )
        book.retried.append(
            Retried(cell=cell.id, why=invalid[cell.id], again=False, outcome=outcome)
        )
    return chosen
