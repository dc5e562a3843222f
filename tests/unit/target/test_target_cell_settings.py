"""What a cell asks of Dagster, told to both targets alike."""

from __future__ import annotations

from typing import Any

import pytest

from harness.campaign.plan import CellPlan, Part, Queue, Sensors, Workload
from harness.campaign.profiles import Profile
from harness.rig.assets import asset
from harness.rig.target.cell_settings import (
    UNCAPPED,
    describe_feed,
    instance_name,
    location_module,
    queue_environment,
)

pytestmark = pytest.mark.unit


def cell(workload: Workload | None = None, **more: Any) -> CellPlan:
    plain: dict[str, Any] = {"feed": "queued", **more}
    return CellPlan(
        profile=Profile(name="small", vcpu=1, memory_mib=1024),
        workload=workload or Workload(name="io"),
        dagster="1.13.27",
        max_workers=6,
        replicas=1,
        **plain,
    )


@pytest.mark.parametrize(
    ("workload", "module"),
    [
        (Workload(name="heavy-import"), "workloads.heavy_import.definitions"),
        (Workload(name="io-slow", module="io"), "workloads.io.definitions"),
        (Workload(name="io", sensors=Sensors(count=2)), "workloads.blend.definitions"),
        (
            Workload(
                name="both", mix=(Part(workload="io", share=1), Part(workload="cpu", share=1))
            ),
            "workloads.blend.definitions",
        ),
    ],
)
def test_the_server_loads_the_workloads_package(workload: Workload, module: str) -> None:
    assert location_module(cell(workload)) == module


@pytest.mark.parametrize(
    ("feed", "threads", "name"),
    [
        ("direct", None, "direct"),
        ("direct", 4, "direct"),
        ("queued", None, "queued"),
        ("queued", 1, "queued-threads"),
        ("queued", 8, "queued-threads"),
    ],
)
def test_the_instance_launches_in_threads_only_where_the_campaign_says_how_many(
    feed: str, threads: int | None, name: str
) -> None:
    chosen = instance_name(cell(feed=feed, queue=Queue(dequeue_threads=threads)))
    assert chosen == name
    assert asset(f"compose/dagster-home/{chosen}/dagster.yaml").is_file()


def test_without_a_cap_dagsters_own_default_of_ten_does_not_bind() -> None:
    assert queue_environment(cell())["MAX_CONCURRENT_RUNS"] == str(UNCAPPED)
    assert UNCAPPED >= 1000


def test_dagster_gets_the_cells_numbers() -> None:
    queue = Queue(dequeue_interval_s=2, dequeue_threads=3)
    told = queue_environment(cell(max_concurrent_runs=15, queue=queue))
    assert told == {"MAX_CONCURRENT_RUNS": "15", "DEQUEUE_INTERVAL_S": "2", "DEQUEUE_THREADS": "3"}


def test_the_record_says_how_the_queue_was_emptied() -> None:
    assert describe_feed(cell(max_concurrent_runs=15)) == {
        "instance": "queued",
        "daemon": True,
        "max_concurrent_runs": 15,
        "dequeue_interval_s": 5,
        "dequeue_threads": None,
        "on_trial": False,
    }


@pytest.mark.parametrize("sensors", [None, Sensors(count=1)])
def test_the_record_of_a_direct_feed_names_no_queue(sensors: Sensors | None) -> None:
    told = describe_feed(cell(Workload(name="io", sensors=sensors), feed="direct"))
    assert told == {"instance": "direct", "daemon": sensors is not None}
