"""OOM kills and failed runs where there were none before: what no metric is needed to see.

Looked at are equal loads alone, which every night measures: what a search tries beyond them breaks
by design. One bad step is no proof, and where the baseline breaks as well it is not the version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from harness.analysis.findings.types import CellFinding, Findings, StepFinding
from harness.analysis.history.kinds import kind_of, workload_in
from harness.campaign.plan import Campaign
from harness.report.nightly.phrases import SLO_WORDS
from harness.report.nightly.summary import Breach
from harness.report.phrases import count_of

LEAST_BROKEN = 2
"""So many steps must break an objective, and at least half of them."""

LEAST_HELD = 4
"""So many steps must have kept it: before, or of the baseline tonight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """One objective of one kind of cell at one load, for one version under test."""

    kind: str
    load: int
    slo: str
    baseline: str
    dagster: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Whether one step kept an objective; tonight is 0 nights ago."""

    ok: bool
    nights_ago: int
    subject: bool


def breaches_of(
    tonight: Findings, earlier: Sequence[Findings], *, baseline: str, loads: Iterable[int]
) -> tuple[Breach, ...]:
    """Every objective that must never break, and that a version under test broke tonight.

    Each version is looked at alone: one that breaks everything is not watered down by the others.

    Args:
        tonight: of this night.
        earlier: of nights before, ascending.
        baseline: the Dagster version that is not under test; empty where there is one version.
        loads: the equal loads.
    """
    nights = [tonight, *reversed(earlier)]
    wanted = sorted(set(loads))
    found = []
    subjects = ((kind_in(tonight, each), each.dagster) for each in tonight.cells)
    for kind, dagster in dict.fromkeys(each for each in subjects if each[1] != baseline):
        for load, slo in product(wanted, SLO_WORDS):
            place = _Place(kind=kind, load=load, slo=slo, baseline=baseline, dagster=dagster)
            seen = [each for ago, night in enumerate(nights) for each in _seen(night, place, ago)]
            if not all(each.ok for each in seen if each.subject and not each.nights_ago):
                found.append(_breach(seen, place))
    return tuple(found)


def kind_in(findings: Findings, cell: CellFinding) -> str:
    """What the cell's kind is called in the index of campaigns."""
    return kind_of(cell, findings.campaign, workload_in(findings.campaign, cell.workload))


def equal_loads(campaign: Campaign) -> tuple[int, ...]:
    """The loads that every cell of the campaign measures, whatever it finds; ascending."""
    loads = {1, *campaign.search.always}
    if campaign.search.strategy == "ladder":
        loads |= {load for cell in campaign.cells() for load in campaign.concurrencies(cell)}
    return tuple(sorted(loads))


def _seen(findings: Findings, place: _Place, nights_ago: int) -> Iterator[_Seen]:
    cells = [cell for cell in findings.cells if kind_in(findings, cell) == place.kind]
    subjects = _subjects({cell.dagster for cell in cells}, place)
    for cell in cells:
        if cell.dagster not in {*subjects, place.baseline}:
            continue
        for step in _valid(cell.steps, place.load):
            judged = step.slo.get(place.slo)
            if judged is not None and judged.ok is not None:
                subject = cell.dagster in subjects
                yield _Seen(ok=judged.ok, nights_ago=nights_ago, subject=subject)


def _subjects(versions: Collection[str], place: _Place) -> Collection[str]:
    """The version itself; of a night that had not got it yet, what was under test then."""
    return {place.dagster} if place.dagster in versions else {*versions} - {place.baseline}


def _valid(steps: Sequence[StepFinding], load: int) -> Iterator[StepFinding]:
    return (step for step in steps if step.concurrency == load and step.verdict != "invalid")


def _breach(seen: Sequence[_Seen], place: _Place) -> Breach:
    """What these steps say together; tonight broke something."""
    subject = [each for each in seen if each.subject]
    recent = _recent(subject)
    oldest = max(each.nights_ago for each in recent)
    before = [each for each in subject if each.nights_ago > oldest]
    beside = [each for each in seen if not each.subject and not each.nights_ago]
    held = sum(each.ok for each in (*before, *beside))
    doubt = _doubt(recent, before, beside)
    return Breach(
        kind=place.kind,
        slo=place.slo,
        concurrency=place.load,
        dagster=place.dagster,
        steps=sum(not each.ok for each in recent),
        of=len(recent),
        held=held,
        red=not doubt,
        why=doubt or f"it held in {count_of(held, 'step')} before",
    )


def _recent(subject: Sequence[_Seen]) -> list[_Seen]:
    """Tonight's steps, and where they are too few to prove anything those of nights before."""
    recent: list[_Seen] = []
    for nights_ago in sorted({each.nights_ago for each in subject}):
        if len(recent) >= LEAST_BROKEN:
            break
        recent += [each for each in subject if each.nights_ago == nights_ago]
    return recent


def _doubt(recent: Sequence[_Seen], before: Sequence[_Seen], beside: Sequence[_Seen]) -> str:
    """Why this is not for sure a regression; empty where it is."""
    if any(not each.ok for each in beside):
        return "the baseline broke it as well tonight, so it is not the version"
    if any(not each.ok for each in before):
        return "it did not always hold before either"
    broken, known = sum(not each.ok for each in recent), len(before) + len(beside)
    if broken < LEAST_BROKEN or 2 * broken < len(recent):
        return "that is too few to prove anything"
    if known < LEAST_HELD:
        return f"only {count_of(known, 'step')} of before can say whether it held"
    return ""
