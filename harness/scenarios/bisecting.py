"""Which release moved a metric? Round after round, until the answer is sure or time is up.

A round is a campaign of its own: both ends and, once they differ, a release between them, each on
a fresh server. `harness.analysis.bisecting` says what comes next; the record says what was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from harness.analysis.bisecting.evidence import Evidence
from harness.analysis.bisecting.strategy import Measure, Stop, next_round
from harness.analysis.bisecting.types import BisectFinding, Round
from harness.errors import CampaignError, EnvironmentProblem, ExitCode, HarnessError, Interrupted
from harness.report.bisect.phrases import placed_line
from harness.rig.protocols import Listener
from harness.scenarios.bisecting_plan import BisectPlan
from harness.scenarios.bisecting_record import Record
from harness.units import show_seconds

SKIPS_IN_A_ROW = 3
"""Releases that fail one after the other before it is taken for the machine's fault."""

TRIES = 2
"""Rounds in which a release may give no value before a neighbour is taken."""


class ReleaseFailedError(Exception):
    """A release between the ends cannot be made ready, or its server does not serve."""

    def __init__(self, release: str, error: HarnessError) -> None:
        super().__init__(release)
        self.release = release
        self.error = error

    @property
    def why(self) -> str:
        """What happened, with the first line of the evidence."""
        return " ".join([self.error.what, *self.error.evidence.splitlines()[:1]])


class Rounds(Protocol):
    """Whoever measures."""

    def ready(self, releases: Sequence[str]) -> Collection[str]:
        """Those for which little is left to make."""

    def measure(self, plan: BisectPlan, number: int, between: Sequence[str]) -> Round:
        """Measure both ends and what lies between them.

        Raises:
            ReleaseFailedError: one of `between` cannot be measured.
            HarnessError: anything else that keeps the round from its end.
        """


class Budget:
    """Time of one invocation, from when this is made.

    Args:
        budget_s: how much there is.
        clock: seconds that never jump.
    """

    def __init__(self, budget_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.budget_s = budget_s
        self._clock = clock
        self._begun_s = clock()

    @property
    def left_s(self) -> float:
        """What is left; below 0 once more was taken."""
        return self.budget_s - (self._clock() - self._begun_s)


def bisect(
    plan: BisectPlan, *, record: Record, budget: Budget, rounds: Rounds, listener: Listener
) -> BisectFinding:
    """Go on from the record until the answer is sure or the time is spent.

    Args:
        plan: what to look for.
        record: what was measured before, and where all of it is kept after every round.
        budget: how long this may take.
        rounds: who measures.
        listener: who is told.

    Raises:
        CampaignError: not even one round fits into the time.
        StoredDataError: the record cannot be gone on with.
        EnvironmentProblem, TargetFailed, GeneratorFailed, Interrupted: a round broke off, and not
            because of the release it was to place; the rounds before it are kept.
    """
    known = record.read()
    if known.rounds:
        listener.say(f"Going on after {_rounds(known)}, kept in {record.path}")
    order = _next(plan, known, rounds)
    if isinstance(order, Measure):
        _refuse_too_little(plan, known, order, budget)
    failed: list[str] = []
    while isinstance(order, Measure) and expected_s(plan, known, order) <= budget.left_s:
        listener.say(_heading(plan, known, order, budget))
        try:
            known = _with(known, rounds.measure(plan, len(known.rounds) + 1, order.releases))
            failed.clear()
        except ReleaseFailedError as error:
            failed.append(error.release)
            if len(failed) == SKIPS_IN_A_ROW:
                known = _unskipped(known, failed)
                record.write(known)
                raise _kept(_all_fail(error), known, record) from error
            listener.say(f"Skipped {error.release}: {error.why}")
            known = replace(known, skipped={**known.skipped, error.release: error.why})
        except HarnessError as error:
            raise _kept(error, known, record) from error
        for line in _news(record.write(known), order):
            listener.say(line)
        order = _next(plan, known, rounds)
    ended = order.reason if isinstance(order, Stop) else _spent(plan, known, order, budget)
    return record.write(known, ended=ended)


def exit_code(finding: BisectFinding) -> ExitCode:
    """`PASS` when at least the largest step is known, else `INCONCLUSIVE`."""
    return ExitCode.PASS if finding.status in ("found", "several") else ExitCode.INCONCLUSIVE


def expected_s(plan: BisectPlan, known: Evidence, order: Measure) -> float:
    """How long a round takes: as planned, or as those before it did where that was longer."""
    cells = len(order.releases) + 2
    measured = sum(len(each.releases) for each in known.rounds)
    spent_s = sum(each.took_s for each in known.rounds)
    return max(plan.expected_s(cells), cells * spent_s / measured if measured else 0.0)


def _next(plan: BisectPlan, known: Evidence, rounds: Rounds) -> Measure | Stop:
    return next_round(known, plan.rules, rounds.ready(known.releases))


def _with(known: Evidence, done: Round) -> Evidence:
    """With one more round; a release that gave no value often enough is skipped."""
    grown = replace(known, rounds=(*known.rounds, done))
    ends = (known.releases[0], known.releases[-1])
    silent = {
        release: why
        for release, why in done.why.items()
        if release not in ends and not grown.rounds_of(release) and grown.tries_of(release) >= TRIES
    }
    return replace(grown, skipped={**known.skipped, **silent})


def _unskipped(known: Evidence, releases: Collection[str]) -> Evidence:
    skipped = {each: why for each, why in known.skipped.items() if each not in releases}
    return replace(known, skipped=skipped)


def _refuse_too_little(plan: BisectPlan, known: Evidence, order: Measure, budget: Budget) -> None:
    needed_s = expected_s(plan, known, order)
    if needed_s > budget.budget_s:
        raise CampaignError(
            f"A round takes about {show_seconds(needed_s)}: {show_seconds(budget.budget_s)} are "
            "not enough for one.",
            hint=f"Give it more time, for example --budget {round(10 * needed_s / 60)}m.",
        )


def _spent(plan: BisectPlan, known: Evidence, order: Measure, budget: Budget) -> str:
    return (
        f"another round takes about {show_seconds(expected_s(plan, known, order))}, which does not "
        f"fit into {show_seconds(budget.budget_s)}; the same command goes on from here"
    )


def _heading(plan: BisectPlan, known: Evidence, order: Measure, budget: Budget) -> str:
    asked = plan.question
    what = ", ".join((asked.good, *order.releases, asked.bad))
    return (
        f"Round {len(known.rounds) + 1}: {what}: {order.reason}; about "
        f"{show_seconds(expected_s(plan, known, order))}, {show_seconds(budget.left_s)} are left"
    )


def _news(finding: BisectFinding, order: Measure) -> Iterator[str]:
    """What the round said of the releases it was for."""
    told = order.releases or (finding.question.bad,)
    for placed in finding.measured:
        if placed.release in told:
            yield f"  {placed_line(finding, placed)}"


def _all_fail(last: ReleaseFailedError) -> HarnessError:
    error = last.error
    return EnvironmentProblem(
        f"{SKIPS_IN_A_ROW} releases in a row cannot be measured: it may be this machine.",
        evidence=f"The last one, {last.release}: {last.why}",
        hint=error.hint
        or f"Try one of them by itself: harness run --preset smoke --dagster {last.release}",
    )


def _kept(error: HarnessError, known: Evidence, record: Record) -> HarnessError:
    """The same error, which says what is kept and how to go on."""
    if not known.rounds:
        return error
    kept = f"{_rounds(known)} are kept in {record.path}; the same command goes on after them."
    if isinstance(error, Interrupted):
        return Interrupted(error.what, evidence=error.evidence, hint=kept)
    evidence = "\n".join(part for part in (error.evidence, kept) if part)
    return type(error)(error.what, evidence=evidence, hint=error.hint)


def _rounds(known: Evidence) -> str:
    return f"{len(known.rounds)} round" + ("" if len(known.rounds) == 1 else "s")
