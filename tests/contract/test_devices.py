"""What every device promises, whatever it reads."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from device_parts import NO_LIMITS, SERVER, Servicer, code_server_lookalike, endpoints, serving

from harness.errors import EnvironmentProblem
from harness.rig.cgroup.create import CgroupBox
from harness.rig.protocols import Device, Endpoints, Reading
from harness.rig.telemetry import cgroup, ping, pool, probe, processes, support, told
from harness.rig.telemetry.cgroup import Readers
from harness.rig.telemetry.registry import DEVICES, build
from harness.rig.telemetry.suite import TelemetrySuite

pytestmark = pytest.mark.contract


@pytest.fixture
def boxed() -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], None]]]:
    """A process in a cgroup of its own, and how to end both."""
    try:
        box = CgroupBox.create(f"devices-{time.time_ns()}", NO_LIMITS)
    except EnvironmentProblem as problem:
        pytest.skip(f"no cgroup can be made here: {problem.evidence}")
    with box, code_server_lookalike(box) as process:

        def end() -> None:
            process.kill()
            process.wait()
            box.remove()

        yield process, end


# The registry


def test_device_names_are_unique() -> None:
    names = [cost.name for cost in DEVICES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("cost", DEVICES, ids=lambda cost: cost.name)
def test_every_device_states_what_it_reads_how_often_and_at_what_cost(cost: Any) -> None:
    assert cost.reads.strip()
    assert cost.cost.strip()
    assert 0 < cost.rate_hz <= 10


def test_every_device_built_is_in_the_registry_and_closes_twice() -> None:
    with code_server_lookalike() as process:
        devices = build(endpoints(pid=process.pid))
        assert {device.cost for device in devices} <= set(DEVICES)
        for device in devices:
            device.close()
            device.close()


# What has ended says nothing


@pytest.mark.parametrize("offer", [processes.offer, lambda e: support.offer(e, Readers())])
def test_a_process_device_reads_its_process_and_nothing_after_it_ended(
    offer: Callable[[Endpoints], Device | None],
) -> None:
    with code_server_lookalike() as process:
        device = offer(endpoints(pid=process.pid))
        assert device is not None
        alive = device.read().values
        process.kill()
        process.wait()
        ended = device.read()
    assert any(key == "rss_bytes" or key.endswith("_rss_bytes") for _, key in alive)
    assert all(value >= 0 for value in alive.values())
    assert ended == Reading()


def test_a_cgroup_device_reads_its_cgroup_and_nothing_after_it_ended(
    boxed: tuple[subprocess.Popen[bytes], Callable[[], None]],
) -> None:
    process, end = boxed
    readers = Readers()
    device = cgroup.offer(endpoints(pid=process.pid), readers)
    assert device is not None
    alive = device.read().values
    end()
    ended = device.read()
    readers.close()
    assert alive[SERVER, "usage_bytes"] > 0
    assert alive[SERVER, "cpu_s"] >= 0
    assert alive[SERVER, "oom_kills"] == 0
    assert ended == Reading()


def test_the_kernels_peak_of_a_real_cgroup_is_known_to_a_suite_without_devices(
    boxed: tuple[subprocess.Popen[bytes], Callable[[], None]],
) -> None:
    process, _ = boxed
    suite = TelemetrySuite(())
    suite.start(endpoints(pid=process.pid))
    suite.begin_step()
    peak_bytes, source = suite.peak_bytes()
    suite.stop()
    if source == "":
        pytest.skip("this kernel cannot reset the peak")
    assert peak_bytes is not None
    assert peak_bytes > 0
    assert source == "kernel"


def test_a_pool_device_whose_file_is_gone_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    device = pool.offer(endpoints(pool_path=path))
    assert device is not None
    line = {"probe": "pool", "t": time.time() + 1, "queue": 1}
    path.write_text(json.dumps(line) + "\n")
    assert [key for _, _, key, _ in device.read().stamped] == ["pool_queue"]
    path.unlink()
    assert device.read() == Reading()


@pytest.mark.parametrize("offer", [probe.offer, ping.offer, told.offer])
def test_a_closed_probe_says_nothing(offer: Callable[[Endpoints], Device | None]) -> None:
    with serving(Servicer()) as address:
        device = offer(endpoints(address=address, tells=True))
        assert device is not None
        device.close()
        assert device.read() == Reading()
