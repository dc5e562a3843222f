"""Kinds of cells: which cells of a campaign are equal, and which of two campaigns belong together.

A kind is everything that makes a cell but the Dagster version: task size, workload and its
definition, target, feed, workers, replicas, limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.comparison.sources import Source
from harness.analysis.comparison.values import Known, Place, cell_values
from harness.analysis.findings.types import CellFinding, Findings
from harness.analysis.kinds import (
    Difference,
    definition_of,
    limits_of,
    setup_of,
    text,
    unequal,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cell with its figures.

    `version`: what it really ran: of labels that mean the same release or path, the same. `round`:
    from 1. `order`: place in time in its campaign, from 0.
    """

    cell: CellFinding
    version: str
    round: int
    order: int
    values: dict[Place, Known]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Equal cells but for the Dagster version, of all versions, in the order they were measured.

    `setup`: what people call the kind by, beside task size and workload. `words`: everything that
    makes it.
    """

    profile: str
    workload: str
    setup: dict[str, str]
    words: dict[str, str]
    rows: tuple[Row, ...]

    def of(self, dagster: str) -> tuple[Row, ...]:
        """The cells of one version, as the campaign names it."""
        return tuple(row for row in self.rows if row.cell.dagster == dagster)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A kind of the baseline beside the contender's; equal unless `differences` says otherwise."""

    baseline: Kind
    contender: Kind

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What makes them two kinds, by name."""
        return unequal(self.baseline.words, self.contender.words)

    @property
    def setup(self) -> dict[str, str]:
        """What both have in common."""
        other = self.contender.setup
        return {name: word for name, word in self.baseline.setup.items() if other[name] == word}


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Pairs in the baseline's order, and in words the kinds that only one side has."""

    pairs: tuple[Pair, ...]
    unmatched: tuple[str, ...]


def names_of(kinds: Iterable[Kind]) -> list[str]:
    """What to call kinds side by side: `io on 1vcpu-2gb`, and where that is the same for several
    also what sets them apart: `io on 1vcpu-2gb, workers 12`.
    """
    known = list(kinds)
    places = [f"{kind.workload} on {kind.profile}" for kind in known]
    names = []
    for kind, place in zip(known, places, strict=True):
        alike = [other for other, at in zip(known, places, strict=True) if at == place]
        apart = [
            f"{name} {word}"
            for name, word in kind.setup.items()
            if any(other.setup.get(name) != word for other in alike)
        ]
        names.append(", ".join([place, *apart]))
    return names


def matching(baseline: Source, contender: Source) -> Matching:
    """Which kinds of both sides belong together.

    Of a workload for which no kind is on both sides, those that differ least are paired all the
    same: then it can be said what keeps them apart, and they can be compared if somebody insists.
    """
    before, now = _kinds_of(baseline), _kinds_of(contender)
    equal = {text(kind.words): kind for kind in now}
    pairs = [
        Pair(baseline=kind, contender=equal[text(kind.words)])
        for kind in before
        if text(kind.words) in equal
    ]
    common = {pair.baseline.workload for pair in pairs}
    pairs += _relatives(
        [kind for kind in before if kind.workload not in common],
        [kind for kind in now if kind.workload not in common],
    )
    matched = [id(kind) for pair in pairs for kind in (pair.baseline, pair.contender)]
    alone = [
        *((kind, "the baseline") for kind in before if id(kind) not in matched),
        *((kind, "the contender") for kind in now if id(kind) not in matched),
    ]
    return Matching(
        pairs=tuple(sorted(pairs, key=lambda pair: before.index(pair.baseline))),
        unmatched=tuple(f"{_name(kind)}: only {side} has it" for kind, side in alone),
    )


def kinds_in(findings: Findings) -> tuple[Kind, ...]:
    """The kinds of a campaign, in the order they were first measured."""
    rows: dict[str, list[Row]] = {}
    words: dict[str, dict[str, str]] = {}
    for order, cell in enumerate(findings.cells):
        made = _words(cell, findings.campaign)
        key = text(made)
        words[key] = made
        rows.setdefault(key, []).append(_row(cell, order, findings.campaign))
    return tuple(_kind(words[key], own) for key, own in rows.items())


def _kinds_of(source: Source) -> list[Kind]:
    return [kind for kind in kinds_in(source.findings) if kind.of(source.dagster)]


def _kind(words: dict[str, str], rows: Sequence[Row]) -> Kind:
    cell = rows[0].cell
    named = ("limits", *setup_of(cell, {}))
    return Kind(
        profile=cell.profile.name,
        workload=cell.workload,
        setup={name: words[name] for name in named},
        words=words,
        rows=tuple(rows),
    )


def _row(cell: CellFinding, order: int, campaign: Mapping[str, Any]) -> Row:
    builds: Mapping[str, str] = campaign.get("builds") or {}
    return Row(
        cell=cell,
        version=builds.get(cell.dagster, cell.dagster),
        round=cell.repetition or 1,
        order=order,
        values=cell_values(cell),
    )


def _words(cell: CellFinding, campaign: Mapping[str, Any]) -> dict[str, str]:
    size = f"{cell.profile.vcpu:g} vCPU, {cell.profile.memory_mib:g} MiB"
    return {
        "task size": size,
        "workload": cell.workload,
        "limits": limits_of(cell),
        **setup_of(cell, campaign),
        **definition_of(cell.workload, campaign),
    }


def _relatives(before: Iterable[Kind], now: Iterable[Kind]) -> list[Pair]:
    """Each kind beside the one of its workload it differs least from; none is taken twice."""
    left = list(now)
    pairs = []
    for kind in before:
        alike = [Pair(baseline=kind, contender=e) for e in left if e.workload == kind.workload]
        if alike:
            nearest = min(alike, key=lambda pair: len(pair.differences))
            left.remove(nearest.contender)
            pairs.append(nearest)
    return pairs


def _name(kind: Kind) -> str:
    setup = ", ".join(f"{name} {word}" for name, word in kind.setup.items())
    return f"{kind.workload} on {kind.profile} ({setup})"
