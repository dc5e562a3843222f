"""Which version, and which folder: from made-up /proc and /sys trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.rig.cgroup.locate import find, folders, version_here
from harness.rig.cgroup.v1 import V1Reader
from harness.rig.cgroup.v2 import V2Reader

pytestmark = pytest.mark.unit

CONTAINER = "docker/0f3a"


class Machine:
    """A machine whose kernel files are under a temporary folder."""

    def __init__(self, base: Path) -> None:
        self.root = base / "sys" / "fs" / "cgroup"
        self.proc = base / "proc"
        self.root.mkdir(parents=True)
        (self.proc / "self").mkdir(parents=True)
        (self.proc / "self" / "mountinfo").write_text(f"31 23 0:28 / {self.root} rw - tmpfs t rw\n")

    def mount(self, name: str, kind: str, options: str, top: str = "/") -> Path:
        point = self.root / name if name else self.root
        point.mkdir(exist_ok=True)
        with (self.proc / "self" / "mountinfo").open("a") as file:
            file.write(f"32 31 0:29 {top} {point} rw,relatime shared:5 - {kind} {kind} {options}\n")
        return point

    def v1(self, *names: str) -> None:
        for name in names:
            self.mount(name, "cgroup", f"rw,{name}")

    def v2(self, name: str, controllers: str) -> Path:
        point = self.mount(name, "cgroup2", "rw,nsdelegate")
        (point / "cgroup.controllers").write_text(controllers)
        return point

    def process(self, pid: int | str, *lines: str) -> None:
        (self.proc / str(pid)).mkdir(exist_ok=True)
        (self.proc / str(pid) / "cgroup").write_text("".join(f"{line}\n" for line in lines))

    def find(self, pid: int) -> object:
        return find(pid, self.root, self.proc)

    def folders(self, pid: int) -> dict[str, Path]:
        return folders(pid, self.root, self.proc)

    def version(self) -> str | None:
        return version_here(self.root, self.proc)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_unified_tree_with_the_memory_controller_is_v2(machine: Machine) -> None:
    machine.v2("", "cpuset cpu io memory pids\n")
    assert machine.version() == "v2"


def test_separate_controllers_are_v1(machine: Machine) -> None:
    machine.v1("memory", "cpu", "cpuacct", "pids")
    assert machine.version() == "v1"


def test_a_unified_tree_beside_v1_controllers_is_v1(machine: Machine) -> None:
    machine.v2("unified", "hugetlb\n")
    machine.v1("memory", "cpu")
    assert machine.version() == "v1"


def test_a_unified_tree_without_memory_is_no_version_at_all(machine: Machine) -> None:
    machine.v2("unified", "\n")
    assert machine.version() is None


def test_a_machine_without_cgroups_has_no_version(tmp_path: Path) -> None:
    assert version_here(tmp_path, tmp_path) is None
    assert find(1, tmp_path, tmp_path) is None


def test_a_container_is_found_under_v2(machine: Machine) -> None:
    scope = machine.v2("", "cpu memory pids\n") / "system.slice" / "docker-0f3a.scope"
    scope.mkdir(parents=True)
    (scope / "memory.current").touch()
    machine.process(7, "0::/system.slice/docker-0f3a.scope")
    assert isinstance(machine.find(7), V2Reader)
    assert machine.folders(7) == {"unified": scope}


def test_the_root_of_the_v2_tree_is_nobodys_cgroup(machine: Machine) -> None:
    machine.v2("", "cpu memory pids\n")
    machine.process(7, "0::/")
    assert machine.find(7) is None


def test_a_container_is_found_under_v1_by_each_of_its_controllers(machine: Machine) -> None:
    machine.v1("memory", "cpu,cpuacct", "pids")
    for name in ("memory", "cpu,cpuacct", "pids"):
        (machine.root / name / CONTAINER).mkdir(parents=True)
    machine.process(
        7,
        f"5:cpu,cpuacct:/{CONTAINER}",
        f"4:memory:/{CONTAINER}",
        f"3:pids:/{CONTAINER}",
        "1:name=systemd:/user",
        "0::/elsewhere",
    )
    assert isinstance(machine.find(7), V1Reader)
    shared = machine.root / "cpu,cpuacct" / CONTAINER
    assert machine.folders(7) == {
        "memory": machine.root / "memory" / CONTAINER,
        "cpu": shared,
        "cpuacct": shared,
        "pids": machine.root / "pids" / CONTAINER,
    }


def test_inside_a_container_the_mount_shows_only_our_own_branch(machine: Machine) -> None:
    # No cgroup namespace: paths are the host's, and the mount's top is our own group.
    for name in ("memory", "cpuacct"):
        machine.mount(name, "cgroup", f"rw,{name}", top=f"/{CONTAINER}")
        (machine.root / name / "run").mkdir()
    machine.process(7, f"2:memory:/{CONTAINER}/run", f"3:cpuacct:/{CONTAINER}/run")
    assert machine.folders(7)["memory"] == machine.root / "memory" / "run"


def test_a_process_outside_of_our_namespace_is_not_found(machine: Machine) -> None:
    machine.v1("memory", "cpuacct")
    machine.process(7, "2:memory:/../sibling", "3:cpuacct:/../sibling")
    (machine.root / "sibling").mkdir()
    assert machine.folders(7) == {}
    assert machine.find(7) is None


def test_a_process_limited_by_memory_alone_is_not_given_everybodys_cpu_time(
    machine: Machine,
) -> None:
    machine.v1("memory", "cpuacct")
    (machine.root / "memory" / "job").mkdir()
    machine.process(7, "2:memory:/job", "3:cpuacct:/")
    assert machine.find(7) is None


def test_a_process_that_has_ended_is_not_found(machine: Machine) -> None:
    machine.v1("memory", "cpuacct")
    assert machine.find(7) is None
