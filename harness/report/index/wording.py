"""A change since the campaign before, in words short enough for a table."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.capacity import Capacity
from harness.analysis.changes import Change, Shift
from harness.report.phrases import UNKNOWN, count_of

PLACES = {
    "inside": "inside both intervals: no difference shown",
    "between": "inside one interval only: not clear",
    "outside": "outside of both intervals",
    None: "an interval is missing",
}
MOST_DIFFERENCES = 3
LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWords:
    """What to print about a cell.

    `lead` is the answer, `more` what stands behind it. `tone`: `good` or `bad` only where the
    capacity moved outside of both intervals. `against`: folder of the other campaign, or empty.
    `ratio`: capacity now ÷ before, to sort by.
    """

    lead: str
    more: tuple[str, ...] = ()
    tone: str = "plain"
    against: str = ""
    ratio: float | None = None


def change_words(change: Change) -> ChangeWords:
    """One cell beside the one before, in words."""
    if change.relation == "first":
        return ChangeWords(lead="first of its kind")
    remarks = tuple(f"{what} {before} → {now}" for what, before, now in change.remarks)
    if change.relation == "not_comparable" or change.capacity is None or change.answers is None:
        return ChangeWords(
            lead="not comparable", more=(*_differences(change), *remarks), against=change.against
        )
    figures = "; ".join(words for words in map(_figure, change.figures) if words)
    return ChangeWords(
        lead=_capacity(change.answers, change.capacity),
        more=(*([figures] if figures else []), *remarks),
        tone=_tone(change.capacity),
        against=change.against,
        ratio=change.capacity.ratio,
    )


def _differences(change: Change) -> tuple[str, ...]:
    told = [
        f"other {what}: {_short(before)} → {_short(now)}"
        for what, before, now in change.differences[:MOST_DIFFERENCES]
    ]
    more = len(change.differences) - len(told)
    return (*told, *([f"and {count_of(more, 'difference')} more"] if more else []))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _capacity(answers: tuple[Capacity, Capacity], shift: Shift) -> str:
    before, now = (_runs(answer) for answer in answers)
    if before == now:
        return f"{now}, as before"
    if shift.before is None or shift.now is None:
        return f"{before} → {now}"
    return f"{before} → {now}, {PLACES[shift.place]}"


def _runs(answer: Capacity) -> str:
    if answer.status == "invalid":
        return "no capacity"
    if answer.status == "below_min":
        return f"< {answer.first_failing}"
    return f"{'≥ ' if answer.status == 'above_max' else ''}{answer.concurrency}"


def _tone(shift: Shift) -> str:
    if shift.place != "outside" or shift.before is None or shift.now is None:
        return "plain"
    return "good" if shift.now > shift.before else "bad"


def _figure(shift: Shift) -> str:
    """`launch CPU 2.63 → 2.90 CPU-s (×1.10)`, and whether that is outside of both intervals."""
    if shift.before is None and shift.now is None:
        return ""
    spec = ".0f" if shift.unit == "MiB" else ".2f"
    before, now = (
        UNKNOWN if value is None else format(value, spec) for value in (shift.before, shift.now)
    )
    apart = ", outside of both" if shift.place == "outside" else ""
    ratio = "" if shift.ratio is None else f" (×{shift.ratio:.2f}{apart})"
    return f"{shift.name} {before} → {now} {shift.unit}{ratio}"
