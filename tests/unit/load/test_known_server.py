"""What the benchmark against a known server makes of a step; running it takes minutes."""

from __future__ import annotations

import ast
import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.facts.model import Phase, Run
from harness.rig.load.arrivals import arrivals
from harness.rig.orders import LoadOrder, LoadOutcome

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"benchmarks/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


known = script("known_server")
SERVER = known.Server(workers=4, service_s=0.8)
ORDERS: list[LoadOrder] = list(known.orders(SERVER, hold_s=40.0))
CLOSED = {order.concurrency: order for order in ORDERS if order.model == "closed"}
OPEN = {(order.model, order.rate_per_s): order for order in ORDERS if order.model != "closed"}


def outcome(order: LoadOrder, *, rate_per_s: float, pause_s: float = 0.25) -> LoadOutcome:
    """Runs of 0.8 s that end evenly at a rate, sent by as many users as that needs."""
    hold = Phase(name="hold", start_s=4.0, end_s=44.0)
    users = round(rate_per_s * (0.8 + pause_s)) or 1
    runs = tuple(
        Run(
            step=order.step, user=number % users, run_id=f"r{number}", intended_s=end_s - 0.8,
            sent_s=end_s - 0.8, accepted_s=end_s - 0.8, started_s=end_s - 0.8, ended_s=end_s,
            status="SUCCESS",
        )
        for number in range(int(44 * rate_per_s))
        for end_s in [number / rate_per_s + 0.01]
    )  # fmt: skip
    return LoadOutcome(runs=runs, phases=(Phase(name="ramp", start_s=0.0, end_s=4.0), hold))


def point(order: LoadOrder, found: LoadOutcome) -> Any:
    return known.point_of(SERVER, order, found)


def test_the_steps_cover_both_sides_of_the_capacity_in_every_model() -> None:
    assert SERVER.capacity_per_s == 5
    assert list(CLOSED) == [1, 2, 4, 8, 12, 16]
    for model in ("uniform", "poisson"):
        rates = [rate for name, rate in OPEN if name == model and rate is not None]
        assert min(rates) < 5 < max(rates)
    assert [order.step for order in ORDERS] == list(range(len(ORDERS)))


@pytest.mark.parametrize(
    ("users", "expected", "saturated"),
    [(1, 1.25, False), (4, 5.0, False), (8, 5.0, True), (16, 5.0, True)],
)
def test_a_closed_step_is_expected_to_reach_n_by_s_or_the_capacity(
    users: int, expected: float, saturated: bool
) -> None:
    found = point(CLOSED[users], outcome(CLOSED[users], rate_per_s=5.0))
    assert (found.expected_per_s, found.saturated) == (expected, saturated)
    assert found.judged == saturated


def test_pauses_between_runs_lower_what_can_be_reached_below_saturation() -> None:
    found = point(CLOSED[4], outcome(CLOSED[4], rate_per_s=4.0, pause_s=0.2))
    assert found.pause_s == pytest.approx(0.2)
    assert found.reachable_per_s == pytest.approx(4.0)
    assert (found.measured_per_s, found.ratio) == (pytest.approx(4.0), pytest.approx(1.0))


@pytest.mark.parametrize(("rate_per_s", "wrong"), [(5.0, ""), (4.9, ""), (4.5, "-10.0%")])
def test_a_saturated_step_that_is_off_by_more_than_a_twentieth_is_wrong(
    rate_per_s: float, wrong: str
) -> None:
    found = point(CLOSED[16], outcome(CLOSED[16], rate_per_s=rate_per_s))
    assert (wrong in found.wrong) if wrong else found.wrong == ""
    assert ("WRONG" in known.row(found)) == bool(wrong)


def test_every_arrival_must_have_been_sent_or_counted_as_dropped() -> None:
    order = next(order for key, order in OPEN.items() if key[0] == "uniform" and key[1] == 6.25)
    planned = len(list(arrivals(order, 0.0)))
    measured = outcome(order, rate_per_s=5.0)
    complete = replace(measured, dropped_arrivals=planned - len(measured.runs))
    assert point(order, complete).wrong == ""
    lost = replace(complete, dropped_arrivals=complete.dropped_arrivals - 2)
    assert point(order, lost).wrong == "2 arrivals neither sent nor dropped"


def test_below_saturation_only_evenly_spaced_arrivals_are_held_to_their_rate() -> None:
    for model, judged in (("uniform", True), ("poisson", False)):
        (order,) = (o for (name, rate), o in OPEN.items() if (name, rate) == (model, 3.0))
        found = point(order, outcome(order, rate_per_s=2.5))
        assert (found.judged, found.expected_per_s) == (judged, 3.0)
        assert ("off by" in found.wrong) == judged


def test_runs_that_did_not_succeed_are_named() -> None:
    measured = outcome(CLOSED[16], rate_per_s=5.0)
    runs = (*measured.runs[:-1], replace(measured.runs[-1], status="FAILURE"))
    assert "1 of 220 runs did not succeed" in point(CLOSED[16], replace(measured, runs=runs)).wrong


def test_a_step_that_never_held_is_refused() -> None:
    with pytest.raises(ValueError, match="no hold"):
        point(CLOSED[1], LoadOutcome(runs=(), phases=()))


def test_it_assumes_the_poll_interval_the_generator_has() -> None:
    text = (ROOT / "harness/rig/load/child/session.py").read_text(encoding="utf-8")
    (found,) = (
        node.value.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and ast.unparse(node.targets[0]) == "POLL_INTERVAL_S"
    )
    assert found == known.POLL_INTERVAL_S
