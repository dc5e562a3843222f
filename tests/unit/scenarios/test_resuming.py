"""What going on keeps, what it measures again, and what it says about that."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fake_rig import Machine, Watching, plan, shape, stored
from fakes import LIMITS
from resuming_cases import (
    CPU,
    IO,
    PLAN,
    at,
    broken_off,
    kinds,
    resumptions,
    said,
    whole,
)

from harness.errors import (
    EnvironmentProblem,
    Interrupted,
    TargetFailed,
)
from harness.facts.layout import CellFolder, ResultsFolder
from harness.facts.store import read_cell_json
from harness.scenarios import threshold
from harness.scenarios.resuming import resume

pytestmark = pytest.mark.unit


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), TargetFailed("the database is gone")], ids=["ctrl-c", "failed"]
)
def test_a_cell_that_broke_off_goes_on_after_its_steps(
    machine: Machine, tmp_path: Path, error: BaseException
) -> None:
    path = broken_off(machine, 0, 4, error)
    listener = Watching()
    machine.resume(path, listener)
    assert shape(path) == whole(tmp_path)
    assert machine.targets == [IO, CPU]
    assert kinds(path, IO)[:6] == ["warmup", "unloaded", "load", "load", "warmup", "load"]
    assert said(path, IO) == ["goes on after 3 steps"]
    assert f"{IO} goes on after 3 steps" in listener.news
    assert "Going on with fake: cell 1 of 2, 0 kept" in listener.news


def test_the_server_it_goes_on_with_is_another_one_and_warmed_up(machine: Machine) -> None:
    path = broken_off(machine, 0, 4)
    first_idle = read_cell_json(ResultsFolder(path).cell(IO))
    machine.resume(path)
    (facts, _) = stored(path).cells
    assert [step.server for step in facts.steps] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [s.repetition for s in facts.steps if s.kind == "warmup"] == [1, 2]
    assert (facts.cell.idle_start_s, facts.cell.idle_end_s) == (
        first_idle.idle_start_s,
        first_idle.idle_end_s,
    )
    (went_on,) = (event for event in facts.events if event.kind == "resumed")
    assert went_on.detail == {"kept_steps": 3}
    assert facts.steps[3].phases[-1].end_s < went_on.at_s <= facts.steps[4].phases[0].start_s


def test_what_the_live_view_knew_of_the_kept_steps_it_knows_again(machine: Machine) -> None:
    path = broken_off(machine, 0, 4)
    listener = Watching()
    machine.resume(path, listener)
    of_cell = [each.concurrency for each in listener.opinions][:6]
    assert of_cell == [1, 2, 4, 8, 4, 8]


def test_the_night_in_between_is_not_time_the_search_has_spent(
    machine: Machine, tmp_path: Path
) -> None:
    campaign = plan("search={strategy: adaptive, confidence: 0.9, max_minutes: 8}")
    with pytest.MonkeyPatch.context() as patch:
        unbroken = shape(Machine(tmp_path / "whole", patch).run(campaign))
    machine.during = at(0, 4, KeyboardInterrupt())
    with pytest.raises(Interrupted):
        machine.run(campaign)
    machine.during = lambda _: None
    path = machine.only()
    assert path is not None
    machine.resume(path)
    assert shape(path) == unbroken


def test_a_finished_cell_is_not_touched(machine: Machine, tmp_path: Path) -> None:
    path = broken_off(machine, 1, 1)
    before = {file: file.read_bytes() for file in facts_of(path, IO)}
    listener = Watching()
    machine.resume(path, listener)
    assert machine.targets == [CPU]
    assert {file: file.read_bytes() for file in facts_of(path, IO)} == before
    assert f"cell 2 of 2: {CPU}" in listener.news
    assert [each.cell_id for each in listener.expected] == [CPU]
    assert shape(path) == whole(tmp_path)


def facts_of(path: Path, cell_id: str) -> list[Path]:
    return sorted(file for file in (path / "cells" / cell_id).rglob("*") if file.is_file())


def test_a_cell_without_a_step_that_counts_starts_again_and_its_record_is_set_aside(
    machine: Machine,
) -> None:
    path = broken_off(machine, 0, 1)
    machine.resume(path)
    why = f"starts again: it had recorded no step yet; what there was is in superseded/{IO}+1"
    assert said(path, IO) == [why]
    assert kinds(path, IO).count("warmup") == 1
    aside = CellFolder(path / "superseded" / f"{IO}+1")
    assert read_cell_json(aside).ended == "interrupted"


CHANGES = [
    ("host", "kernel", "6.2", "kernel: 6.1 then, 6.2 now"),
    ("host", "memory_bytes", 4 << 30, "memory: 8 GiB then, 4 GiB now"),
    ("host", "cgroup", "v1", "cgroup version: v2 then, v1 now"),
    ("harness", "version", "2", "harness version: 1 then, 2 now"),
    ("harness", "commit", None, "harness commit: abc then, not known now"),
]


@pytest.mark.parametrize(("part", "key", "value", "words"), CHANGES)
def test_on_another_kernel_or_harness_a_cell_under_way_starts_again_and_says_why(
    machine: Machine, tmp_path: Path, part: str, key: str, value: object, words: str
) -> None:
    path = broken_off(machine, 0, 4)
    machine.environment[part][key] = value
    listener = Watching()
    machine.resume(path, listener)
    why = f"starts again: {words}; what there was is in superseded/{IO}+1"
    assert said(path, IO) == [why]
    assert f"{IO} {why}" in listener.news
    assert kinds(path, IO).count("warmup") == 1
    assert shape(path) == whole(tmp_path)


def test_firmware_that_keeps_a_little_more_memory_changes_nothing(machine: Machine) -> None:
    path = broken_off(machine, 0, 4)
    machine.environment["host"]["memory_bytes"] -= 1 << 20
    machine.resume(path)
    assert said(path, IO) == ["goes on after 3 steps"]


@pytest.mark.parametrize(("part", "key", "value", "words"), CHANGES)
def test_finished_cells_stay_and_each_difference_is_said_and_journalled(
    machine: Machine, part: str, key: str, value: object, words: str
) -> None:
    path = broken_off(machine, 1, 1)
    machine.environment[part][key] = value
    machine.environment["libraries"]["locust"] = "3.0"
    listener = Watching()
    machine.resume(path, listener)
    changes = [words, "locust: 2.0 then, 3.0 now"]
    assert machine.targets == [CPU]
    assert resumptions(path)[0]["differences"] == changes
    assert [f"Other than when the campaign began: {each}" for each in changes] == [
        news for news in listener.news if news.startswith("Other than")
    ]


def test_a_newer_library_alone_does_not_cost_a_cell_its_steps(machine: Machine) -> None:
    path = broken_off(machine, 0, 4)
    machine.environment["libraries"]["locust"] = "3.0"
    machine.resume(path)
    assert said(path, IO) == ["goes on after 3 steps"]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("cpus", 4, "CPUs: 2 then, 4 now"),
        ("cpu_model", "slow", "CPU model: fast then, slow now"),
        ("machine", "aarch64", "machine: x86_64 then, aarch64 now"),
    ],
)
def test_on_another_machine_it_is_refused_and_nothing_is_changed(
    machine: Machine, key: str, value: object, words: str
) -> None:
    path = broken_off(machine, 1, 1)
    before = sorted(path.rglob("*"))
    machine.environment["host"][key] = value
    with pytest.raises(EnvironmentProblem, match="another machine") as caught:
        machine.resume(path)
    assert caught.value.evidence == words
    assert f"harness run {path}/campaign.yaml" in caught.value.hint
    assert machine.targets == []
    assert sorted(path.rglob("*")) == before


def test_a_cell_is_compared_with_the_machine_it_was_last_measured_on(machine: Machine) -> None:
    """Broken off on one kernel, begun anew on the next, gone on with there."""
    path = broken_off(machine, 0, 4)
    machine.environment["host"]["kernel"] = "6.2"
    machine.during = at(0, 3, KeyboardInterrupt())
    with pytest.raises(Interrupted):
        machine.resume(path)
    machine.during = lambda _: None
    machine.resume(path)
    assert said(path, IO)[-1] == "goes on after 2 steps"
    machine.environment["host"]["kernel"] = "6.1"
    assert [line["environment"] for line in resumptions(path)] == [
        "environment-2.json",
        "environment-3.json",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.software.update(lock={"sha256": "b"}), "lock: not the same"),
        (lambda m: m.software.update(postgres="18"), "postgres: not known then, 18 now"),
        (
            lambda m: setattr(m, "limits", replace(LIMITS, memory_bytes=2 * 2**30 - 2**20)),
            "limits in force: 1 vCPU, 2 GiB then, 1 vCPU, 2,047 MiB now",
        ),
        (
            lambda m: setattr(m, "limits", None),
            "limits in force: 1 vCPU, 2 GiB then, none now",
        ),
    ],
    ids=["lock", "database", "limits", "unenforced"],
)
def test_a_server_that_is_not_the_same_has_its_cell_start_again(
    machine: Machine, tmp_path: Path, change: Callable[[Machine], None], words: str
) -> None:
    path = broken_off(machine, 0, 4)
    change(machine)
    machine.resume(path)
    assert said(path, IO) == [
        "goes on after 3 steps",
        f"starts again: {words}; what there was is in superseded/{IO}+1",
    ]
    assert kinds(path, IO).count("warmup") == 1
    aside = path / "superseded" / f"{IO}+1"
    assert json.loads((aside / "cell.json").read_text())["ended"] == f"failed: {words}"
    assert machine.targets == [IO, IO, CPU]
    assert shape(path).keys() == whole(tmp_path).keys()


def test_a_new_cell_on_other_software_than_a_finished_one_is_noted(machine: Machine) -> None:
    path = broken_off(machine, 1, 1)
    machine.software["lock"] = {"sha256": "b"}
    machine.resume(path)
    assert said(path, CPU)[-1] == f"other than in {IO}: lock: not the same"


def test_each_going_on_is_journalled_and_its_machine_recorded_beside_the_first(
    machine: Machine,
) -> None:
    path = broken_off(machine, 1, 1)
    first = (path / "environment.json").read_bytes()
    machine.environment["host"]["load1"] = 7
    machine.resume(path)
    assert (path / "environment.json").read_bytes() == first
    assert json.loads((path / "environment-2.json").read_text())["host"]["load1"] == 7
    (entry,) = resumptions(path)
    assert entry["environment"] == "environment-2.json"
    assert entry["cells"] == {IO: "keep", CPU: "anew"}
    assert (entry["differences"], entry["removed"]) == ([], [])


def test_a_complete_campaign_says_so_and_is_judged_again(machine: Machine) -> None:
    path = machine.run(PLAN)
    (path / "findings.json").unlink()
    before = sorted(path.rglob("*"))
    machine.targets.clear()
    listener = Watching()
    machine.resume(path, listener)
    assert listener.news == ["fake is complete: nothing to measure, 2 of 2 cells kept"]
    assert machine.targets == []
    assert sorted(path.rglob("*")) == sorted([*before, path / "findings.json"])


def test_a_cell_can_be_measured_again_and_its_facts_stay(machine: Machine, tmp_path: Path) -> None:
    path = machine.run(PLAN)
    machine.targets.clear()
    before = (path / "cells" / IO / "runs.parquet").read_bytes()
    listener = Watching()
    machine.resume(path, listener, again=[IO])
    assert machine.targets == [IO]
    assert f"cell 2 of 2: {IO}" in listener.news
    assert (path / "superseded" / f"{IO}+1" / "runs.parquet").read_bytes() == before
    assert said(path, IO)[-1].startswith("starts again: it was asked for; what there was is in")
    assert shape(path) == whole(tmp_path)
    machine.resume(path, again=[IO])
    assert sorted(each.name for each in (path / "superseded").iterdir()) == [f"{IO}+1", f"{IO}+2"]


def test_cells_to_measure_again_are_set_aside_before_anything_runs(machine: Machine) -> None:
    """So that a kill in the first of them leaves the second one to be measured, too."""
    path = machine.run(PLAN)
    machine.targets.clear()
    machine.during = at(0, 1, KeyboardInterrupt())
    with pytest.raises(Interrupted):
        machine.resume(path, again=[CPU, IO])
    machine.during = lambda _: None
    machine.targets.clear()
    machine.resume(path)
    assert machine.targets == [IO, CPU]


def test_ctrl_c_offers_to_go_on(machine: Machine) -> None:
    machine.during = at(0, 2, KeyboardInterrupt())
    with pytest.raises(Interrupted) as caught:
        machine.run(PLAN)
    path = machine.only()
    assert caught.value.hint == f"Go on where it stopped: harness resume {path}"


def test_begun_is_told_once_and_only_where_something_is_measured(machine: Machine) -> None:
    path = broken_off(machine, 0, 4)
    begun: list[Path] = []
    machine.resume(path, begun=begun.append)
    machine.resume(path, begun=begun.append)
    assert begun == [path]


def test_a_campaign_that_names_the_latest_release_is_stored_with_its_number(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        threshold,
        "pinned",
        lambda campaign, *, say: campaign.model_copy(update={"dagster": ("1.13.28",)}),
    )
    path = machine.run(plan("dagster=latest"))
    assert "1.13.28" in stored(path).campaign_text
    assert {facts.cell.dagster for facts in stored(path).cells} == {"1.13.28"}


def test_the_folder_counts_and_not_the_root_it_is_measured_with(
    machine: Machine, tmp_path: Path
) -> None:
    path = broken_off(machine, 0, 4)
    options = replace(machine.options, results_root=tmp_path / "elsewhere")
    resume(path, options=options, listener=Watching())
    assert not (tmp_path / "elsewhere").exists()
    assert shape(path) == whole(tmp_path)
