from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from factory import make_cell
from factory_model import MIB, found, make_model

from harness.analysis.model.cell_model import CellModel
from harness.analysis.model.fitting import kind_of
from harness.analysis.model.hold_out import Measured, held_out
from harness.analysis.model.prediction import predict, setting_of
from harness.errors import ExitCode

pytestmark = pytest.mark.unit

SIZES = {"0.5vcpu-1gb": (0.5, 1024), "1vcpu-2gb": (1.0, 2048), "2vcpu-4gb": (2.0, 4096)}


def cell_of(profile: str, *, off: int = 0, **changes: object) -> Measured:
    """A cell that holds what its model says, or `off` more."""
    vcpu, memory_mib = SIZES[profile]
    cell = make_cell(profile=profile, vcpu=vcpu, memory_bytes=memory_mib * MIB, **changes)
    model: CellModel = make_model(kind=kind_of(cell), vcpu=vcpu, profiles=(profile,))
    holds = predict(model, setting_of(cell), cell.slos)
    assert holds is not None
    return Measured(cell=cell, model=model, capacity=found(holds.concurrency + off))


def three(**off: int) -> list[Measured]:
    return [cell_of(profile, off=off.get(f"p{n}", 0)) for n, profile in enumerate(SIZES)]


def test_sizes_that_follow_one_model_are_predicted_from_each_other() -> None:
    rows = held_out(three())
    assert [row.profile for row in rows] == list(SIZES)
    assert all(row.within and row.error_runs == 0 for row in rows)
    assert rows[0].fitted_on == ("1vcpu-2gb", "2vcpu-4gb")
    assert all(row.binding for row in rows)


def test_an_error_is_predicted_less_measured() -> None:
    row = held_out(three(p2=-3), only="2vcpu-4gb")[0]
    assert row.measured is not None
    assert row.predicted is not None
    assert row.error_runs == 3
    assert row.error_ratio == pytest.approx(3 / row.measured)


@pytest.mark.parametrize(("off", "within"), [(-1, True), (1, True), (-2, False), (4, False)])
def test_a_small_server_may_be_one_run_off(off: int, within: bool) -> None:
    row = held_out(three(p1=off), only="1vcpu-2gb")[0]
    assert row.measured is not None
    assert row.measured < 15, "where a tenth is no more than one run"
    assert row.within is within


def test_a_large_server_may_be_a_tenth_off() -> None:
    slos = {"memory_headroom": 0.9}
    cells = [cell_of(profile, slos=slos) for profile in SIZES]
    near = [*cells[:2], cell_of("2vcpu-4gb", slos=slos, off=-3)]
    row = held_out(near, only="2vcpu-4gb")[0]
    assert row.measured is not None
    assert row.measured > 30
    assert row.within


def test_a_size_is_never_predicted_from_itself() -> None:
    twice = [cell_of("1vcpu-2gb"), cell_of("1vcpu-2gb", max_workers=12)]
    for row in held_out(twice):
        assert row.predicted is None
        assert row.within is None
        assert row.reason == "no other size of this kind"


def test_other_work_teaches_nothing() -> None:
    cells = [cell_of("1vcpu-2gb"), cell_of("2vcpu-4gb", workload="cpu")]
    assert all(row.reason == "no other size of this kind" for row in held_out(cells))


def test_a_capacity_that_is_no_number_gives_no_verdict() -> None:
    cells = three()
    cells[1] = Measured(
        cell=cells[1].cell, model=cells[1].model, capacity=found(9, status="above_max", high=None)
    )
    row = held_out(cells, only="1vcpu-2gb")[0]
    assert row.predicted is not None
    assert row.measured is None
    assert row.within is None
    assert "above_max" in row.reason


def test_a_server_that_held_nothing_is_a_result_without_a_ratio() -> None:
    cells = three()
    nothing = found(0, status="below_min")
    cells[0] = Measured(cell=cells[0].cell, model=None, capacity=nothing)
    row = held_out(cells, only="0.5vcpu-1gb")[0]
    assert row.measured == 0
    assert row.error_runs == row.predicted
    assert row.error_ratio is None
    assert row.within is False


def test_a_cell_without_a_model_is_predicted_but_teaches_nothing() -> None:
    cells = three()
    cells[2] = Measured(cell=cells[2].cell, model=None, capacity=cells[2].capacity)
    rows = held_out(cells)
    assert rows[2].fitted_on == ("0.5vcpu-1gb", "1vcpu-2gb")
    assert rows[0].fitted_on == ("1vcpu-2gb",)


@pytest.fixture(scope="module")
def script(repo_root: Path) -> ModuleType:
    """`benchmarks/held_out.py`."""
    path = repo_root / "benchmarks/held_out.py"
    spec = importlib.util.spec_from_file_location("held_out_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["held_out_benchmark"] = module
    spec.loader.exec_module(module)
    return module


def test_the_benchmark_says_in_its_exit_code_what_came_out(script: ModuleType) -> None:
    assert script.exit_code(held_out(three())) == ExitCode.PASS
    assert script.exit_code(held_out(three(p2=-9))) == ExitCode.BREACH
    assert script.exit_code(held_out([cell_of("1vcpu-2gb")])) == ExitCode.INCONCLUSIVE
    assert script.exit_code(()) == ExitCode.INCONCLUSIVE


def test_the_benchmark_shows_a_line_for_each_size(script: ModuleType) -> None:
    lines = script.table(held_out(three(p1=-5))).splitlines()
    assert len(lines) == 4
    assert "OUTSIDE" in lines[2]
    assert "+5" in lines[2]
    assert "within" in lines[1]


def test_the_benchmark_reads_a_results_folder(
    script: ModuleType, repo_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = repo_root / "results/baselines/quick-process"
    assert script.main([str(folder), "--json"]) == ExitCode.INCONCLUSIVE
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["workload"] for row in rows] == ["io", "cpu", "mixed"]
    assert rows[0]["measured"] == 3
    assert script.main([str(folder), "--hold-out", "9vcpu"]) == ExitCode.BAD_INPUT
    assert script.main([str(folder / "cells")]) == ExitCode.BAD_INPUT
