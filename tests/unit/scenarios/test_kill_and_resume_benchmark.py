"""What the benchmark that kills campaigns makes of a results folder; running it takes long."""

from __future__ import annotations

import importlib.util
import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from fake_rig import Machine, cell_ids, plan
from kill import Kernel

from harness.campaign.loading import load_campaign
from harness.facts.layout import ResultsFolder
from harness.facts.store import ResultsWriter

pytestmark = pytest.mark.unit

PLAN = plan("workloads.0.concurrencies=[1,2]", "workloads.1.concurrencies=[1]")
IO, CPU = cell_ids(PLAN)


@pytest.fixture(scope="module")
def benchmark_module(repo_root: Path) -> ModuleType:
    path = repo_root / "benchmarks/kill_and_resume.py"
    spec = importlib.util.spec_from_file_location("kill_and_resume", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kill_and_resume"] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_its_campaign_has_cells_to_keep_and_cells_to_go_on_with(
    benchmark_module: ModuleType,
) -> None:
    campaign = load_campaign(benchmark_module.CAMPAIGN, source="kill_and_resume")
    assert len(list(campaign.cells())) > 1
    assert campaign.warmup_runs


def test_a_campaign_that_went_on_has_the_shape_of_one_in_one_go(
    machine: Machine, benchmark_module: ModuleType, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        whole = ResultsFolder(Machine(tmp_path / "whole", patch).run(PLAN))
    assert Kernel(60).kills(lambda: machine.run(PLAN))
    path = machine.only()
    assert path is not None
    assert benchmark_module.shape_of(ResultsFolder(path)) != benchmark_module.shape_of(whole)
    machine.resume(path)
    assert benchmark_module.shape_of(ResultsFolder(path)) == benchmark_module.shape_of(whole)


def test_it_says_what_was_under_way(tmp_path: Path, benchmark_module: ModuleType) -> None:
    """Of a campaign killed at every fourth step towards the disk."""
    seen = set()
    for nth in range(3, 140, 4):
        with pytest.MonkeyPatch.context() as patch:
            killed = Machine(tmp_path / str(nth), patch)
            assert Kernel(nth).kills(partial(killed.run, PLAN))
            path = killed.only()
        assert path is not None
        seen.add(benchmark_module.under_way(ResultsFolder(path)))
    assert seen >= {
        "starting the first server",
        f"step warmup 1 of {IO}",
        f"after step warmup 1 of {IO}",
        f"step unloaded 1 of {IO}",
        f"step load 2 of {IO}",
        f"sealing {IO}",
        f"after {IO}, or starting the next",
        f"step unloaded 1 of {CPU}",
        f"sealing {CPU}",
    }
    assert benchmark_module.under_way(None) == "nothing written yet"


def test_steps_of_a_cell_that_started_again_are_not_taken_for_its_new_ones(
    benchmark_module: ModuleType, tmp_path: Path
) -> None:
    writer = ResultsWriter(ResultsFolder(tmp_path))
    order = {"cell": IO, "kind": "warmup", "concurrency": 1, "reason": "warm the caches"}
    writer.journal(order)
    writer.journal({"cell": IO, "kind": "again", "reason": "starts again"})
    assert benchmark_module.under_way(writer.folder) == f"going on: {IO}"
    writer.journal(order)
    assert benchmark_module.under_way(writer.folder) == f"step warmup 1 of {IO}"
