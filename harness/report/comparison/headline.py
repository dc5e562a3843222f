"""A comparison in a sentence: what became worse or better, what stayed, what nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.comparison.chosen import NOT_ASKED
from harness.analysis.comparison.types import (
    Comparison,
    GroupComparison,
    MetricComparison,
    Verdict,
)
from harness.report.comparison.words import (
    VERDICT_WORDS,
    group_name,
    metric_name,
    side_name,
    size_phrase,
    verdict_phrase,
)
from harness.report.phrases import capacity_phrase, count_of, probability_phrase

WORD = "Dagster "
NOTHING = "the two sides have no kind of cell in common."
MOST_NAMED = 3
MOST_OF_SEVERAL = 2
"""Figures that are named beside one another, of one contender and of each of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One verdict on one kind of cell. `entry` is `None` for its capacity."""

    verdict: Verdict
    name: str
    place: str
    gates: bool
    told: str
    entry: MetricComparison | None


def pair_phrase(comparison: Comparison) -> str:
    """`Dagster 1.13.28 beside 1.12.22`."""
    return " beside ".join(_names(comparison))


def _names(comparison: Comparison) -> tuple[str, str]:
    """Contender and baseline; the word `Dagster` once."""
    contender, baseline = side_name(comparison.contender), side_name(comparison.baseline)
    if contender.startswith(WORD) and baseline.startswith(WORD):
        baseline = baseline.removeprefix(WORD)
    return contender, baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Figures with one verdict. `lead`: `worse`, `the same within 3 %`; `told`: which, by how much.

    `counts`: whether the verdict of the whole rests on them.
    """

    verdict: Verdict
    lead: str
    told: str
    counts: bool

    @property
    def words(self) -> str:
        """As a piece of a sentence."""
        return f"{self.lead} in {self.told}"


def parts_of(comparison: Comparison, *, most: int = MOST_NAMED) -> tuple[Part, ...]:
    """The whole answer, what counts first; empty where nothing could be compared.

    Args:
        comparison: of one contender.
        most: figures that are named in each part; of the others how many.
    """
    found = list(found_in(comparison))
    counted = [each for each in found if each.gates]
    beside = [each for each in found if not each.gates]
    return (
        *_decided(counted, "worse", most),
        *_decided(counted, "better", most),
        *_together(counted, "same", most),
        *_together(counted, "cannot_tell", most),
        *_decided(beside, "worse", most),
        *_decided(beside, "better", most),
    )


def answer(comparison: Comparison, *, most: int = MOST_NAMED) -> str:
    """The same in one sentence, or two where figures that do not count moved as well."""
    parts = parts_of(comparison, most=most)
    counted = ", ".join(part.words for part in parts if part.counts)
    beside = ", ".join(part.words for part in parts if not part.counts)
    if not counted:
        return f"{VERDICT_WORDS[comparison.verdict]}: {comparison.why or NOTHING}"
    return f"{counted}. Beside the verdict: {beside}." if beside else f"{counted}."


def verdict_line(comparison: Comparison, *, most: int = MOST_OF_SEVERAL) -> str:
    """The verdict in one line: `Dagster 1.13.28 is WORSE than 1.12.22: launch CPU by 12 % (8 to
    16 %) in io; cannot tell in 3 figures.`

    What was measured at different times says so: the machine may have changed in between.
    """
    contender, baseline = _names(comparison)
    lead = LEADS[comparison.verdict].format(baseline)
    told = f"{contender} {lead}: {_in_short(comparison, most)}."
    apart = comparison.contender.folder != comparison.baseline.folder
    return f"{told} {APART}" if apart and comparison.verdict in ("worse", "better") else told


LEADS: dict[Verdict, str] = {
    "worse": "is WORSE than {}", "better": "is BETTER than {}", "same": "is the SAME as {}",
    "cannot_tell": "beside {}, CANNOT TELL",
}  # fmt: skip
APART = "They were measured at different times: a change of the machine would look the same."
ONCE = (
    "each side was measured once, so no difference can be told from noise; measure in rounds: "
    "harness run --set repetitions=4"
)


def _in_short(comparison: Comparison, most: int) -> str:
    counted = [part for part in parts_of(comparison, most=most) if part.counts]
    moved = [part for part in counted if part.verdict in ("worse", "better")]
    if not counted or (comparison.verdict == "cannot_tell" and not moved):
        return ONCE if _once(comparison) else comparison.why or NOTHING.rstrip(".")
    found = [each for each in found_in(comparison) if each.gates]
    untold = sum(each.verdict == "cannot_tell" for each in found)
    first = [part.told if part.verdict == comparison.verdict else part.words for part in moved]
    if comparison.verdict == "same":
        first = [f"all {count_of(len(found), 'figure')} that count"]
    unsure = [f"cannot tell in {untold} of {len(found)} figures"] if untold else []
    return "; ".join([*first, *unsure])


def _once(comparison: Comparison) -> bool:
    """Whether nothing at all tells how far equal cells differ."""
    entries = [entry for group in comparison.groups for entry in group.metrics]
    return bool(entries) and all(entry.noise.ratio is None for entry in entries)


def found_in(comparison: Comparison) -> Iterator[Found]:
    """Every verdict there is, a kind of cell after the other; its capacity first."""
    several = len(comparison.groups) > 1
    one_profile = len({each.profile for each in comparison.groups}) == 1
    for group in comparison.groups:
        place = group_name(group) if several else ""
        if one_profile:
            place = place.replace(f" on {group.profile}", "")
        if group.capacity.why != NOT_ASKED:
            before, now = group.capacity.baseline, group.capacity.contender
            told = f"from {capacity_phrase(before)} to {capacity_phrase(now)} ({_chance(group)})"
            yield Found(
                verdict=group.capacity.verdict, name="capacity", place=place, gates=True,
                told=told, entry=None,
            )  # fmt: skip
        for entry in group.metrics:
            yield Found(
                verdict=entry.verdict,
                name=metric_name(entry.metric, entry.at),
                place=place,
                gates=entry.metric.gates,
                told=f"by {size_phrase(entry.effect)}",
                entry=entry,
            )


def _chance(group: GroupComparison) -> str:
    """`97 % likely fewer`: both may well have the same number."""
    lower, higher = group.capacity.lower or 0.0, group.capacity.higher or 0.0
    more, chance = ("fewer", lower) if lower > higher else ("more", higher)
    return f"{probability_phrase(chance)} likely {more}"


def _decided(found: Sequence[Found], verdict: Verdict, most: int) -> Iterator[Part]:
    """`worse in launch CPU by 12 % (8 to 16 %) in io and 3 others`: a figure once, by place."""
    own = sorted((each for each in found if each.verdict == verdict), key=_how_much, reverse=True)
    by_name: dict[str, list[Found]] = {}
    for each in own:
        by_name.setdefault(each.name, []).append(each)
    told = [_moved(name, places) for name, places in list(by_name.items())[:most]]
    if told:
        listed = _listed(told, len(by_name) - len(told))
        yield Part(verdict=verdict, lead=VERDICT_WORDS[verdict], told=listed, counts=own[0].gates)


def _moved(name: str, places: Sequence[Found]) -> str:
    """`launch CPU by 12 % (8 to 16 %) in io and by 9 % (6 to 12 %) in cpu`."""
    told = [f"{each.told} in {each.place}" if each.place else each.told for each in places]
    return f"{name} {_listed(told, 0)}"


def _together(found: Sequence[Found], verdict: Verdict, most: int) -> Iterator[Part]:
    """`the same within 5 % in launch CPU and 3 others`; `cannot tell in probe time`."""
    own = [each for each in found if each.verdict == verdict]
    if not own:
        return
    names = list(dict.fromkeys(_everywhere(each, found) for each in own))
    widest = max(
        (each.entry for each in own if each.entry and each.entry.within is not None),
        key=lambda entry: entry.within or 0.0,
        default=None,
    )
    words = {"same": "the same", "cannot_tell": "cannot tell"}[verdict]
    if verdict == "same" and widest is not None:
        words = f"the {verdict_phrase(widest)}"
    yield Part(verdict=verdict, lead=words, told=listed(names, most), counts=own[0].gates)


def _everywhere(one: Found, found: Sequence[Found]) -> str:
    """Its place is said where the same figure has another verdict in another place."""
    verdicts = {each.verdict for each in found if each.name == one.name}
    return one.name if len(verdicts) == 1 else _whose(one)


def _how_much(found: Found) -> float:
    """A capacity that moved is told first."""
    if found.entry is None:
        return float("inf")
    ratio = found.entry.effect.ratio
    return 0.0 if ratio is None else abs(ratio - 1)


def _whose(found: Found) -> str:
    return f"{found.name} of {found.place}" if found.place else found.name


def listed(names: Sequence[str], most: int) -> str:
    """`a, b and 3 others`."""
    return _listed(names[:most], len(names) - most)


def _listed(parts: Sequence[str], others: int) -> str:
    told = [*parts, count_of(others, "other")] if others > 0 else list(parts)
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
