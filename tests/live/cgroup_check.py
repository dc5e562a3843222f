"""What `harness.rig.cgroup` says of a real container and a real box, against what was done to them.

    python3 tests/live/cgroup_check.py IMAGE

Needs a Docker engine on this host, the right to ask it, and an IMAGE with `sh`, `dd`, `sleep`,
`timeout` and `touch`; nothing of Python's beyond the standard library. Prints one JSON line a
check. Exit code 1 when a check failed; `"ok": null` is a check this host does not allow.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.facts.model import Limits
from harness.rig.cgroup import CgroupReader, CgroupStats
from harness.rig.cgroup.create import CgroupBox, available, list_boxes
from harness.rig.cgroup.locate import find, folders, version_here

MIB = 1 << 20
CORES = 0.5
MEMORY_BYTES = 256 * MIB
PIDS = 100
BURN_S = 4
WAIT_S = 300.0  # for one docker command; it may pull
READ_WAIT_S = 60.0  # for what is there at once, but on an emulated machine

# dd fills its buffer and then waits on the full pipe: 100 MiB of anonymous memory, held.
HOLD = (
    "dd if=/dev/zero bs=100M count=1 2>/dev/null | while [ ! -e /tmp/let-go ]; do sleep 0.2; done"
)


class Journal:
    """Prints what was seen and remembers whether all of it was right."""

    def __init__(self) -> None:
        self.failed = False

    def say(self, check: str, ok: bool | None, **seen: Any) -> None:
        self.failed |= ok is False
        head = {"check": check, "ok": ok, "cgroup": version_here(), "kernel": platform.release()}
        print(json.dumps(head | seen), flush=True)


class Subject:
    """A limited container, and a reader of its cgroup from the host."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.pid = int(self.inspect("{{.State.Pid}}"))
        reader = find(self.pid)
        if reader is None:
            sys.exit(f"no cgroup of the container's process {self.pid} can be read from here")
        self.reader: CgroupReader = reader

    def inspect(self, form: str) -> str:
        return docker("inspect", "--format", form, self.identity)

    def execute(self, *command: str) -> int:
        """Run something in the container to its end; its exit code."""
        line = ["docker", "exec", self.identity, *command]
        return subprocess.run(line, capture_output=True, check=False, timeout=WAIT_S).returncode

    def read(self) -> CgroupStats:
        stats = self.reader.read()
        assert stats is not None, "the cgroup has ended"
        return stats

    def read_until(self, reached: Callable[[CgroupStats], bool]) -> CgroupStats:
        """The first reading for which this holds, or the last one before time is up."""
        deadline_s = time.monotonic() + READ_WAIT_S
        while not reached(stats := self.read()) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        return stats


def docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, timeout=WAIT_S
    )
    if done.returncode != 0:
        sys.exit(f"docker {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


@contextmanager
def container(image: str) -> Iterator[str]:
    """The id of a limited container that sleeps; gone afterwards, whatever happened."""
    name = f"cgroup-check-{os.getpid()}"
    limits = [f"--cpus={CORES}", f"--memory={MEMORY_BYTES}", f"--memory-swap={MEMORY_BYTES}",
              f"--pids-limit={PIDS}"]  # fmt: skip
    try:
        yield docker("run", "--detach", "--name", name, "--network=none", "--user=0", *limits,
                     "--entrypoint=sleep", image, "100000")  # fmt: skip
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)


def check_place_and_limits(subject: Subject, journal: Journal) -> None:
    places = {name: str(path) for name, path in folders(subject.pid).items()}
    of_it = [subject.identity in places[name] for name in places if name in ("memory", "unified")]
    inside = subject.reader.pids()
    journal.say("place", of_it == [True] and inside == [subject.pid], processes=len(inside))

    # An engine on a kernel that does not count swap leaves it out, and so does the reader.
    swap = 0 if docker("info", "--format", "{{.SwapLimit}}") == "true" else None
    asked = Limits(cpu_cores=CORES, memory_bytes=MEMORY_BYTES, pids=PIDS, swap_bytes=swap)
    limits = subject.reader.limits()
    journal.say("limits", limits == asked, **_shown(limits))


def check_cpu(subject: Subject, journal: Journal) -> None:
    before, began_s = subject.read(), time.monotonic()
    code = subject.execute("timeout", str(BURN_S), "sh", "-c", "while :; do :; done")
    wall_s, after = time.monotonic() - began_s, subject.read()
    cpu_s = after.cpu_s - before.cpu_s
    periods = _grown(before.periods, after.periods)
    throttled = _grown(before.throttled_periods, after.throttled_periods)
    throttled_s = _grown(before.throttled_s, after.throttled_s)
    # Half of it at least was burnt; the quota holds but for a period at each end.
    fitting = 0.5 * CORES * BURN_S <= cpu_s <= CORES * (wall_s + 0.2) * 1.1
    grew = 0 < throttled <= periods and throttled_s > 0
    journal.say("cpu", code == 124 and fitting and grew, wall_s=round(wall_s, 2), cpu_s=cpu_s,
                periods=periods, throttled_periods=throttled, throttled_s=throttled_s)  # fmt: skip


def check_shmem(subject: Subject, journal: Journal) -> None:
    """A file in memory is in no anonymous memory, and is charged all the same."""
    before = subject.read()
    subject.execute("dd", "if=/dev/zero", "of=/dev/shm/file", "bs=1M", "count=40")
    after = subject.read()
    subject.execute("rm", "/dev/shm/file")
    grown = {
        name: (getattr(after, name) - getattr(before, name)) / MIB
        for name in ("shmem_bytes", "anon_bytes", "working_set_bytes")
    }
    told = grown["shmem_bytes"] >= 39 and grown["working_set_bytes"] >= 30
    journal.say("shmem", told and grown["anon_bytes"] < 20, **grown)


def check_memory(subject: Subject, journal: Journal) -> None:
    before = subject.read()
    docker("exec", "--detach", subject.identity, "sh", "-c", HOLD)
    held = subject.read_until(lambda now: now.anon_bytes - before.anon_bytes >= 99 * MIB)
    anon = held.anon_bytes - before.anon_bytes
    working_set = held.working_set_bytes - before.working_set_bytes
    peak = held.peak_bytes  # unknown before kernel 5.19 under v2
    grew = min(anon, working_set) >= 90 * MIB and (peak is None or peak >= held.anon_bytes)
    journal.say("memory", grew, anon_mib=anon / MIB, working_set_mib=working_set / MIB,
                peak_mib=_mib(peak), processes=held.pids)  # fmt: skip

    subject.execute("touch", "/tmp/let-go")
    subject.read_until(lambda now: held.anon_bytes - now.anon_bytes >= 90 * MIB)
    high, worked, low = subject.read().peak_bytes, subject.reader.reset_peak(), subject.read()
    if high is None or low.peak_bytes is None:
        journal.say("reset_peak", None if high is low.peak_bytes and not worked else False)
        return
    fell = high - low.peak_bytes >= 90 * MIB and low.peak_bytes >= low.anon_bytes
    journal.say("reset_peak", fell if worked else low.peak_bytes >= high, worked=worked,
                before_mib=_mib(high), after_mib=_mib(low.peak_bytes))  # fmt: skip


def check_oom(subject: Subject, journal: Journal) -> None:
    before = subject.read()
    code = subject.execute("dd", "if=/dev/zero", "of=/dev/null", "bs=300M", "count=1")
    after = subject.read()
    kills = _grown(before.oom_kills, after.oom_kills)
    lives = subject.inspect("{{.State.Running}} {{.State.Pid}}") == f"true {subject.pid}"
    # The peak follows on after its reset, through whatever it is then read.
    high = after.peak_bytes is None or after.peak_bytes >= 0.9 * MEMORY_BYTES
    journal.say("oom", code == 137 and kills >= 1 and lives and high, exit_code=code,
                oom_kills=kills, pid_1_lives=lives, peak_mib=_mib(after.peak_bytes))  # fmt: skip


def check_end(subject: Subject, journal: Journal) -> None:
    """After the container's removal."""
    reader = subject.reader
    stats, limits, pids = reader.read(), reader.limits(), reader.pids()
    nothing = Limits(cpu_cores=None, memory_bytes=None)
    found = find(subject.pid)
    reader.close()
    ok = (stats, limits, pids, found) == (None, nothing, [], None)
    journal.say("end", ok, read=stats is not None, pids=pids)


def check_box(journal: Journal) -> None:
    if refusal := available():
        journal.say("box", None, refusal=refusal)
        return
    asked = Limits(cpu_cores=CORES, memory_bytes=64 * MIB, pids=20, swap_bytes=None)
    with CgroupBox.create(f"check-{os.getpid()}", asked) as box:
        limits = box.limits()
        # No swap limit asked for means no swap, where the kernel counts it.
        same = limits in (asked, replace(asked, swap_bytes=0))
        greedy = ["dd", "if=/dev/zero", "of=/dev/null", "bs=128M", "count=1"]
        greedy_code = subprocess.run(
            box.wrap(greedy), stderr=subprocess.DEVNULL, check=False
        ).returncode
        stats = box.reader().read()
        kills = None if stats is None else stats.oom_kills
        child = subprocess.Popen(box.wrap(["sleep", "100000"]))
        deadline_s = time.monotonic() + READ_WAIT_S
        while child.pid not in box.pids() and time.monotonic() < deadline_s:
            time.sleep(0.02)
        inside = box.pids() == [child.pid]
        box.kill()
        child_code = child.wait(WAIT_S)
        empty = box.pids() == []
    gone = box.reader().read() is None and box.name not in {each.name for each in list_boxes()}
    died = (greedy_code, child_code) == (-signal.SIGKILL, -signal.SIGKILL)
    ok = same and died and (kills or 0) >= 1 and inside and empty and gone
    journal.say("box", ok, **_shown(limits), oom_kills=kills, greedy_exit=greedy_code,
                inside=inside, killed_exit=child_code, empty=empty, gone=gone)  # fmt: skip


def main(image: str) -> int:
    """Every check once; the exit code."""
    journal = Journal()
    with container(image) as identity:
        subject = Subject(identity)
        for check in (check_place_and_limits, check_cpu, check_shmem, check_memory, check_oom):
            check(subject, journal)
    check_end(subject, journal)
    check_box(journal)
    return int(journal.failed)


def _grown(before: float | None, after: float | None) -> float:
    """How much a counter grew; less than nothing where the kernel does not tell it."""
    return -1 if before is None or after is None else after - before


def _mib(size_bytes: int | None) -> float | None:
    return None if size_bytes is None else size_bytes / MIB


def _shown(limits: Limits) -> dict[str, Any]:
    return {name: getattr(limits, name) for name in limits.__slots__}


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
