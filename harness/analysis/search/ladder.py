"""Climb a list of concurrencies, each as often as asked, until enough of them failed in a row."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.search.base import Aim, Finished, NextProbe, Observation, Probe


def ladder(aim: Aim, *, repetitions: int = 1, stop_after_failures: int = 1) -> NextProbe:
    """The plain way: nothing is skipped, nothing is repeated that was not asked for."""
    rungs = [concurrency for concurrency in aim.grid for _ in range(repetitions)]

    def next_probe(seen: Sequence[Observation]) -> Probe | Finished:
        failed = _failing(seen)
        if len(failed) >= stop_after_failures:
            broken = ", ".join(str(concurrency) for concurrency in failed)
            return Finished(reason=f"the ladder stops: an SLO broke at {broken}")
        if len(seen) >= len(rungs):
            return Finished(reason="the ladder is at its end")
        number = len(seen) + 1
        return Probe(
            concurrency=rungs[len(seen)], reason=f"step {number} of {len(rungs)} of the ladder"
        )

    return next_probe


def _failing(seen: Sequence[Observation]) -> list[int]:
    """The unbroken tail of failing concurrencies; empty while the last one passed."""
    failed: list[int] = []
    for each in seen:
        if each.verdict != "fail":
            failed = []
        elif each.concurrency not in failed:
            failed.append(each.concurrency)
    return failed
