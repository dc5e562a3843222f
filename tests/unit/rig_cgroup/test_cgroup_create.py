"""Making and removing boxes, with a kernel of plain folders (no process is moved)."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness.errors import EnvironmentProblem
from harness.facts.model import Limits
from harness.rig.cgroup import create
from harness.rig.cgroup.create import PREFIX, CgroupBox, available, list_boxes

pytestmark = pytest.mark.unit

ASKED = Limits(cpu_cores=0.25, memory_bytes=64 << 20, pids=32)
V1 = ("memory", "cpu", "cpuacct", "pids")
MEMORY_V1 = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")


class Kernel:
    """Folders that fill themselves with files when made, as a cgroup file system's do."""

    def __init__(self, base: Path) -> None:
        self.root = base / "cgroup"
        self.proc = base / "proc"
        (self.proc / "self").mkdir(parents=True)
        self.root.mkdir()
        self.busy = 0
        self.refusals: dict[str, int] = {}

    def make(self, folder: Path) -> None:
        if folder.parent.name in self.refusals:
            number = self.refusals[folder.parent.name]
            raise OSError(number, os.strerror(number))
        folder.mkdir()
        (folder / "cgroup.procs").touch()
        for name in (*MEMORY_V1, "memory.swap.max"):
            (folder / name).touch()

    def remove(self, folder: Path) -> OSError | None:
        if self.busy:
            self.busy -= 1
            return OSError(errno.EBUSY, "Device or resource busy")
        if not folder.exists():
            return None
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        return None

    def boot(self, *mounts: tuple[str, str], own: str) -> None:
        info, groups = [], []
        for name, kind in mounts:
            point = self.root / name if name else self.root
            (point / own).mkdir(parents=True, exist_ok=True)
            info.append(f"32 31 0:29 / {point} rw - {kind} {kind} rw,{name}\n")
            groups.append(f"0::/{own}\n" if kind == "cgroup2" else f"4:{name}:/{own}\n")
        (self.proc / "self" / "mountinfo").write_text("".join(info))
        (self.proc / "self" / "cgroup").write_text("".join(groups))

    def box(self, name: str = "t", limits: Limits = ASKED) -> CgroupBox:
        return CgroupBox.create(name, limits, root=self.root, proc=self.proc)

    def boxes(self) -> list[CgroupBox]:
        return list_boxes(PREFIX, self.root, self.proc)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel(tmp_path)
    monkeypatch.setattr(create, "_make_folder", kernel.make)
    monkeypatch.setattr(create, "_remove_folder", kernel.remove)
    return kernel


@pytest.fixture
def v1(kernel: Kernel) -> Kernel:
    kernel.boot(*((name, "cgroup") for name in V1), own="job")
    return kernel


def boot_v2(kernel: Kernel, *, delegated: dict[str, str]) -> Kernel:
    kernel.boot(("", "cgroup2"), own="user.slice/app.slice/run.scope")
    (kernel.root / "cgroup.controllers").write_text("cpu memory pids\n")
    for folder, words in delegated.items():
        (kernel.root / folder / "cgroup.subtree_control").write_text(words)
    return kernel


def test_under_v1_a_box_lies_below_our_own_group_in_every_controller(v1: Kernel) -> None:
    v1.box()
    for name in V1:
        assert (v1.root / name / "job" / f"{PREFIX}t").is_dir()


def test_under_v1_limits_are_written_without_swap(v1: Kernel) -> None:
    v1.box()
    memory, cpu, pids = (
        v1.root / name / "job" / f"{PREFIX}t" for name in ("memory", "cpu", "pids")
    )
    assert (memory / "memory.limit_in_bytes").read_text() == str(64 << 20)
    assert (memory / "memory.memsw.limit_in_bytes").read_text() == str(64 << 20)
    assert (cpu / "cpu.cfs_quota_us").read_text() == "25000"
    assert (cpu / "cpu.cfs_period_us").read_text() == "100000"
    assert (pids / "pids.max").read_text() == "32"


def test_limits_read_back_as_asked_for(v1: Kernel) -> None:
    assert v1.box().limits() == Limits(cpu_cores=0.25, memory_bytes=64 << 20, pids=32, swap_bytes=0)


def test_an_unlimited_resource_is_left_alone(v1: Kernel) -> None:
    v1.box(limits=Limits(cpu_cores=None, memory_bytes=None))
    assert not (v1.root / "cpu" / "job" / f"{PREFIX}t" / "cpu.cfs_quota_us").exists()
    assert (v1.root / "memory" / "job" / f"{PREFIX}t" / MEMORY_V1[0]).read_text() == ""


def test_under_v2_a_box_lies_in_the_nearest_group_that_delegates(kernel: Kernel) -> None:
    boot_v2(
        kernel,
        delegated={"": "cpu memory pids", "user.slice/app.slice": "cpu memory pids io"},
    )
    kernel.box()
    box = kernel.root / "user.slice" / "app.slice" / f"{PREFIX}t"
    assert (box / "cpu.max").read_text() == "25000 100000"
    assert (box / "memory.max").read_text() == str(64 << 20)
    assert (box / "memory.swap.max").read_text() == "0"
    assert (box / "pids.max").read_text() == "32"


def test_under_v2_missing_controllers_are_switched_on_where_we_may(kernel: Kernel) -> None:
    scope = "user.slice/app.slice/run.scope"
    boot_v2(kernel, delegated={scope: "memory"})
    kernel.box()
    control = kernel.root / scope / "cgroup.subtree_control"
    assert control.read_text() == "+cpu +pids"
    assert (kernel.root / scope / f"{PREFIX}t").is_dir()


def test_under_v2_nothing_delegated_is_said_with_the_way_out(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path, needed: frozenset[str]) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    boot_v2(kernel, delegated={})
    monkeypatch.setattr(create, "_delegate", refuse)
    with pytest.raises(EnvironmentProblem) as caught:
        kernel.box()
    assert "run.scope: Permission denied" in caught.value.evidence
    assert "systemd-run --user --scope" in caught.value.hint
    assert "Permission denied" in available(kernel.root, kernel.proc)


def test_a_machine_without_cgroups_says_what_is_missing(kernel: Kernel) -> None:
    kernel.boot(("memory", "cgroup"), own="job")
    with pytest.raises(EnvironmentProblem, match="cpu, cpuacct, pids"):
        kernel.box()
    assert "No cgroup can be made here" in available(kernel.root, kernel.proc)


def test_a_box_that_cannot_be_made_whole_leaves_nothing_behind(v1: Kernel) -> None:
    v1.refusals["job"] = errno.EROFS
    with pytest.raises(EnvironmentProblem, match="Read-only"):
        v1.box()
    assert v1.boxes() == []


def test_a_box_of_that_name_is_not_touched(v1: Kernel) -> None:
    first = v1.box()
    with pytest.raises(EnvironmentProblem, match="exists"):
        v1.box()
    assert first.limits().memory_bytes == 64 << 20


@pytest.mark.parametrize("name", ["a/b", "a b", "../x"])
def test_a_name_that_leads_elsewhere_is_refused(v1: Kernel, name: str) -> None:
    with pytest.raises(ValueError, match="not a cgroup name"):
        v1.box(name)


def test_the_prefix_is_put_before_a_name_once(v1: Kernel) -> None:
    assert v1.box("a").name == v1.box("b").name[:-1] + "a" == f"{PREFIX}a"
    assert v1.box(f"{PREFIX}c").name == f"{PREFIX}c"


def test_a_process_joins_every_controller(v1: Kernel) -> None:
    v1.box().add(4711)
    for name in V1:
        procs = v1.root / name / "job" / f"{PREFIX}t" / "cgroup.procs"
        assert procs.read_text() == "4711\n"


def test_a_wrapped_command_has_joined_before_it_runs_with_its_own_pid(v1: Kernel) -> None:
    box = v1.box()
    command = box.wrap(["/bin/sh", "-c", 'echo $$ "$@"', "sh", "two words", "$HOME"])
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    pid, _, rest = done.stdout.partition(" ")
    assert box.pids() == [int(pid)]
    assert rest == "two words $HOME\n"


def test_a_command_that_may_not_join_does_not_run(v1: Kernel) -> None:
    box = v1.box()
    command = box.wrap(["/bin/echo", "ran"])
    box.remove()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (126, "")


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s


def test_killing_goes_on_until_the_box_is_empty_and_spares_ourselves(
    v1: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, clock = v1.box(), Clock()
    procs = v1.root / "memory" / "job" / f"{PREFIX}t" / "cgroup.procs"
    procs.write_text(f"0\n101\n102\n{os.getpid()}\n")
    killed = []

    def kill(pid: int, number: int) -> None:
        killed.append((pid, number))
        procs.write_text("103\n" if pid == 102 else "" if pid == 103 else procs.read_text())

    monkeypatch.setattr(os, "kill", kill)
    box.kill(clock=clock, sleep=clock.sleep)
    assert killed == [(pid, signal.SIGKILL) for pid in (101, 102, 103)]


def test_processes_that_do_not_die_are_reported(
    v1: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, clock = v1.box(), Clock()
    box.add(101)
    monkeypatch.setattr(os, "kill", lambda pid, number: None)
    with pytest.raises(EnvironmentProblem, match=r"do not die[\s\S]*\[101\]"):
        box.kill(timeout_s=3, clock=clock, sleep=clock.sleep)
    assert 3 <= clock.now_s < 4


def test_a_group_busy_for_a_moment_is_removed_later(v1: Kernel) -> None:
    box, clock = v1.box(), Clock()
    v1.busy = 2
    box.remove(clock=clock, sleep=clock.sleep)
    assert v1.boxes() == []
    box.remove(clock=clock, sleep=clock.sleep)


def test_a_group_that_stays_busy_is_reported(v1: Kernel) -> None:
    box, clock = v1.box(), Clock()
    v1.busy = 10_000
    with pytest.raises(EnvironmentProblem, match="cannot be removed"):
        box.remove(timeout_s=2, clock=clock, sleep=clock.sleep)


def test_boxes_a_crash_left_are_found_wherever_they_are(v1: Kernel) -> None:
    v1.box("one")
    v1.boot(*((name, "cgroup") for name in V1), own="other/job")
    v1.box("two")
    (v1.root / "memory" / "somebody-elses").mkdir()
    found = v1.boxes()
    assert [box.name for box in found] == [f"{PREFIX}one", f"{PREFIX}two"]
    for box in found:
        box.remove()
    assert v1.boxes() == []


def test_boxes_of_one_name_in_two_places_are_two(v1: Kernel) -> None:
    v1.box("one")
    v1.boot(*((name, "cgroup") for name in V1), own="other")
    v1.box("one")
    assert [box.limits().cpu_cores for box in v1.boxes()] == [0.25, 0.25]


def test_leaving_the_context_removes_the_box_also_after_an_error(v1: Kernel) -> None:
    with pytest.raises(RuntimeError, match="inside"), v1.box():
        raise RuntimeError("inside")
    assert v1.boxes() == []
