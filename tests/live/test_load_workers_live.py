"""A real code server under load workers in containers, and under workers of another host."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from live.rigs import campaign, measure_steps
from namespaces import Namespace

from harness.facts.table import CellFacts
from harness.rig.load.children import free_port
from harness.rig.target.images import BuildOptions, ca_bundle_from_environment
from harness.rig.target.load_image import ensure_load_image

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(600)]

COMPOSE = Path(__file__).resolve().parents[2] / "compose/load-workers/compose.yaml"
WORKERS = 2
LIGHT = f"""
name: live
target: compose
profiles: [1vcpu-2gb]
workloads: [{{name: io, params: {{requests: 1, wait_s: 1}}}}]
warmup_runs: 0
idle_s: 0
step: {{ramp_s: 1, settle_s: 0, hold_s: 6, drain_s: 60}}
load: {{workers: {WORKERS}}}
"""


@contextmanager
def containers(master: str, count: int) -> Iterator[str]:
    """The Compose services, scaled; gone afterwards."""
    options = BuildOptions(ca_bundle=ca_bundle_from_environment(), say=print)
    project = f"dlh-test-workers-{os.getpid()}"
    environment = {
        **os.environ, "LOAD_WORKER_IMAGE": ensure_load_image(options), "LOAD_MASTER": master,
    }  # fmt: skip

    def compose(*words: str) -> None:
        command = ["docker", "compose", "-p", project, "-f", str(COMPOSE), *words]
        subprocess.run(command, env=environment, check=True, timeout=120)

    try:
        compose("up", "--detach", "--pull", "never", "--scale", f"worker={count}")
        yield project
    finally:
        compose("down")


def measured(tmp_path: Path, master: str) -> CellFacts:
    """One run alone, then four at once."""
    return measure_steps(campaign(LIGHT, f"load.master='{master}'"), [1, 4], tmp_path)


def check(facts: CellFacts) -> None:
    """Both steps went as ordered, and who drove them is on record."""
    assert [step.outcome for step in facts.steps] == ["completed", "completed"]
    assert {run.status for run in facts.runs} == {"SUCCESS"}
    assert sorted({run.user for run in facts.runs if run.step == 1}) == [0, 1, 2, 3]
    workers = [event.detail for event in facts.events if event.kind == "load_worker"]
    assert sorted((each["step"], each["index"]) for each in workers) == [(0, 0), (1, 0), (1, 1)]


def test_containers_drive_a_server_that_stays_on_127_0_0_1(tmp_path: Path) -> None:
    master = f"127.0.0.1:{free_port()}"
    with containers(master, WORKERS) as project:
        facts = measured(tmp_path, master)
    check(facts)
    label = f"label=com.docker.compose.project={project}"
    left = subprocess.run(
        ["docker", "ps", "--all", "--quiet", "--filter", label],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert left.stdout == ""


def test_another_host_drives_a_server_whose_webserver_is_reachable_for_it(
    tmp_path: Path, namespace: Namespace
) -> None:
    master = f"{namespace.address}:{free_port()}"
    with namespace.workers(master, WORKERS):
        facts = measured(tmp_path, master)
    check(facts)
