"""The server on another machine: whole campaigns on a second engine, by tcp and by ssh."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from second_engine import SecondEngine, second_engine, wait_until

from harness.campaign.plan import Campaign
from harness.errors import ExitCode
from harness.facts.store import list_results, read_results
from harness.rig.ledger import Ledger
from harness.rig.target.images import (
    OFFLINE_BASE,
    PYTHON_IMAGE,
    BuildOptions,
    ca_bundle_from_environment,
    ensure_images,
    exists,
)
from harness.rig.target.software import release

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(900)]

COMMAND = ("run", "--preset", "smoke", "--target", "compose")
NEVER_READ = {"processes": "server_pss_bytes", "stacks": "idle", "pace": "start_cpu_s"}
"""What only devices tell that read PIDs, or the CPUs, of this machine."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecondEngine]:
    """The second engine, with the images the first one has."""
    images = ensure_images(
        release(Campaign.model_fields["dagster"].default[0]),
        BuildOptions(ca_bundle=ca_bundle_from_environment()),
    )
    base = PYTHON_IMAGE if exists(PYTHON_IMAGE) else OFFLINE_BASE
    with second_engine(tmp_path_factory.mktemp("engine")) as engine:
        engine.load([images.dagster, images.postgres, base])
        yield engine


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of its own; whatever a failed test left is removed at the end."""
    monkeypatch.setenv("DAGSTER_LOAD_HARNESS_STATE", str(tmp_path / "state"))
    yield tmp_path / "state"
    harness(tmp_path, {}, "down")


def harness(
    folder: Path, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments], cwd=folder, capture_output=True, text=True,
        timeout=300, check=False, env={**os.environ, **environment},
    )  # fmt: skip


def start(folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a campaign that holds its first step for long, and wait until it does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *COMMAND, "--plain", "--set", "step.hold_s=60"],
        cwd=folder, text=True, stdout=subprocess.DEVNULL, stderr=(folder / "stderr").open("w"),
        env={**os.environ, **environment},
    )  # fmt: skip
    logs = "results/*/cells/*/logs/load-step-001.jsonl"
    wait_until(
        lambda: any('"accepted"' in path.read_text() for path in folder.glob(logs)),
        "the first step", 180,
    )  # fmt: skip
    return process


def masters() -> list[int]:
    """Living ssh connections of ours."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if process.name() == "ssh" and "-M" in words and "dlh-ssh-" in " ".join(words):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def left(bench: SecondEngine) -> list[str]:
    """What there is of ours on the second engine, and of ssh here."""
    ours = ("--filter", "label=dagster-load-harness", "--quiet")
    objects = [bench.docker("ps", "--all", *ours)]
    objects += [bench.docker(kind, "ls", *ours) for kind in ("network", "volume")]
    return [*(name for names in objects for name in names), *map(str, masters())]


@pytest.mark.parametrize("way", ["tcp", "ssh"])
def test_a_campaign_is_measured_there_and_says_so(
    way: str, bench: SecondEngine, tmp_path: Path, state: Path
) -> None:
    environment = bench.environment(getattr(bench, way))
    done = harness(tmp_path, environment, *COMMAND, "--json")
    assert done.returncode == ExitCode.PASS, done.stderr
    (found,) = json.loads(done.stdout)["cells"]
    assert [step["completed"] >= 1 for step in found["steps"]] == [True, True]
    assert ("open to whoever reaches" in done.stderr) is (way == "tcp")
    (stored,) = list_results(tmp_path / "results")
    results = read_results(stored.path)
    (facts,) = results.cells
    assert results.environment["engine"]["place"] == way
    _check_record(facts.cell.detail, way)
    assert facts.cell.effective_limits == facts.cell.requested_limits
    _check_samples(facts.samples)
    stamps = [(run.sent_s, run.started_s, run.ended_s) for run in facts.runs]
    assert all(sent < (started or 0) < (ended or 0) for sent, started, ended in stamps)
    assert left(bench) == []
    assert Ledger(state / "ledger.jsonl").entries() == ()


def _check_record(detail: Mapping[str, Any], way: str) -> None:
    assert detail["engine_host"]["place"] == way
    assert detail["engine_host"]["cpus"] >= 1
    assert set(detail["unavailable"]) >= set(NEVER_READ)
    clock = detail["clock"]
    assert clock["measured"] is True
    # Both hosts are this one, so the truth is known; a float of today has steps of 0.2 µs.
    for look in (clock["start"], clock["end"]):
        assert abs(look["offset_s"]) <= look["uncertainty_s"] + 1e-6


def _check_samples(samples: Any) -> None:
    """No device read this machine for the server's; what the engine tells is there."""
    for device, key in NEVER_READ.items():
        assert samples.sources(device, key) == ()
    assert samples.sources("host", "load1") == ("generator_host",)
    for device, source in (("cgroup", "code-server-1"), ("support", "webserver")):
        _, cpu_s = samples.series(device, "cpu_s", source=source)
        assert cpu_s[-1] > cpu_s[0] > 0
    _, resident = samples.series("processes", "resident_runs", source="code-server-1")
    assert resident.max() >= 2  # the engine's own list: a step has two runs at once
    _, queue = samples.series("pool", "pool_queue", source="code-server-1")
    assert len(queue) > 0


def test_a_connection_that_dies_ends_the_campaign_with_its_reason(
    bench: SecondEngine, tmp_path: Path, state: Path
) -> None:
    process = start(tmp_path, bench.environment(bench.ssh))
    (master,) = masters()
    os.kill(master, signal.SIGKILL)
    assert process.wait(120) == ExitCode.TARGET
    said = (tmp_path / "stderr").read_text()
    assert "does not answer any more" in said
    assert "bench-host by ssh" in said
    assert left(bench) == []  # a new connection took everything down
    assert Ledger(state / "ledger.jsonl").entries() == ()


def test_down_removes_it_from_the_engine_it_was_started_on(
    bench: SecondEngine, tmp_path: Path, state: Path
) -> None:
    process = start(tmp_path, bench.environment(bench.ssh))
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    assert bench.docker("ps", "--quiet") != []
    # The engine that is meant now is this machine's own: nothing may be looked for there.
    path = {"PATH": bench.environment(bench.ssh)["PATH"]}
    done = harness(tmp_path, path, "down")
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: left(bench) == [], "all gone", 15)
    assert Ledger(state / "ledger.jsonl").entries() == ()
