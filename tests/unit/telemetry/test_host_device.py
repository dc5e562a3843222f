"""The machine everything shares."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.rig.telemetry.host import HostDevice

pytestmark = pytest.mark.unit

Times = namedtuple("Times", "user nice system idle iowait steal guest")


class Machine:
    """A two-core machine; `times` and `frequency` may be changed between looks."""

    def __init__(self) -> None:
        self.times = Times(user=0, nice=0, system=0, idle=0, iowait=0, steal=0, guest=0)
        self.frequency: Any = SimpleNamespace(current=2400.0)

    def cpu_times(self) -> Any:
        return self.times

    def virtual_memory(self) -> Any:
        return SimpleNamespace(available=5 * 2**30)

    def cpu_freq(self) -> Any:
        return self.frequency

    def disk_usage(self, path: str) -> Any:
        return SimpleNamespace(free=7 * 2**30)


class Stopwatch:
    def __init__(self) -> None:
        self.now_s = 10.0

    def __call__(self) -> float:
        return self.now_s


def two_looks(after: Times, *, elapsed_s: float = 1.0) -> dict[str, float]:
    machine, watch = Machine(), Stopwatch()
    device = HostDevice(disk=Path("/"), machine=machine, monotonic=watch)
    device.read()
    machine.times = after
    watch.now_s += elapsed_s
    return {key: value for (_, key), value in device.read().values.items()}


def test_used_cores_are_busy_seconds_per_second_over_all_cores() -> None:
    after = Times(user=1.0, nice=0.2, system=0.3, idle=2.0, iowait=0.5, steal=0, guest=0)
    assert two_looks(after, elapsed_s=2.0)["cpu_used_cores"] == pytest.approx(0.75)


def test_stolen_time_is_not_used_time() -> None:
    after = Times(user=0.5, nice=0, system=0, idle=1.0, iowait=0, steal=0.5, guest=0)
    told = two_looks(after)
    assert told["cpu_used_cores"] == pytest.approx(0.5)
    assert told["cpu_steal_ratio"] == pytest.approx(0.25)


def test_a_guests_time_is_not_counted_twice() -> None:
    after = Times(user=1.0, nice=0, system=0, idle=1.0, iowait=0, steal=0, guest=0.8)
    assert two_looks(after)["cpu_used_cores"] == pytest.approx(1.0)


def test_the_first_look_knows_no_rates() -> None:
    device = HostDevice(disk=Path("/"), machine=Machine(), monotonic=Stopwatch())
    keys = {key for _, key in device.read().values}
    assert keys == {"load1", "mem_available_bytes", "disk_free_bytes", "freq_mhz"}


@pytest.mark.parametrize("frequency", [None, SimpleNamespace(current=0.0)])
def test_an_unknown_frequency_is_absent(frequency: Any) -> None:
    machine = Machine()
    machine.frequency = frequency
    device = HostDevice(disk=Path("/"), machine=machine, monotonic=Stopwatch())
    assert ("host", "freq_mhz") not in device.read().values
