"""cgroup v2, from files a real kernel showed (tests/data/cgroup-v2)."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.facts.model import Limits
from harness.rig.cgroup import CgroupStats
from harness.rig.cgroup.v2 import V2Reader

pytestmark = pytest.mark.unit

RECORDED = Path(__file__).parents[2] / "data" / "cgroup-v2"
MIB = 1024 * 1024

IDLE = CgroupStats(
    usage_bytes=401408,
    working_set_bytes=401408,
    anon_bytes=98304,
    shmem_bytes=0,
    peak_bytes=7225344,
    oom_kills=0,
    cpu_s=0.775199,
    periods=12,
    throttled_periods=5,
    throttled_s=0.311024,
    pids=1,
)
LOADED = CgroupStats(
    usage_bytes=268099584,
    working_set_bytes=268099584 - 11186176,
    anon_bytes=252628992,
    shmem_bytes=0,
    peak_bytes=256 * MIB,
    oom_kills=0,
    cpu_s=35.283354,
    periods=707,
    throttled_periods=691,
    throttled_s=94.285771,
    pids=6,
)
RECORDINGS = {
    "lim-1-idle": IDLE,
    "lim-2-load": LOADED,
    "lim-5-updated": replace(
        LOADED, cpu_s=47.299340, periods=934, throttled_periods=901, throttled_s=121.202018
    ),
    "nolim-idle": CgroupStats(
        usage_bytes=401408,
        working_set_bytes=401408,
        anon_bytes=102400,
        shmem_bytes=0,
        peak_bytes=5283840,
        oom_kills=0,
        cpu_s=0.410439,
        periods=0,
        throttled_periods=0,
        throttled_s=0.0,
        pids=1,
    ),
    "oomchild-1-before": CgroupStats(
        usage_bytes=733184,
        working_set_bytes=733184,
        anon_bytes=129044480,
        shmem_bytes=0,
        peak_bytes=92143616,
        oom_kills=0,
        cpu_s=0.475469,
        periods=10,
        throttled_periods=2,
        throttled_s=0.121726,
        pids=2,
    ),
    "oomchild-2-after": CgroupStats(
        usage_bytes=610304,
        working_set_bytes=610304,
        anon_bytes=225280,
        shmem_bytes=0,
        peak_bytes=256 * MIB,
        oom_kills=1,
        cpu_s=2.209694,
        periods=88,
        throttled_periods=21,
        throttled_s=0.922419,
        pids=2,
    ),
}


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A copy of the loaded container that a test may change."""
    return Path(shutil.copytree(RECORDED / "lim-2-load", tmp_path / "scope"))


@pytest.mark.parametrize("state", RECORDINGS)
def test_a_recorded_container_reads_as_the_kernel_showed_it(state: str) -> None:
    assert V2Reader(RECORDED / state).read() == RECORDINGS[state]


@pytest.mark.parametrize(
    ("state", "limits"),
    [
        (
            "lim-1-idle",
            Limits(cpu_cores=0.5, memory_bytes=256 * MIB, pids=100, swap_bytes=256 * MIB),
        ),
        ("lim-5-updated", Limits(cpu_cores=1.5, memory_bytes=300 * MIB, pids=100, swap_bytes=0)),
        ("nolim-idle", Limits(cpu_cores=None, memory_bytes=None, pids=7098, swap_bytes=None)),
    ],
)
def test_limits_read_as_set_and_max_as_unlimited(state: str, limits: Limits) -> None:
    assert V2Reader(RECORDED / state).limits() == limits


def test_the_processes_inside_are_listed() -> None:
    reader = V2Reader(RECORDED / "lim-2-load")
    assert reader.pids() == [1211, 1493, 1517, 1540, 1562, 1571]


def test_a_kernel_without_peak_leaves_it_unknown_and_cannot_reset_it(live: Path) -> None:
    (live / "memory.peak").unlink()
    reader = V2Reader(live)
    assert reader.read() == replace(LOADED, peak_bytes=None)
    assert reader.reset_peak() is False


def test_a_kernel_that_takes_no_reset_keeps_its_peak(
    live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "pwrite", refuse)
    reader = V2Reader(live)
    assert reader.reset_peak() is False
    assert reader.read() == LOADED


def test_after_a_reset_the_peak_is_read_through_the_file_that_was_written(live: Path) -> None:
    reader = V2Reader(live)
    peak = live / "memory.peak"
    with peak.open("r+") as kept:  # the kernel's view of the reader's own open file
        assert reader.reset_peak() is True
        kept.write("1000\n")
        kept.truncate()
    peak.rename(live / "elsewhere")
    peak.write_text("9999\n")  # what any other open file would show
    stats = reader.read()
    assert stats is not None
    assert stats.peak_bytes == 1000
    reader.close()
    assert reader.read() == replace(LOADED, peak_bytes=9999)


def test_an_ended_cgroup_reads_as_none_and_not_as_an_error(live: Path) -> None:
    reader = V2Reader(live)
    reader.reset_peak()
    shutil.rmtree(live)
    assert reader.read() is None
    assert reader.pids() == []
    assert reader.limits() == Limits(cpu_cores=None, memory_bytes=None)
    reader.close()
    reader.close()


def test_a_cgroup_that_ends_while_it_is_read_reads_as_none(
    live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_device(*_: object, **__: object) -> str:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(Path, "read_text", no_device)
    assert V2Reader(live).read() is None


def test_a_refusal_that_is_no_end_is_an_error(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", forbidden)
    with pytest.raises(PermissionError):
        V2Reader(live).read()


def test_a_working_set_is_never_negative(live: Path) -> None:
    (live / "memory.current").write_text("4096\n")
    stats = V2Reader(live).read()
    assert stats is not None
    assert stats.working_set_bytes == 0


def test_controllers_that_were_not_given_leave_their_numbers_unknown(live: Path) -> None:
    (live / "pids.current").unlink()
    (live / "memory.events").unlink()
    (live / "cpu.stat").write_text("usage_usec 35283354\nuser_usec 1\nsystem_usec 1\n")
    assert V2Reader(live).read() == replace(
        LOADED, pids=None, oom_kills=None, periods=None, throttled_periods=None, throttled_s=None
    )
