"""One round on the rig: what it prepares, what it reads, and whose fault a failure is."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from factory_bisect import plan
from rich.console import Console

from harness.analysis.findings.types import CellFinding, Findings, IssueFinding
from harness.campaign.plan import Campaign
from harness.errors import EnvironmentProblem, StoredDataError, TargetFailed
from harness.facts.layout import ResultsFolder
from harness.facts.model import Cell, Limits
from harness.facts.store import CellWriter
from harness.rig import hosting
from harness.rig.session import SessionOptions
from harness.rig.target import locks
from harness.scenarios import threshold, trials
from harness.scenarios.bisecting import ReleaseFailedError
from harness.scenarios.bisecting_round import RigRounds, values_in
from harness.scenarios.trials import read_findings
from harness.watch.plain import PlainListener

pytestmark = pytest.mark.unit

ENDS = ("1.11.16", "1.13.28")
LIMITS = Limits(cpu_cores=1.0, memory_bytes=2**31, pids=4096, swap_bytes=0)


@pytest.fixture(scope="session")
def io_cell(repo_root: Path) -> tuple[Findings, CellFinding]:
    """The io cell of a committed baseline."""
    findings = read_findings(repo_root / "results/baselines/quick-compose")
    return findings, next(cell for cell in findings.cells if cell.workload == "io")


Measured = Callable[..., Findings]


@pytest.fixture
def measured(io_cell: tuple[Findings, CellFinding]) -> Measured:
    """Findings of a campaign in which each release is the baseline's io cell."""
    findings, cell = io_cell

    def make(campaign: Campaign, **changes: Any) -> Findings:
        cells = tuple(replace(cell, id=each.id, dagster=each.dagster) for each in campaign.cells())
        given = {"cells": cells, "validity": (), "campaign": campaign.model_dump(mode="json")}
        return replace(findings, **{**given, **changes})

    return make


class Rig:
    """What a round asks of the machine, and what it is answered."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, measured: Measured) -> None:
        self.root, self.measured = root, measured
        self.prepared: list[tuple[str, ...]] = []
        self.unprepared: str = ""
        self.failing: str = ""
        self.changes: dict[str, Any] = {}
        self.stored: dict[Path, Findings] = {}
        monkeypatch.setattr(hosting, "choose", lambda kind, _say: "process")
        monkeypatch.setattr(hosting, "prepare", self.prepare)
        monkeypatch.setattr(threshold, "run", self.run)
        monkeypatch.setattr(trials, "read_findings", self.read)

    def rounds(self, **more: Any) -> RigRounds:
        options = SessionOptions(results_root=self.root)
        return RigRounds(options, PlainListener(Console(file=io.StringIO())), **more)

    def prepare(self, kind: str, campaign: Campaign, **_: object) -> None:
        self.prepared.append(campaign.dagster)
        if self.unprepared in campaign.dagster:
            raise EnvironmentProblem("There is no lock.", evidence="no solution")

    def run(self, campaign: Campaign, *, begun: Callable[[Path], None], **_: object) -> Any:
        folder = ResultsFolder(self.root / f"2026-{campaign.name}")
        begun(folder.path)
        for cell in campaign.cells():
            if cell.dagster == self.failing:
                self._broke_off(folder, cell.id, cell.dagster)
                raise TargetFailed("The server did not become ready.", evidence="exit 1\nmore")
        self.stored[folder.path] = self.measured(campaign, **self.changes)
        return folder

    def read(self, path: Path) -> Findings:
        if path not in self.stored:
            raise StoredDataError(f"The findings in {path} cannot be read.")
        return self.stored[path]

    def _broke_off(self, folder: ResultsFolder, cell_id: str, dagster: str) -> None:
        cell = Cell(
            id=cell_id, profile="1vcpu-2gb", vcpu=1.0, memory_bytes=2**31, workload="io",
            params={}, dagster=dagster, max_workers=6, replicas=1, feed="direct",
            target="process", requested_limits=LIMITS, effective_limits=None,
            limits_enforced=False, overcommitted=False, devices=(), slos={},
            ended="failed: The server did not become ready.",
        )  # fmt: skip
        CellWriter(folder.cell(cell_id)).write_cell(cell)


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: Measured) -> Rig:
    return Rig(tmp_path, monkeypatch, measured)


def test_a_round_is_a_results_folder_with_a_value_for_each_release(
    rig: Rig, io_cell: tuple[Findings, CellFinding]
) -> None:
    done = rig.rounds().measure(plan(), 3, ("1.12.4",))
    assert done.folder == "2026-bisect-per_run_mib-3"
    assert done.releases == ("1.11.16", "1.12.4", "1.13.28")
    per_run_mib = io_cell[1].memory.per_run_mib
    assert done.values == dict.fromkeys(done.releases, per_run_mib)
    assert done.why == {}


def test_only_what_lies_between_is_prepared_by_itself(rig: Rig) -> None:
    rig.rounds().measure(plan(), 1, ("1.12.4",))
    assert rig.prepared == [("1.12.4",)]


def test_a_release_that_cannot_be_made_ready_is_named(rig: Rig) -> None:
    rig.unprepared = "1.12.4"
    with pytest.raises(ReleaseFailedError) as failed:
        rig.rounds().measure(plan(), 1, ("1.12.4",))
    assert (failed.value.release, failed.value.why) == ("1.12.4", "There is no lock. no solution")
    assert rig.stored == {}


def test_a_release_whose_server_does_not_start_is_named(rig: Rig) -> None:
    rig.failing = "1.12.4"
    with pytest.raises(ReleaseFailedError) as failed:
        rig.rounds().measure(plan(), 1, ("1.12.4",))
    assert failed.value.release == "1.12.4"
    assert failed.value.why == "The server did not become ready. exit 1"


def test_an_end_whose_server_does_not_start_is_an_error_of_its_own(rig: Rig) -> None:
    rig.failing = "1.13.28"
    with pytest.raises(TargetFailed):
        rig.rounds().measure(plan(), 1, ("1.12.4",))


def test_rounds_of_two_machines_are_not_compared(rig: Rig) -> None:
    rounds = rig.rounds()
    rounds.measure(plan(), 1, ())
    other = {"host": {"cpus": 64, "cpu_model": "another", "machine": "arm64"}}
    rig.changes = {"environment": other}
    with pytest.raises(StoredDataError, match="cannot be compared") as refused:
        rounds.measure(plan(), 2, ())
    assert "64 CPUs, another, arm64 now" in refused.value.evidence
    assert plan().record_name in refused.value.hint


def test_nor_is_one_with_those_of_the_day_before(rig: Rig) -> None:
    rig.rounds().measure(plan(), 1, ())
    rig.changes = {"method": 1}
    with pytest.raises(StoredDataError, match="cannot be compared"):
        rig.rounds(first="2026-bisect-per_run_mib-1").measure(plan(), 2, ())


def test_a_first_round_that_is_gone_forbids_nothing(rig: Rig) -> None:
    done = rig.rounds(first="2020-gone").measure(plan(), 2, ())
    assert set(done.values) == set(ENDS)


def test_what_has_a_lock_is_ready(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    committed, cache = tmp_path / "committed", tmp_path / "cache"
    for path in (committed / "dagster-1.12.4.txt", cache / "locks" / "dagster-1.12.5.txt"):
        path.parent.mkdir(parents=True)
        path.touch()
    monkeypatch.setenv("DAGSTER_LOAD_HARNESS_CACHE", str(cache))
    monkeypatch.setattr(locks, "lock_path", lambda version: committed / locks.lock_name(version))
    assert rig.rounds().ready(("1.12.3", "1.12.4", "1.12.5")) == {"1.12.4", "1.12.5"}


def test_a_cell_in_fatal_doubt_has_no_value(measured: Measured) -> None:
    made = plan()
    campaign = made.campaign(1, ())
    cell, _ = campaign.cells()
    doubt = IssueFinding(
        cell=cell.id, step=None, concurrency=None, code="effective_limits_differ",
        severity="fatal", evidence="2 vCPU instead of 1", remedy="",
    )  # fmt: skip
    values, why = values_in(measured(campaign, validity=(doubt,)), made, ENDS)
    assert set(values) == {"1.13.28"}
    assert why == {"1.11.16": "2 vCPU instead of 1"}


def test_a_metric_of_a_step_is_read_at_its_load(
    measured: Measured, io_cell: tuple[Findings, CellFinding]
) -> None:
    load = io_cell[1].steps[-1].concurrency
    made = plan(metric=f"launch_s@{load}")
    values, _ = values_in(measured(made.campaign(1, ())), made, ENDS)
    assert set(values) == set(ENDS)
    elsewhere = plan(metric="launch_s@499")
    _, why = values_in(measured(elsewhere.campaign(1, ())), elsewhere, ENDS)
    assert why == dict.fromkeys(ENDS, "no step at 499")


def test_of_nothing_no_ratio_can_be_taken(
    measured: Measured, io_cell: tuple[Findings, CellFinding]
) -> None:
    made = plan(metric="idle_cores")
    campaign = made.campaign(1, ())
    idle = replace(io_cell[1], cpu=replace(io_cell[1].cpu, idle_cores=0.0))
    cells = tuple(replace(idle, id=each.id, dagster=each.dagster) for each in campaign.cells())
    values, why = values_in(measured(campaign, cells=cells), made, (*ENDS, "1.12.4"))
    assert values == {}
    assert why["1.11.16"] == "it is 0, of which no ratio can be taken"
    assert why["1.12.4"] == "it was not measured"
