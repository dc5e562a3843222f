"""The cgroup readers against a real container: `cgroup_check.py`, run on this host."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.campaign.plan import Campaign
from harness.rig.cgroup.create import available
from harness.rig.target.images import BuildOptions, ca_bundle_from_environment, ensure_images
from harness.rig.target.software import release

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(900)]

CHECKS = ["place", "limits", "cpu", "shmem", "memory", "reset_peak", "oom", "end", "box"]


@pytest.fixture(scope="module")
def image() -> str:
    """The image the targets use; built where it is not there yet, never skipped."""
    options = BuildOptions(ca_bundle=ca_bundle_from_environment())
    software = release(Campaign.model_fields["dagster"].default[0])
    return ensure_images(software, options).dagster


@pytest.fixture
def command(repo_root: Path, image: str) -> list[str]:
    """The script's command. With -S: it lives without any package, as on a bare host."""
    script = repo_root / "tests" / "live" / "cgroup_check.py"
    return [sys.executable, "-S", "-B", str(script), image]


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def containers() -> set[str]:
    every = ["docker", "ps", "--all", "--quiet", "--filter", "name=cgroup-check-"]
    return set(subprocess.run(every, capture_output=True, text=True, check=True).stdout.split())


def test_the_numbers_tell_what_was_done_to_a_container_and_a_box(command: list[str]) -> None:
    before = containers()
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(), timeout=500
    )
    print(done.stdout, done.stderr)
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["check"] for line in lines] == CHECKS
    assert [line for line in lines if line["ok"] is False] == []
    not_allowed = [line["check"] for line in lines if line["ok"] is None]
    assert not_allowed == (["box"] if available() else [])
    assert done.returncode == 0
    assert containers() - before == set()


def test_stopped_in_the_middle_it_still_takes_its_container_away(command: list[str]) -> None:
    before = containers()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as script:
        assert script.stdout is not None
        script.stdout.readline()
        during = containers()
        script.terminate()
        assert script.wait(60) == 128 + signal.SIGTERM
    assert len(during - before) == 1
    assert containers() - before == set()
