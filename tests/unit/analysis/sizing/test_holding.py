from __future__ import annotations

from dataclasses import replace

import pytest
from factory_model import MIB, exact, make_model
from factory_sizing import SLOS, cpu_known, heavy_known, make_demand, make_known
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.model.cell_model import Figure
from harness.analysis.model.prediction import Setting, predict
from harness.analysis.sizing.blend import Blend, blend_of, ingredient
from harness.analysis.sizing.holding import Held, held_by
from harness.campaign.profiles import FARGATE

pytestmark = pytest.mark.unit

IO = make_known()
SIZES = st.sampled_from(sorted(FARGATE))


def alone(known: object = None, run_s: float | None = None) -> Blend:
    return Blend(ingredients=(ingredient(known or IO, share=1.0, run_s=run_s),))  # type: ignore[arg-type]


def on(blend: Blend, size: str, **slos: float) -> Held:
    found = held_by(blend, FARGATE[size], {**SLOS, **slos})
    assert found is not None
    return found


@settings(deadline=None, max_examples=30)
@given(size=SIZES)
def test_of_one_kind_it_is_the_models_own_prediction(size: str) -> None:
    profile = FARGATE[size]
    setting = Setting(vcpu=profile.vcpu, memory_bytes=float(profile.memory_bytes), max_workers=None)
    expected = predict(IO.model, setting, SLOS, highest=2000)
    found = on(alone(), size)
    assert expected is not None
    assert (found.runs, found.low, found.high, found.binding) == (
        expected.concurrency, expected.low, expected.high, expected.binding,
    )  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(size=SIZES, share=st.floats(0.06, 0.94))
def test_a_mix_of_a_workload_with_itself_is_that_workload(size: str, share: float) -> None:
    twin = make_known("twin")
    blend = blend_of(make_demand(200, ("io", share, 8.0), ("twin", 1 - share, 8.0)), [IO, twin], {})
    assert on(blend, size) == on(alone(), size)


@settings(deadline=None, max_examples=30)
@given(size=SIZES, share=st.floats(0.0, 1.0))
def test_more_memory_never_lowers_what_is_held(size: str, share: float) -> None:
    profile = FARGATE[size]
    blend = alone()
    if 0.05 < share < 0.95:
        parts = (("io", share, 8.0), ("heavy", 1 - share, 8.0))
        blend = blend_of(make_demand(200, *parts), [IO, heavy_known()], {})
    larger = [
        each.name
        for each in FARGATE.values()
        if each.vcpu == profile.vcpu and each.memory_mib > profile.memory_mib
    ]
    for name in larger[:1]:
        assert on(blend, name).runs >= on(blend, size).runs


def test_every_kind_must_keep_its_own_slowdown() -> None:
    # io waits 8 s of 10 and could share; cpu is all CPU, and two at once take twice as long.
    blend = blend_of(make_demand(200, ("io", 0.8, 8.0), ("cpu", 0.2, 2.0)), [IO, cpu_known()], {})
    mixed, io = on(blend, "1vcpu-2gb"), on(alone(), "1vcpu-2gb")
    assert mixed.runs < io.runs
    rare = blend_of(make_demand(200, ("io", 0.96, 8.0), ("cpu", 0.04, 2.0)), [IO, cpu_known()], {})
    assert on(rare, "1vcpu-2gb").runs == pytest.approx(io.runs, abs=1)


def test_memory_binds_where_runs_are_heavy() -> None:
    found = on(alone(heavy_known()), "4vcpu-8gb")
    assert (found.runs, found.binding) == (7, "memory")


@pytest.mark.parametrize(
    ("known", "size", "slos", "words"),
    [
        (IO, "0.25vcpu-1gb", {"launch_s_p95": 4.0}, "one launch alone takes 8.0 s"),
        (heavy_known(), "0.5vcpu-1gb", {}, "the server and one run take 1,100 MiB"),
        (make_known(model=make_model(idle_cores=0.3)), "0.25vcpu-1gb", {}, "idle server takes"),
        (IO, "1vcpu-2gb", {"slowdown_p95": 0.9}, "slowdown"),
    ],
)
def test_a_size_that_holds_nothing_says_why(
    known: object, size: str, slos: dict[str, float], words: str
) -> None:
    found = on(alone(known), size, **slos)
    assert found.runs == 0
    assert words in found.first


def test_an_unknown_memory_is_said() -> None:
    known = make_known(model=make_model(bytes_per_run=None, base_bytes=None))
    assert not on(alone(known), "1vcpu-2gb").memory_known
    assert on(alone(), "1vcpu-2gb").memory_known


def test_without_objectives_nothing_can_be_foreseen() -> None:
    mix = blend_of(make_demand(200, ("io", 0.5, 8.0), ("cpu", 0.5, 2.0)), [IO, cpu_known()], {})
    for blend in (alone(), mix):
        assert held_by(blend, FARGATE["1vcpu-2gb"], {"failed_runs": 0.01}) is None


def test_a_mix_has_an_interval_where_all_its_kinds_do() -> None:
    sure = make_known(model=make_model(launch_cpu_s=Figure(value=2, low=1.5, high=2.5, n=4)))
    unsure = make_known("cpu", model=replace(cpu_known().model, bytes_per_run=Figure(value=MIB)))
    parts = make_demand(200, ("io", 0.5, 8.0), ("cpu", 0.5, 2.0))
    found = on(blend_of(parts, [sure, cpu_known()], {}), "4vcpu-8gb")
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.runs <= found.high
    assert on(blend_of(parts, [sure, unsure], {}), "4vcpu-8gb").low is None


def test_unknown_figures_of_one_kind_leave_no_interval() -> None:
    model = make_model(launch_cpu_s=Figure(value=2.0), run_cpu_s=exact(0.0))
    assert on(alone(make_known(model=model)), "1vcpu-2gb").low is None
