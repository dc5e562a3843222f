"""The process target with a real Dagster: about half a minute, more when the environment is new."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from harness.campaign.plan import CellPlan, Feed, Workload
from harness.campaign.profiles import Profile
from harness.errors import TargetFailed
from harness.facts.model import Limits
from harness.rig.cgroup.create import available, list_boxes
from harness.rig.code_server_rpc import CodeServerClient
from harness.rig.ledger import Ledger
from harness.rig.protocols import Endpoints
from harness.rig.target.process import ProcessTarget

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(available()), reason=f"no cgroup can be made: {available()}"),
]

LIMITS = Limits(cpu_cores=0.5, memory_bytes=1 << 30, pids=4096, swap_bytes=0)
LOCATION_QUERY = "{workspaceOrError {... on Workspace {locationEntries {name locationOrLoadError \
{__typename ... on PythonError {message}}}}}}"


def target(folder: Path, *, limits: Limits = LIMITS, feed: Feed = "direct") -> ProcessTarget:
    workload = Workload(name="io", params={"requests": 1, "wait_s": 0.2})
    cell = CellPlan(
        profile=Profile(name="half", vcpu=0.5, memory_mib=1024),
        workload=workload,
        dagster="1.13.27",
        max_workers=4,
        replicas=1,
        feed=feed,
    )
    return ProcessTarget(
        cell, folder / "cell", limits=limits, ledger=Ledger(folder / "ledger.jsonl")
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder after whose test nothing may be left: no process, box, entry or data."""
    boxes = {box.name for box in list_boxes()}
    yield tmp_path
    left = [p for p in psutil.process_iter(["cmdline"]) if belongs(p, tmp_path)]
    assert left == []
    assert {box.name for box in list_boxes()} - boxes == set()
    assert Ledger(tmp_path / "ledger.jsonl").entries() == ()
    assert {path.name for path in (tmp_path / "cell").iterdir()} == {"logs"}


def belongs(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get("HOME", "").startswith(str(folder)) or any(
            str(folder) in part for part in process.cmdline() if "pytest" not in part
        )
    except psutil.Error:
        return False


def graphql(endpoints: Endpoints, query: str, variables: Any = None) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{endpoints.webserver_url}/graphql", body, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        loaded: dict[str, Any] = json.load(answer)
    return loaded["data"]  # type: ignore[no-any-return]


def server_id(endpoints: Endpoints) -> str:
    client = CodeServerClient(endpoints.replicas[0].grpc_address)
    try:
        return client.server_id(10)
    finally:
        client.close()


def run_to_its_end(endpoints: Endpoints, timeout_s: float = 90) -> str:
    mutation = """mutation($p: ExecutionParams!) {launchRun(executionParams: $p)
        {__typename ... on LaunchRunSuccess {run {runId}} ... on PythonError {message}}}"""
    selector = {
        "repositoryLocationName": endpoints.location,
        "repositoryName": "__repository__",
        "jobName": "load",
    }
    params = {"selector": selector, "runConfigData": {}}
    launched = graphql(endpoints, mutation, {"p": params})["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    assert endpoints.database_dsn is not None
    deadline_s = time.monotonic() + timeout_s
    status = ""
    with psycopg.connect(endpoints.database_dsn, autocommit=True) as database:
        while status not in ("SUCCESS", "FAILURE") and time.monotonic() < deadline_s:
            time.sleep(0.5)
            query = "select status from runs where run_id = %s"
            (status,) = database.execute(query, [launched["run"]["runId"]]).fetchone() or ("",)
    return status


def test_it_serves_under_the_limits_runs_a_run_survives_a_death_and_leaves_nothing(
    folder: Path,
) -> None:
    hosted = target(folder)
    try:
        began_s = time.monotonic()
        endpoints = hosted.start()
        print(f"started in {time.monotonic() - began_s:.1f} s")

        enforced = hosted.effective_limits()
        assert enforced is not None
        assert enforced.cpu_cores == pytest.approx(0.5)
        assert enforced.memory_bytes == 1 << 30
        assert hosted.describe()["limits"] == "enforced"

        first = server_id(endpoints)
        entries = graphql(endpoints, LOCATION_QUERY)["workspaceOrError"]["locationEntries"]
        loaded = {"__typename": "RepositoryLocation"}
        assert entries == [{"name": endpoints.location, "locationOrLoadError": loaded}]
        assert run_to_its_end(endpoints) == "SUCCESS"
        pool_path = endpoints.replicas[0].pool_path
        assert pool_path is not None
        assert pool_path.stat().st_size > 0
        assert hosted.deaths() == ()

        assert endpoints.replicas[0].pid is not None
        os.kill(endpoints.replicas[0].pid, signal.SIGKILL)
        while not (deaths := hosted.deaths()):
            time.sleep(0.05)
        assert (deaths[0].exit_code, deaths[0].oom) == (137, False)
        endpoints = hosted.restart()
        assert hosted.deaths() == ()
        assert server_id(endpoints) != first
    finally:
        began_s = time.monotonic()
        hosted.stop()
        took_s = time.monotonic() - began_s
    print(f"stopped in {took_s:.1f} s")
    assert took_s < 8
    hosted.stop()
    logs = {path.name for path in (folder / "cell" / "logs").iterdir()}
    assert {"code-server.log", "webserver.log", "postgres.log", "upstream.log"} <= logs


def test_the_queued_feed_runs_through_the_daemon(folder: Path) -> None:
    hosted = target(folder, feed="queued")
    try:
        endpoints = hosted.start()
        assert "daemon" in {watched.name for watched in endpoints.support}
        assert run_to_its_end(endpoints) == "SUCCESS"
    finally:
        hosted.stop()


def test_a_server_that_cannot_fit_says_so_at_once_and_leaves_nothing(folder: Path) -> None:
    hosted = target(folder, limits=Limits(cpu_cores=1, memory_bytes=48 << 20, swap_bytes=0))
    with pytest.raises(TargetFailed, match=r"exited with 137 \(OOM-killed\)") as caught:
        hosted.start()
    assert "now 48 MiB" in caught.value.hint
