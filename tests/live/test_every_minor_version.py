"""Every minor version of Dagster, as a real server: one start, one run, everything read.

About a quarter of a minute each, more when an environment is new.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from live.rigs import campaign, maximum, measure_steps

from harness.facts.dagster_versions import unavailable
from harness.facts.model import Run
from harness.facts.table import CellFacts
from harness.rig.target.locks import known_versions

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

NEWEST_OF_MINOR = tuple({v.rpartition(".")[0]: v for v in known_versions()}.values())
ONE_RUN = """
name: version
target: process
profiles: [1vcpu-2gb]
workloads: [{name: io, params: {requests: 1, wait_s: 0.5}}]
max_workers: [3]
warmup_runs: 0
idle_s: 1
devices: [cgroup, processes, pool, ping, probe, run_queue, support]
step: {ramp_s: 0, settle_s: 0, hold_s: 1, drain_s: 120}
"""
PHASES = ("dequeued_s", "process_started_s", "started_s", "first_step_s", "ended_s")


def test_every_minor_version_there_is_has_its_turn() -> None:
    minors = [tuple(map(int, version.split(".")[:2])) for version in NEWEST_OF_MINOR]
    assert minors == [(1, minor) for minor in range(5, 5 + len(minors))]
    assert minors[-1] >= (1, 13)


@pytest.mark.parametrize("version", NEWEST_OF_MINOR)
def test_a_server_starts_runs_a_run_and_tells_what_the_record_needs(
    version: str, tmp_path: Path
) -> None:
    facts = measure_steps(campaign(ONE_RUN, f"dagster=[{version}]"), [1], tmp_path)
    assert facts.cell.detail["dagster_version"] == version
    assert facts.cell.detail["lock"]["name"] == f"dagster-{version}.txt"
    check_runs(facts)
    check_telemetry(facts)
    assert facts.cell.detail["unavailable"] == unavailable(version)
    _, queued = facts.samples.series("ping", "ping_queued")
    # What a version cannot tell is missing, and said to be; it is never a zero.
    assert bool(len(queued)) is not ("ping" in unavailable(version))


def test_through_the_queue_the_oldest_version_is_fed_by_its_daemon(tmp_path: Path) -> None:
    plan = campaign(
        ONE_RUN, f"dagster=[{NEWEST_OF_MINOR[0]}]", "feed=queued", "queue.dequeue_interval_s=1",
        "max_concurrent_runs=[3]",
    )  # fmt: skip
    facts = measure_steps(plan, [1], tmp_path)
    check_runs(facts)
    assert all(run.enqueued_s for run in facts.runs)


def test_a_wheel_of_ones_own_is_what_runs(tmp_path: Path) -> None:
    """A Dagster that calls itself `…+local`, around it what the release is locked with."""
    release = known_versions()[-1]
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    relabel(download(release, tmp_path), wheels, f"{release}+local")
    plan = campaign(ONE_RUN, "dagster=[mine]", f"builds={{mine: '{wheels}'}}")
    facts = measure_steps(plan, [1], tmp_path)
    assert facts.cell.dagster == "mine"
    assert facts.cell.detail["dagster_version"] == f"{release}+local"
    assert facts.cell.detail["wheels"] == [f"dagster-{release}+local-py3-none-any.whl"]
    check_runs(facts)
    check_telemetry(facts)


def check_runs(facts: CellFacts) -> None:
    """All runs ended well, with every phase known and in order."""
    assert facts.runs
    for run in facts.runs:
        assert (run.status, run.error) == ("SUCCESS", None)
        stamps = stamps_of(run)
        assert None not in stamps.values(), stamps
        assert list(stamps.values()) == sorted(stamps.values()), stamps
        assert run.work_cpu_s is not None


def stamps_of(run: Run) -> dict[str, float]:
    return {name: getattr(run, name) for name in ("sent_s", *PHASES)}


def check_telemetry(facts: CellFacts) -> None:
    """Each device told something that can only come from a server at work."""
    assert facts.cell.limits_enforced
    assert maximum(facts, "cgroup", "usage_bytes") > 50 << 20
    assert maximum(facts, "processes", "server_rss_bytes") > 50 << 20
    assert maximum(facts, "processes", "resident_runs") >= 1
    assert maximum(facts, "pool", "pool_max") == 3
    assert maximum(facts, "probe", "probe_s") > 0
    assert maximum(facts, "ping", "ping_s") > 0
    assert not [event for event in facts.events if event.kind == "probe_error"]


def download(release: str, folder: Path) -> Path:
    """The released wheel of `dagster`."""
    from harness.rig.target.package_tools import run_pip

    arguments = ["download", "--quiet", "--no-deps", "--dest", str(folder), f"dagster=={release}"]
    run_pip(arguments, what="A wheel to relabel", timeout_s=300)
    (wheel,) = folder.glob("dagster-*.whl")
    return wheel


def relabel(wheel: Path, folder: Path, version: str) -> None:
    """The same wheel under another version, in its metadata and in its code."""
    old = wheel.name.split("-")[1]
    info, new_info = f"dagster-{old}.dist-info", f"dagster-{version}.dist-info"
    with (
        zipfile.ZipFile(wheel) as source,
        zipfile.ZipFile(folder / f"dagster-{version}-py3-none-any.whl", "w") as target,
    ):
        for name in source.namelist():
            data = source.read(name)
            if name in (f"{info}/METADATA", "dagster/version.py"):
                data = data.replace(old.encode(), version.encode(), 1)
            if name == f"{info}/RECORD":
                lines = [line.split(b",")[0] + b",," for line in data.splitlines()]
                data = b"\n".join(lines).replace(info.encode(), new_info.encode())
            target.writestr(name.replace(info, new_info), data)
