"""Comparisons made by hand: every verdict, every way not to know, one contender or three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.analysis.capacity import Capacity
from harness.analysis.comparison.metrics import METRICS
from harness.analysis.comparison.types import (
    SCHEMA,
    CapacityComparison,
    CellValue,
    Comparison,
    ComparisonDocument,
    Effect,
    GroupComparison,
    Metric,
    MetricComparison,
    NoiseFloor,
    RankTest,
    Rules,
    Side,
    SideFigures,
    Verdict,
)

BASELINE, CONTENDER = "1.12.22", "1.13.28"
FOLDER = "20260101T000000Z-compare"
HOSTILE = "<img src=x onerror=alert(1)> | `a` *b* ]]> & \x00"
SETUP = {"target": "process", "workers": "6", "replicas": "1", "feed": "direct"}
METRIC: dict[str, Metric] = {metric.key: metric for metric in METRICS}


def side(label: str, dagster: str | None = None, folder: str = FOLDER) -> Side:
    return Side(
        label=label, dagster=dagster or label, folder=folder,
        software={"lock": "a" * 64, "database": "PostgreSQL 17.2"},
    )  # fmt: skip


def figures(label: str, values: Sequence[float | None], why: str = "") -> SideFigures:
    """Equal cells in rounds; the middle is said, not calculated, where all are the same."""
    known = sorted(value for value in values if value is not None)
    return SideFigures(
        values=tuple(
            CellValue(
                cell=f"1vcpu-2gb_io_{label}_w6_r1_direct_n{number}", round=number,
                order=2 * number, value=value, why=why if value is None else "",
            )
            for number, value in enumerate(values, start=1)
        ),
        middle=known[len(known) // 2] if known else None,
        n=len(known),
    )  # fmt: skip


def metric(
    key: str,
    verdict: Verdict,
    baseline: Sequence[float | None],
    contender: Sequence[float | None],
    *,
    at: int | None = None,
    ratio: tuple[float | None, float | None, float | None] = (None, None, None),
    noise: float | None = 0.021,
    within: float | None = None,
    why: str = "",
    label: str = CONTENDER,
) -> MetricComparison:
    middle, low, high = ratio
    known = noise is not None
    return MetricComparison(
        metric=METRIC[key],
        at=at,
        baseline=figures(BASELINE, baseline, "the event log does not tell this phase"),
        contender=figures(label, contender, "the event log does not tell this phase"),
        effect=Effect(
            ratio=middle, low=low, high=high, n=len(baseline), paired=True,
            why="" if middle is not None else "the baseline is 0 or not known",
        ),
        noise=NoiseFloor(
            ratio=noise, cell_sd=0.01 if known else None, free=6, pairs=12,
            source="campaign" if known else "none",
        ),
        rank=RankTest(p=0.03, smallest_p=0.03, decides=False),
        p=0.001, p_adjusted=0.01, verdict=verdict, within=within, why=why,
    )  # fmt: skip


def capacity(held: int | None, low: int | None, high: int | None) -> Capacity:
    if held is None:
        return Capacity(
            concurrency=None, low=None, high=None, first_failing=None, status="invalid",
            evidence=("no step could be judged",), confidence=0.8,
        )  # fmt: skip
    return Capacity(
        concurrency=held, low=low, high=high, first_failing=held + 1, status="bracketed",
        probability=0.97, confidence=0.8, confirmed=True, steps=12,
    )  # fmt: skip


def metrics(label: str = CONTENDER) -> tuple[MetricComparison, ...]:
    """One of every kind of answer."""
    return (
        metric("launch_cpu_s", "worse", [2.63, 2.6, 2.66, 2.62], [2.95, 2.9, 2.99, 2.93],
               ratio=(1.12, 1.08, 1.16), why="beyond the noise floor of 2.1 %", label=label),
        metric("launch_s", "same", [2.1, 2.12, 2.08, 2.11], [2.13, 2.1, 2.09, 2.14], at=1,
               ratio=(1.004, 0.985, 1.023), within=0.03, label=label),
        metric("launch_s", "cannot_tell", [4.1, 5.2, 3.9, 4.4], [4.6, 4.1, 5.9, 4.3], at=3,
               ratio=(1.06, 0.88, 1.31), noise=0.28, label=label,
               why="the interval holds both a change and none"),
        metric("throughput_runs_per_s", "worse", [0.25, 0.25, 0.26, 0.25],
               [0.22, 0.21, 0.22, 0.22], at=3, ratio=(0.876, 0.84, 0.91), label=label),
        metric("run_rss_mib", "better", [98.4, 98.2, 98.6, 98.3], [95.1, 95.0, 95.3, 95.2], at=3,
               ratio=(0.967, 0.961, 0.973), noise=0.006, label=label),
        metric("base_mib", "cannot_tell", [185.0], [190.0], ratio=(1.027, None, None), noise=None,
               why="nothing tells how far equal cells scatter", label=label),
        metric("queue_s", "cannot_tell", [None, None, None, None], [0.4, 0.5, 0.4, 0.4], at=3,
               noise=None, why="the baseline is not known", label=label),
        metric("per_run_mib", "same", [66, 60, 71, 69], [67, 61, 70, 68],
               ratio=(1.0, 0.97, 1.04), within=0.05, label=label),
        metric("probe_s", "worse", [0.02, 0.021, 0.02, 0.02], [0.05, 0.052, 0.048, 0.051], at=3,
               ratio=(2.5, 2.2, 2.9), noise=0.1, label=label),
    )  # fmt: skip


def group(label: str = CONTENDER, workload: str = "io") -> GroupComparison:
    return GroupComparison(
        profile="1vcpu-2gb",
        workload=workload,
        setup=dict(SETUP),
        capacity=CapacityComparison(
            baseline=capacity(5, 4, 6),
            contender=capacity(4, 3, 5),
            lower=0.82,
            higher=0.04,
            verdict="cannot_tell",
            why="82 % sure that it holds fewer, 95 % were wanted",
        ),
        metrics=metrics(label),
    )


def comparison(label: str = CONTENDER, **changes: object) -> Comparison:
    made = Comparison(
        baseline=side(BASELINE),
        contender=side(label),
        differences=(),
        remarks=(("lock", "aaaa", "bbbb"),),
        unmatched=(),
        groups=(group(label), group(label, "cpu")),
        verdict="worse",
        why="launch CPU of io is worse",
    )
    return replace(made, **changes)


def document(*comparisons: Comparison) -> ComparisonDocument:
    made = comparisons or (comparison(),)
    return ComparisonDocument(
        schema=SCHEMA, method=1, rules=Rules(), baseline=made[0].baseline, comparisons=made
    )


def forced() -> ComparisonDocument:
    """Compared although the hosts differ."""
    return document(comparison(differences=(("host CPU", "2 CPUs, Xeon", "4 CPUs, EPYC"),)))


def several() -> ComparisonDocument:
    """Three contenders; one was not measured with cpu-bound runs."""
    last = comparison("1.13.28")
    return document(
        comparison("1.10.11", verdict="better"),
        comparison("1.12.22-mine", verdict="cannot_tell", groups=(group("1.12.22-mine"),)),
        last,
    )


def hostile() -> ComparisonDocument:
    """Every text that comes from outside made hostile."""
    made = group(HOSTILE)
    told = replace(
        made,
        workload=HOSTILE,
        setup={HOSTILE: HOSTILE},
        metrics=tuple(replace(each, why=HOSTILE) for each in made.metrics),
    )
    return document(
        comparison(
            HOSTILE,
            contender=side(HOSTILE, folder=HOSTILE),
            groups=(told,),
            differences=((HOSTILE, HOSTILE, HOSTILE),),
            unmatched=(HOSTILE,),
            remarks=((HOSTILE, HOSTILE, HOSTILE),),
        )
    )
