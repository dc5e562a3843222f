"""What a real code server in a limited container does, as the harness's own facts tell it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from live.rigs import campaign, maximum, measure_steps

from harness.analysis.blast import blast_of
from harness.facts.model import Limits
from harness.rig.hosting import prepare
from harness.rig.ledger import Ledger

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(900)]

READ_LIMITS = """
import json, pathlib
root = pathlib.Path("/sys/fs/cgroup")
def read(name): return (root / name).read_text().split()
if (root / "cgroup.controllers").exists():
    quota, period = read("cpu.max"); memory = read("memory.max")[0]
else:
    quota, period = read("cpu/cpu.cfs_quota_us")[0], read("cpu/cpu.cfs_period_us")[0]
    memory = read("memory/memory.limit_in_bytes")[0]
print(json.dumps([int(quota) / int(period), int(memory)]))
"""

LIGHT = """
name: live
target: compose
profiles: [0.5vcpu-1gb]
workloads: [{name: io, params: {requests: 1, wait_s: 1}}]
warmup_runs: 0
idle_s: 0
step: {ramp_s: 1, settle_s: 0, hold_s: 5, drain_s: 30}
"""


def test_a_container_asked_for_half_a_cpu_and_1_gib_sees_them_from_inside(tmp_path: Path) -> None:
    plan = campaign(LIGHT)
    cell = next(plan.cells())
    hosting = prepare("compose", plan, ledger=Ledger(tmp_path / "ledger"), say=print,
                      log=tmp_path / "log")  # fmt: skip
    target = hosting.target(cell, tmp_path)
    try:
        endpoints = target.start()
        limits = target.effective_limits()
        container = _container(endpoints.replicas[0].container)
        code, output = container.exec_run(["python", "-c", READ_LIMITS])
        inspected = container.attrs["HostConfig"]
    finally:
        target.stop()
    assert code == 0, output
    assert json.loads(output) == [0.5, 2**30]
    assert limits == Limits(cpu_cores=0.5, memory_bytes=2**30, pids=4096, swap_bytes=0)
    assert inspected["ReadonlyRootfs"]
    assert inspected["CapDrop"] == ["ALL"]
    assert not _project_of(target)


def test_eight_runs_reside_at_once_on_two_workers(tmp_path: Path) -> None:
    """The process model: a run is a process; workers cap launches, not residency.

    Starting eight takes one vCPU 8 to 27 s; the wait leaves room for twice that.
    """
    plan = campaign(
        LIGHT, "profiles=[1vcpu-2gb]", "max_workers=[2]", "step.burst=true", "step.ramp_s=0",
        "step.hold_s=60", "step.drain_s=180", "workloads.0.params={requests: 2, wait_s: 28}",
    )  # fmt: skip
    facts = measure_steps(plan, [8], tmp_path)
    (step,) = facts.steps
    assert step.outcome == "completed"
    assert maximum(facts, "processes", "resident_runs") >= 8
    assert maximum(facts, "pool", "pool_max") == 2
    assert [run.status for run in facts.runs] == ["SUCCESS"] * len(facts.runs)


def test_an_oom_names_its_victim_the_runs_lost_and_the_time_to_serve_again(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    plan = campaign(
        LIGHT, "profiles=[{vcpu: 1, memory_mib: 512}]", "max_workers=[20]", "step.burst=true",
        "step.ramp_s=0", "step.hold_s=20", "workloads.0.params.wait_s=15",
    )  # fmt: skip
    facts = measure_steps(plan, [14, 1], tmp_path)
    flood, after = facts.steps
    blast = blast_of(facts, flood)
    assert blast is not None
    witnesses = ", ".join(blast.witnesses)
    print(
        f"\nOOM: the {blast.victim} died ({witnesses}), {blast.runs_lost} of {blast.runs_offered} "
        f"runs lost, serving again after {blast.until_serving_s} s"
    )
    record_property("blast", repr(blast))
    assert blast.runs_lost + blast.runs_killed >= 1
    assert blast.witnesses
    if blast.victim == "server":
        assert blast.until_serving_s is not None
        assert after.server == 1
    assert {run.status for run in facts.runs_of(after)} == {"SUCCESS"}


def _container(identity: str | None) -> Container:
    return docker.from_env().containers.get(identity)


def _project_of(target: object) -> list[Container]:
    name = target.describe()["project"]  # type: ignore[attr-defined]
    label = f"com.docker.compose.project={name}"
    return docker.from_env().containers.list(all=True, filters={"label": label})
