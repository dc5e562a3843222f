"""Nights that were cut short, cells that came out invalid: what goes on, and what is left."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from factory_nightly import BEGAN, World, raising

from harness.campaign.estimate import estimate_cell_s, estimate_s
from harness.errors import (
    AnotherMachine,
    EnvironmentProblem,
    ExitCode,
    Interrupted,
    StoredDataError,
    TargetFailed,
)
from harness.scenarios.nightly.mark import (
    Mark,
    begun_folder,
    mark_path,
    read_mark,
    remaining_s,
    write_mark,
)

pytestmark = pytest.mark.unit

FOLDER = "20261125T020000Z-nightly"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(root=tmp_path / "results").install(monkeypatch)


class Killed(BaseException):
    """No handler runs after a `kill -9`."""


def cut_short(world: World, *, cells: int = 5) -> None:
    """A night is killed after some cells."""
    world.complete = cells
    world.fail["measure"] = raising(Killed())
    with pytest.raises(Killed):
        world.night()
    world.complete = None
    world.fail.clear()
    world.calls.clear()


def test_a_killed_night_leaves_no_summary_and_the_next_completes_it(world: World) -> None:
    cut_short(world)
    assert not (world.root / "nightly-nightly.json").exists()
    world.now += 3600
    summary = world.night()
    assert summary.exit_code == ExitCode.PASS
    assert summary.resumed
    assert summary.folder == FOLDER
    assert summary.left == (
        "The night of 2026-11-25 02:00 UTC was cut short; it is completed tonight, in "
        f"{FOLDER}: about 23 min 24 s are missing.",
    )
    assert f"resume {FOLDER}" in world.calls
    assert not any(call.startswith("measure") for call in world.calls)


def test_once_it_is_completed_the_next_night_begins_anew(world: World) -> None:
    cut_short(world)
    world.night()
    world.now += 3600
    assert world.night().folder != FOLDER


def test_an_interrupted_night_goes_on_as_a_killed_one_does(world: World) -> None:
    world.complete = 3
    world.fail["measure"] = raising(Interrupted("Ctrl-C"))
    world.night()
    world.fail.clear()
    world.complete = None
    assert world.night().resumed


def test_a_night_killed_while_it_goes_on_goes_on_again(world: World) -> None:
    cut_short(world)
    world.fail["resume"] = raising(Killed())
    with pytest.raises(Killed):
        world.night()
    world.fail.clear()
    summary = world.night()
    assert summary.resumed
    assert summary.folder == FOLDER


def test_a_night_killed_before_it_measured_is_told_and_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("harness.scenarios.nightly.joints.measure", _killed)
        with pytest.raises(Killed):
            world.night()
    summary = world.night()
    assert summary.left == (
        "The night of 2026-11-25 02:00 UTC was cut short before it measured anything.",
    )
    assert summary.exit_code == ExitCode.PASS
    assert world.night().left == ()


def _killed(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize(
    ("why", "hours", "budget_s", "resume"),
    [
        ("it is older than 12 h", 13, 3600.0, True),
        ("tonight was asked to begin anew", 1, 3600.0, False),
        ("tonight measures something else", 1, 1200.0, True),
    ],
)
def test_what_is_not_completed_is_left_as_it_is_with_the_command_that_would(
    world: World, why: str, hours: float, budget_s: float, resume: bool
) -> None:
    cut_short(world)
    world.now += hours * 3600
    summary = world.night(budget_s=budget_s, resume=resume)
    assert not summary.resumed
    assert summary.folder != FOLDER
    assert why in summary.left[0]
    assert summary.left[0].endswith(f"To complete it: harness resume {world.root / FOLDER}")


def test_a_newer_dagster_makes_another_night_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_short(world)
    monkeypatch.setattr("factory_nightly.NEWEST", "1.13.30")
    assert "tonight measures something else" in world.night().left[0]


@pytest.mark.parametrize(
    "error", [StoredDataError("It is damaged."), AnotherMachine("This is another machine.")]
)
def test_a_record_that_cannot_go_on_is_left_and_the_night_begins_anew(
    world: World, error: Exception
) -> None:
    cut_short(world)
    world.fail["resume"] = raising(error)
    summary = world.night()
    assert summary.exit_code == ExitCode.PASS
    assert (summary.resumed, summary.folder) == (False, "20261125T021038Z-nightly")
    assert f"{FOLDER} could not be completed and is left: {error.args[0]}" in summary.left


def test_what_only_this_moment_forbids_leaves_the_night_to_the_next_one(world: World) -> None:
    """Another campaign at work, a full disk: begun anew, half a night would be lost."""
    cut_short(world)
    world.fail["resume"] = raising(EnvironmentProblem("Another campaign is measuring."))
    summary = world.night()
    assert (summary.exit_code, summary.folder) == (ExitCode.ENVIRONMENT, FOLDER)
    assert not any(call.startswith("measure") for call in world.calls)
    world.fail.clear()
    assert world.night().resumed


def test_no_whole_night_begins_in_what_is_left_of_the_budget(world: World) -> None:
    cut_short(world)

    def fail_late() -> None:
        world.now += 40 * 60
        raise StoredDataError("It is damaged.")

    world.fail["resume"] = fail_late
    summary = world.night()
    assert summary.exit_code == ExitCode.BAD_INPUT
    assert not any(call.startswith("measure") for call in world.calls)


def test_a_target_that_fails_while_it_goes_on_is_no_reason_to_begin_anew(world: World) -> None:
    cut_short(world)
    world.fail["resume"] = raising(TargetFailed("It never came up."))
    summary = world.night()
    assert (summary.exit_code, summary.folder) == (ExitCode.TARGET, FOLDER)


def test_a_night_that_failed_is_over(world: World) -> None:
    world.complete = 3
    world.fail["measure"] = raising(TargetFailed("It never came up."))
    world.night()
    world.fail.clear()
    assert world.night().left == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"campaign": "nightly"}', '{"started_s": "x"}'])
def test_a_damaged_mark_is_none(world: World, text: str) -> None:
    world.root.mkdir()
    mark_path(world.root, "nightly").write_text(text)
    assert read_mark(world.root, "nightly") is None
    assert world.night().exit_code == ExitCode.PASS


def test_marks_of_campaigns_are_apart(world: World) -> None:
    world.root.mkdir()
    write_mark(world.root, Mark(campaign="other", started_s=1.0, pid=1))
    assert read_mark(world.root, "nightly") is None
    assert read_mark(world.root, "other") == Mark(campaign="other", started_s=1.0, pid=1)


def test_the_folder_of_a_night_is_the_one_it_made(world: World) -> None:
    mark = Mark(campaign="nightly", started_s=BEGAN.timestamp(), pid=1, folder=FOLDER)
    assert begun_folder(world.root, mark) is None
    (world.root / FOLDER).mkdir(parents=True)
    assert begun_folder(world.root, mark) == world.root / FOLDER
    assert begun_folder(world.root, replace(mark, folder="")) is None


def test_a_campaign_run_by_hand_is_not_taken_for_the_night_that_was_killed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("harness.scenarios.nightly.joints.measure", _killed)
        with pytest.raises(Killed):
            world.night()
    by_hand = f"{BEGAN + timedelta(hours=1):%Y%m%dT%H%M%SZ}-nightly"
    (world.root / by_hand).mkdir(parents=True)
    world.now += 2 * 3600
    summary = world.night()
    assert summary.folder not in (None, by_hand)
    assert "before it measured anything" in summary.left[0]


def test_a_cell_that_was_cut_off_or_failed_is_still_to_be_measured(world: World) -> None:
    cut_short(world, cells=6)
    plan = world.plan()
    cells = list(plan.cells())
    path = world.root / FOLDER / "cells" / cells[0].id / "cell.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"ended": "failed: no server"}))
    missing = [cells[0], *cells[6:]]
    assert remaining_s(plan, world.root / FOLDER) == pytest.approx(
        sum(estimate_cell_s(plan, cell) for cell in missing)
    )


def first_cell(world: World) -> str:
    return next(world.plan().cells()).id


def test_an_invalid_cell_is_measured_again_and_is_told(world: World) -> None:
    cell = first_cell(world)
    world.invalid = [[cell], []]
    summary = world.night()
    assert f"resume {FOLDER} {cell}" in world.calls
    (retried,) = summary.retried
    assert (retried.cell, retried.again, retried.outcome) == (cell, True, "valid now")
    assert retried.why == "host_steal: 31 % stolen"
    assert summary.unknown == ()


def test_a_cell_that_stays_invalid_is_measured_no_more_often_than_the_campaign_says(
    world: World,
) -> None:
    cell = first_cell(world)
    world.invalid = [[cell]]
    summary = world.night("nightly.retries=2")
    assert world.calls.count(f"resume {FOLDER} {cell}") == 2
    assert [each.outcome for each in summary.retried] == [
        "invalid again: host_steal: 31 % stolen"
    ] * 2
    assert f"{cell}: host_steal: 31 % stolen" in summary.unknown
    assert summary.exit_code == ExitCode.PASS


def test_nothing_is_measured_again_where_the_campaign_wants_none(world: World) -> None:
    world.invalid = [[first_cell(world)]]
    summary = world.night("nightly.retries=0")
    assert not any(call.startswith("resume") for call in world.calls)
    assert len(summary.unknown) == 1


def test_only_what_the_budget_still_has_time_for_is_measured_again(world: World) -> None:
    plan = world.plan()
    cells = [cell.id for cell in plan.cells()][:3]
    world.invalid = [cells, []]
    budget_s = estimate_s(plan) + 2.5 * estimate_cell_s(plan, next(plan.cells()))
    summary = world.night(budget_s=budget_s)
    assert f"resume {FOLDER} {cells[0]} {cells[1]}" in world.calls
    told = {each.cell: each for each in summary.retried}
    assert not told[cells[2]].again
    assert "not measured again: it takes about 2 min 8 s" in told[cells[2]].outcome


def test_without_a_budget_there_is_time_for_all(world: World) -> None:
    cells = [cell.id for cell in world.plan().cells()]
    world.invalid = [cells, []]
    assert len(world.night(budget_s=None).retried) == len(cells)


def test_measuring_again_may_fail_and_the_night_stands(world: World) -> None:
    cell = first_cell(world)
    world.invalid = [[cell]]
    world.fail["resume"] = raising(TargetFailed("It never came up."))
    summary = world.night("nightly.retries=3")
    assert summary.exit_code == ExitCode.PASS
    assert world.calls.count(f"resume {FOLDER} {cell}") == 1
    assert "Measuring invalid cells again: It never came up." in summary.failures


def test_an_interruption_while_measuring_again_is_one(world: World) -> None:
    world.invalid = [[first_cell(world)]]
    world.fail["resume"] = raising(Interrupted("Ctrl-C"))
    assert world.night().exit_code == ExitCode.INTERRUPTED
