"""What a step asks of the generator, and what its record says about that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import Clock, FakeListener, FakeLoad, FakeTarget, FakeTelemetry, endpoints

from harness.campaign.estimate import WARMUP_LIMIT_S
from harness.campaign.plan import Campaign
from harness.campaign.profiles import parse_profile
from harness.facts.layout import CellFolder
from harness.facts.model import Run, Step, StepKind
from harness.facts.store import CellWriter
from harness.rig.orders import JobOrder, LoadOrder
from harness.rig.parts import Rig
from harness.rig.protocols import StepOrder
from harness.rig.stepper import Stepper

pytestmark = pytest.mark.unit

MIX = {
    "name": "day",
    "params": {"wait_s": 1},
    "mix": [
        {"workload": "io", "share": 3, "params": {"requests": 2}},
        {"workload": "heavy-import", "share": 1},
    ],
}


class Bench:
    """A stepper among fakes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.load = FakeLoad(self.clock)

    def run(
        self,
        kind: StepKind = "load",
        *,
        rate_per_s: float | None = None,
        most: int | None = None,
        **campaign: Any,
    ) -> tuple[LoadOrder, Step, tuple[Run, ...]]:
        """One step of 4 runs: the order the generator got, and the step's facts."""
        (self.folder / "cell").mkdir()
        fields: dict[str, Any] = {
            "name": "test", "profiles": [parse_profile("1vcpu-2gb")],
            "workloads": [{"name": "io", "params": {"requests": 2}}],
            "step": {"ramp_s": 8, "settle_s": 4, "hold_s": 24, "drain_s": 60}, "warmup_runs": 3,
        }  # fmt: skip
        made = Campaign.model_validate({**fields, **campaign})
        rig = Rig(
            target=FakeTarget(), load=self.load, telemetry=FakeTelemetry(),
            writer=CellWriter(CellFolder(self.folder / "cell")), journal=lambda _: None,
            listener=FakeListener(), clock=self.clock.time, sleep=self.clock.sleep,
        )  # fmt: skip
        order = StepOrder(kind=kind, concurrency=4, repetition=1, reason="r", rate_per_s=rate_per_s)
        where = replace(endpoints(), most_at_once=most)
        step, runs = Stepper(made, next(made.cells()), rig).run(order, where)
        return self.load.orders[-1], step, runs


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def times(order: LoadOrder) -> tuple[float, float, float, float]:
    return order.ramp_s, order.settle_s, order.hold_s, order.drain_s


def test_a_plain_workload_is_its_one_job_in_a_closed_model(bench: Bench) -> None:
    order, step, runs = bench.run()
    assert order.jobs == (JobOrder(job="load", share=1, run_config={"requests": 2}),)
    assert (order.model, order.rate_per_s, order.max_runs) == ("closed", None, None)
    assert times(order) == (8, 4, 24, 60)
    assert (step.load_model, step.rate_per_s) == ("closed", None)
    assert {run.job for run in runs} == {"load"}


@pytest.mark.parametrize("model", ["uniform", "poisson"])
def test_an_open_model_s_step_has_its_rate_and_seed_and_says_so(bench: Bench, model: str) -> None:
    load = {"model": model, "seed": 5}
    order, step, _ = bench.run(rate_per_s=0.25, load=load)
    assert (order.model, order.rate_per_s, order.seed) == (model, 0.25, 5)
    assert times(order) == (8, 4, 24, 60)
    assert (step.load_model, step.rate_per_s, step.concurrency) == (model, 0.25, 4)


@pytest.mark.parametrize("model", ["uniform", "poisson"])
def test_an_open_step_without_a_rate_is_a_mistake_of_the_search(bench: Bench, model: str) -> None:
    with pytest.raises(ValueError, match="needs a rate"):
        bench.run(load={"model": model})
    assert bench.load.orders == []


def test_a_burst_has_neither_ramp_nor_settle_and_keeps_its_hold(bench: Bench) -> None:
    order, step, _ = bench.run(load={"model": "burst"})
    assert (order.model, order.burst, order.rate_per_s) == ("burst", False, None)
    assert times(order) == (0, 0, 24, 60)
    assert (step.load_model, step.rate_per_s) == ("burst", None)


def test_a_closed_model_may_still_begin_all_at_once(bench: Bench) -> None:
    order, _, _ = bench.run(step={"burst": True, "ramp_s": 0})
    assert (order.model, order.burst, order.concurrency) == ("closed", True, 4)


@pytest.mark.parametrize("model", ["closed", "uniform", "poisson", "burst"])
def test_the_unloaded_step_is_closed_in_every_model(bench: Bench, model: str) -> None:
    order, step, _ = bench.run("unloaded", load={"model": model})
    assert (order.model, order.rate_per_s, order.max_runs) == ("closed", None, None)
    assert times(order) == (8, 4, 24, 60)
    assert (step.load_model, step.rate_per_s) == ("closed", None)


@pytest.mark.parametrize("model", ["closed", "uniform", "poisson", "burst"])
def test_the_warm_up_is_closed_in_every_model_and_ends_with_its_runs(
    bench: Bench, model: str
) -> None:
    order, step, _ = bench.run("warmup", load={"model": model})
    assert (order.model, order.rate_per_s, order.max_runs) == ("closed", None, 3)
    assert times(order) == (0, 0, WARMUP_LIMIT_S, 60)
    assert step.load_model == "closed"


def test_a_mix_is_offered_by_shares_under_load(bench: Bench) -> None:
    order, _, runs = bench.run(workloads=[MIX])
    assert order.jobs == (
        JobOrder(job="load_io", share=3, run_config={"wait_s": 1, "requests": 2}),
        JobOrder(job="load_heavy_import", share=1, run_config={"wait_s": 1}),
    )
    assert [run.job for run in runs] == ["load_io", "load_heavy_import"] * 2


@pytest.mark.parametrize("kind", ["warmup", "unloaded"])
def test_each_job_of_a_mix_has_unloaded_runs_however_small_its_share(
    bench: Bench, kind: str
) -> None:
    order, _, _ = bench.run(kind, workloads=[MIX])
    assert [(job.job, job.share) for job in order.jobs] == [
        ("load_io", 1),
        ("load_heavy_import", 1),
    ]


def test_dropped_arrivals_are_on_record(bench: Bench) -> None:
    bench.load.dropped = 7
    _, step, _ = bench.run(rate_per_s=1.0, load={"model": "uniform"})
    assert step.dropped_arrivals == 7


def test_no_step_asks_for_more_at_once_than_its_target_may_be_given(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(ValueError, match="4 runs at once, where 3 are allowed"):
        bench.run(most=3)
    assert bench.load.orders == []


def test_the_generator_is_told_how_many_may_be_there(tmp_path: Path) -> None:
    order, _, _ = Bench(tmp_path).run(most=4)
    assert order.most_at_once == 4
