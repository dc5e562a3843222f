"""How a bisection is put into words: one place, so that terminal, Markdown and lines say the same.

Differences are told in percent of the older release: a ratio of 1.12 is `+12 %`.
"""

from __future__ import annotations

from harness.analysis.bisecting.types import BisectFinding, Like, Placed, Size, Step
from harness.report.comparison.words import minus, value
from harness.report.phrases import UNKNOWN, count_of
from harness.units import show_seconds

MANY = 6
"""Names of releases that are listed one by one."""


def answer(finding: BisectFinding) -> str:
    """What is known, in one sentence, with its numbers."""
    told = {
        "found": _found,
        "several": _several,
        "gradual": _gradual,
        "same": _same,
        "cannot_tell": _cannot_tell,
    }
    return told[finding.status](finding)


def _found(finding: BisectFinding) -> str:
    step = finding.steps[0]
    return (
        f"{finding.question.key} {_moved(step.size)} between {step.after} and {step.upto} "
        f"({judged(finding, step.size)}); not between these two: {_p(1 - step.probability)}."
    )


def _several(finding: BisectFinding) -> str:
    steps = "; ".join(step_phrase(step) for step in finding.steps)
    return f"{finding.question.key} moved in several steps: {steps}."


def _gradual(finding: BisectFinding) -> str:
    asked = finding.question
    moved = _moved(finding.ends) if finding.ends else "moved"
    return (
        f"{asked.key} {moved} between {asked.good} and {asked.bad} little by little, or in more "
        f"steps than can be told apart: one release alone did it with {_p(finding.single_p)}."
    )


def _same(finding: BisectFinding) -> str:
    asked = finding.question
    return (
        f"{asked.key} differs by {_difference(finding)} between {asked.good} and {asked.bad}: "
        "nothing to bisect."
    )


def _cannot_tell(finding: BisectFinding) -> str:
    asked, steps = finding.question, finding.steps
    if finding.ends is None:
        return f"{asked.key} is not known of both {asked.good} and {asked.bad}: no answer."
    if not steps:
        return (
            f"{asked.key} differs by {_difference(finding)} between {asked.good} and {asked.bad}: "
            f"whether that is more than noise cannot be told "
            f"({count_of(len(finding.rounds), 'round')}; it does with "
            f"{_p(1 - finding.same_p)})."
        )
    if len(steps) > 1:
        told = "; ".join(step_phrase(step) for step in steps)
        return f"{asked.key} moved more than once, and where cannot be told surely: {told}."
    step = steps[0]
    return (
        f"{asked.key} {_moved(step.size)} between {step.after} and {step.upto} "
        f"({_p(step.probability)}): no more than that can be told."
    )


def step_phrase(step: Step) -> str:
    """`+12 % (+9 to +15) between 1.12.4 and 1.12.5, P = 0.97`."""
    return f"{size_phrase(step.size)} between {step.after} and {step.upto}, {_p(step.probability)}"


def judged(finding: BisectFinding, size: Size) -> str:
    """Whether a move is wanted."""
    worse = (size.ratio > 1) == (finding.question.metric.better == "lower")
    return "for the worse" if worse else "for the better"


def remarks(finding: BisectFinding) -> tuple[str, ...]:
    """What else is to be known, a sentence each: why it ended, what was not measured and why."""
    asked = finding.question
    said = []
    if asked.turned:
        said.append(
            f"{asked.good} is older than {asked.bad}: releases are told in the order of time, "
            "whichever was called good."
        )
    for step in finding.steps:
        if step.unmeasured:
            said.append(
                f"Not measured between {step.after} and {step.upto}: {_names(step.unmeasured)}."
            )
    said += [f"Skipped {each.release}: {each.why}" for each in finding.skipped]
    if finding.noise is not None:
        said.append(f"Equal cells of a round differ by {_percent(finding.noise)} % (one sd).")
    if finding.ended:
        said.append(f"Ended: {finding.ended}.")
    return tuple(said)


def effort(finding: BisectFinding) -> str:
    """`7 of 53 releases, 9 rounds, 25 cells, 41 min`."""
    cells = sum(len(each.releases) for each in finding.rounds)
    took_s = sum(each.took_s for each in finding.rounds)
    return (
        f"{len(finding.measured)} of {count_of(finding.releases, 'release')} measured, "
        f"{count_of(len(finding.rounds), 'round')}, {count_of(cells, 'cell')}, "
        f"{show_seconds(took_s)}"
    )


HEADINGS = ("release", "value", "beside the oldest", "is", "rounds")


def row(finding: BisectFinding, placed: Placed) -> tuple[str, ...]:
    """A measured release, in the order of `HEADINGS`."""
    figure = value(placed.value)
    return (
        placed.release,
        f"{figure} {finding.question.metric.unit}" if placed.value is not None else figure,
        UNKNOWN if placed.to_good is None else size_phrase(placed.to_good),
        like_phrase(finding, placed),
        str(placed.rounds),
    )


def placed_line(finding: BisectFinding, placed: Placed) -> str:
    """`1.12.4: 104 MiB, −0.5 % (−3 to +2) beside 1.11.16: like 1.11.16`."""
    name, figure, beside, like, _ = row(finding, placed)
    return f"{name}: {figure}, {beside} beside {finding.question.good}: {like}"


def like_phrase(finding: BisectFinding, placed: Placed) -> str:
    """`like 1.11.16`; of the ends themselves that they are it."""
    asked = finding.question
    if placed.release in (asked.good, asked.bad):
        return "the older end" if placed.release == asked.good else "the newer end"
    words: dict[Like, str] = {
        "good": f"like {asked.good}",
        "bad": f"like {asked.bad}",
        "between": "like neither",
        "unsure": "not sure",
    }
    return words[placed.like]


def size_phrase(size: Size) -> str:
    """`+12 % (+9 to +15)`."""
    return minus(f"{_signed(size.ratio)} % ({_signed(size.low)} to {_signed(size.high)})")


def _moved(size: Size) -> str:
    """`rose by 12 % (9 to 15 %)`, `fell by 8 % (5 to 11 %)`."""
    if size.ratio >= 1:
        return f"rose by {_percent(size.ratio - 1)} % ({_span(size.low - 1, size.high - 1)} %)"
    return f"fell by {_percent(1 - size.ratio)} % ({_span(1 - size.high, 1 - size.low)} %)"


def _difference(finding: BisectFinding) -> str:
    """`1 % (−3 to 5 %)`, with the sign of the newer end."""
    size = finding.ends
    if size is None:
        return UNKNOWN
    return minus(f"{_percent(size.ratio - 1)} % ({_span(size.low - 1, size.high - 1)} %)")


def _span(low: float, high: float) -> str:
    return minus(f"{_percent(low)} to {_percent(high)}")


def _signed(ratio: float) -> str:
    text = _percent(ratio - 1)
    return f"+{text}" if ratio > 1 and text != "0" else text


def _percent(share: float) -> str:
    """Two digits, whole numbers from 10 on: `0.54`, `-3.4`, `12`, `130`."""
    percent = 100 * share
    text = f"{percent:,.0f}" if abs(percent) >= 9.95 else f"{float(f'{percent:.2g}'):g}"
    return "0" if abs(percent) < 0.05 else text


def _p(probability: float) -> str:
    """`P = 0.03`, `P < 0.01`, `P > 0.99`: certainty is never claimed."""
    if probability < 0.01:
        return "P < 0.01"
    if probability > 0.99:
        return "P > 0.99"
    return f"P = {probability:.2f}"


def _names(releases: tuple[str, ...]) -> str:
    if len(releases) <= MANY:
        return ", ".join(releases)
    return f"{releases[0]}, {releases[1]}, … {releases[-1]} ({len(releases)} releases)"
