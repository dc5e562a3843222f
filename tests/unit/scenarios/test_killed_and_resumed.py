"""A campaign killed at any of its steps towards the disk is gone on with to the same end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from fake_rig import Machine, plan, shape, stored
from kill import Kernel

from harness.errors import Interrupted, StoredDataError
from harness.facts.layout import ResultsFolder
from harness.rig.orders import LoadOrder
from harness.scenarios.resuming import campaign_in

pytestmark = pytest.mark.unit

SMALL = plan("workloads.0.concurrencies=[1,2]", "workloads.1.concurrencies=[1]")
SMALLEST = SMALL.model_copy(update={"workloads": SMALL.workloads[:1]})
PARTS = 6
"""Of all moments each test takes one in so many, so that they can run side by side."""

Fresh = Callable[[], Machine]


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Fresh]:
    """A machine without a past, each time."""
    count = 0
    with pytest.MonkeyPatch.context() as patch:

        def make() -> Machine:
            nonlocal count
            count += 1
            return Machine(tmp_path / str(count), patch)

        yield make


def leftovers(path: Path) -> list[str]:
    """What only a campaign under way has."""
    cells = [*path.glob("cells/*/parts"), *path.glob("cells/*/.*"), *path.glob("*.mark")]
    return [str(each.relative_to(path)) for each in cells]


@pytest.mark.parametrize("first", range(PARTS))
def test_whenever_it_is_killed_it_ends_as_if_it_never_was(fresh: Fresh, first: int) -> None:
    whole = shape(fresh().run(SMALL))
    nth = first
    while Kernel(nth).kills(partial((machine := fresh()).run, SMALL)):
        nth += PARTS
        path = machine.only()
        if path is None or not (path / "campaign.yaml").exists():
            continue
        machine.resume(path)
        assert shape(path) == whole
        assert leftovers(path) == []
        assert (path / "findings.json").exists()
        for facts in stored(path).cells:
            assert [step.index for step in facts.steps] == list(range(len(facts.steps)))
    assert nth > 100


@pytest.mark.parametrize("first", range(3))
def test_going_on_may_be_killed_too(fresh: Fresh, first: int) -> None:
    """Begun, interrupted, gone on with and killed, gone on with."""
    whole = shape(fresh().run(SMALLEST))
    nth = first
    while Kernel(nth).kills(partial((machine := fresh()).resume, interrupted(machine))):
        nth += 3
        path = machine.only()
        assert path is not None
        machine.resume(path)
        assert shape(path) == whole
        assert leftovers(path) == []
    assert nth > 50


def interrupted(machine: Machine) -> Path:
    """A campaign ended by Ctrl-C in the second step that counts."""

    def during(order: LoadOrder) -> None:
        if order.step == 2:
            raise KeyboardInterrupt

    machine.during = during
    with pytest.raises(Interrupted):
        machine.run(SMALLEST)
    machine.during = lambda _: None
    path = machine.only()
    assert path is not None
    return path


def test_a_folder_without_a_campaign_says_that_nothing_was_measured(tmp_path: Path) -> None:
    folder = tmp_path / "20260101T000000Z-fake"
    (folder / "cells").mkdir(parents=True)
    with pytest.raises(StoredDataError, match="no campaign") as caught:
        campaign_in(ResultsFolder(folder))
    assert "before anything was measured" in caught.value.evidence
    assert "harness run" in caught.value.hint
