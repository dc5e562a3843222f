"""Did the generator offer the load that was planned?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from harness.analysis.measures.percentiles import median
from harness.analysis.measures.windows import end_of
from harness.analysis.validity.case import StepCase, StepCheck, sent_within
from harness.analysis.validity.issue import Issue, Severity
from harness.facts.model import Phase, Run
from harness.units import show_seconds

GENERATOR_BUSY_CORES = 0.8
"""Of the one core a gevent process can use. Locust warns when it used more than 90 % over 10 s
(`CPU_WARNING_THRESHOLD`); ours is the mean of a step, whose peaks lie above it."""

GENERATOR_LATE_S = 1.0
"""A tenth of the default launch objective (10 s)."""

LATE_SHARE_WARNING = 0.05
LATE_SHARE_FATAL = 0.10
"""Of the median response, which contains the lag: it is an error of the same size."""

DROPPED_SHARE = 0.01
"""Of the planned arrivals: as many as the default objective `failed_runs` lets fail."""

RATE_TOLERANCE = 0.05
"""Of an evenly spaced rate; and never less than `RATE_EDGES` arrivals, one at each edge."""

RATE_EDGES = 2.0
POISSON_SIGMAS = 4.0
"""Chance exceeds this in one step of 16 000; n arrivals by chance scatter by √n."""

OFFERED_SHARE = 0.9
"""Of the planned runs in flight. Below it, the step answers for another concurrency; a shortage
that leaves more than the missing tenth unexplained is fatal."""

POLL_INTERVAL_S = 0.5
"""The generator asks this often who has ended; until then a user sends nothing."""

REJECTED_PAUSE_S = 1.0
"""A user whose launch was rejected waits so long: the server's answer, not our shortage."""


def _busy(case: StepCase) -> Iterator[Issue]:
    cores = case.step.generator_cpu_cores
    if cores is not None and cores >= GENERATOR_BUSY_CORES:
        yield case.issue(
            "generator_busy",
            "fatal",
            f"the load generator used {cores:.2f} of the one core it can use",
            remedy="Use a machine with faster or more CPUs, or fewer concurrent runs.",
        )


def _late(case: StepCase) -> Iterator[Issue]:
    times = case.summary.times
    lag_s, response = times.send_lag_p95_s, times.response_s.p50
    if lag_s is None:
        return
    response_s = response.finite if response else None
    share = lag_s / response_s if response_s else 0.0
    if lag_s <= GENERATOR_LATE_S and share <= LATE_SHARE_WARNING:
        return
    fatal = lag_s > GENERATOR_LATE_S or share > LATE_SHARE_FATAL
    part = f", {share:.0%} of the median response" if share else ""
    yield case.issue(
        "generator_late",
        "fatal" if fatal else "warning",
        f"launches were sent {show_seconds(lag_s)} after their time (p95){part}",
        remedy="Leave the generator more CPU: the load offered was not the load planned.",
    )


def _dropped(case: StepCase) -> Iterator[Issue]:
    dropped = case.step.dropped_arrivals
    if dropped <= 0:
        return
    planned = dropped + len(case.runs)
    mean = case.summary.mean_in_flight
    held = "" if mean is None else f"; {mean:.0f} runs were in flight"
    yield case.issue(
        "arrivals_dropped",
        "fatal" if dropped > DROPPED_SHARE * planned else "warning",
        f"{dropped} of {planned} arrivals found no free user and were not sent "
        f"(planned: {case.step.concurrency} in flight{held})",
        remedy="Offer a lower rate: the server, or the generator, held every user at once.",
    )


def _rate_off(case: StepCase) -> Iterator[Issue]:
    step, hold = case.step, case.hold
    if step.load_model not in ("uniform", "poisson") or hold is None:
        return
    if step.rate_per_s is None:
        yield case.issue(
            "arrival_rate_off",
            "warning",
            "the planned arrival rate was not recorded",
            remedy="Measure again with this version.",
        )
        return
    wanted = step.rate_per_s * (hold.end_s - hold.start_s)
    count = len(sent_within(case.runs, hold))
    if step.load_model == "poisson":
        allowed = POISSON_SIGMAS * math.sqrt(wanted)
    else:
        allowed = max(RATE_EDGES, RATE_TOLERANCE * wanted)
    if abs(count - wanted) > allowed:
        yield case.issue(
            "arrival_rate_off",
            "fatal",
            f"{count} runs were sent in the window, {wanted:.1f} ± {allowed:.1f} were planned "
            f"({step.rate_per_s:.3g} a second, {step.load_model})",
            remedy="Leave the generator more CPU, or offer a lower rate.",
        )


def _not_offered(case: StepCase) -> Iterator[Issue]:
    """In a closed model a user sends as soon as the poller saw its last run end.

    What the poll's interval and the pause after a rejection explain is told, not held against
    the generator: short runs are launched less often than a faster poll would.
    """
    step, hold, mean = case.step, case.hold, case.summary.mean_in_flight
    if step.load_model != "closed" or step.outcome == "aborted" or hold is None or mean is None:
        return
    if mean >= OFFERED_SHARE * step.concurrency:
        return
    gaps = list(_gaps(case.runs, hold))
    paused = sum(gap.excused_s for gap in gaps) / (hold.end_s - hold.start_s)
    severity: Severity = "warning"
    if mean < OFFERED_SHARE * step.concurrency - paused:
        severity = "fatal"
    waited = median([gap.length_s for gap in gaps])
    waits = "" if waited is None else f", median {show_seconds(waited)} from an end to the next"
    yield case.issue(
        "load_not_offered",
        severity,
        f"{mean:.2f} of {step.concurrency} planned runs were in flight; the poll every 0.5 s and "
        f"rejected launches explain {paused:.2f}{waits}",
        remedy="Use a longer ramp; a busy webserver or generator also sees an end late."
        if severity == "fatal"
        else "Use longer runs, or read the concurrency as what was in flight.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    """Between a run's end and its user's next launch; `excused_s` of it lie in the window."""

    length_s: float
    excused_s: float


def _gaps(runs: Sequence[Run], hold: Phase) -> Iterator[_Gap]:
    by_user: dict[int, list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.sent_s):
        by_user.setdefault(run.user, []).append(run)
    for own in by_user.values():
        for run, later in zip_longest(own, own[1:]):
            end_s = end_of(run)
            next_s = later.sent_s if later else hold.end_s
            pause_s = REJECTED_PAUSE_S if run.status == "REJECTED" else POLL_INTERVAL_S
            last_s = min(next_s, end_s + pause_s, hold.end_s)
            if end_s < hold.end_s and next_s > hold.start_s:
                yield _Gap(
                    length_s=next_s - end_s, excused_s=max(0.0, last_s - max(end_s, hold.start_s))
                )


STEP_CHECKS: tuple[StepCheck, ...] = (_busy, _late, _dropped, _rate_off, _not_offered)
