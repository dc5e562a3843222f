from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from factory_model import exact, found, make_model
from factory_sizing import (
    PRICE,
    SLOS,
    cpu_known,
    heavy_known,
    make_demand,
    make_known,
    make_source,
)

from harness.analysis.sizing import guide
from harness.analysis.sizing.answer import Wishes, size
from harness.analysis.sizing.known import known_of
from harness.analysis.sizing.pricing import per_1000_runs, per_month
from harness.analysis.sizing.types import Demand, Price, SizingFinding

pytestmark = pytest.mark.unit

WISHES = Wishes(price=PRICE)
KNOWN = (make_known(), cpu_known())


@cache
def sized(demand: Demand | None = None, **changes: object) -> SizingFinding:
    wishes = replace(WISHES, **changes)  # type: ignore[arg-type]
    return size(demand or make_demand(), KNOWN, SLOS, wishes)


def here(finding: SizingFinding, question: str) -> str:
    """The right side of the one comparison that asks this."""
    (found_one,) = (each for each in finding.comparisons if question in each.question)
    return f"{found_one.basis}: {found_one.measured}"


def test_a_month_of_fargate() -> None:
    fargate = Price(
        per_vcpu_hour=0.04048, per_gib_hour=0.004445, currency="USD", as_of="", source=""
    )
    month = per_month(fargate, vcpu=1, memory_mib=2048, replicas=2)
    assert month == pytest.approx(72.08, abs=0.005)
    assert per_1000_runs(month, make_demand(200)) == pytest.approx(0.4937, abs=1e-4)
    assert per_1000_runs(month, make_demand(200, burst=1, growth=2)) == pytest.approx(
        0.2469, abs=1e-4
    )


def test_the_answer_ships_the_choice() -> None:
    finding = sized(dagster="1.8.0", location="etl", image="etl:3")
    assert finding.choice is not None
    assert finding.choice in finding.options
    assert finding.shipping is not None
    assert (finding.shipping.dagster, finding.shipping.location) == ("1.8.0", "etl")
    assert finding.shipping.memory_mib == finding.choice.memory_limit_mib
    assert finding.shipping.max_concurrent_runs == finding.choice.max_concurrent_runs
    assert finding.sources[0].startswith("test: cell-io (holds 4, 90%: ")
    assert sized().shipping.dagster == "1.13.27"  # type: ignore[union-attr]


def test_where_nothing_holds_nothing_is_shipped() -> None:
    finding = sized(make_demand(500_000))
    assert finding.choice is finding.shipping is None
    assert finding.options
    assert "Nothing that was looked at holds" in finding.why[0]
    assert "nothing that was looked at holds it" in here(finding, "Which task size")


def test_notes_are_told_with_the_reasons() -> None:
    finding = size(make_demand(), KNOWN, SLOS, WISHES, notes=("a baseline stands in.",))
    assert finding.why[-1] == "a baseline stands in."


@pytest.mark.parametrize(
    ("demand", "wishes", "words"),
    [
        (make_demand(-1), WISHES, "runs per hour"),
        (make_demand(1, ("frob", 1.0, 5.0)), WISHES, "nothing is known of frob"),
        (make_demand(), replace(WISHES, max_replicas=0), "at least one replica"),
    ],
)
def test_what_cannot_be_sized_is_refused(demand: Demand, wishes: Wishes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        size(demand, KNOWN, SLOS, wishes)


def test_the_guides_formula_stands_beside_the_model() -> None:
    finding = sized(make_demand(200, ("io", 1.0, 45.0)))
    (peak,) = (each for each in finding.comparisons if "busiest" in each.question)
    assert peak.guide == "45 s ÷ 3600 × 200 × 2.5 = 6.25 at once"
    assert peak.basis == "predicted"
    assert "test: cell-io" in peak.source


def test_memory_and_cpu_are_measured() -> None:
    finding = sized()
    assert here(finding, "How much memory") == (
        "measured: 100 MiB + 100 MiB (95 %: 100 to 100) a run in flight, at the kernel's peak: a "
        "run is a process of its own with its own imports, which a profile taken inside an asset "
        "does not see"
    )
    assert here(finding, "How much CPU").startswith("measured: 2.00 CPU-s to start a run")


def test_what_was_not_measured_is_never_called_measured() -> None:
    for finding in (sized(), sized(make_demand(500_000))):
        for each in finding.comparisons:
            if "here test: cell-" not in each.source:
                assert each.basis != "measured", each.question
            if "not measured" in each.measured or "read from" in each.measured:
                assert each.basis != "measured", each.question


def test_a_workload_without_cells_is_not_measured_here() -> None:
    assert here(sized(), "mixed I/O and CPU") == "not measured: no usable cell of mixed"


def test_one_size_says_nothing_about_a_plateau() -> None:
    assert "Above 1 vCPU it was not measured here" in here(sized(), "stop at one vCPU")


def test_two_sizes_show_whether_there_is_a_plateau() -> None:
    model = make_model(run_cpu_s=exact(2.0), z_s=exact(0.0))
    small = make_source("cpu", model=model, run_s=2.0)
    step = small.finding.steps[-1]
    sizes = [
        replace(
            small,
            finding=replace(
                small.finding,
                profile=replace(small.finding.profile, name=f"{vcpu}vcpu", vcpu=float(vcpu)),
                steps=(replace(step, throughput_runs_per_s=rate),),
            ),
        )
        for vcpu, rate in ((1, 0.25), (4, 0.9))
    ]
    finding = size(make_demand(), (make_known(), known_of(sizes)), SLOS, WISHES)
    assert here(finding, "stop at one vCPU") == (
        "measured: no: 3.60 times the runs/s on 4 vCPU as on 1 vCPU"
    )


def test_more_runs_than_workers_are_told_where_they_were_seen() -> None:
    source = make_source()
    step = replace(source.finding.steps[-1], mean_in_flight=7.4, pool_queue_max=3.0, cpu_ratio=0.9)
    capacity = found(4, binding="launch_cpu")
    seen = replace(source, finding=replace(source.finding, steps=(step,), capacity=capacity))
    finding = size(make_demand(), (known_of([seen]),), SLOS, WISHES)
    assert here(finding, "How many gRPC workers?").startswith("measured: 7.4 runs were in flight")
    assert here(finding, "waiting requests").startswith("measured: not by themselves")
    assert here(sized(), "waiting requests") == "not measured: no requests waited here"


def test_the_default_number_of_workers_is_read_from_code() -> None:
    finding = sized()
    assert here(finding, "where nothing is set").startswith("not measured: min(32, CPUs seen + 4)")


def test_what_it_cannot_know_names_the_stand_in_the_machine_and_the_command() -> None:
    finding = sized(make_demand(200, ("io", 1.0, 45.0)))
    said = " ".join(finding.unknown)
    assert "io stands in for them" in said
    assert "a test CPU" in said
    assert "harness run results/test/campaign.yaml --set 'profiles=[" in said
    assert "measured with runs of 8.0 s" in said
    assert "max_concurrent_non_isolated_runs" in said
    assert "2026-06-17" in said


def test_doubts_about_the_measurement_come_first() -> None:
    doubted = replace(make_source(), doubts=("host_steal: 5 %",))
    finding = size(make_demand(), (known_of([doubted]),), SLOS, WISHES)
    assert finding.unknown[0] == "Doubt about test: cell-io: host_steal: 5 %"


def test_a_daemon_that_would_be_too_slow_is_named() -> None:
    assert "dequeue threads" in " ".join(sized(make_demand(2000)).unknown)
    assert "dequeue threads" not in " ".join(sized(make_demand(50)).unknown)


def test_memory_that_is_not_known_is_said_and_memory_that_is_given_replaces_it() -> None:
    unknown = make_known(model=make_model(bytes_per_run=None))
    finding = size(make_demand(), (unknown,), SLOS, WISHES)
    assert finding.choice is None
    assert "--per-run-mib" in finding.why[1]
    assert any("memory was not looked at" in words for words in finding.unknown)


def test_a_measured_size_is_not_taken_for_another_memory() -> None:
    known = known_of([make_source(capacity=found(5))])
    as_measured = size(make_demand(), (known,), SLOS, WISHES)
    assert any(each.basis == "measured" for each in as_measured.options)
    given = size(make_demand(), (known,), SLOS, replace(WISHES, per_run_mib={"io": 110.0}))
    assert not any(each.basis == "measured" for each in given.options)


def test_a_capacity_that_nothing_bounds_is_told_as_one() -> None:
    capacity = found(20, low=18, high=None, status="above_max")
    finding = size(make_demand(), (known_of([make_source(capacity=capacity)]),), SLOS, WISHES)
    assert "18 or more" in finding.sources[0]
    told = [*finding.sources, *finding.why, *(each.measured for each in finding.comparisons)]
    assert not any("None" in words for words in told)


def test_the_guide_as_it_is_read() -> None:
    demand = make_demand(200, ("io", 1.0, 45.0))
    assert guide.peak_concurrency(demand) == pytest.approx(6.25)
    profiles = [guide.size_for(runs)[1] for runs in (3, 10, 11, 26, 51)]
    assert profiles == ["2vcpu-4gb", "2vcpu-4gb", "4vcpu-16gb", "8vcpu-32gb", None]


def test_heavy_runs_cost_more_than_light_ones() -> None:
    demand = make_demand(200, ("heavy", 1.0, 45.0))
    heavy = size(demand, (heavy_known(),), SLOS, WISHES).choice
    light = sized(make_demand(200, ("io", 1.0, 45.0))).choice
    assert heavy is not None
    assert light is not None
    assert heavy.per_month > light.per_month
    assert heavy.binding == "memory"
