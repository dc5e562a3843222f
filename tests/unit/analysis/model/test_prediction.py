from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from factory_model import MIB, Truth, exact, make_model, responses
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.model.cell_model import CellModel, Figure
from harness.analysis.model.prediction import Prediction, Setting, expect, predict, setting_of

pytestmark = pytest.mark.unit

SMALL = Setting(vcpu=1.0, memory_bytes=2048 * MIB, max_workers=6)
SLOS = {"memory_headroom": 0.9, "launch_s_p95": 10.0, "slowdown_p95": 2.0, "pool_queue": 0.0}


def said(
    setting: Setting = SMALL,
    slos: dict[str, float] = SLOS,
    *,
    model: CellModel | None = None,
    highest: int = 500,
) -> Prediction:
    found = predict(model or make_model(), setting, slos, highest=highest)
    assert found is not None
    return found


def test_one_run_alone_is_not_slowed_down() -> None:
    alone = expect(make_model(), SMALL, 1)
    assert alone.slowdown_p95 == pytest.approx(1.0)
    assert alone.response_s == pytest.approx(10.0)
    assert alone.launch_s_p95 == pytest.approx(2.0)
    assert alone.memory_bytes == pytest.approx(200 * MIB)
    assert alone.busy_workers == pytest.approx(0.1 * 0.9 * 2.0)


def test_the_answer_holds_and_one_run_more_does_not() -> None:
    found = said()
    here = expect(make_model(), SMALL, found.concurrency)
    above = expect(make_model(), SMALL, found.concurrency + 1)
    assert here.slowdown_p95 <= 2.0
    assert here.launch_s_p95 <= 10.0
    assert above.slowdown_p95 > 2.0 or above.launch_s_p95 > 10.0
    assert found.label == "predicted"


@pytest.mark.parametrize(
    ("model", "setting", "binding"),
    [
        (make_model(), SMALL, "launch_cpu"),
        (make_model(launch_cpu_s=exact(1.0), run_cpu_s=exact(5.0)), SMALL, "run_cpu"),
        (make_model(), replace(SMALL, memory_bytes=512 * MIB), "memory"),
        (make_model(), replace(SMALL, max_workers=1), "worker_pool"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_limit_binds_where_it_gives_out_first(
    model: CellModel, setting: Setting, binding: str
) -> None:
    found = said(setting, model=model)
    assert found.binding == binding
    assert found.concurrency >= 1


def test_memory_is_divided_exactly() -> None:
    """100 MiB idle and 100 a run: 0.9 × 1024 MiB hold 8."""
    found = said(replace(SMALL, memory_bytes=1024 * MIB), {"memory_headroom": 0.9})
    assert found.concurrency == 8
    assert said(replace(SMALL, memory_bytes=1000 * MIB), {"no_oom": 0}).concurrency == 9


def test_nothing_binds_below_the_highest_looked_at() -> None:
    found = said(highest=3)
    assert (found.concurrency, found.binding) == (3, None)
    edge = said(highest=said().concurrency)
    assert edge.binding is None, "what lies above was not looked at"


def test_a_size_that_one_run_overloads_holds_none() -> None:
    found = said(replace(SMALL, vcpu=0.15))
    assert (found.concurrency, found.binding) == (0, "launch_cpu")


def test_a_size_that_idling_fills_holds_none_and_says_why() -> None:
    found = said(replace(SMALL, vcpu=0.25), model=make_model(idle_cores=0.3))
    assert (found.concurrency, found.binding) == (0, "launch_cpu")
    assert any("idle" in text for text in found.evidence)


def test_replicas_hold_as_many_times_more() -> None:
    one, three = said(), said(replace(SMALL, replicas=3))
    assert three.concurrency == 3 * one.concurrency
    assert (three.low, three.high) == (three.concurrency, three.concurrency)


def test_longer_runs_of_the_same_cost_leave_room_for_more() -> None:
    short, long = said(replace(SMALL, run_s=4.0)), said(replace(SMALL, run_s=60.0))
    assert short.concurrency < said().concurrency < long.concurrency
    assert said(replace(SMALL, run_s=8.0)) == said(), "8 s is what it was measured with"


def test_the_work_of_a_run_is_part_of_its_length() -> None:
    working = make_model(run_cpu_s=exact(3.0), z_s=exact(5.0))
    at = expect(working, replace(SMALL, run_s=8.0), 4)
    assert at == expect(working, SMALL, 4), "5 s of waiting and 3 CPU-s are 8 s"
    half = expect(working, replace(SMALL, run_s=8.0, vcpu=0.5), 1)
    assert half.response_s == pytest.approx(2.0 / 0.5 + 8.0)


def test_exact_figures_have_an_exact_answer() -> None:
    found = said()
    assert (found.low, found.high) == (found.concurrency, found.concurrency)


def test_the_interval_of_a_cost_becomes_one_of_the_answer() -> None:
    unsure = make_model(
        launch_cpu_s=Figure(value=2.0, low=1.4, high=2.6, n=4),
        z_s=Figure(value=8.0, low=7.4, high=8.6, n=4),
    )
    found = said(model=unsure)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.concurrency < found.high


@pytest.mark.parametrize("name", ["launch_cpu_s", "run_cpu_s", "tail_response", "tail_launch",
                                  "bytes_per_run"])  # fmt: skip
def test_a_figure_without_an_interval_leaves_the_answer_without_one(name: str) -> None:
    found = said(model=make_model(**{name: Figure(value=1.5, n=1)}))
    assert (found.low, found.high) == (None, None)


def test_what_does_not_matter_here_needs_no_interval() -> None:
    blind = make_model(launch_cpu_s=Figure(value=2.0), tail_launch=Figure(value=1.0))
    assert said(slos={"memory_headroom": 0.9}, model=blind).low is not None


def test_an_interval_that_reaches_zero_still_has_a_balance() -> None:
    wide = make_model(launch_cpu_s=Figure(value=2.0, low=0.0, high=4.0, n=3))
    assert said(model=wide).high is not None


def test_memory_that_is_not_known_is_said_not_to_be_looked_at() -> None:
    found = said(model=make_model(bytes_per_run=None, base_bytes=None))
    assert found.low is None
    assert any("memory" in text and "not looked at" in text for text in found.evidence)


def test_a_pool_that_is_not_known_is_said_not_to_be_looked_at() -> None:
    found = said(model=make_model(hold_share=None))
    assert found.low is None
    assert any("pool was not looked at" in text for text in found.evidence)


def test_objectives_that_cannot_be_foreseen_give_no_prediction() -> None:
    assert predict(make_model(), SMALL, {"probe_s_p99": 5.0}) is None
    assert predict(make_model(), SMALL, {}) is None
    unknown = make_model(bytes_per_run=None, base_bytes=None)
    assert predict(unknown, SMALL, {"memory_headroom": 0.9}) is None


def test_the_evidence_quotes_both_sides_of_the_answer() -> None:
    found = said()
    text = "\n".join(found.evidence)
    assert f"at {found.concurrency} a replica" in text
    assert f"at {found.concurrency + 1} a replica" in text
    assert "2.00 CPU-s" in text


def test_a_setting_is_read_off_a_cell() -> None:
    from factory import make_cell

    cell = make_cell(replicas=2, max_workers=9)
    assert setting_of(cell) == Setting(vcpu=1.0, memory_bytes=2048 * MIB, max_workers=9, replicas=2)
    assert setting_of(replace(cell, limits_enforced=False)).memory_bytes is None


@pytest.mark.parametrize("cores", [0.5, 2.0])
def test_what_is_learnt_on_one_core_tells_what_other_sizes_hold(cores: float) -> None:
    """A played-through system is measured on one core and predicted, within one run, on others."""

    def p95(runs: int, at: float) -> float:
        return float(np.quantile(responses(Truth(cores=at), runs), 0.95))

    def alone(at: float) -> float:
        return float(np.mean(responses(Truth(cores=at), 1)))

    model = make_model()
    tails = [p95(runs, 1.0) / model.at(runs, vcpu=1.0).response_s for runs in (4, 6, 8)]
    learnt = replace(model, tail_response=exact(float(np.median(tails))))
    slos = {"slowdown_p95": 2.0}
    predicted = said(replace(SMALL, vcpu=cores), slos, model=learnt).concurrency
    limit_s = 2.0 * alone(cores)
    true = next(runs for runs in range(1, 40) if p95(runs + 1, cores) > limit_s)
    assert abs(predicted - true) <= max(1, math.ceil(0.1 * true))


models = st.builds(
    make_model,
    launch_cpu_s=st.floats(0.1, 5).map(exact),
    run_cpu_s=st.floats(0, 20).map(exact),
    z_s=st.floats(0, 100).map(exact),
    tail_response=st.floats(0.9, 1.6).map(exact),
    tail_launch=st.floats(0.9, 2).map(exact),
)


@settings(max_examples=40, deadline=None)
@given(model=models, vcpu=st.sampled_from([0.25, 0.5, 1.0, 2.0]))
def test_a_larger_server_never_holds_less(model: CellModel, vcpu: float) -> None:
    """Launch time alone: a slowdown compares with a faster server too."""
    slos = {"launch_s_p95": 10.0, "memory_headroom": 0.9}
    small = replace(SMALL, vcpu=vcpu)
    large = replace(small, vcpu=2 * vcpu, memory_bytes=4096 * MIB)
    assert said(large, slos, model=model).concurrency >= said(small, slos, model=model).concurrency


@settings(max_examples=40, deadline=None)
@given(model=models)
def test_a_stricter_objective_never_holds_more(model: CellModel) -> None:
    strict = said(slos={**SLOS, "slowdown_p95": 1.5}, model=model)
    assert strict.concurrency <= said(model=model).concurrency
