"""What is known of another host's clock, in simulated time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rig.host_clock import OUR_CLOCK, Offset, OtherClock, compare

pytestmark = pytest.mark.unit

SECONDS = st.floats(min_value=0, max_value=5, allow_nan=False)


class Network:
    """Questions take time there and back, each time another."""

    def __init__(self, ahead_s: float, delays: list[tuple[float, float]]) -> None:
        self.now_s = 1_000.0
        self._ahead_s = ahead_s
        self._delays = iter(delays)

    def clock(self) -> float:
        return self.now_s

    def ask(self) -> float:
        there_s, back_s = next(self._delays)
        self.now_s += there_s
        told_s = self.now_s + self._ahead_s
        self.now_s += back_s
        return told_s


@given(
    ahead_s=st.floats(min_value=-3600, max_value=3600),
    delays=st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=10),
)
def test_the_truth_lies_within_the_uncertainty_however_lopsided_the_way_is(
    ahead_s: float, delays: list[tuple[float, float]]
) -> None:
    network = Network(ahead_s, delays)
    found = compare(network.ask, exchanges=len(delays), clock=network.clock)
    assert abs(found.offset_s - ahead_s) <= found.uncertainty_s + 1e-6


def test_the_shortest_exchange_says_most() -> None:
    network = Network(7.0, [(2.0, 0.0), (0.1, 0.1), (0.0, 3.0)])
    found = compare(network.ask, exchanges=3, clock=network.clock)
    assert found.offset_s == pytest.approx(7.0)
    assert found.uncertainty_s == pytest.approx(0.1)


def offset(offset_s: float, uncertainty_s: float = 0.01) -> Offset:
    return Offset(offset_s=offset_s, uncertainty_s=uncertainty_s, at_s=1_000.0)


def test_stamps_move_by_the_last_comparison_and_the_record_keeps_the_first() -> None:
    looks = iter([offset(2.0, 0.05), offset(2.5)])
    clock = OtherClock(lambda: next(looks))
    assert clock.here(102.0) == 100.0
    assert clock.look() == offset(2.5)
    assert clock.here(102.5) == 100.0
    assert clock.there(100.0) == 102.5
    record = clock.record()
    assert (record["measured"], record["offset_s"], record["uncertainty_s"]) == (True, 2.5, 0.05)
    assert (record["start"]["offset_s"], record["end"]["offset_s"]) == (2.0, 2.5)


def test_a_comparison_that_fails_leaves_the_last_in_force() -> None:
    answers = iter([offset(2.0)])

    def look() -> Offset:
        for each in answers:
            return each
        raise ConnectionError("the database is gone")

    clock = OtherClock(look)
    assert clock.look() is None
    assert clock.offset_s == 2.0


def test_our_own_clock_is_not_measured() -> None:
    assert OUR_CLOCK.look() is None
    assert OUR_CLOCK.here(5.0) == OUR_CLOCK.there(5.0) == 5.0
    assert OUR_CLOCK.record() == {"measured": False, "offset_s": 0.0, "uncertainty_s": 0.0}
