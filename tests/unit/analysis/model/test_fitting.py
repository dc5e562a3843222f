from __future__ import annotations

from dataclasses import replace

import pytest
from factory import LAUNCH_CPU_S, MIB, WORK_CPU_S, Rung, make_cell, make_facts
from factory_model import exact, make_model, make_summary

from harness.analysis.judging import judge_cell
from harness.analysis.measures.steps import StepSummary
from harness.analysis.model.cell_model import CellModel, Figure
from harness.analysis.model.fitting import kind_of, model_of, pooled
from harness.analysis.model.memory_cost import PerRun
from harness.analysis.model.resources import Resources, resources_of

pytestmark = pytest.mark.unit

ALONE = make_summary(1, kind="unloaded", response_s=(10.0, 11.0), launch_s=(2.5, 3.0))


def costs(**changes: object) -> Resources:
    peak = PerRun(
        bytes_per_run=100.0 * MIB,
        ci_bytes=(90.0 * MIB, 110.0 * MIB),
        points=4,
        method="peak_vs_concurrency",
        at_zero_bytes=120.0 * MIB,
    )
    known = Resources(
        base_bytes=100.0 * MIB, per_run=None, idle_cpu_cores=0.0, launch_cpu_s=2.0,
        run_cpu_s=1.0, completed=20, peak=peak, launch_cpu_s_ci=(1.8, 2.2),
        run_cpu_s_ci=(0.9, 1.1), cpu_steps=4, run_cpu_n=20,
    )  # fmt: skip
    return replace(known, **changes)  # type: ignore[arg-type]


def built(
    *steps: StepSummary, cell: dict[str, object] | None = None, **changes: object
) -> CellModel:
    model = model_of(make_cell(**(cell or {})), [ALONE, *steps], costs(**changes))
    assert model is not None
    return model


def test_what_a_run_takes_beyond_its_cpu_time_is_its_thinking_time() -> None:
    model = built()
    assert model.z_s.value == pytest.approx(10.0 - 3.0)
    assert model.z_s.low == pytest.approx(10.0 - 2.2 - 1.1)
    assert model.z_s.high == pytest.approx(10.0 - 1.8 - 0.9)
    assert model.launch_wait_s == pytest.approx(0.5)
    assert model.at(1, vcpu=1.0).response_s == pytest.approx(10.0)
    assert model.launch_s(model.at(1, vcpu=1.0)) == pytest.approx(2.5)


def test_on_half_a_core_cpu_time_takes_twice_as_long() -> None:
    model = built(cell={"vcpu": 0.5})
    assert model.z_s.value == pytest.approx(10.0 - 3.0 / 0.5)
    assert model.at(1, vcpu=0.5).response_s == pytest.approx(10.0)


def test_one_run_uses_no_more_than_one_core_of_many() -> None:
    model = built(cell={"vcpu": 2.0})
    assert model.z_s.value == pytest.approx(10.0 - 3.0)


def test_of_two_replicas_each_carries_half_the_load() -> None:
    at = built().at(4, vcpu=1.0)
    step = make_summary(8, response_s=(at.response_s, 1.3 * at.response_s))
    assert built(step, cell={"replicas": 2}).tail_response.value == pytest.approx(1.3)


def test_cpu_that_is_spent_after_the_start_does_not_lengthen_it() -> None:
    """A launch of 2.5 s cannot have waited for 4 CPU-s on one core."""
    model = built(launch_cpu_s=4.0)
    assert model.launch_before_s == pytest.approx(2.5)
    assert model.launch_wait_s == 0.0


def test_waiting_is_never_negative() -> None:
    model = built(launch_cpu_s=20.0)
    assert model.z_s.value == 0.0
    assert model.launch_wait_s == 0.0


def test_the_costs_carry_their_intervals_and_what_they_rest_on() -> None:
    model = built()
    assert model.launch_cpu_s == Figure(value=2.0, low=1.8, high=2.2, n=4)
    assert model.run_cpu_s == Figure(value=1.0, low=0.9, high=1.1, n=20)
    assert model.bytes_per_run == Figure(value=100 * MIB, low=90 * MIB, high=110 * MIB, n=4)
    assert model.base_bytes is not None
    assert model.base_bytes.value == 120 * MIB


def test_the_rates_its_cpu_allows_leave_out_idling() -> None:
    model = built(idle_cpu_cores=0.1)
    assert model.max_launch_rate_per_s == pytest.approx(0.9 / 3.0)
    assert model.launch_ceiling_per_s == pytest.approx(0.9 / 2.0)


def test_of_two_replicas_each_idles_on_its_own() -> None:
    assert built(idle_cpu_cores=0.1, cell={"replicas": 2}).idle_cores == pytest.approx(0.05)


def test_the_tails_are_what_was_seen_over_what_is_modelled() -> None:
    alone = built()
    steps = []
    for runs, worse in ((2, 1.1), (4, 1.2), (6, 1.6)):
        at = alone.at(runs, vcpu=1.0)
        steps.append(
            make_summary(
                runs,
                response_s=(at.response_s, worse * at.response_s),
                launch_s=(2.5, 2 * worse * alone.launch_s(at)),
            )
        )
    model = built(*steps)
    response = model.tail_response
    assert (response.value, response.low, response.high, response.n) == pytest.approx(
        (1.2, 1.1, 1.6, 3)
    )
    assert model.tail_launch.value == pytest.approx(2.4)


def test_one_loaded_step_gives_a_tail_without_an_interval_none_gives_no_tail() -> None:
    assert built().tail_response == Figure(value=1.0, n=0)
    one = built(make_summary(4, response_s=(12.0, 14.0)))
    assert one.tail_response.n == 1
    assert not one.tail_response.sure


def test_where_nothing_enforces_the_limits_load_says_nothing_of_the_tails() -> None:
    step = make_summary(4, response_s=(12.0, 14.0))
    assert built(step, cell={"limits_enforced": False}).tail_response.n == 0


def test_arrivals_of_an_open_model_are_no_closed_system() -> None:
    step = make_summary(4, response_s=(12.0, 14.0))
    open_ = replace(step, step=replace(step.step, load_model="poisson"))
    assert built(open_).tail_response.n == 0


def test_a_worker_is_held_for_its_share_of_the_launch() -> None:
    model = built(make_summary(4))
    assert model.hold_share is not None
    assert model.hold_share.value == pytest.approx(0.9)
    at = model.at(4, vcpu=1.0)
    assert model.hold_s(at) == pytest.approx(0.9 * model.launch_s(at))


@pytest.mark.parametrize("lacking", ["launch_cpu_s", "run_cpu_s"])
def test_without_the_cost_of_a_run_there_is_no_model(lacking: str) -> None:
    assert model_of(make_cell(), [ALONE], costs(**{lacking: None})) is None


def test_without_an_unloaded_run_there_is_no_model() -> None:
    assert model_of(make_cell(), [make_summary(4)], costs()) is None


def test_a_server_that_idles_all_its_cpu_away_has_no_model() -> None:
    assert model_of(make_cell(vcpu=0.25), [ALONE], costs(idle_cpu_cores=0.3)) is None


@pytest.mark.parametrize("slope", [0.0, -5.0])
def test_memory_that_does_not_grow_with_the_runs_is_not_known(slope: float) -> None:
    peak = costs().peak
    assert peak is not None
    model = built(peak=replace(peak, bytes_per_run=slope))
    assert model.bytes_per_run is None
    assert model.base_bytes is None


def test_a_whole_cell_gives_the_model_that_is_true_of_it() -> None:
    facts = make_facts([Rung(concurrency=1, kind="unloaded"), *map(_rung, (2, 4, 8))])
    summaries = [step.summary for step in judge_cell(facts).steps]
    resources = resources_of(facts.cell, summaries, runs=facts.runs, samples=facts.samples)
    model = model_of(facts.cell, summaries, resources)
    assert model is not None
    assert model.cpu_s == pytest.approx(LAUNCH_CPU_S + WORK_CPU_S, rel=0.05)
    assert model.at(1, vcpu=1.0).response_s == pytest.approx(5.0, rel=0.01)
    assert model.launch_cpu_s.sure
    assert model.tail_response.n == 3


def test_pooled_sizes_give_medians_and_intervals_over_all_of_them() -> None:
    models = [
        make_model(
            profiles=(f"{cpu}vcpu",),
            vcpu=cpu,
            launch_cpu_s=Figure(value=value, low=value - 0.1, high=value + 0.1, n=3),
            z_s=exact(8 + value),
        )
        for cpu, value in ((0.5, 2.0), (1.0, 2.2), (2.0, 3.0))
    ]
    found = pooled(models)
    assert found.launch_cpu_s == Figure(value=2.2, low=1.9, high=3.1, n=9)
    assert found.z_s.value == pytest.approx(10.2)
    assert found.profiles == ("0.5vcpu", "1.0vcpu", "2.0vcpu")
    assert found.vcpu is None
    assert found.max_launch_rate_per_s is None


def test_a_size_that_saw_no_load_has_no_voice_on_the_tails() -> None:
    seen = make_model(tail_response=exact(1.4, n=3))
    blind = make_model(tail_response=Figure(value=1.0, n=0))
    assert pooled([seen, blind, blind]).tail_response.value == 1.4
    assert pooled([blind, blind]).tail_response.n == 0


def test_different_work_cannot_be_pooled() -> None:
    other = make_model(kind=kind_of(make_cell(params={"requests": 9})))
    with pytest.raises(ValueError, match="one kind"):
        pooled([make_model(), other])
    with pytest.raises(ValueError, match="at least one"):
        pooled([])


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"vcpu": 4.0, "profile": "4vcpu"}, True),
        ({"max_workers": 12}, True),
        ({"replicas": 2}, True),
        ({"workload": "cpu"}, False),
        ({"params": {"requests": 5}}, False),
        ({"dagster": "1.7.0"}, False),
        ({"executor": "multiprocess"}, False),
        ({"sensors": {"count": 5}}, False),
        ({"feed": "queued"}, False),
        ({"target": "process"}, False),
    ],
)
def test_a_model_is_valid_for_other_sizes_of_the_same_work_only(
    change: dict[str, object], same: bool
) -> None:
    assert (kind_of(make_cell(**change)) == kind_of(make_cell())) is same


def _rung(concurrency: int) -> Rung:
    return Rung(concurrency=concurrency)
