"""Whose turn it is among several jobs: each has its share at any moment, without chance."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from harness.rig.orders import JobOrder


class JobTurns:
    """Deals out jobs one by one, so that after any n each has had its share of n, ± less than 1.

    Tijdeman's algorithm (The chairman assignment problem, 1980): of the k jobs whose deficit
    (share of the runs so far, the next one included, − runs had) is at least 1 ÷ (2k − 2), the
    one whose deficit would first grow beyond 1 − 1 ÷ (2k − 2), which is never exceeded. Taking the
    largest deficit instead is simpler, but strays by more than one run once there are about eight
    jobs.

    Args:
        jobs: at least one, with shares above 0.

    Raises:
        ValueError: no job, or a share that is not above 0.
    """

    def __init__(self, jobs: Sequence[JobOrder]) -> None:
        if not jobs or any(job.share <= 0 for job in jobs):
            raise ValueError("a mix needs at least one job, and shares above 0")
        self._jobs = tuple(jobs)
        # Exact: rounded deficits could tie, and a tie must not depend on the machine.
        weights = [Fraction(job.share) for job in jobs]
        self._shares = [weight / sum(weights) for weight in weights]
        self._deficits = [Fraction(0)] * len(jobs)
        self._least = Fraction(1, 2 * len(jobs) - 2) if len(jobs) > 1 else Fraction(0)

    def take(self) -> JobOrder:
        """The job of the next run."""
        pairs = zip(self._deficits, self._shares, strict=True)
        self._deficits = [deficit + share for deficit, share in pairs]
        due = [job for job, deficit in enumerate(self._deficits) if deficit >= self._least]
        chosen = min(due, key=self._time_left)
        self._deficits[chosen] -= 1
        return self._jobs[chosen]

    def _time_left(self, job: int) -> Fraction:
        """Runs until the job's deficit is too large, if it is not taken."""
        return (1 - self._least - self._deficits[job]) / self._shares[job]
