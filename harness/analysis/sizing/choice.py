"""Which option to ship, and why."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.sizing.types import Demand, Option
from harness.units import show_money, show_rate

WORTH = 0.15
"""What two or more replicas may cost more than the cheapest that holds, to be taken instead."""


def choose(options: Sequence[Option]) -> Option | None:
    """The cheapest that holds; on two or more replicas, where that costs at most 15 % more.

    Of those with the fewest replicas, because chance loads many small servers less evenly than
    a few large ones; then the cheapest, then the one with the most headroom. `None` where nothing
    holds, or nothing is known to.

    Args:
        options: in order of price.
    """
    holding = [each for each in options if each.holds]
    if not holding:
        return None
    worth = [each for each in holding if each.per_month <= (1 + WORTH) * holding[0].per_month]
    several = [each for each in worth if each.replicas > 1]
    if not several:
        return min(worth, key=_preference)
    fewest = min(each.replicas for each in several)
    return min((each for each in several if each.replicas == fewest), key=_preference)


def _preference(option: Option) -> tuple[float, float, str]:
    return round(option.per_month, 6), -(option.headroom or 0.0), option.profile


def next_best(options: Sequence[Option], choice: Option) -> Option | None:
    """The cheapest other that holds, of another CPU or number of replicas."""
    return next(
        (
            each
            for each in options
            if each.holds and (each.vcpu, each.replicas) != (choice.vcpu, choice.replicas)
        ),
        None,
    )


def half_the_loss(options: Sequence[Option], choice: Option) -> Option | None:
    """The cheapest that holds and on which a server takes at most half as many runs with it."""
    return next((o for o in options if o.holds and 2 * _lost(o) <= _lost(choice) * 1.05), None)


def reasons(
    options: Sequence[Option], choice: Option | None, demand: Demand, currency: str
) -> tuple[str, ...]:
    """Why this one, in sentences; where there is none, what came nearest and what it lacks.

    Args:
        options: all of them, in order of price.
        choice: as `choose` made it of them.
        demand: what has to be held.
        currency: of the prices.
    """
    if choice is None:
        return _none_holds(options, demand)
    said = [
        f"{named(choice)} holds {show_rate(demand.peak_rate_per_s)} runs/s, the busiest time: "
        f"{choice.reason}.",
        _rule(options, choice),
    ]
    said.append(_loss(options, choice, currency))
    other = next_best(options, choice)
    if other is not None:
        said.append(f"Next: {named(other)}, {_more(other, choice, currency)}: {other.reason}.")
    if choice.replicas > 1:
        said.append(
            "A request to cancel a run goes to any of the replicas, so about 1 in "
            f"{choice.replicas} finds it (read from Dagster's code, not measured)."
        )
    return tuple(said)


def named(option: Option) -> str:
    """`2 × 1vcpu-2gb`."""
    return f"{option.replicas} × {option.profile}"


def _rule(options: Sequence[Option], choice: Option) -> str:
    """Why this of all that hold."""
    cheapest = next(each for each in options if each.holds)
    more = choice.per_month / cheapest.per_month - 1
    if choice.replicas > 1 and cheapest.replicas != choice.replicas:
        price = "costs the same" if more < 0.005 else f"costs {more:.0%} more"
        return (
            f"{named(cheapest)} is the cheapest that holds; {named(choice)} {price}, and for at "
            f"most {WORTH:.0%} more two or more replicas are taken: no more of them than it takes."
        )
    sure = "" if choice.capacity_low is None else " with every cost at the worse end"
    if choice.replicas > 1:
        return (
            f"Nothing cheaper holds{sure}, and it has the fewest replicas, above one, among what "
            "costs about the same."
        )
    return (
        f"Nothing cheaper holds{sure}; two replicas would be taken where they cost at most "
        f"{WORTH:.0%} more."
    )


def _loss(options: Sequence[Option], choice: Option, currency: str) -> str:
    said = (
        f"When a server dies at the busiest time {_lost(choice):.1f} runs go with it on average, "
        f"{choice.blast_worst} at worst (p95)."
    )
    half = half_the_loss(options, choice)
    if half is None:
        return f"{said} No option here halves that."
    return f"{said} To halve that: {named(half)}, {_more(half, choice, currency)}."


def _more(other: Option, choice: Option, currency: str) -> str:
    more = other.per_month - choice.per_month
    if abs(more) < 0.005:
        return "at the same price"
    return f"{show_money(abs(more), currency)} a month {'more' if more > 0 else 'less'}"


def _none_holds(options: Sequence[Option], demand: Demand) -> tuple[str, ...]:
    unsure = [each for each in options if each.holds is None]
    if unsure:
        return (
            f"Nothing is known to hold: {named(unsure[0])} might, but {unsure[0].reason}.",
            "Give the memory of a run: --per-run-mib 350.",
        )
    nearest = max(
        options,
        # A launch alone is no quicker on more than one vCPU, as a run keeps one core busy.
        key=lambda each: (
            each.headroom is not None,
            each.headroom or 0.0,
            each.capacity,
            min(1.0, each.vcpu),
        ),
        default=None,
    )
    if nearest is None:
        return ("There was no size to look at.",)
    rate = show_rate(demand.peak_rate_per_s)
    said = [
        f"Nothing that was looked at holds {rate} runs/s, the busiest time.",
        f"Nearest came {named(nearest)}: {nearest.reason}.",
    ]
    if nearest.replicas == max(each.replicas for each in options):
        said.append("More replicas may: --max-replicas.")
    return tuple(said)


def _lost(option: Option) -> float:
    return option.blast_mean or 0.0
