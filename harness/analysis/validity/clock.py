"""Do the stamps of several processes fit one clock?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from harness.analysis.measures.windows import FloatArray, Samples, end_of
from harness.analysis.validity.case import CellCase, CellCheck, StepCase, StepCheck
from harness.analysis.validity.issue import Issue
from harness.facts.model import Cell, Phase, Run
from harness.units import show_seconds

CLOCK_TOLERANCE_S = 0.05
"""Processes of one host read one clock: only the microseconds between reading it and writing it
down are natural. A convention: far above those, and a hundredth of a run of five seconds."""

CLOCK_LEAP_S = 0.1
"""Time daemons slew what is smaller than 0.128 s (ntpd's step threshold) and step the rest."""

AFFECTED_RUNS = 0.01
"""Of a step's runs: as many as the default objective `failed_runs` lets fail."""

LEAP_SHARE = 0.05
"""Of a run's response. A convention: what a smaller leap does to a result was not measured."""

LOG_READ_S = 15.0
"""The event log is read after the step: a run the drain did not wait for may end until then."""

LOOKS_NEEDED = 5
SAME_LOOK_S = 1e-4
STEADY_DEVICES = (("host", "load1"), ("processes", "resident_runs"))
"""Devices whose every look gives this key, read on this machine once a second. A faster beat
would hide more: a leap forward by whole beats looks like beats that were missed."""

UNSURE_SHARE = 0.05
"""Of a median response, as `generator_late` warns: both are in every response time."""

_GENERATOR = ("intended_s", "sent_s", "accepted_s")
_EVENT_LOG = (
    "sent_s",
    "enqueued_s",
    "dequeued_s",
    "process_started_s",
    "started_s",
    "first_step_s",
    "ended_s",
)


def _disorder(case: StepCase) -> Iterator[Issue]:
    end_s = case.whole.end_s if case.whole else math.inf
    tolerance_s = CLOCK_TOLERANCE_S + _uncertainty_s(case.cell)
    found = [worst for run in case.runs if (worst := _worst(run, end_s, tolerance_s))]
    if not found:
        return
    size_s, words = max(found)
    yield case.issue(
        "clock_disorder",
        "fatal" if len(found) > AFFECTED_RUNS * len(case.runs) else "warning",
        f"{len(found)} of {len(case.runs)} runs have stamps out of order, at worst {words} by "
        f"{show_seconds(size_s)}",
        remedy="Let generator, database and server share one clock, or synchronise their hosts.",
    )


def _uncertainty_s(cell: Cell) -> float:
    """How wrong stamps of a server's host may be that were moved onto the generator's clock."""
    clock = cell.detail.get("clock")
    told = clock.get("uncertainty_s") if isinstance(clock, dict) else None
    return float(told) if isinstance(told, int | float) else 0.0


def _unsure(case: CellCase) -> Iterator[Issue]:
    """Start and end of a run are stamped by the deployment, its sending by us."""
    response_s = [s.times.response_s.p50.value for s in case.summaries if s.times.response_s.p50]
    if case.cell.target != "external" or not case.summaries:
        return
    clock = case.cell.detail.get("clock")
    measured = isinstance(clock, dict) and clock.get("measured") is True
    unsure_s = _uncertainty_s(case.cell)
    evidence = "launch and response times rest on two clocks, and how they differ was not measured"
    if measured:
        if not response_s or unsure_s <= UNSURE_SHARE * min(response_s):
            return
        evidence = (
            f"launch and response times rest on two clocks, whose difference is known to "
            f"± {show_seconds(unsure_s)}; the quickest step's median response is "
            f"{show_seconds(min(response_s))}"
        )
    yield Issue(
        code="clock_unsure",
        severity="warning",
        evidence=evidence,
        remedy="Keep the clocks of both hosts by NTP. Execution times rest on one alone; of "
        "longer runs less is unsure.",
    )


def _worst(run: Run, step_end_s: float, tolerance_s: float) -> tuple[float, str] | None:
    """By how much two stamps of a run are in the wrong order, and which."""
    found = [*_reversed(run, _GENERATOR), *_reversed(run, _EVENT_LOG)]
    if run.ended_s is not None:
        found.append((run.ended_s - step_end_s - LOG_READ_S, "ended after the step was over"))
    worst = max(found, default=(0.0, ""))
    return worst if worst[0] > tolerance_s else None


def _reversed(run: Run, names: Sequence[str]) -> Iterator[tuple[float, str]]:
    """Seconds the first of two neighbouring stamps is later than the second.

    Without an event log the start of a run that failed is GraphQL's, which may be invented.
    """
    guessed = run.process_started_s is None and run.status != "SUCCESS"
    stamps = [(name, getattr(run, name)) for name in names if not (guessed and name == "started_s")]
    known = [(name, at_s) for name, at_s in stamps if at_s is not None]
    for (first, first_s), (second, second_s) in pairwise(known):
        yield first_s - second_s, f"{second[:-2]} before {first[:-2]}"


def _jump(case: StepCase) -> Iterator[Issue]:
    """A wall clock set during the step, seen by devices that beat on a clock that never jumps."""
    if case.whole is None:
        return
    leaps = next((found for d, k in STEADY_DEVICES if (found := _leaps(case, d, k))), None)
    if not leaps:
        return
    at_s, size_s = max(leaps, key=lambda leap: abs(leap[1]))
    affected = sum(any(_moved(run, leap) for leap in leaps) for run in case.runs)
    yield case.issue(
        "clock_jump",
        "fatal" if affected > AFFECTED_RUNS * len(case.runs) else "warning",
        f"the clock leapt by {size_s:+.2f} s, {at_s - case.whole.start_s:.0f} s into the step, "
        f"under {affected} of {len(case.runs)} runs",
        remedy="Let the time daemon only slew the clock while measuring.",
    )


def _moved(run: Run, leap: tuple[float, float]) -> bool:
    at_s, size_s = leap
    end_s = end_of(run)
    if not run.sent_s <= at_s < end_s or math.isinf(end_s):
        return False
    return abs(size_s) > LEAP_SHARE * (end_s - run.intended_s)


def _leaps(case: StepCase, device: str, key: str) -> list[tuple[float, float]]:
    """(when, by how much) the times looks were due left their beat for good."""
    due_s, taken_s = looks(case.samples, device, key)
    window = case.whole
    if window is None:
        return []
    inside = (due_s >= window.start_s) & (due_s < window.end_s)
    # A look that also counted missed beats or an error is told of twice.
    inside &= np.abs(np.diff(due_s, prepend=-np.inf)) > SAME_LOOK_S
    due_s, taken_s = due_s[inside], taken_s[inside]
    if len(due_s) < LOOKS_NEEDED:
        return []
    steps = np.diff(due_s)
    period_s = float(np.median(steps))
    if period_s <= 0:
        return []
    off = steps - period_s * np.maximum(1.0, np.rint(steps / period_s))
    found = [(float(due_s[k + 1]), float(off[k])) for k in range(len(off)) if _lasts(off, k)]
    within = np.flatnonzero(taken_s - due_s < -CLOCK_TOLERANCE_S)
    found += [(float(due_s[k]), float(taken_s[k] - due_s[k])) for k in within]
    return found


def _lasts(off: FloatArray, k: int) -> bool:
    """A thread kept waiting between its two clocks leaves the beat and comes back."""
    if abs(off[k]) <= CLOCK_LEAP_S:
        return False
    neighbours = [off[j] for j in (k - 1, k + 1) if 0 <= j < len(off)]
    return all(abs(off[k] + other) > CLOCK_LEAP_S for other in neighbours)


def looks(samples: Samples, device: str, key: str) -> tuple[FloatArray, FloatArray]:
    """When the looks of a device were due and taken, in order of taking.

    A look that also told of missed beats or errors counts once for each; both arrays are empty
    where the table does not let them be told apart.
    """
    counts = [samples.series(device, name)[0] for name in ("missed", "errors")]
    sources = samples.sources(device, key)
    own = [samples.series(device, key, source=source)[0] for source in sources[:1]]
    taken_s = np.sort(np.concatenate([np.empty(0), *own, *counts]))
    late_s = samples.lateness_s(device)
    if len(taken_s) != len(late_s):
        return np.empty(0), np.empty(0)
    return taken_s - late_s, taken_s


def _overlap(case: StepCase) -> Iterator[Issue]:
    said = _overlaps(case.step.phases)
    if said:
        yield case.issue(
            "phases_overlap",
            "fatal",
            said,
            remedy="See clock_jump; else this is a defect of the harness: please report it.",
        )


def _steps_overlap(case: CellCase) -> Iterator[Issue]:
    spans = [
        Phase(
            name=f"step {s.step.index}",
            start_s=s.step.phases[0].start_s,
            end_s=s.step.phases[-1].end_s,
        )
        for s in sorted(case.summaries, key=lambda s: s.step.index)
        if s.step.phases
    ]
    said = _overlaps(spans)
    if said:
        yield Issue(
            code="phases_overlap",
            severity="fatal",
            evidence=said,
            remedy="See clock_jump; else this is a defect of the harness: please report it.",
        )


def _overlaps(phases: Sequence[Phase]) -> str:
    said = [f"{p.name} ends before it starts" for p in phases if p.end_s < p.start_s]
    said += [
        f"{later.name} starts {show_seconds(earlier.end_s - later.start_s)} before "
        f"{earlier.name} ends"
        for earlier, later in pairwise(phases)
        if earlier.end_s - later.start_s > CLOCK_TOLERANCE_S
    ]
    return "; ".join(said)


STEP_CHECKS: tuple[StepCheck, ...] = (_disorder, _jump, _overlap)
CELL_CHECKS: tuple[CellCheck, ...] = (_steps_overlap, _unsure)
