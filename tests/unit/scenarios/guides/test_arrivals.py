"""How many there were at once, from when each was asked for, started and ended."""

from __future__ import annotations

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.arrivals import GUIDE_RUN_S, figures

pytestmark = pytest.mark.unit


def runs(
    pattern: str, *sent_s: float, wait_s: float = 2.0, lasts_s: float = 4.0
) -> list[Observation]:
    """Runs that start `wait_s` after they were sent, with their processes looked at each second."""
    about = {"part": f"0-{pattern}", "pattern": pattern}
    arrivals = [
        {"sent_s": at_s, "started_s": at_s + wait_s, "ended_s": at_s + wait_s + lasts_s}
        for at_s in sent_s
    ]
    seen = [Observation(what="arrival", at_s=0, values={**about, **each}) for each in arrivals]
    for second in range(int(max(sent_s) + wait_s + lasts_s) + 2):
        alive = sum(1 for e in arrivals if e["sent_s"] + 1 <= second < e["ended_s"])
        values = {**about, "look_s": float(second), "runs": float(alive)}
        seen.append(Observation(what="alive", at_s=0, values=values))
    return seen


EVEN = runs("even", 0, 3, 6, 9, 12)
SEEN = (*EVEN, *runs("random", 0, 1, 8, 9, 12), *runs("together", 0, 0, 0, 0, 0, wait_s=8))


def value(name: str, *seen: Observation) -> float | None:
    return figures(Observations(seen or SEEN))[name].value


def test_in_flight_is_rate_times_the_whole_time_and_the_formula_leaves_out_the_start() -> None:
    assert value("in_flight_random") == pytest.approx(5 * 6 / 18)
    assert value("formula_random") == pytest.approx(5 * 4 / 18)
    assert value("overhead_s") == pytest.approx(2.0)
    assert value("gap_at_guide") == pytest.approx(2.0 / GUIDE_RUN_S)


def test_processes_are_counted_only_while_there_are_runs() -> None:
    assert value("alive_random") == pytest.approx(5 * 5 / 19)


def test_peaks_are_told_in_averages_of_what_is_evenly_spread() -> None:
    average = 5 * 6 / 18
    assert value("average") == pytest.approx(average)
    assert value("peak_even") == pytest.approx(2 / average)
    assert value("peak_together") == pytest.approx(5 / average)
    assert value("alive_peak_together") == pytest.approx(5 / average)


def test_where_starts_queue_although_spread_nothing_is_known() -> None:
    late = (*runs("even", 0, 3, 6, wait_s=30.0), *runs("together", 0, 0, 0))
    found = figures(Observations(late))
    assert all(figure.value is None for figure in found.values())
    assert "did not keep up" in found["peak_together"].why


def test_where_runs_never_ended_nothing_is_known() -> None:
    never = {"part": "0-even", "pattern": "even", "started_s": None, "ended_s": None}
    lost = Observation(what="arrival", at_s=0, values={**never, "sent_s": 1.0})
    figure = figures(Observations([*SEEN, lost]))["average"]
    assert figure.value is None
    assert figure.why == "only 15 of 16 runs ended"


def test_nothing_seen_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())
