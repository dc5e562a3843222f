from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness.campaign.plan import CellPlan, Sensors, Workload
from harness.campaign.profiles import Profile
from harness.errors import CampaignError
from harness.facts.model import Limits
from harness.rig.ledger import Ledger
from harness.rig.target.dagster_home import (
    dagster_environment,
    server_command,
    workload_environment,
    write_home,
    write_workspace,
)
from harness.rig.target.process import ProcessTarget

pytestmark = pytest.mark.unit


HEAVY = Workload(
    name="heavy-import", params={"wait_s": 0.5}, environment={"WORKLOAD_SENSORS": "2"}, steps=3
)


def cell(replicas: int = 1, workload: Workload = HEAVY) -> CellPlan:
    return CellPlan(
        profile=Profile(name="small", vcpu=1, memory_mib=1024),
        workload=workload,
        dagster="1.13.27",
        max_workers=7,
        replicas=replicas,
        feed="direct",
    )


def written(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(path)
    return loaded


@pytest.mark.parametrize(
    ("name", "coordinator"),
    [
        ("direct", "DefaultRunCoordinator"),
        ("queued", "QueuedRunCoordinator"),
        ("queued-threads", "QueuedRunCoordinator"),
    ],
)
def test_each_instance_names_its_coordinator_and_keeps_its_secrets_out_of_the_file(
    tmp_path: Path, name: str, coordinator: str
) -> None:
    write_home(tmp_path, instance=name, scratch=tmp_path / "scratch")
    instance = written(tmp_path / "dagster.yaml")
    assert instance["run_coordinator"]["class"] == coordinator
    assert instance["storage"]["postgres"]["postgres_url"] == {"env": "DATABASE_URL"}
    assert instance["telemetry"] == {"enabled": False}


def test_what_a_container_writes_below_its_scratch_goes_below_ours(tmp_path: Path) -> None:
    scratch = tmp_path / "a b: c"
    write_home(tmp_path, instance="direct", scratch=scratch)
    instance = written(tmp_path / "dagster.yaml")
    assert instance["compute_logs"]["config"]["base_dir"] == str(scratch / "compute_logs")
    assert instance["local_artifact_storage"]["config"]["base_dir"] == str(scratch)


def test_the_workspace_points_at_our_port_under_the_shared_location_name(tmp_path: Path) -> None:
    file, location = write_workspace(tmp_path, port=4711)
    (entry,) = written(file)["load_from"]
    assert entry["grpc_server"] == {"host": "127.0.0.1", "port": 4711, "location_name": location}
    assert location == "under-test"


def test_nothing_of_the_users_shell_reaches_dagster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("DAGSTER_GRPC_MAX_WORKERS", "99")
    environment = dagster_environment(
        tmp_path,
        python=Path("/env/bin/python"),
        scratch=tmp_path,
        database_url="postgresql+psycopg2://x",
    )
    assert not {"http_proxy", "PYTHONPATH", "DAGSTER_GRPC_MAX_WORKERS"} & environment.keys()


def test_the_workload_gets_its_settings_and_its_own_environment(tmp_path: Path) -> None:
    environment = workload_environment(
        cell(), scratch=tmp_path, upstream_url="http://127.0.0.1:1", pool_path=tmp_path / "p"
    )
    assert environment["WORKLOAD_STEPS"] == "3"
    assert environment["WORKLOAD_EXECUTOR"] == "in_process"
    assert environment["WORKLOAD_SENSORS"] == "2"
    assert environment["POOL_PROBE"] == str(tmp_path / "p")


def test_the_server_of_a_blend_is_told_its_parts_and_sensors(tmp_path: Path) -> None:
    blended = Workload(name="io", sensors=Sensors(count=3, mode="burn"))
    environment = workload_environment(
        cell(workload=blended), scratch=tmp_path, upstream_url="", pool_path=None
    )
    assert environment["WORKLOAD_BLEND"] == "io"
    assert environment["WORKLOAD_SENSORS"] == "3"
    assert environment["WORKLOAD_SENSOR_MODE"] == "burn"
    assert environment["WORKLOAD_SENSORS_RUNNING"] == "1"


def test_a_probe_switched_off_leaves_the_server_untouched(tmp_path: Path) -> None:
    environment = workload_environment(
        cell(), scratch=tmp_path, upstream_url="http://127.0.0.1:1", pool_path=None
    )
    assert not {"PYTHONPATH", "POOL_PROBE"} & environment.keys()


def test_the_server_command_pins_the_workers() -> None:
    command = server_command(Path("/env/bin/python"), cell(), port=4000)
    assert command[command.index("--max-workers") + 1] == "7"
    module = command[command.index("--module-name") + 1]
    assert module == "workloads.heavy_import.definitions"
    assert ("api", "grpc") in pairwise(command)


def test_more_than_one_replica_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="not 2"):
        ProcessTarget(
            cell(replicas=2),
            tmp_path / "cell",
            limits=Limits(cpu_cores=1, memory_bytes=1 << 30),
            ledger=Ledger(tmp_path / "ledger.jsonl"),
        )
    assert not (tmp_path / "cell").exists()
