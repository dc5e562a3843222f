"""Judging a night: what is worse for sure, and what nobody can tell.

One thing alone turns a figure red: the alarms. Comparisons stand beside them, to be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.analysis.comparison.types import Comparison, ComparisonDocument
from harness.analysis.findings.types import Findings
from harness.analysis.history.types import Entry, History
from harness.campaign.plan import Campaign
from harness.errors import HarnessError
from harness.report.comparison.headline import answer, pair_phrase
from harness.report.comparison.reasons import difference_phrase
from harness.report.nightly.summary import Breach, Compared, Series
from harness.scenarios.nightly import joints
from harness.scenarios.nightly.book import Book
from harness.scenarios.nightly.breaches import breaches_of, equal_loads, kind_in
from harness.scenarios.nightly.gaps import gaps_in
from harness.scenarios.nightly.series import Past, changed_tonight, series_of, silent_phrases

COMPARISON = "comparison.json"
PINNED = "pinned"
"""The comparison with pinned results, in a folder of its own beside that within the night."""


@dataclass(slots=True, kw_only=True)
class Judged:
    """What was found.

    `whole`: the alarms could be asked. `gaps`: what was to be measured, and nothing valid tells
    of it. A night that is not whole, or has a gap, is never green.
    """

    findings: Findings | None = None
    whole: bool = False
    gaps: tuple[str, ...] = ()
    nights: int = 0
    series: tuple[Series, ...] = ()
    breaches: tuple[Breach, ...] = ()
    changed: tuple[str, ...] = ()
    comparisons: list[Compared] = field(default_factory=list)

    @property
    def red(self) -> bool:
        """Whether something is worse for sure."""
        return any(each.alarm.red for each in self.series) or any(b.red for b in self.breaches)

    @property
    def valid(self) -> bool:
        """Whether anything that was measured counts."""
        cells = self.findings.cells if self.findings is not None else ()
        return any(step.verdict != "invalid" for cell in cells for step in cell.steps)


def judge(book: Book, folder: Path, *, alone: bool = False) -> Judged:
    """Everything that can be said of the night; what cannot is noted in the book.

    Args:
        book: the night.
        folder: its results.
        alone: held against nothing, neither other nights nor other results.
    """
    judged = Judged()
    with book.attempt("The night could not be judged"):
        judged.findings = joints.judge(folder)
    if alone:
        book.unknown.append("it was interrupted, and held against nothing")
    if judged.findings is None or alone:
        return judged
    judged.gaps = gaps_in(judged.findings, book.plan)
    # A whole version without a valid step says more than its cells, one by one.
    book.unknown[:0] = judged.gaps
    with book.attempt("The alarms could not be asked"):
        _ask_alarms(judged, judged.findings, book, folder)
    if judged.valid:
        _compare_within(judged, book, folder)
        _compare_pinned(judged, book, folder)
    return judged


def _ask_alarms(judged: Judged, findings: Findings, book: Book, folder: Path) -> None:
    order = book.order
    known = [e for e in joints.entries(order.root) if e.campaign == order.campaign.name]
    tonight = next((entry for entry in known if entry.folder == folder.name), None)
    if tonight is None or tonight.problem:
        why = tonight.problem if tonight is not None else "it is not there"
        book.unknown.append(f"tonight cannot be read from the index of campaigns: {why}")
        return
    entries = [*(e for e in known if e.started_s < tonight.started_s), tonight]
    wishes = order.campaign.nightly
    before = [e for e in entries[:-1] if e.figures and not e.problem][-wishes.nights :]
    judged.nights = len(before)
    alarms = joints.alarms(entries, gates=wishes.gates, nights=wishes.nights)
    past = Past(
        entries=entries,
        history=_history(book, entries),
        cells={kind_in(findings, cell): cell for cell in findings.cells},
    )
    judged.series = series_of(alarms, past)
    judged.changed = changed_tonight(past)
    judged.breaches = breaches_of(
        findings,
        _findings_of(book.order.root, before),
        baseline=book.plan.baseline_version or "",
        loads=equal_loads(book.plan),
    )
    book.unknown += silent_phrases(alarms)
    judged.whole = True


def _history(book: Book, entries: Sequence[Entry]) -> History | None:
    """What changed when is worth knowing, and can be done without."""
    with book.attempt("What changed when could not be found"):
        return joints.history(entries)
    return None


def _findings_of(root: Path, entries: Sequence[Entry]) -> list[Findings]:
    """Those that can be read; an entry in the index still serves the alarms without them."""
    found = []
    for entry in entries:
        with suppress(HarnessError):
            found.append(joints.findings_in(root / entry.folder))
    return found


def _compare_within(judged: Judged, book: Book, folder: Path) -> None:
    if book.plan.baseline_version is None:
        return
    with book.attempt("The versions could not be compared"):
        document = joints.compare(folder)
        judged.comparisons += _kept(book, document, folder, ".", with_what="within the night")


def _compare_pinned(judged: Judged, book: Book, folder: Path) -> None:
    pinned = book.order.pinned
    if pinned is None:
        return
    with book.attempt(f"The comparison with {pinned.name} failed"):
        try:
            pairs = _pairs(book.plan, *joints.versions_in(pinned))
            documents = [joints.compare(pinned, folder, versions=pair) for pair in pairs]
        except HarnessError as error:
            judged.comparisons.append(_refused(pinned.name, error))
            return
        found = tuple(each for document in documents for each in document.comparisons)
        document = replace(documents[0], comparisons=found)
        judged.comparisons += _kept(book, document, folder, PINNED, with_what=pinned.name)


def _pairs(plan: Campaign, baseline: str, subjects: Sequence[str]) -> list[tuple[str, str]]:
    """(Version then, version tonight): what is under test beside what was then, and the baseline
    beside itself, which tells what the machine has to do with it.
    """
    own = plan.baseline_version
    pairs = [
        (version if version in subjects else subjects[-1], version)
        for version in plan.dagster
        if version != own
    ]
    return [*pairs, (baseline, own)] if own and own == baseline else pairs


def _refused(name: str, error: HarnessError) -> Compared:
    differences = tuple(error.evidence.splitlines())
    return Compared(with_what=name, verdict="refused", sentence=error.what, differences=differences)


def _kept(
    book: Book, document: ComparisonDocument, folder: Path, inside: str, *, with_what: str
) -> list[Compared]:
    """Write it into the results folder, and put it in short."""
    with book.attempt(f"The comparison with {with_what} could not be written"):
        joints.keep_comparison(document, folder / inside)
    file = (Path(inside) / COMPARISON).as_posix()
    return [_compared(each, with_what, file) for each in document.comparisons]


def _compared(comparison: Comparison, with_what: str, file: str) -> Compared:
    return Compared(
        with_what=with_what,
        verdict=comparison.verdict,
        sentence=f"{pair_phrase(comparison)}: {answer(comparison)}",
        file=file,
        differences=tuple(map(difference_phrase, comparison.differences)),
    )
