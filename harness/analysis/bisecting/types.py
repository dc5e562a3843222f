"""The contract of `bisect.json` as dataclasses.

Every number is finite or `None`, which means *not known*. Ratios are later ÷ earlier release.
Releases stand oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from harness.analysis.comparison.types import Metric

SCHEMA = 1

Status = Literal["found", "several", "gradual", "same", "cannot_tell"]
"""`found`: one step, between two releases. `several`: more than one, the largest is between two
releases. `gradual`: little by little, or in more steps than can be told apart. `same`: the ends do
not differ."""

Like = Literal["good", "bad", "between", "unsure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One campaign: each release once, in turn, so that a drift of the machine meets all alike.

    `releases`: in the order they were measured. `values`: in the metric's unit; a release that is
    not in there gave none, and `why` says so. `folder`: name of the results folder.
    """

    number: int
    folder: str
    releases: tuple[str, ...]
    values: dict[str, float]
    why: dict[str, str] = field(default_factory=dict)
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How to decide.

    `odds`: a place is taken for known from these odds on. `confidence`: how sure the answer must
    be. `tolerance`: ends that differ by no more than this (ratio − 1) are the same. `most_rounds`:
    of one release; `most_ends`: of both ends before anything lies between them.
    """

    odds: float = 20.0
    confidence: float = 0.95
    tolerance: float = 0.05
    most_rounds: int = 6
    most_ends: int = 10


USUAL = Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A ratio with its 95 % interval."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where the metric moved: after `after`, at `upto` at the latest.

    `probability`: that it moved between these two. `unmeasured`: releases between them, oldest
    first; those that were skipped, and those there was no time for.
    """

    after: str
    upto: str
    size: Size
    probability: float
    unmeasured: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One measured release. `value`: geometric mean in the metric's unit, `None` where it gave
    none. `to_good`: beside the older end, drift taken off; `None` for that end itself.
    """

    release: str
    value: float | None
    to_good: Size | None
    like: Like
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A release that gave no value, and why."""

    release: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for. `key`: the metric, of a step with its load (`launch_s@3`). `setup`: what
    is measured, by name: workload, profile, target, loads. `good`: the older end, `bad` the newer
    one; `turned`: it was asked the other way round.
    """

    key: str
    metric: Metric
    setup: dict[str, str]
    good: str
    bad: str
    turned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BisectFinding:
    """`bisect.json`: what is known after all rounds so far.

    `ends`: newer ÷ older end; `None` before both were measured. `same_p`: probability that nothing
    moved at all; `single_p`: that it was in one place; `drift_p`: that each release moved it a
    little. `steps`: the largest first. `noise`: standard deviation of ln(value) between equal cells
    of one round. `releases`: how many there are, both ends with them. `ended`: why no more was
    measured; empty while it goes on.
    """

    schema: int
    method: int
    question: Question
    releases: int
    rules: Rules
    status: Status
    ended: str
    ends: Size | None
    same_p: float
    single_p: float
    drift_p: float
    noise: float | None
    steps: tuple[Step, ...]
    measured: tuple[Placed, ...]
    skipped: tuple[Skipped, ...]
    rounds: tuple[Round, ...]
