"""What the benchmarks make of facts; running them is for a quiet machine."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign
from harness.errors import ExitCode
from harness.facts.layout import ResultsFolder
from harness.facts.model import Cell, Limits, Phase, Run, Sample, Step
from harness.facts.store import ResultsWriter
from harness.facts.table import CellFacts, SamplesTable
from harness.rig.orders import LoadOutcome
from harness.rig.protocols import Done, StepOrder

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits(cpu_cores=1.0, memory_bytes=2 * 2**30)
HOLD = Phase(name="hold", start_s=100.0, end_s=120.0)


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"benchmarks/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


cost = script("observer_cost")
ceiling = script("generator_ceiling")


def run(sent_s: float, **changes: Any) -> Run:
    """Meant 0.5 s before it was sent, started after 2 s, ended after 5 s."""
    fields = {
        "step": 1, "user": 0, "run_id": f"run-{sent_s}", "intended_s": sent_s - 0.5,
        "sent_s": sent_s, "accepted_s": sent_s + 1, "started_s": sent_s + 2,
        "ended_s": sent_s + 5, "status": "SUCCESS",
    }  # fmt: skip
    return Run(**{**fields, **changes})


def step(**changes: Any) -> Step:
    fields = {
        "index": 1, "kind": "load", "concurrency": 4, "repetition": 1, "reason": "fixed",
        "phases": (Phase(name="ramp", start_s=97.0, end_s=100.0), HOLD), "outcome": "completed",
        "kernel_peak_bytes": 6e8, "peak_source": "kernel", "observer_cpu_cores": 0.04,
    }  # fmt: skip
    return Step(**{**fields, **changes})


def facts(
    runs: list[Run], *, steps: list[Step] | None = None, used: dict[str, float] | None = None,
    enforced: bool = True,
) -> CellFacts:  # fmt: skip
    """A cell; `used` is the constant CPU of each device, in cores."""
    cell = Cell(
        id="c", profile="1vcpu-2gb", vcpu=1.0, memory_bytes=2 * 2**30, workload="io", params={},
        dagster="1.13.27", max_workers=6, replicas=1, feed="direct", target="process",
        requested_limits=LIMITS, effective_limits=LIMITS, limits_enforced=enforced,
        overcommitted=False, devices=tuple(used or ()), slos={},
    )  # fmt: skip
    samples = [
        Sample(device="observer", source=device, key="device_cpu_s", due_s=at_s, taken_s=at_s,
               value=cores * at_s)
        for device, cores in (used or {}).items() for at_s in (98.0, 110.0, 122.0)
    ]  # fmt: skip
    warmup = step(index=0, kind="warmup", phases=(Phase(name="hold", start_s=50, end_s=60),))
    return CellFacts(
        cell=cell, steps=[warmup, *([step()] if steps is None else steps)], runs=runs,
        samples=SamplesTable.of(samples), events=[],
    )  # fmt: skip


def numbers(devices: bool, problems: tuple[str, ...] = (), **metrics: Any) -> Any:
    return cost.Numbers(devices=devices, metrics=metrics, problems=problems)


class TestReadingACell:
    def test_takes_every_metric_from_the_load_step_alone(self) -> None:
        warm = run(50, step=0, ended_s=90)
        found = cost.numbers_of(facts([warm, run(98), run(118)]), devices=True)
        assert found.metrics == {
            "response_s": (5.5, 5.5),
            "launch_s": (2, 2),
            "throughput_runs_per_s": (pytest.approx(2 / 25),),
            "observer_cpu_cores": (0.04,),
            "kernel_peak_bytes": (6e8,),
        }
        assert found.problems == ()

    def test_counts_runs_that_end_after_the_hold(self) -> None:
        inside, after = (
            cost.numbers_of(facts([run(98), run(sent_s)]), devices=True) for sent_s in (113, 119)
        )
        rates = [cell.metrics["throughput_runs_per_s"][0] for cell in (inside, after)]
        assert rates == pytest.approx([2 / 20, 2 / 26])

    def test_turns_the_cpu_counters_of_the_devices_into_cores(self) -> None:
        found = cost.numbers_of(
            facts([run(98)], used={"cgroup": 0.01, "probe": 0.03}), devices=True
        )
        assert found.device_cpu_cores == pytest.approx({"cgroup": 0.01, "probe": 0.03})

    def test_leaves_a_peak_seen_by_samples_unknown(self) -> None:
        found = cost.numbers_of(facts([run(98)], steps=[step(peak_source="samples")]), devices=True)
        assert found.metrics["kernel_peak_bytes"] == ()

    def test_does_not_take_an_unknown_for_zero(self) -> None:
        unknown = step(kernel_peak_bytes=None, observer_cpu_cores=None)
        found = cost.numbers_of(facts([run(98, started_s=None)], steps=[unknown]), devices=True)
        assert [name for name, values in found.metrics.items() if not values] == [
            "launch_s", "observer_cpu_cores", "kernel_peak_bytes"
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("cell", "problem"),
        [
            (facts([run(98), run(99, status="FAILURE")]), "1 of 2 runs succeeded"),
            (facts([]), "0 of 0 runs succeeded"),
            (facts([run(98)], steps=[step(outcome="aborted", outcome_detail="died")]), "died"),
            (facts([run(98)], steps=[step(phases=())]), "no hold"),
            (facts([], steps=[]), "no hold"),
            (facts([run(98)], enforced=False), "unenforced"),
        ],
    )
    def test_says_why_a_cell_should_not_be_trusted(self, cell: CellFacts, problem: str) -> None:
        (said,) = cost.numbers_of(cell, devices=True).problems
        assert problem in said

    def test_a_failed_run_has_no_response_time(self) -> None:
        found = cost.numbers_of(facts([run(98), run(99, status="FAILURE")]), devices=True)
        assert found.metrics["response_s"] == (5.5,)


class TestTheRatio:
    def test_is_with_over_without(self) -> None:
        found = cost.ratio_of([(3.0,), (3.0,)], [(2.0,), (2.0,)])
        assert list(found.values()) == pytest.approx([1.5, 1.5, 1.5])

    def test_levels_a_side_by_the_geometric_mean_of_its_medians(self) -> None:
        found = cost.ratio_of([(1.0, 2.0, 90.0), (8.0,)], [(2.0,), (2.0,)])
        assert found["ratio"] == pytest.approx(2.0)

    def test_has_an_interval_as_wide_as_equal_cells_differ(self) -> None:
        found = cost.ratio_of([(1.0,), (1.2,)], [(1.0,), (1.1,)])
        assert found["low"] == pytest.approx(1 / 1.1)
        assert found["high"] == pytest.approx(1.2)

    def test_has_an_interval_that_holds_the_difference_between_runs(self) -> None:
        cell = tuple(1.0 + index / 10 for index in range(11))
        found = cost.ratio_of([cell, cell], [cell, cell])
        assert found["low"] < 0.95 < found["ratio"] < 1.05 < found["high"]

    def test_comes_out_the_same_each_time(self) -> None:
        sides = [(1.0, 1.3, 1.7), (1.2, 1.4)], [(1.0, 1.1), (1.5, 1.6)]
        assert cost.ratio_of(*sides) == cost.ratio_of(*sides)
        assert cost.ratio_of(*sides) != cost.ratio_of(*sides, seed=1)

    def test_has_no_interval_from_one_cell_a_side(self) -> None:
        found = cost.ratio_of([(3.0, 3.1)], [(2.0,)])
        assert found == {"ratio": pytest.approx(1.5), "low": None, "high": None}

    @pytest.mark.parametrize("lacking", [[], [(1.0,), ()], [(1.0,), (0.0,)]])
    def test_is_unknown_when_a_cell_lacks_the_metric(self, lacking: Any) -> None:
        whole = [(1.0,), (1.0,)]
        unknown = {"ratio": None, "low": None, "high": None}
        assert cost.ratio_of(lacking, whole) == cost.ratio_of(whole, lacking) == unknown


class TestTheDocument:
    def test_keeps_the_cells_in_order_with_their_medians(self) -> None:
        cells = [numbers(True, response_s=(1.0, 2.0, 9.0)), numbers(False, response_s=(1.0,))]
        document = cost.document_of(cells)
        assert [(c["devices"], c["medians"]) for c in document["cells"]] == [
            (True, {"response_s": 2.0}), (False, {"response_s": 1.0})
        ]  # fmt: skip
        assert document["ratios"]["response_s"]["ratio"] == pytest.approx(2.0)

    def test_a_metric_one_cell_lacks_is_not_compared(self) -> None:
        document = cost.document_of([numbers(True, launch_s=(1.0,)), numbers(False)])
        assert document["ratios"]["launch_s"]["ratio"] is None

    def test_says_what_share_of_the_devices_cpu_each_took(self) -> None:
        cells = [
            cost.Numbers(devices=True, device_cpu_cores={"cgroup": 0.01, "probe": 0.03}),
            cost.Numbers(devices=True, device_cpu_cores={"cgroup": 0.0}),
        ]
        shares = [c["device_cpu_shares"] for c in cost.document_of(cells)["cells"]]
        assert shares == [pytest.approx({"cgroup": 0.25, "probe": 0.75}), {"cgroup": 0.0}]

    def test_names_the_cell_of_each_problem(self) -> None:
        cells = [numbers(True), numbers(False, problems=("died",))]
        assert cost.document_of(cells)["problems"] == ["cell 2: died"]

    def test_is_json_also_where_nothing_is_known(self) -> None:
        for found in (facts([]), facts([run(98)], used={"cgroup": 0.01})):
            cells = [cost.numbers_of(found, devices=side) for side in (True, False)]
            assert json.loads(json.dumps(cost.document_of(cells), allow_nan=False))["cells"]


@pytest.mark.parametrize(("pairs", "order"), [(1, "AB"), (2, "ABBA"), (3, "ABBAAB")])
def test_the_sides_take_turns_in_going_first(pairs: int, order: str) -> None:
    assert cost.order_of(pairs) == order


def test_the_campaign_is_one_small_cell_and_can_be_measured_without_devices() -> None:
    plan = load_campaign(cost.CAMPAIGN, source="test", overrides=["devices=[]", "step.hold_s=25"])
    (cell,) = plan.cells()
    assert (cell.profile.name, cell.workload.params) == (
        "1vcpu-2gb", {"requests": 2, "wait_s": 1.0}
    )  # fmt: skip
    assert (plan.devices, plan.step.ramp_s, plan.step.hold_s) == ((), 3, 25)


def test_the_search_takes_one_load_step_after_the_warm_up() -> None:
    warmup = step(index=0, kind="warmup")
    first = cost.next_step([warmup])
    assert isinstance(first, StepOrder)
    assert (first.kind, first.concurrency) == ("load", 4)
    assert isinstance(cost.next_step([warmup, step()]), Done)


class TestTheWholeBenchmark:
    """Without a server: each campaign leaves the same facts behind."""

    @pytest.fixture
    def measured(self, monkeypatch: pytest.MonkeyPatch) -> list[Campaign]:
        seen: list[Campaign] = []

        def measure(plan: Campaign, search: Any, *, options: Any, listener: Any) -> ResultsFolder:
            seen.append(plan)
            found = facts([run(98)], enforced=len(seen) != 2)
            results = ResultsWriter(ResultsFolder(options.results_root / f"{len(seen)}-x"))
            results.write_campaign("name: x")
            results.write_environment(
                {"host": {"cpus_usable": 2, "kernel": "6.1"}, "harness": {"commit": "abc"}}
            )
            writer = results.cell("c")
            writer.write_cell(found.cell)
            for each in found.steps:
                writer.append_step(each, [r for r in found.runs if r.step == each.index], [], [])
            writer.seal(found.cell)
            return results.folder

        monkeypatch.setattr(cost, "measure", measure)
        return seen

    def test_measures_all_devices_and_none_in_turns(
        self, measured: list[Campaign], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "out.json"
        arguments = ["observer_cost.py", "--target", "process", "--hold", "7", "--out", str(out)]
        monkeypatch.setattr(sys, "argv", arguments)
        assert cost.main() == ExitCode.INCONCLUSIVE
        assert [plan.devices for plan in measured] == [None, (), (), None]
        assert {(plan.target, plan.step.hold_s) for plan in measured} == {("process", 7)}
        document = json.loads(out.read_text(encoding="utf-8"))
        assert [c["devices"] for c in document["cells"]] == [True, False, False, True]
        assert document["environment"] == {"cpus": 2, "kernel": "6.1"}
        assert (document["order"], document["harness_commit"]) == ("ABBA", "abc")
        assert document["ratios"]["response_s"] == {"ratio": 1, "low": 1, "high": 1}
        assert len(document["problems"]) == 1

    def test_prints_json_alone_on_standard_output(
        self,
        measured: list[Campaign],
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["observer_cost.py", "--pairs", "1"])
        cost.main()
        told = capsys.readouterr()
        assert len(json.loads(told.out)["cells"]) == len(measured) == 2
        assert "ratio with devices / without" in told.err
        assert "cell 2: limits unenforced" in told.err


class TestTheCeiling:
    def outcome(self, *, lag_s: float = 0.0, cores: float | None = 0.5, a_second: int = 10) -> Any:
        sent = [100 + n / a_second for n in range(20 * a_second)]
        runs = tuple(
            run(at_s, intended_s=at_s - lag_s, accepted_s=at_s + 0.02, ended_s=at_s + 0.03)
            for at_s in sent
        )
        return LoadOutcome(runs=runs, phases=(HOLD,), generator_cpu_cores=cores)

    def of(self, outcome: LoadOutcome, users: int = 50) -> Any:
        return ceiling.ceiling_of(outcome, users=users, fake_cpu_cores=0.2)

    def test_is_the_rate_of_runs_that_ended_in_the_hold(self) -> None:
        found = self.of(self.outcome())
        assert (found.runs, found.failed) == (200, 0)
        assert found.runs_per_s == pytest.approx(10)
        assert found.quick_share == pytest.approx(0.1)
        assert found.poll_limit_runs_per_s == 100

    def test_leaves_out_what_happened_before_the_hold(self) -> None:
        early = [run(90 + n / 10, intended_s=80, ended_s=99) for n in range(50)]
        whole = self.outcome()
        found = self.of(LoadOutcome(runs=(*early, *whole.runs), phases=(HOLD,)))
        assert found.runs_per_s == pytest.approx(10)
        assert found.send_lag_p95_s == pytest.approx(0)

    def test_says_how_late_launches_were_sent_and_answered(self) -> None:
        found = self.of(self.outcome(lag_s=0.04))
        assert found.send_lag_p95_s == pytest.approx(0.04)
        assert found.answer_p95_s == pytest.approx(0.02)

    @pytest.mark.parametrize(
        ("users", "cores", "bound"),
        [(5, 0.5, "poll"), (5, 0.95, "generator_cpu"), (50, 0.5, "other"), (50, None, "other")],
    )
    def test_names_what_stood_in_the_way(self, users: int, cores: Any, bound: str) -> None:
        assert self.of(self.outcome(cores=cores), users=users).bound_by == bound

    def test_counts_rejected_launches_and_makes_no_rate_of_them(self) -> None:
        rejected = run(101, status="REJECTED", run_id=None, accepted_s=None)
        found = self.of(LoadOutcome(runs=(rejected,), phases=(HOLD,)))
        assert (found.failed, found.runs_per_s, found.quick_share) == (1, 0, None)

    def test_refuses_a_step_that_never_held(self) -> None:
        with pytest.raises(ValueError, match="no hold"):
            self.of(LoadOutcome(runs=(), phases=()))

    def test_assumes_the_poll_interval_the_generator_has(self) -> None:
        text = (ROOT / "harness/rig/load/child/session.py").read_text(encoding="utf-8")
        constants = {
            node.targets[0].id: node.value.value
            for node in ast.parse(text).body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        assert constants["POLL_INTERVAL_S"] == ceiling.POLL_INTERVAL_S
