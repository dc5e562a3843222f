"""A lab as files: what its containers are, what they read."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from harness.rig.assets import asset
from harness.rig.lab.documents import (
    HOME,
    SOCKET,
    Place,
    compose_document,
    instance_document,
    workspace_document,
)
from harness.rig.lab.spec import LabSpec, ServerSpec

pytestmark = pytest.mark.unit

PLACE = Place(home="/results/home", socket_group=999)
GIVEN = YAML(typ="safe").load((asset("compose") / "compose.yaml").read_text())
DIRECT = {"run_coordinator": {"class": "DefaultRunCoordinator"}, "telemetry": {"enabled": False}}


def services(spec: LabSpec) -> dict[str, Any]:
    return dict(compose_document(GIVEN, spec, PLACE)["services"])


def test_a_lab_has_a_server_a_location_and_what_feeds_it() -> None:
    made = services(LabSpec())
    assert set(made) == {"postgres", "upstream", "webserver", "server"}
    assert "--workspace=/opt/lab-home/workspace.yaml" in made["webserver"]["command"]


def test_servers_are_limited_and_locked_down_as_a_campaigns_are() -> None:
    (given,) = (s for name, s in services(LabSpec()).items() if name == "server")
    assert (given["cpus"], given["mem_limit"]) == (1.0, 2048 * 1024**2)
    assert given["memswap_limit"] == given["mem_limit"]
    for name in ("cap_drop", "security_opt", "read_only", "init", "labels"):
        assert given[name] == GIVEN["services"]["code-server"][name]


@pytest.mark.parametrize(("workers", "flags"), [(4, ["--max-workers=4"]), (None, [])])
def test_without_a_number_of_workers_dagster_chooses(workers: int | None, flags: list[str]) -> None:
    server = ServerSpec(max_workers=workers, arguments=("--fixed-server-id=x",))
    command = services(LabSpec(servers=(server,)))["server"]["command"]
    assert [part for part in command if part.startswith("--max-workers")] == flags
    assert command[-1] == "--fixed-server-id=x"


def test_a_server_may_be_started_by_another_command_with_the_same_arguments() -> None:
    code_server = ServerSpec(name="proxied", command=("dagster", "code-server", "start"))
    made = services(LabSpec(servers=(ServerSpec(name="api"), code_server)))
    assert made["api"]["command"][:3] == ["dagster", "api", "grpc"]
    assert made["proxied"]["command"][:3] == ["dagster", "code-server", "start"]
    arguments = made["proxied"]["command"][3:]
    assert arguments == [part.replace("=api", "=proxied") for part in made["api"]["command"][3:]]


def test_the_daemon_runs_only_where_it_is_asked_for() -> None:
    assert "daemon" not in services(LabSpec())
    daemon = services(LabSpec(daemon=True, environment={"A": "pa$$word"}))["daemon"]
    assert daemon["environment"]["A"] == "pa$$$$word", "Compose would put a variable in"
    assert "profiles" not in daemon


def test_only_a_lab_that_asks_for_it_has_the_engines_socket() -> None:
    def sees_socket(spec: LabSpec) -> set[str]:
        return {
            name
            for name, service in services(spec).items()
            if any(str(v).startswith(SOCKET) for v in service.get("volumes", ()))
        }

    assert sees_socket(LabSpec(daemon=True)) == set()
    with_it = LabSpec(daemon=True, docker_socket=True)
    assert sees_socket(with_it) == {"webserver", "daemon", "server"}
    assert services(with_it)["server"]["group_add"] == ["999"]


def test_every_dagster_service_reads_the_labs_home() -> None:
    for name in ("webserver", "server"):
        service = services(LabSpec())[name]
        assert service["environment"]["DAGSTER_HOME"] == HOME
        assert f"/results/home:{HOME}:ro" in service["volumes"]


def test_making_a_lab_leaves_what_it_is_made_of_as_it_was() -> None:
    before = str(GIVEN)
    services(LabSpec(servers=(ServerSpec(name="a"), ServerSpec(name="b")), docker_socket=True))
    assert str(GIVEN) == before


def test_the_instance_is_the_usual_one_but_for_what_the_spec_says() -> None:
    spec = LabSpec(instance={"run_coordinator": {"class": "QueuedRunCoordinator"}})
    assert instance_document(DIRECT, spec) == {
        "run_coordinator": {"class": "QueuedRunCoordinator"}, "telemetry": {"enabled": False},
    }  # fmt: skip
    without = LabSpec(instance={"telemetry": None, "run_monitoring": {"enabled": True}})
    assert set(instance_document(DIRECT, without)) == {"run_coordinator", "run_monitoring"}


def test_the_workspace_names_servers_by_their_dns_names_and_modules_as_the_spec_does() -> None:
    spec = LabSpec(servers=(ServerSpec(name="a"),), modules={"b": "workloads.io.definitions"})
    first, second = workspace_document(spec)["load_from"]
    assert first == {"grpc_server": {"host": "a", "port": 4000, "location_name": "a"}}
    told = second["python_module"]
    assert (told["location_name"], told["module_name"]) == ("b", "workloads.io.definitions")
    assert spec.locations == ("a", "b")


def test_replicas_can_be_locations_of_their_own_too() -> None:
    server = ServerSpec(name="a", replicas=2, replicas_named=True)
    told = workspace_document(LabSpec(servers=(server,)), "dlh-x")["load_from"]
    hosts = {each["grpc_server"]["location_name"]: each["grpc_server"]["host"] for each in told}
    assert hosts == {"a": "a", "a-1": "dlh-x-a-1", "a-2": "dlh-x-a-2"}
