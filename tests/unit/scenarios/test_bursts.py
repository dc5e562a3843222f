from __future__ import annotations

from typing import Any

import pytest
from factory_bursts import campaign_of, cell_of, filled, settings_of
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.findings.types import SpreadFinding, StepFinding
from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.plan import Campaign, Load, Sensors, Slos, StepTimes, Workload
from harness.campaign.profiles import FARGATE
from harness.errors import CampaignError
from harness.scenarios.bursts import burst_campaign, burst_of, limit_of

pytestmark = pytest.mark.unit


def burst(campaign: Campaign | None = None, cell: Any = None, **changes: Any) -> Campaign:
    given: dict[str, Any] = {"name": "x", "limits": (6,), "max_workers": 5, "slos": Slos()}
    return burst_campaign(campaign or campaign_of(), cell or cell_of(), **{**given, **changes})


def test_the_burst_is_three_times_the_limit_all_at_once() -> None:
    made = burst()
    (cell,) = made.cells()
    assert made.load.model == "burst"
    assert made.concurrencies(cell) == (18,)
    assert made.search.strategy == "ladder"
    assert cell.max_concurrent_runs == 6
    assert cell.feed == "queued"


def test_the_daemon_launches_as_many_at_a_time_as_are_sent() -> None:
    assert burst().queue.dequeue_threads == 18
    assert burst().queue.dequeue_interval_s == 1


def test_the_server_the_size_and_the_work_are_those_that_were_measured() -> None:
    work = Workload(
        name="io",
        params={"requests": 3},
        environment={"BALLAST": "1"},
        executor="multiprocess",
        steps=4,
        sensors=Sensors(count=2),
        concurrencies=(1, 2, 4),
    )
    other = FARGATE["2vcpu-4gb"]
    campaign = campaign_of(
        profiles=(other, FARGATE["1vcpu-2gb"]),
        workloads=(Workload(name="cpu"), work),
        dagster=("1.12.0", "1.13.27"),
        replicas=(1, 2),
        max_workers=(6, 8),
        devices=("cgroup", "pool"),
        load=Load(model="poisson", run_s=5, seed=7),
    )
    made = burst(campaign, cell_of(replicas=2))
    (cell,) = made.cells()
    assert cell.workload == work.model_copy(update={"concurrencies": None})
    assert cell.profile.name == "1vcpu-2gb"
    assert (cell.dagster, cell.replicas, cell.max_workers) == ("1.13.27", 2, 5)
    assert made.devices == ("cgroup", "pool")
    assert made.load == Load(model="burst", seed=7)


@pytest.mark.parametrize(
    ("measured_on", "target"),
    [("compose", "compose"), ("process", "process"), ("external", "auto")],
)
def test_it_runs_where_the_cell_was_measured(measured_on: str, target: str) -> None:
    assert burst(cell=cell_of(target=measured_on)).target == target


def test_each_limit_is_a_cell() -> None:
    made = burst(limits=(6, None))
    assert [cell.max_concurrent_runs for cell in made.cells()] == [6, None]
    assert len({cell.id for cell in made.cells()}) == 2


def test_what_is_measured_loads_again_as_it_is() -> None:
    made = burst(limits=(6, None))
    assert load_campaign(dump_campaign(made), source="made") == made


def test_there_is_time_for_every_wave_and_one_more() -> None:
    # Four waves of 12 s each, and ten seconds of slack.
    times = burst().step
    assert times.hold_s == 58
    assert times.drain_s == 116


def test_times_are_never_shorter_than_the_campaigns_own() -> None:
    times = burst(campaign_of(step=StepTimes(hold_s=300, drain_s=400))).step
    assert (times.hold_s, times.drain_s) == (300, 400)


def test_long_runs_are_waited_for_in_the_drain() -> None:
    held = cell_of().steps[0]
    long = filled(
        StepFinding,
        verdict="pass",
        concurrency=held.concurrency,
        response_s=filled(SpreadFinding, p95=1000.0),
    )
    times = burst(cell=cell_of(steps=(held, long))).step
    assert (times.hold_s, times.drain_s) == (900, 7200)


@pytest.mark.parametrize(
    "changes", [{"verdict": "fail"}, {"concurrency": 4}, {"response_s": filled(SpreadFinding)}]
)
def test_without_a_time_seen_at_the_limit_a_minute_a_wave_is_given(changes: Any) -> None:
    given: dict[str, Any] = {
        "verdict": "pass",
        "concurrency": 6,
        "response_s": filled(SpreadFinding, p95=1.0),
    }
    cell = cell_of(steps=(filled(StepFinding, **{**given, **changes}),))
    assert burst(cell=cell).step.hold_s == 250


@pytest.mark.parametrize("length", [1, 59, 60])
def test_the_name_tells_where_it_comes_from_and_stays_a_name(length: int) -> None:
    made = burst(campaign_of(name="q" * length), name="guard")
    assert made.name.startswith("q")
    assert made.name.endswith("-guard")


def test_a_cell_of_another_campaign_is_refused() -> None:
    with pytest.raises(CampaignError, match="not a cell of the campaign quick"):
        burst(cell=cell_of(workload="memory"))
    with pytest.raises(CampaignError, match="not a cell of the campaign quick"):
        burst(campaign_of(profiles=(FARGATE["2vcpu-4gb"],)))


def test_a_cell_without_a_recommendation_is_refused_with_its_reason() -> None:
    none = settings_of(max_concurrent_runs=None, max_workers=None, replicas=None, why=("No.",))
    with pytest.raises(CampaignError, match="No limit is recommended") as refused:
        limit_of(cell_of(recommendation=none))
    assert refused.value.evidence == "No."


@given(each=st.integers(1, 100), measured=st.integers(1, 8), shipped=st.integers(1, 16))
def test_a_setting_for_more_servers_is_scaled_to_those_measured(
    each: int, measured: int, shipped: int
) -> None:
    settings = settings_of(max_concurrent_runs=each * shipped, replicas=shipped)
    assert limit_of(cell_of(replicas=measured, recommendation=settings)) == each * measured


def test_a_limit_is_never_scaled_to_nothing() -> None:
    # Zero would block the queue for good.
    settings = settings_of(max_concurrent_runs=2, replicas=3)
    assert limit_of(cell_of(recommendation=settings)) == 1


def test_the_largest_burst_is_what_one_step_can_send() -> None:
    assert burst_of(166) == 498
    with pytest.raises(CampaignError, match="more than one step"):
        burst_of(167)


def test_no_more_threads_than_the_daemon_takes() -> None:
    made = burst(cell=cell_of(recommendation=settings_of(max_concurrent_runs=50)))
    assert made.queue.dequeue_threads == 100
