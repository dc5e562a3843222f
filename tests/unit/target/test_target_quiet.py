"""Ending runs until none is there, in simulated time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from fakes import Clock

from harness.errors import TargetFailed
from harness.rig.target.quiet import LOOK_S, PATIENCE_S, QUIET_S, TAG, Waiting, end_until_quiet

pytestmark = pytest.mark.unit


class Deployment:
    """Answers one look after the other, then says the last for ever."""

    def __init__(self, *looks: Sequence[str]) -> None:
        self.clock = Clock()
        self.pauses: list[float] = []
        self.looks = 0
        self._answers = list(looks)

    def end(self) -> Sequence[str]:
        self.looks += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def quiet(self, found: Callable[[int], None] = lambda _: None) -> frozenset[str]:
        def sleep(pause_s: float) -> None:
            self.pauses.append(pause_s)
            self.clock.sleep(pause_s)

        waiting = Waiting(sleep=sleep, clock=self.clock.time)
        return end_until_quiet(self.end, "dlh-1", found=found, waiting=waiting)


def test_nothing_there_is_looked_for_twice() -> None:
    there = Deployment([])
    assert there.quiet() == frozenset()
    assert (there.looks, there.pauses) == (2, [QUIET_S])


def test_a_run_that_comes_after_a_quiet_look_is_ended_as_well() -> None:
    there = Deployment([], ["late"], [], [])
    assert there.quiet() == {"late"}
    assert there.pauses == [QUIET_S, LOOK_S, QUIET_S]


def test_all_that_were_seen_are_counted_once_and_told_once() -> None:
    said: list[int] = []
    there = Deployment(["a", "b"], ["b"], ["c"], [])
    assert there.quiet(said.append) == {"a", "b", "c"}
    assert said == [2]


def test_runs_that_do_not_end_are_told_with_their_tag() -> None:
    there = Deployment(["stuck"])
    with pytest.raises(TargetFailed, match="1 run of ours did not end in 60 s") as caught:
        there.quiet()
    assert caught.value.evidence == "stuck"
    assert f"{TAG}=dlh-1" in caught.value.hint
    assert sum(there.pauses) == PATIENCE_S


def test_a_look_that_fails_is_not_taken_for_a_quiet_one() -> None:
    def end() -> Sequence[str]:
        raise TargetFailed("it does not answer")

    with pytest.raises(TargetFailed, match="does not answer"):
        end_until_quiet(end, "dlh-1", waiting=Waiting(sleep=lambda _: None))
