"""What history is made of: entries of campaigns, series of figures, and what was found in them.

A *series* is one metric of one kind of cell in campaigns of one name. It holds plain values
(`form` `value`), or contender ÷ baseline of the same night (`ratio`), in which the machine's own
drift cancels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from harness.analysis.comparison.types import Metric, Verdict

Form = Literal["value", "ratio"]
Role = Literal["subject", "baseline"]
"""`subject`: the version under test (the only one, or each that is not the baseline)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One metric of a campaign's cells of one kind and role, over its rounds.

    `key` as in `MetricComparison.key`. `value`: geometric mean; of a ratio, contender ÷ baseline.
    `sd`: of ln(value) between equal cells, over `free` degrees of freedom (see `NoiseFloor`);
    `None` where a single cell stands behind it. So a value is known to `sd / √rounds`, a ratio to
    `sd √(2 / rounds)`. `rounds`: cells, or for a ratio rounds.
    """

    kind: str
    key: str
    role: Role
    form: Form
    value: float
    rounds: int
    sd: float | None = None
    free: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One campaign, as it stays in the index for ever.

    `stamp` tells whether its findings have changed since. `started_s`: epoch seconds. `subject`,
    `baseline`: Dagster versions; `baseline` is empty where there was one version. With several
    versions under test `subject` names all (`1.12.22 + 1.13.28`), and the kinds of all but the
    first end in `, version 2` and so on: a series follows a place in the campaign, not a version.
    `host`, `harness`, `method`: what else a change may come from. `problem`: why there are no
    figures. `gone`: the folder is not there any more.
    """

    folder: str
    stamp: str
    campaign: str
    started_s: float
    subject: str
    baseline: str
    host: str
    harness: str
    method: int
    figures: tuple[Figure, ...]
    problem: str = ""
    gone: bool = False

    @property
    def valid(self) -> bool:
        """Whether at least one cell has figures."""
        return bool(self.figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesKey:
    """What makes two figures points of one series."""

    campaign: str
    kind: str
    key: str
    role: Role
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One campaign's figure in a series."""

    folder: str
    started_s: float
    subject: str
    baseline: str
    figure: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """From `folder` on the series lies at another level: `after` instead of `before` (geometric
    means of the stretches on both sides). `p`: of no change there. `annotations`: what else changed
    with that campaign or its neighbours.
    """

    folder: str
    at_s: float
    before: float
    after: float
    p: float
    verdict: Verdict
    annotations: tuple[Annotation, ...] = ()

    @property
    def ratio(self) -> float:
        """After ÷ before."""
        return self.after / self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Something other than the figures changed with this campaign: `dagster`, `baseline`,
    `harness`, `method` or `host`.
    """

    folder: str
    at_s: float
    what: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A stretch without a change, from one campaign to another, both inclusive.

    `value`: geometric mean without the outliers; 95 % of single campaigns lie in `low … high`.
    `n`: points; `outliers`: those of them that were left out, by folder.
    """

    first: str
    last: str
    start_s: float
    end_s: float
    value: float
    low: float
    high: float
    n: int
    outliers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One series, ascending in time, and what was found in it; `note` says why nothing was looked
    for (fewer than ten points), and then there are no `levels` either.
    """

    key: SeriesKey
    metric: Metric
    points: tuple[Point, ...]
    changes: tuple[ChangePoint, ...]
    note: str = ""
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All of it: trends, and annotations by campaign name."""

    trends: tuple[Trend, ...]
    annotations: dict[str, tuple[Annotation, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What one series says of tonight.

    `nights`: how many nights were taken together, tonight the last. `ratio` with `low` and `high`
    (95 %): tonight ÷ what was expected. `p_adjusted` over all series of the night. `red`: it gates
    and is worse for sure.
    """

    key: SeriesKey
    metric: Metric
    nights: int
    ratio: float | None
    low: float | None
    high: float | None
    p_adjusted: float | None
    verdict: Verdict
    red: bool
    why: str
