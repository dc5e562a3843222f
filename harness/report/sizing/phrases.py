"""How a sizing is put into words: one place, so that terminal and Markdown say the same."""

from __future__ import annotations

from harness.analysis.sizing.types import Demand, Option, Part, SizingFinding
from harness.facts.dagster_versions import workers_variable
from harness.report.phrases import UNKNOWN, percent, plain, seconds
from harness.units import show_money, show_seconds, show_span

HEADINGS = (
    "", "holds", "in\nflight", "holds\nat once", "CPU", "memory\nMiB", "gives\nfirst", "left",
    "wait\np95", "lost with\na server", "a month", "per 1,000\nruns",
)  # fmt: skip
"""Of the table of options; the first column names the option."""

MARKS = (
    "? not known; * measured at this size, all others predicted. In flight, lost with a server: "
    "mean / p95 at the busiest time. Holds at once: with its interval; left: of what one replica "
    "surely holds."
)


def answer_sentence(finding: SizingFinding) -> str:
    """What to ship, or that nothing holds, in one sentence."""
    choice = finding.choice
    if choice is None:
        return "Nothing to ship: this demand is not held."
    settings = []
    if choice.max_workers is not None and finding.shipping is not None:
        settings.append(f"{workers_variable(finding.shipping.dagster)}={choice.max_workers}")
    if choice.max_concurrent_runs is not None:
        settings.append(f"max_concurrent_runs={choice.max_concurrent_runs}")
    named = f"{choice.replicas} × {choice.profile}" + (
        f": {', '.join(settings)}" if settings else ""
    )
    money = finding.price.currency
    return (
        f"Ship {named}; {show_money(choice.per_month, money)} a month, "
        f"{show_money(choice.per_1000_runs, money)} per 1,000 runs ({choice.basis})."
    )


def demand_phrase(demand: Demand) -> str:
    """`200 runs/h of io (45 s), 2.5 times that when busiest`."""
    kinds = ", ".join(_part(part, alone=len(demand.parts) == 1) for part in demand.parts)
    growth = f" × {demand.growth:g} growth" if demand.growth != 1 else ""
    noun = "run" if demand.runs_per_hour == 1 else "runs"
    return (
        f"{demand.runs_per_hour:,.12g} {noun}/h{growth} of {kinds}, {demand.burst:g} times that at "
        "the busiest time"
    )


def _part(part: Part, *, alone: bool) -> str:
    p95 = part.duration.p95_s
    spread = f", p95 {show_seconds(p95)}" if p95 is not None else ""
    share = "" if alone else f"{part.share:.0%} "
    return f"{share}{part.workload} ({show_seconds(part.duration.mean_s)}{spread})"


def option_name(option: Option) -> str:
    """`2 × 1vcpu-2gb`, with a star where that very size was measured."""
    return f"{option.replicas} × {option.profile}" + ("*" if option.basis == "measured" else "")


def holds_phrase(option: Option) -> str:
    """`yes`, `no` or `?`."""
    return {True: "yes", False: "no", None: "?"}[option.holds]


def option_values(option: Option, currency: str) -> tuple[str, ...]:
    """The option's line in the table, in the order of `HEADINGS` without its name."""
    memory = UNKNOWN if option.memory_mib is None else f"{option.memory_mib:,.0f}"
    return (
        holds_phrase(option),
        f"{plain(option.in_flight, '.1f')} / {plain(option.in_flight_p95)}",
        capacity_phrase(option),
        _used(option),
        memory,
        option.binding or UNKNOWN,
        percent(option.headroom).replace("-0%", "< 0%"),
        seconds(option.wait_s_p95) if option.wait_s_p95 else _no_wait(option),
        f"{plain(option.blast_mean, '.1f')} / {plain(option.blast_worst)}",
        show_money(option.per_month, currency),
        show_money(option.per_1000_runs, currency),
    )


def _used(option: Option) -> str:
    """Ten times too much is enough said."""
    return "> 999%" if (option.utilisation or 0) >= 10 else percent(option.utilisation)


def _no_wait(option: Option) -> str:
    return UNKNOWN if option.wait_s_p95 is None else "none"


def capacity_phrase(option: Option) -> str:
    """`13 (12 to 16)`, `20 (18 or more)`."""
    low, high = option.capacity_low, option.capacity_high
    if low is None or low == high:
        return f"{option.capacity}"
    return f"{option.capacity} ({show_span(low, high)})"
