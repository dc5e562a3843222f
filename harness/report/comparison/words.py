"""How a comparison is put into words: one place, so that all formats say the same.

Differences are told in percent of the baseline: a ratio of 1.12 is `+12 %`.
"""

from __future__ import annotations

import re

from harness.analysis.comparison.types import (
    CapacityComparison,
    Effect,
    GroupComparison,
    Metric,
    MetricComparison,
    NoiseFloor,
    Rules,
    Side,
    SideFigures,
    Verdict,
)
from harness.report.phrases import capacity_phrase, count_of, probability_phrase
from harness.units import show_rate

RELEASE = re.compile(r"\d+\.\d+\.\d+")
LONGEST = 28
"""Characters of a name that is shown beside others."""

UNAVAILABLE = "unavailable"
UNDEFINED = "undefined"
NOT_MEASURED = "not measured"
VERDICT_WORDS: dict[Verdict, str] = {
    "better": "better", "worse": "worse", "same": "same", "cannot_tell": "cannot tell",
}  # fmt: skip
FORCED = "FORCED: these results must not be compared, and were compared all the same"


def side_name(side: Side) -> str:
    """`Dagster 1.13.28`; `mine (Dagster 1.13.27)` of a build, or of a side called otherwise."""
    if RELEASE.fullmatch(side.dagster):
        version = f"Dagster {side.dagster}"
        return version if side.label == side.dagster else f"{side.label} ({version})"
    ran = side.software.get("dagster")
    name = side.label if side.label == side.dagster else f"{side.label} ({side.dagster})"
    return f"{name} (Dagster {ran})" if ran and ran != side.dagster else name


def group_name(group: GroupComparison) -> str:
    """`io on 1vcpu-2gb`."""
    return group.name or f"{group.workload} on {group.profile}"


def side_label(side: Side) -> str:
    """What to call it in a table."""
    return side.label


def metric_name(metric: Metric, at: int | None) -> str:
    """`throughput at 3 runs`."""
    return metric.name if at is None else f"{metric.name} at {count_of(at, 'run')}"


def value(figure: float | None) -> str:
    """Three digits, in the unit of the metric; never 0 for what is not known."""
    return UNAVAILABLE if figure is None else show_rate(figure)


def middle(figures: SideFigures) -> str:
    """The value in the middle of a side."""
    return value(figures.middle)


def change(ratio: float | None) -> str:
    """`+12 %`, `-3.4 %`; as many digits as a reader can use."""
    return UNDEFINED if ratio is None else f"{_signed(ratio - 1)} %"


def effect_phrase(effect: Effect) -> str:
    """`+12 % (+8 to +16)`, or why there is none."""
    if effect.ratio is None:
        return UNDEFINED
    if effect.low is None or effect.high is None:
        return f"{change(effect.ratio)} (no interval)"
    return f"{change(effect.ratio)} ({_signed(effect.low - 1)} to {_signed(effect.high - 1)})"


def size_phrase(effect: Effect) -> str:
    """`12 % (8 to 16 %)`: how far apart, where a word says in which direction."""
    if effect.ratio is None:
        return UNDEFINED
    size = f"{_percent(abs(effect.ratio - 1))} %"
    if effect.low is None or effect.high is None:
        return size
    ends = sorted((abs(effect.low - 1), abs(effect.high - 1)))
    return f"{size} ({_percent(ends[0])} to {_percent(ends[1])} %)"


def noise_phrase(noise: NoiseFloor) -> str:
    """`2.1 %`: how far equal things differ; a word where nothing tells."""
    return "not known" if noise.ratio is None else f"{_percent(noise.ratio)} %"


def verdict_phrase(entry: MetricComparison) -> str:
    """`worse`, `same within 3 %`, `cannot tell`."""
    if entry.verdict == "same" and entry.within is not None:
        return f"same within {_percent(entry.within)} %"
    return VERDICT_WORDS[entry.verdict]


def capacity_words(capacity: CapacityComparison) -> str:
    """How probable it is that it holds fewer, or more: `97 % likely fewer, 1 % more`."""
    if capacity.lower is None or capacity.higher is None:
        return UNDEFINED
    lower, higher = probability_phrase(capacity.lower), probability_phrase(capacity.higher)
    return f"{lower} likely fewer, {higher} more"


def capacity_change(capacity: CapacityComparison) -> str:
    """`5 (80 %: 4 to 6) instead of 6 (80 %: 6)`."""
    contender, baseline = capacity.contender, capacity.baseline
    return f"{capacity_phrase(contender)} instead of {capacity_phrase(baseline)}"


def better_phrase(metric: Metric) -> str:
    """Which direction is wanted."""
    return f"{metric.better} is better"


def rules_phrase(rules: Rules) -> str:
    """How it was decided."""
    return (
        f"Chance of a false verdict over all figures of a comparison: {_percent(rules.alpha)} %. "
        f"Differences within {_percent(rules.tolerance)} % count as the same, once the interval "
        f"lies within. A capacity is lower or higher with a probability of at least "
        f"{_percent(rules.capacity_confidence)} %."
    )


def _signed(difference: float) -> str:
    text = _percent(abs(difference))
    sign = "" if text == "0" else "+" if difference > 0 else "-"
    return f"{sign}{text}"


def _percent(ratio: float) -> str:
    """Two digits, whole numbers from 10 on: `0.54`, `3.4`, `12`, `130`."""
    percent = ratio * 100
    if percent >= 9.95:
        return f"{percent:,.0f}"
    text = f"{percent:.2g}" if percent >= 0.095 else f"{percent:.1g}"
    return "0" if percent < 0.005 else f"{float(text):g}"


def minus(text: str) -> str:
    """With the sign that typography has for it, where nobody will type it again."""
    return re.sub(r"-(?=\d)", "\u2212", text)


def shortened(text: str) -> str:
    """A digest or a long name, to be told apart and not to be typed: its end tells most."""
    return text if len(text) <= LONGEST else f"{text[:8]}…{text[9 - LONGEST :]}"
