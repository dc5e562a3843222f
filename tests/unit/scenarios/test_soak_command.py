"""`harness soak` and `harness resume` of a soak, from measured cell to answer, among fakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from fake_rig import Machine, plan, stored

from harness.cli.app import main
from harness.errors import ExitCode
from harness.rig.orders import LoadOrder

pytestmark = pytest.mark.unit

Harness = Callable[..., int]
IO = "workloads=[{name: io, concurrencies: [1, 2, 4]}]"
TWO = "workloads=[{name: io, concurrencies: [1, 2]}, {name: cpu, concurrencies: [1, 2]}]"
SOAK = ("workloads=[io]", "search={strategy: soak, concurrencies: [3], max_steps: 8}")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    return Machine(tmp_path, monkeypatch)


def harness(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0)


class TestMeasuring:
    def test_a_dry_run_says_what_would_be_done_and_does_nothing(
        self, machine: Machine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = machine.run(plan(IO))
        machine.orders.clear()
        words = ("--hours", "2", "--runs", "3", "--fault", "run-kill@5", "--dry-run")
        assert harness("soak", str(path), *words) == 0
        said = capsys.readouterr().err
        assert "soak at 3 in flight: 24 segments of " in said
        assert "run-kill in segment 5" in said
        assert said.endswith("Nothing was started.\n")
        assert machine.orders == []

    def test_a_soak_is_measured_judged_shown_and_kept(
        self, machine: Machine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = machine.run(plan(IO))
        machine.clock.sleep(60)
        assert harness("soak", str(before), "--hours", "0.15", "--runs", "2", "--plain") == 0
        told = capsys.readouterr()
        assert told.out.startswith("steady: 2 runs in flight for ")
        (soak,) = (path for path in before.parent.glob("*-soak"))
        assert (soak / "soak.json").exists()
        assert f"Facts: {soak}" in told.out
        (cell,) = stored(soak).cells
        assert [step.kind for step in cell.steps] == ["warmup", *["load"] * 7]
        assert "Campaign fake-soak: about " in told.err

    def test_the_cell_is_named_where_there_are_several(
        self, machine: Machine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = machine.run(plan(TWO))
        assert harness("soak", str(path), "--dry-run", "--runs", "1") == ExitCode.BAD_INPUT
        names = [each.cell.id for each in stored(path).cells]
        said = capsys.readouterr().err
        assert all(name in said for name in names)
        assert harness("soak", str(path), "--dry-run", "--runs", "1", "--cell", names[1]) == 0

    @pytest.mark.parametrize("fault", ["run-kill@99", "run-kill@0", "earthquake", "run-kill:x"])
    def test_a_fault_that_cannot_be_is_bad_input(self, machine: Machine, fault: str) -> None:
        path = machine.run(plan(IO))
        words = ("--runs", "1", "--dry-run", "--fault", fault)
        assert harness("soak", str(path), *words) == ExitCode.BAD_INPUT


class TestJudging:
    def test_a_stored_soak_is_judged_again_and_nothing_is_measured(
        self, machine: Machine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = machine.run(plan(*SOAK))
        machine.orders.clear()
        assert harness("soak", str(path), "--judge") == ExitCode.PASS
        assert capsys.readouterr().out.startswith("steady: 3 runs in flight for ")
        assert machine.orders == []
        assert (path / "report.html").exists()

    def test_as_json_it_is_the_document(
        self, machine: Machine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = machine.run(plan(*SOAK))
        capsys.readouterr()
        assert harness("soak", str(path), "--judge", "--json") == ExitCode.PASS
        told = capsys.readouterr().out
        assert json.loads(told)["answer"] == "steady"
        assert told == (path / "soak.json").read_text(encoding="utf-8")

    def test_too_little_is_inconclusive(self, machine: Machine) -> None:
        few = SOAK[1].replace("8", "3")
        assert harness("soak", str(machine.run(plan(SOAK[0], few))), "--judge") == (
            ExitCode.INCONCLUSIVE
        )

    def test_what_does_not_last_is_a_breach(self, machine: Machine) -> None:
        path = machine.run(plan(*SOAK))
        for runs in (path / "cells").rglob("runs.parquet"):
            fail_one(runs)
        assert harness("soak", str(path), "--judge") == ExitCode.BREACH

    def test_a_folder_that_is_no_soak_is_refused(
        self, machine: Machine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = machine.run(plan(IO))
        assert harness("soak", str(path), "--judge") == ExitCode.BAD_INPUT
        assert "is not of a soak" in capsys.readouterr().err
        assert not (path / "soak.json").exists()

    def test_a_folder_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        assert harness("soak", "nowhere", "--root", str(tmp_path), "--judge") == ExitCode.BAD_INPUT


def fail_one(path: Path) -> None:
    """The last run of a stored cell failed."""
    frame = pl.read_parquet(path)
    last = pl.int_range(pl.len()) == pl.len() - 1
    status = pl.when(last).then(pl.lit("FAILURE")).otherwise(pl.col("status")).alias("status")
    frame.with_columns(status.cast(frame.schema["status"])).write_parquet(path)


class TestGoingOn:
    def broken_off(self, machine: Machine, *, segment: int) -> Path:
        def stop(order: LoadOrder) -> None:
            if order.step == segment:
                raise KeyboardInterrupt

        before = machine.run(plan(IO))
        machine.clock.sleep(60)
        machine.during = stop
        words = ("--hours", "0.15", "--runs", "2", "--plain")
        assert harness("soak", str(before), *words) == ExitCode.INTERRUPTED
        machine.during = lambda _: None
        (path,) = before.parent.glob("*-soak")
        return path

    @pytest.mark.parametrize(("segment", "code"), [(2, ExitCode.PASS), (4, ExitCode.INCONCLUSIVE)])
    def test_a_soak_that_broke_off_goes_on_and_its_answer_is_shown(
        self, machine: Machine, capsys: pytest.CaptureFixture[str], segment: int, code: ExitCode
    ) -> None:
        """It goes on with a fresh server: half of seven segments are too few for either."""
        path = self.broken_off(machine, segment=segment)
        machine.clock.sleep(10_000)
        capsys.readouterr()
        assert harness("resume", str(path), "--plain") == code
        told = capsys.readouterr().out
        assert "2 runs in flight" in told
        assert "7 segments without a fault" in told
        assert json.loads((path / "soak.json").read_text(encoding="utf-8"))["segments"] == 7

    def test_other_campaigns_are_shown_as_ever(
        self, machine: Machine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = machine.run(plan(IO))
        capsys.readouterr()
        harness("resume", str(path), "--plain")
        assert "in flight for" not in capsys.readouterr().out
        assert not (path / "soak.json").exists()
