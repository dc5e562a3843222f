"""Which of the hundreds of options are worth a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.sizing.choice import half_the_loss, next_best
from harness.analysis.sizing.types import Option

CHEAPEST = 3
REPLICAS = (1, 2, 3)
NEAREST = 2


def worth_showing(
    options: Sequence[Option], choice: Option | None, measured: Sequence[str]
) -> tuple[Option, ...]:
    """About a dozen, in their order.

    The choice, what it is compared with in words, and the same with more memory; the three
    cheapest that hold, and the cheapest for 1, 2 and 3 replicas; the sizes that were measured; of
    those that do not hold the cheapest, and the dearest that are still cheaper than the choice.

    Args:
        options: all of them, in order of price.
        measured: names of the measured profiles.
    """
    wanted = set(_wanted(options, choice, measured))
    return tuple(each for at, each in enumerate(options) if at in wanted)


def _wanted(
    options: Sequence[Option], choice: Option | None, measured: Sequence[str]
) -> Iterator[int]:
    places = {id(each): at for at, each in enumerate(options)}
    holding = _thinned(each for each in options if each.holds)
    failing = [each for each in options if not each.holds]
    shown: list[Option | None] = [choice, *holding[:CHEAPEST]]
    shown += [next((o for o in holding if o.replicas == k), None) for k in REPLICAS]
    shown += [_of_profile(options, name) for name in measured]
    if choice is not None:
        shown += [next_best(options, choice), half_the_loss(options, choice)]
        shown.append(_more_memory(options, choice))
        failing = [each for each in failing if each.per_month <= choice.per_month]
    shown += failing[:1]
    shown += sorted(_smallest(failing), key=_near)[:NEAREST] if choice else _best(failing)
    yield from (places[id(each)] for each in shown if each is not None)


def _thinned(options: Iterator[Option]) -> list[Option]:
    """Of one CPU × replicas only the cheapest: more memory is a step of its own."""
    found: dict[tuple[float, int], Option] = {}
    for each in options:
        found.setdefault((each.vcpu, each.replicas), each)
    return list(found.values())


def _smallest(failing: Sequence[Option]) -> list[Option]:
    """Of one CPU × replicas the one that came nearest, with the least memory that does."""
    found: dict[tuple[float, int], Option] = {}
    for each in failing:
        key = (each.vcpu, each.replicas)
        if key not in found or _near(each) < _near(found[key]):
            found[key] = each
    return list(found.values())


def _near(option: Option) -> tuple[bool, float]:
    """Small where little is missing."""
    if option.headroom is not None:
        return False, -option.headroom
    return True, option.utilisation if option.utilisation is not None else float("inf")


def _best(failing: Sequence[Option]) -> list[Option]:
    """Where nothing holds: what came nearest, or of each CPU the cheapest if no run fits any."""
    if any(each.capacity for each in failing):
        return sorted(_smallest(failing), key=_near)[: 2 * CHEAPEST]
    return [each for each in _smallest(failing) if each.replicas == 1]


def _of_profile(options: Sequence[Option], name: str) -> Option | None:
    """With the fewest replicas that hold; if none does, one."""
    own = sorted((o for o in options if o.profile == name), key=lambda o: o.replicas)
    return next((each for each in own if each.holds), own[0] if own else None)


def _more_memory(options: Sequence[Option], choice: Option) -> Option | None:
    """The same with the next memory size."""
    larger = [
        each
        for each in options
        if (each.vcpu, each.replicas) == (choice.vcpu, choice.replicas)
        and each.memory_limit_mib > choice.memory_limit_mib
    ]
    return min(larger, key=lambda each: each.memory_limit_mib, default=None)
