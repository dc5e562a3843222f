"""What has been measured so far, reduced to the few sums that every hypothesis needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from harness.analysis.bisecting.types import Round

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All rounds over an ordered list of releases.

    Attributes:
        releases: oldest first; the first and the last are the ends.
        rounds: in the order they were measured.
        skipped: releases that cannot be measured, and why.
        candidates: those between the ends that may be measured; left out, all of them.
    """

    releases: tuple[str, ...]
    rounds: tuple[Round, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    candidates: frozenset[str] | None = None

    @cached_property
    def index(self) -> dict[str, int]:
        """Where each release stands, from 0."""
        return {release: at for at, release in enumerate(self.releases)}

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Where the releases stand that gave values, ascending; the ends are always among them."""
        known = {self.index[release] for each in self.rounds for release in each.values}
        return tuple(sorted(known | {0, len(self.releases) - 1}))

    def rounds_of(self, *releases: str) -> int:
        """In how many rounds all of these gave a value."""
        return sum(all(release in each.values for release in releases) for each in self.rounds)

    def tries_of(self, release: str) -> int:
        """In how many rounds it was to give one."""
        return sum(release in each.releases for each in self.rounds)

    def open_between(self, low: int, high: int) -> tuple[int, ...]:
        """Places strictly between two that can still be measured."""
        return tuple(at for at in range(low + 1, high) if self.may_measure(at))

    def may_measure(self, at: int) -> bool:
        """Whether the release there may be measured."""
        release = self.releases[at]
        chosen = self.candidates is None or release in self.candidates
        return chosen and release not in self.skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Least squares of ln(value) on releases, with each round's own level taken off.

    `gram` and `moment` are by measured place, `square` is the sum of squares, `count` the number
    of independent differences within rounds.
    """

    gram: FloatArray
    moment: FloatArray
    square: float
    count: int


def sums_of(evidence: Evidence) -> Sums:
    """The sums over all rounds; a round with a single value tells nothing."""
    places = {evidence.releases[at]: column for column, at in enumerate(evidence.places)}
    size = len(places)
    gram, moment = np.zeros((size, size)), np.zeros(size)
    square, count = 0.0, 0
    for each in evidence.rounds:
        if len(each.values) < 2:
            continue
        columns = [places[release] for release in each.values]
        logs = np.log(list(each.values.values()))
        centred = logs - logs.mean()
        part = np.eye(len(columns)) - 1 / len(columns)
        gram[np.ix_(columns, columns)] += part
        moment[columns] += centred
        square += float(centred @ centred)
        count += len(columns) - 1
    return Sums(gram=gram, moment=moment, square=square, count=count)


def gaps_of(places: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring measured places."""
    return list(pairwise(places))
