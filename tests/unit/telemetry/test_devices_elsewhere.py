"""Which devices are offered for servers on another host, and whose they say their numbers are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from docker.errors import NotFound

from harness.facts.model import Limits
from harness.rig.protocols import Device, Endpoints, Replica, Watched
from harness.rig.telemetry import support
from harness.rig.telemetry.registry import build

pytestmark = pytest.mark.unit


def endpoints(*, elsewhere: bool, pool_path: Path | None = None) -> Endpoints:
    limits = Limits(cpu_cores=1, memory_bytes=1 << 30)
    return Endpoints(
        webserver_url="http://127.0.0.1:1", location="x", database_dsn="postgresql://127.0.0.1:1/x",
        replicas=(
            Replica(name="server", container="abc", grpc_address="127.0.0.1:1", limits=limits,
                    pool_path=pool_path),
        ),
        support=(Watched(name="webserver", container="def"),),
        elsewhere=elsewhere,
    )  # fmt: skip


def named(devices: list[Device]) -> dict[str, Device]:
    return {device.cost.name: device for device in devices}


def test_nothing_that_reads_pids_or_cpus_of_this_host_is_offered(tmp_path: Path) -> None:
    offered = named(build(endpoints(elsewhere=True, pool_path=tmp_path / "pool")))
    assert set(offered) == {
        "cgroup", "processes", "pool", "ping", "probe", "run_queue", "database", "support",
        "host", "docker_events", "observer",
    }  # fmt: skip
    for device in offered.values():
        device.close()


@pytest.mark.parametrize(("elsewhere", "source"), [(True, "generator_host"), (False, "host")])
def test_this_host_is_named_for_what_it_is(elsewhere: bool, source: str) -> None:
    (device,) = build(endpoints(elsewhere=elsewhere), ["host"])
    assert {place for place, _ in device.read().values} == {source}


def test_the_bare_start_is_of_the_host_both_share() -> None:
    assert set(named(build(endpoints(elsewhere=False), ["pace"]))) == {"pace"}


def test_a_service_only_its_engine_sees_is_told_by_the_engine() -> None:
    document: dict[str, Any] = {
        "memory_stats": {"usage": 300, "stats": {"total_inactive_file": 100}},
        "cpu_stats": {"cpu_usage": {"total_usage": 2_000_000_000},
                      "throttling_data": {"throttled_periods": 3}},
    }  # fmt: skip
    told = support.EngineMeter(lambda: document).read()
    assert told == {"cpu_s": 2.0, "rss_bytes": 200.0, "throttled_periods": 3.0}


def test_a_service_that_is_gone_says_nothing() -> None:
    def gone() -> Any:
        raise NotFound("no such container")

    assert support.EngineMeter(gone).read() == {}
