"""The contract of `comparison.json` as dataclasses.

Every number is finite or `None`, which means *not known*: a figure a Dagster version does not offer
is never 0. Ratios are contender ÷ baseline. Figures keep the unit of their metric.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from harness.analysis.capacity import Capacity
from harness.analysis.kinds import Difference

SCHEMA = 1

Better = Literal["lower", "higher"]
Verdict = Literal["better", "worse", "same", "cannot_tell"]
NoiseSource = Literal["campaign", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure that can be compared.

    `key`: its name in findings and on the command line (`per_run_mib`). `at_load`: it is one of a
    step, so it is compared at a concurrency both sides measured. `gates`: it turns a night red by
    default.
    """

    key: str
    name: str
    unit: str
    better: Better
    at_load: bool
    gates: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CellValue:
    """One metric of one cell; `why` says why it is not known. `order`: place in time in its
    campaign, from 0; `round`: the repetition, from 1. `beyond`: not known because it is beyond all
    bounds (most runs never got there), which is worse than any figure.
    """

    cell: str
    round: int
    order: int
    value: float | None
    why: str = ""
    beyond: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFigures:
    """One metric on one side.

    `middle`: geometric mean of the `n` known values that are compared; where differences are taken
    within rounds these are the rounds that both sides know. `None` where there is none, or where
    some of them are 0 and some are not.
    """

    values: tuple[CellValue, ...]
    middle: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The ratio with its 95 % interval. `ratio` is `None` where it is undefined: `why` says so
    (the baseline is 0 or not known). `low` and `high` are `None` where nothing tells how far equal
    cells scatter. `paired`: differences were taken within rounds; then `n` counts rounds, else
    cells of the smaller side.
    """

    ratio: float | None
    low: float | None
    high: float | None
    n: int
    paired: bool
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """How far equal things differ: 95 % of A/A comparisons made the same way (as many rounds) stay
    within `1/(1+ratio) … 1+ratio`. `cell_sd`: standard deviation of ln(value) between equal cells
    once their rounds' common part is taken off (raised where the same metric of other loads and
    kinds scatters more), over `free` degrees of freedom. `pairs`: A/A pairs it rests on.
    """

    ratio: float | None
    cell_sd: float | None
    free: int
    pairs: int
    source: NoiseSource


@dataclass(frozen=True, slots=True, kw_only=True)
class RankTest:
    """An exact rank test of both sides. `smallest_p`: the smallest p so few cells can give; where
    that is above the corrected level, or values are tied, the test cannot decide: `decides` is
    false and `p` is `None`.
    """

    p: float | None
    smallest_p: float | None
    decides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricComparison:
    """One metric of one kind of cell, both sides.

    `at`: the concurrency for a metric of a step. `p`: of no difference; `p_adjusted`: corrected
    for all metrics of the comparison (Holm; those that gate weigh more). `within`: for `same`, the
    x of "same within x" as a ratio − 1. `why`: the verdict's reason in a sentence.
    """

    metric: Metric
    at: int | None
    baseline: SideFigures
    contender: SideFigures
    effect: Effect
    noise: NoiseFloor
    rank: RankTest
    p: float | None
    p_adjusted: float | None
    verdict: Verdict
    within: float | None
    why: str

    @property
    def key(self) -> str:
        """`launch_cpu_s`, or with its load `throughput_runs_per_s@4`."""
        return self.metric.key if self.at is None else f"{self.metric.key}@{self.at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityComparison:
    """What both sides hold, each from all its cells' steps together. `lower`: the probability that
    the contender holds fewer; `higher`: more; `None` where one side has no capacity.
    """

    baseline: Capacity
    contender: Capacity
    lower: float | None
    higher: float | None
    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupComparison:
    """One kind of cell: what both sides have in common (`setup`), and what was found.

    `name`: what to call it: `io on 1vcpu-2gb`, with what else differs where that is not enough.
    """

    profile: str
    workload: str
    setup: dict[str, str]
    capacity: CapacityComparison
    metrics: tuple[MetricComparison, ...]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side. `label`: what to call it. `folder`: the name of its results folder."""

    label: str
    dagster: str
    folder: str
    software: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One contender beside the baseline.

    `differences`: what forbids comparing; where there are any, it was forced. `remarks`: what
    differs and does not forbid it. `unmatched`: kinds of cells only one side has. `verdict`:
    `worse` if any gating metric or a capacity is; else `cannot_tell` if a kind that the same
    campaign measured for the baseline is missing; else `better` if any is; else `same` if every
    gating metric is; else `cannot_tell`. `why`: in a sentence.
    """

    baseline: Side
    contender: Side
    differences: tuple[Difference, ...]
    remarks: tuple[Difference, ...]
    unmatched: tuple[str, ...]
    groups: tuple[GroupComparison, ...]
    verdict: Verdict
    why: str

    @property
    def forced(self) -> bool:
        """Whether it was made although the sides must not be compared."""
        return bool(self.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How to decide. `alpha`: chance that equal sides are called better or worse, over all metrics
    of a comparison. `tolerance`: differences up to this (ratio − 1) count as the same, once the
    interval lies within. `capacity_confidence`: how probable a lower (or higher) capacity must be.
    """

    alpha: float = 0.05
    tolerance: float = 0.05
    capacity_confidence: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonDocument:
    """`comparison.json`: every contender beside one baseline."""

    schema: int
    method: int
    rules: Rules
    baseline: Side
    comparisons: tuple[Comparison, ...]
