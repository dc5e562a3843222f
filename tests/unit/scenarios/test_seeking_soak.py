"""What the rig is asked for in a soak: one load, and what is to be broken beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_rig import Machine, plan, shape, stored

from harness.campaign.plan import Campaign
from harness.errors import Interrupted
from harness.facts.layout import CellFolder
from harness.facts.model import Step
from harness.rig.breaking import FaultOrder
from harness.rig.orders import LoadOrder
from harness.rig.protocols import StepOrder
from harness.scenarios.seeking import Seeker

pytestmark = pytest.mark.unit

SOAK = ("workloads=[io]", "search={strategy: soak, concurrencies: [3], max_steps: 4}")
FAULTS = "faults=[{kind: network-cut, segment: 2, for_s: 7}, {kind: server-kill, segment: 4}]"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def asked(campaign: Campaign, path: Path) -> list[StepOrder]:
    """What the search asks for before each segment of a stored soak."""
    (facts,) = stored(path).cells
    (cell,) = campaign.cells()
    steps: list[Step] = [step for step in facts.steps if step.kind != "warmup"]
    folder = CellFolder(path / "cells" / facts.cell.id)
    orders = []
    for known in range(len(steps)):
        seeker = Seeker(campaign, cell, folder, earlier=(), host_cpus=2)
        order = seeker.next_step(steps[:known])
        assert isinstance(order, StepOrder)
        orders.append(order)
    return orders


def test_every_segment_is_under_load_and_numbered(machine: Machine) -> None:
    ((ended, steps),) = shape(machine.run(plan(*SOAK))).values()
    assert [step[:3] for step in steps] == [("load", 3, number) for number in (1, 2, 3, 4)]
    assert ended == "the soak is over: 4 segments"


def test_one_run_in_flight_is_a_load_too(machine: Machine) -> None:
    one = (SOAK[0], SOAK[1].replace("[3]", "[1]"))
    ((_, steps),) = shape(machine.run(plan(*one))).values()
    assert {step[0] for step in steps} == {"load"}


@pytest.mark.parametrize("held", [1, 3])
def test_open_arrivals_have_their_rate_from_the_first_segment_on(
    machine: Machine, held: int
) -> None:
    search = SOAK[1].replace("[3]", f"[{held}]")
    machine.run(plan(SOAK[0], search, "load={model: uniform, run_s: 10}"))
    assert [order.rate_per_s for order in machine.orders if order.max_runs is None] == [
        held / 10
    ] * 4


def test_a_fault_has_its_segment_and_strikes_after_a_third_of_the_hold(machine: Machine) -> None:
    campaign = plan(*SOAK, FAULTS, "step.hold_s=24")
    path = machine.run(campaign)  # a target that cannot be broken is loaded all the same
    orders = asked(campaign, path)
    assert [order.kind for order in orders] == ["load", "fault", "load", "fault"]
    assert [order.fault for order in orders] == [
        None,
        FaultOrder(kind="network-cut", after_s=8, lasts_s=7),
        None,
        FaultOrder(kind="server-kill", after_s=8, lasts_s=0),
    ]
    assert {order.concurrency for order in orders} == {3}


def test_a_segment_of_a_fault_offers_the_same_load(machine: Machine) -> None:
    machine.run(plan(*SOAK, FAULTS))
    segments: list[LoadOrder] = [each for each in machine.orders if each.max_runs is None]
    offered = [(each.concurrency, each.model, each.jobs, each.hold_s) for each in segments]
    assert offered == offered[:1] * 4


def test_a_soak_that_goes_on_breaks_what_it_would_have_broken(machine: Machine) -> None:
    def stop(order: LoadOrder) -> None:
        if order.step == 3:
            raise KeyboardInterrupt

    machine.during = stop
    with pytest.raises(Interrupted):
        machine.run(plan(*SOAK, FAULTS))
    machine.during = lambda _: None
    path = machine.only()
    assert path is not None
    ((_, steps),) = shape(machine.resume(path)).values()
    assert [step[0] for step in steps] == ["load", "fault", "load", "fault"]
