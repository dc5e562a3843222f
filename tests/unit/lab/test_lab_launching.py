"""Containers that Dagster starts itself: found again, locked down, of the size asked for."""

from __future__ import annotations

import json

import pytest
from ruamel.yaml import YAML

from harness.rig.assets import asset
from harness.rig.lab.documents import HOME, SOCKET, filled, instance_document
from harness.rig.lab.launching import RUN_LABEL, STARTED_LABEL, docker_runs, sized
from harness.rig.lab.spec import LabSpec
from harness.rig.target.engine import LABEL

pytestmark = pytest.mark.unit

NAMES = {
    "project": "dlh-1",
    "network": "dlh-1_default",
    "home": "/results/home",
    "image": "dagster:1",
    "socket_group": "999",
}
CODE_SERVER = YAML(typ="safe").load((asset("compose") / "compose.yaml").read_text())["services"][
    "code-server"
]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("{network}", "dlh-1_default"),
        ("{project}_scratch:/scratch", "dlh-1_scratch:/scratch"),
        ({"a": ["{home}", 3, None, True]}, {"a": ["/results/home", 3, None, True]}),
        (("{image}",), ["dagster:1"]),
        ('{"docker": {"x": "{image}"}}', '{"docker": {"x": "dagster:1"}}'),
        ("${network-x} {unknown}", "${network-x} {unknown}"),
    ],
)
def test_what_only_a_started_lab_knows_is_put_in(given: object, expected: object) -> None:
    assert filled(given, NAMES) == expected


def test_a_run_gets_a_container_in_the_labs_network_that_the_lab_removes() -> None:
    spec = LabSpec(instance=docker_runs(memory_mib=512, cpu_cores=0.5))
    launcher = filled(instance_document({}, spec), NAMES)["run_launcher"]
    assert (launcher["module"], launcher["class"]) == ("dagster_docker", "DockerRunLauncher")
    config = launcher["config"]
    assert (config["network"], config["image"]) == ("dlh-1_default", "dagster:1")
    assert config["env_vars"] == ["DAGSTER_HOME", "DATABASE_URL"]
    labels = config["container_kwargs"]["labels"]
    assert labels == {"com.docker.compose.project": "dlh-1", LABEL: "1", STARTED_LABEL: "1"}
    assert RUN_LABEL not in labels, "Dagster writes it on runs, and steps must not have it"


def test_it_is_locked_down_as_a_code_server_is_and_sees_home_scratch_and_socket() -> None:
    launcher = filled(docker_runs(memory_mib=512, cpu_cores=0.5), NAMES)["run_launcher"]
    made = launcher["config"]["container_kwargs"]
    for name in ("cap_drop", "security_opt", "read_only", "init"):
        assert made[name] == CODE_SERVER[name]
    assert made["volumes"] == [
        f"/results/home:{HOME}:ro", "dlh-1_scratch:/scratch", f"{SOCKET}:{SOCKET}",
    ]  # fmt: skip
    assert made["group_add"] == ["999"]
    assert made["mem_limit"] == made["memswap_limit"] == "512m"
    assert made["nano_cpus"] == 500_000_000


def test_a_location_may_want_another_size_and_more_variables() -> None:
    (argument,) = sized(memory_mib=256, cpu_cores=1.0, environment={"A": "1"})
    name, _, text = argument.partition("=")
    docker = json.loads(text)["docker"]
    assert name == "--container-context"
    assert docker["env_vars"] == ["A=1"]
    assert docker["container_kwargs"]["mem_limit"] == "256m"
    assert "labels" not in docker["container_kwargs"], "it would take those of the instance away"
