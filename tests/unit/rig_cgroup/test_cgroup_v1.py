"""cgroup v1, from a small tree of the kernel's files."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.facts.model import Limits
from harness.rig.cgroup import CgroupStats
from harness.rig.cgroup.v1 import V1Reader

pytestmark = pytest.mark.unit

UNLIMITED = "9223372036854771712\n"
FILES = {
    "memory": {
        "memory.usage_in_bytes": "104857600\n",
        "memory.stat": (
            "cache 30000000\nrss 70000000\ninactive_file 1\n"
            "total_cache 30000000\ntotal_rss 70000000\ntotal_shmem 4000000\n"
            "total_inactive_file 20000000\n"
        ),
        "memory.max_usage_in_bytes": "134217728\n",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
        "memory.limit_in_bytes": "268435456\n",
        "memory.memsw.limit_in_bytes": "268435456\n",
        "cgroup.procs": "30\n12\n0\n",
    },
    "cpuacct": {"cpuacct.usage": "2500000000\n"},
    "cpu": {
        "cpu.stat": "nr_periods 100\nnr_throttled 40\nthrottled_time 1500000000\n",
        "cpu.cfs_quota_us": "50000\n",
        "cpu.cfs_period_us": "100000\n",
    },
    "pids": {"pids.current": "2\n", "pids.max": "64\n"},
}
STATS = CgroupStats(
    usage_bytes=104857600,
    working_set_bytes=84857600,
    anon_bytes=70000000,
    shmem_bytes=4000000,
    peak_bytes=134217728,
    oom_kills=3,
    cpu_s=2.5,
    periods=100,
    throttled_periods=40,
    throttled_s=1.5,
    pids=2,
)


@pytest.fixture
def tree(tmp_path: Path) -> dict[str, Path]:
    for controller, files in FILES.items():
        (tmp_path / controller).mkdir()
        for name, text in files.items():
            (tmp_path / controller / name).write_text(text)
    return {controller: tmp_path / controller for controller in FILES}


def test_all_controllers_read_as_one(tree: dict[str, Path]) -> None:
    assert V1Reader(tree).read() == STATS


def test_limits_read_as_set(tree: dict[str, Path]) -> None:
    assert V1Reader(tree).limits() == Limits(
        cpu_cores=0.5, memory_bytes=256 << 20, pids=64, swap_bytes=0
    )


def test_the_largest_numbers_mean_unlimited(tree: dict[str, Path]) -> None:
    (tree["memory"] / "memory.limit_in_bytes").write_text(UNLIMITED)
    (tree["memory"] / "memory.memsw.limit_in_bytes").write_text(UNLIMITED)
    (tree["cpu"] / "cpu.cfs_quota_us").write_text("-1\n")
    (tree["pids"] / "pids.max").write_text("max\n")
    assert V1Reader(tree).limits() == Limits(cpu_cores=None, memory_bytes=None)


def test_swap_is_what_memsw_allows_beyond_memory(tree: dict[str, Path]) -> None:
    memsw = tree["memory"] / "memory.memsw.limit_in_bytes"
    memsw.write_text(f"{384 << 20}\n")
    assert V1Reader(tree).limits().swap_bytes == 128 << 20
    memsw.unlink()  # a kernel that does not count swap
    assert V1Reader(tree).limits().swap_bytes is None


def test_only_memory_and_cpuacct_are_indispensable(tree: dict[str, Path]) -> None:
    del tree["cpu"], tree["pids"]
    reader = V1Reader(tree)
    assert reader.read() == replace(
        STATS, periods=None, throttled_periods=None, throttled_s=None, pids=None
    )
    assert reader.limits() == Limits(cpu_cores=None, memory_bytes=256 << 20, swap_bytes=0)


def test_an_old_kernel_that_counts_no_oom_kills_leaves_them_unknown(
    tree: dict[str, Path],
) -> None:
    (tree["memory"] / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\n")
    assert V1Reader(tree).read() == replace(STATS, oom_kills=None)


def test_the_peak_is_reset_by_writing_zero(tree: dict[str, Path]) -> None:
    assert V1Reader(tree).reset_peak() is True
    assert (tree["memory"] / "memory.max_usage_in_bytes").read_text() == "0"


@pytest.mark.parametrize("gone", ["memory", "cpuacct"])
def test_an_ended_cgroup_reads_as_none(tree: dict[str, Path], gone: str) -> None:
    shutil.rmtree(tree[gone])
    assert V1Reader(tree).read() is None


def test_an_ended_cgroup_holds_nothing(tree: dict[str, Path]) -> None:
    shutil.rmtree(tree["memory"])
    reader = V1Reader(tree)
    assert reader.pids() == []
    assert reader.limits().memory_bytes is None
    assert reader.reset_peak() is False


def test_processes_are_listed_ascending_without_those_of_other_namespaces(
    tree: dict[str, Path],
) -> None:
    assert V1Reader(tree).pids() == [12, 30]


def test_a_kernel_that_does_not_count_shared_memory_leaves_it_unknown(
    tree: dict[str, Path],
) -> None:
    stat = tree["memory"] / "memory.stat"
    stat.write_text(stat.read_text().replace("total_shmem 4000000\n", ""))
    assert V1Reader(tree).read() == replace(STATS, shmem_bytes=None)
