"""A real box on this machine: limited, throttled, out of memory, emptied, removed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from harness.facts.model import Limits
from harness.rig.cgroup import CgroupStats
from harness.rig.cgroup.create import PREFIX, CgroupBox, available, list_boxes
from harness.rig.cgroup.locate import find

NO_BOX = available()

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(bool(NO_BOX), reason=f"no cgroup can be made here: {NO_BOX}"),
]

MIB = 1024 * 1024
LIMITS = Limits(cpu_cores=0.2, memory_bytes=64 * MIB, pids=20)

SPIN = "while True: pass"
WAIT = "import time; time.sleep(60)"
# The child dies of memory; the parent, outside of the kernel's choice, lives to tell.
DEVOUR = """
import subprocess, sys
code = "b = bytearray(256 << 20)\\nfor i in range(0, len(b), 4096): b[i] = 1"
sys.exit(0 if subprocess.run([sys.executable, "-c", code]).returncode == -9 else 3)
"""


@pytest.fixture
def box() -> Iterator[CgroupBox]:
    with CgroupBox.create(f"test-{os.getpid()}", LIMITS) as made:
        yield made


def start(box: CgroupBox, code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(box.wrap([sys.executable, "-c", code]))


def stats(box: CgroupBox) -> CgroupStats:
    reading = box.reader().read()
    assert reading is not None
    return reading


def wait_for(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.05)


def test_the_kernel_has_the_limits_that_were_asked_for(box: CgroupBox) -> None:
    read_back = box.limits()
    assert read_back.cpu_cores == LIMITS.cpu_cores
    assert read_back.memory_bytes == LIMITS.memory_bytes
    assert read_back.pids == LIMITS.pids
    assert read_back.swap_bytes in (0, None)


def test_a_child_is_found_in_its_box_by_its_pid(box: CgroupBox) -> None:
    child = start(box, WAIT)
    wait_for(lambda: box.pids() == [child.pid])
    reader = find(child.pid)
    assert reader is not None
    assert reader.limits() == box.limits()
    assert reader.pids() == [child.pid]
    box.kill()
    assert child.wait() == -9


def test_a_process_can_be_moved_in_later(box: CgroupBox) -> None:
    child = subprocess.Popen([sys.executable, "-c", WAIT])
    box.add(child.pid)
    assert box.pids() == [child.pid]
    box.kill()
    assert child.wait() == -9


def test_burning_more_cpu_than_allowed_is_counted_as_throttling(box: CgroupBox) -> None:
    before = stats(box)
    child = start(box, SPIN)
    wait_for(lambda: (stats(box).throttled_periods or 0) >= 5)
    after = stats(box)
    box.kill()
    child.wait()
    assert after.cpu_s > before.cpu_s
    assert after.throttled_s is not None
    assert after.throttled_s > 0


def test_allocating_over_the_limit_is_counted_as_an_oom_kill(box: CgroupBox) -> None:
    assert stats(box).oom_kills == 0
    assert start(box, DEVOUR).wait() == 0
    after = stats(box)
    assert after.oom_kills == 1
    assert after.peak_bytes is None or after.peak_bytes > 0.9 * 64 * MIB


def test_the_peak_starts_anew_where_this_kernel_can_reset_it(box: CgroupBox) -> None:
    assert start(box, "b = bytearray(b'x' * (30 << 20))").wait() == 0
    reader = box.reader()
    before = reader.read()
    can_reset = reader.reset_peak()
    after = reader.read()
    reader.close()
    assert before is not None
    assert after is not None
    if before.peak_bytes is None:
        assert not can_reset
        return
    assert before.peak_bytes > 30 * MIB
    assert after.peak_bytes is not None
    assert (after.peak_bytes < before.peak_bytes) == can_reset


def test_more_processes_than_allowed_cannot_start(box: CgroupBox) -> None:
    forks = "import os\ntry:\n  for _ in range(40): os.fork() or os._exit(0)\n"
    assert start(box, forks + "except BlockingIOError: raise SystemExit(7)").wait() == 7


def test_a_removed_box_has_ended_for_its_readers_and_is_not_listed() -> None:
    with CgroupBox.create(f"test-gone-{os.getpid()}", LIMITS) as box:
        reader = box.reader()
        grandparent = start(
            box, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAIT!r}])"
        )
        wait_for(lambda: len(box.pids()) == 2)
        assert box.name in [each.name for each in list_boxes(PREFIX)]
    assert grandparent.wait() == -9
    assert reader.read() is None
    assert reader.pids() == []
    assert box.name not in [each.name for each in list_boxes(PREFIX)]
