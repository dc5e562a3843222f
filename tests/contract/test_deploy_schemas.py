"""Every emitted file against the schema of the program that reads it.

The programs are the real ones: Dagster, its cloud command and agent, botocore's model of the ECS
API, the Kubernetes client. Each reader also gets a file it must refuse, so that it is known to
look. What nothing installed can check: Dagster+ keeps the schema of its deployment settings to
itself, and the Helm chart's is in no package.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import kubernetes.client
import pytest
import yaml
from botocore.validate import ParamValidator
from click import Command
from dagster import DagsterInstance
from dagster._check import CheckError
from dagster._cli.api import grpc_command
from dagster._config import Shape, validate_config
from dagster._core.errors import DagsterInvalidConfigError
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.multiprocess import MultiprocessExecutor
from dagster._core.instance.config import dagster_instance_config, get_concurrency_config
from dagster._core.launcher import DefaultRunLauncher
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster_aws.ecs.container_context import EcsContainerContext
from dagster_cloud.util import NON_ISOLATED_RUN_TAG_PAIR
from dagster_cloud.workspace.config_schema import (
    process_workspace_config,
    validate_workspace_location,
)
from dagster_cloud_cli.config.loader import DagsterCloudLocationsConfigLoader
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.models import k8s_model_from_dict
from kubernetes.utils import parse_quantity
from pydantic import ValidationError

from harness.analysis.sizing.types import Shipping
from harness.campaign.profiles import FARGATE
from harness.facts.dagster_versions import STEPS_VARIABLE, workers_variable
from harness.report.deploy.documents import Document, documents
from harness.report.deploy.wording import ISOLATION_TAG

pytestmark = pytest.mark.contract

FULL = Shipping(
    dagster="1.13.27",
    location="my-location",
    image="my-image:latest",
    vcpu=1.0,
    memory_mib=2048,
    replicas=2,
    max_workers=5,
    max_concurrent_runs=6,
    steps_at_once=2,
)
BARE = replace(FULL, replicas=1, max_workers=None, steps_at_once=None)
OLD = replace(FULL, dagster="1.9.13")
HOSTILE = replace(
    FULL,
    location='yes: "it\'s" # {{ cycler }} {% raw %} {# gone #}\n007',
    image="0123: {{ image }}'\"",
)
SHIPPINGS = pytest.mark.parametrize(
    "shipping", [FULL, BARE, OLD, HOSTILE], ids=["full", "bare", "old", "hostile"]
)

GUIDES_LOCATION = """
locations:
  - location_name: my-code-location
    image: my-image:latest
    code_source:
      package_name: my_package
    container_context:
      ecs:
        server_resources:
          cpu: 2048
          memory: 8192
"""
"""The sizing guide's own file, numbers without quotes."""


def document(shipping: Shipping, name: str) -> Document:
    return {each.name: each for each in documents(shipping, ("Measured.",))}[name]


def values(shipping: Shipping, name: str) -> Any:
    """As the reader's own parser has it: PyYAML, which is YAML 1.1."""
    return yaml.safe_load(document(shipping, name).text)


# --- dagster_cloud.yaml, container_context.yaml: the cloud command and the agent


def cloud_locations(text: str, folder: Path) -> list[dict[str, Any]]:
    """Locations as the cloud command reads, renders and sends them.

    Raises:
        ValidationError: the command refuses the file.
        CheckError: the agent's side refuses a location.
    """
    path = folder / "dagster_cloud.yaml"
    path.write_text(text, encoding="utf-8")
    found = DagsterCloudLocationsConfigLoader.load_from_template(str(path), {})
    sent = found.model_dump(exclude_none=True)
    locations: list[dict[str, Any]] = process_workspace_config(sent)["locations"]
    return locations


def location_with(context: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest location around a `container_context.yaml`."""
    source = {"package_name": "my_package"}
    return {"location_name": "l", "code_source": source, "container_context": context}


@SHIPPINGS
def test_the_cloud_command_and_the_ecs_agent_take_the_location(
    shipping: Shipping, tmp_path: Path
) -> None:
    text = document(shipping, "dagster_cloud.yaml").text
    (location,) = cloud_locations(text, tmp_path)
    assert (location["location_name"], location["image"]) == (shipping.location, shipping.image)
    context = EcsContainerContext.create_from_config(location["container_context"])
    assert context.server_resources == {
        "cpu": "1024",
        "memory": "2048",
        "replica_count": shipping.replicas,
    }
    said = (
        {} if shipping == BARE else {workers_variable(shipping.dagster): "5", STEPS_VARIABLE: "2"}
    )
    assert context.get_environment_dict() == said


def test_unrendered_the_location_reads_the_same(tmp_path: Path) -> None:
    text = document(HOSTILE, "dagster_cloud.yaml").text
    assert yaml.safe_load(text)["locations"] == cloud_locations(text, tmp_path)


def test_the_guides_own_location_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="cpu"):
        cloud_locations(GUIDES_LOCATION, tmp_path)
    context = yaml.safe_load(GUIDES_LOCATION)["locations"][0]["container_context"]
    with pytest.raises(DagsterInvalidConfigError, match="cpu"):
        EcsContainerContext.create_from_config(context)
    assert validate_workspace_location(location_with(context))


def test_a_location_with_a_key_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        cloud_locations("locations: [{location_name: a, memory: '1'}]", tmp_path)


@SHIPPINGS
def test_the_ecs_agent_takes_the_context_alone(shipping: Shipping) -> None:
    context = values(shipping, "container_context.yaml")
    assert not validate_workspace_location(location_with(context))
    alone = EcsContainerContext.create_from_config(context)
    whole = values(shipping, "dagster_cloud.yaml")["locations"][0]["container_context"]
    assert alone == EcsContainerContext.create_from_config(whole)


@SHIPPINGS
def test_the_kubernetes_agent_takes_its_context(shipping: Shipping) -> None:
    context = values(shipping, "container_context.k8s.yaml")
    assert not validate_workspace_location(location_with(context))
    server = K8sContainerContext.create_from_config(context)
    assert (server.server_replica_count or 1) == shipping.replicas
    container = kubernetes_container(dict(server.server_k8s_config.container_config))
    assert container.resources.limits == container.resources.requests
    assert quantities(container.resources.limits) == (1, 2048 * 1024**2)
    said = {each.name: each.value for each in container.env or []}
    assert said.get(STEPS_VARIABLE) == (None if shipping == BARE else "2")
    assert said.get(workers_variable(shipping.dagster)) == (None if shipping == BARE else "5")


@pytest.mark.parametrize(
    "context",
    [
        {"k8s": {"server_replica_count": "two"}},
        {"k8s": {"server_k8s_config": {"container": {}}}},
        {"k8s": {"replica_count": 2}},
    ],
)
def test_a_wrong_kubernetes_context_is_refused(context: Mapping[str, Any]) -> None:
    assert validate_workspace_location(location_with(context))
    with pytest.raises(DagsterInvalidConfigError):
        K8sContainerContext.create_from_config(context)


def test_the_tag_is_the_agents_own() -> None:
    assert ISOLATION_TAG == NON_ISOLATED_RUN_TAG_PAIR


# --- deployment settings of Dagster+: what they share with open-source Dagster


def concurrency_problems(settings: Mapping[str, Any]) -> object:
    schema = Shape({"concurrency": get_concurrency_config()})
    return validate_config(schema, {"concurrency": settings["concurrency"]}).errors


def test_the_concurrency_of_a_deployment_is_what_dagster_calls_so() -> None:
    settings = values(FULL, "deployment_settings.yaml")
    assert not concurrency_problems(settings)
    assert concurrency_problems({"concurrency": {"runs": {"max_runs": 6}}})
    assert set(settings) == {"concurrency", "non_isolated_runs"}


# --- dagster.yaml: the instance


def instance_of(text: str, folder: Path) -> DagsterInstance:
    """An instance from a `dagster.yaml`, checked as Dagster checks it.

    Raises:
        DagsterInvalidConfigError: Dagster refuses the file.
    """
    (folder / "dagster.yaml").write_text(text, encoding="utf-8")
    dagster_instance_config(str(folder))
    return DagsterInstance.from_config(str(folder))


@pytest.mark.parametrize("shipping", [FULL, OLD, HOSTILE], ids=["new", "old", "hostile"])
def test_dagster_queues_runs_up_to_the_limit(shipping: Shipping, tmp_path: Path) -> None:
    with instance_of(document(shipping, "dagster.yaml").text, tmp_path) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
        assert isinstance(instance.run_launcher, DefaultRunLauncher)
    assert queue is not None
    assert queue.max_concurrent_runs == 6


@pytest.mark.parametrize(
    "text",
    [
        "run_queue: {max_concurrent_runs: '6'}",
        "concurrency: {runs: {max_concurrent: 6}}",
        "run_queue: {max_concurrent_runs: 6}\nconcurrency: {runs: {max_concurrent_runs: 6}}",
        "run_queue: {max_concurrent_runs: 6}\nrun_coordinator: {module: a, class: B}",
    ],
)
def test_a_wrong_queue_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(DagsterInvalidConfigError):
        instance_of(text, tmp_path)


# --- task-definition.json: the ECS API, and the command it starts


def ecs_problems(params: Mapping[str, Any]) -> str:
    """What botocore would say before sending them to `RegisterTaskDefinition`."""
    model = botocore.session.get_session().get_service_model("ecs")
    shape = model.operation_model("RegisterTaskDefinition").input_shape
    report: str = ParamValidator().validate(params, shape).generate_report()
    return report


@SHIPPINGS
def test_ecs_takes_the_task_definition(shipping: Shipping) -> None:
    definition = json.loads(document(shipping, "task-definition.json").text)
    assert ecs_problems(definition) == ""
    pair = (int(definition["cpu"]) / 1024, int(definition["memory"]))
    assert pair in {(size.vcpu, size.memory_mib) for size in FARGATE.values()}


@pytest.mark.parametrize("wrong", [{"cpu": 1024}, {"memory": 2048}, {"vcpu": "1"}])
def test_a_wrong_task_definition_is_refused(wrong: Mapping[str, Any]) -> None:
    definition = json.loads(document(FULL, "task-definition.json").text)
    assert next(iter(wrong)) in ecs_problems({**definition, **wrong})


def options(command: list[str]) -> dict[str, Any]:
    """What `dagster api grpc` makes of its command line.

    Raises:
        click.UsageError: there is no such option.
    """
    assert command[:3] == ["dagster", "api", "grpc"]
    assert isinstance(grpc_command, Command)
    return grpc_command.make_context("grpc", command[3:]).params


@SHIPPINGS
def test_the_server_understands_its_command_line(shipping: Shipping) -> None:
    definition = json.loads(document(shipping, "task-definition.json").text)
    command = definition["containerDefinitions"][0]["command"]
    said = options(command)
    assert said["location_name"] == shipping.location
    assert said["max_workers"] == shipping.max_workers
    assert said["fixed_server_id"] == (shipping.image if shipping.replicas > 1 else None)
    port = definition["containerDefinitions"][0]["portMappings"][0]["containerPort"]
    assert (said["host"], said["port"]) == ("0.0.0.0", port)


def test_the_variables_are_those_dagster_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    (workers,) = [each for each in grpc_command.params if each.name == "max_workers"]
    assert workers.envvar == workers_variable("1.13.27")
    monkeypatch.setenv(STEPS_VARIABLE, "3")
    executor = MultiprocessExecutor(retries=RetryMode.DISABLED, max_concurrent=None)
    assert executor._max_concurrent == 3


# --- values.yaml: what the chart hands to Kubernetes and to Dagster


def kubernetes_container(config: dict[str, Any]) -> Any:
    """A container as the Kubernetes client has it.

    Raises:
        Exception: a key that Kubernetes does not know.
    """
    return k8s_model_from_dict(kubernetes.client.V1Container, {"name": "c", **config})


def quantities(resources: Mapping[str, str]) -> tuple[float, float]:
    """CPUs and bytes as Kubernetes counts them.

    Raises:
        ValueError: no quantity.
    """
    assert all(isinstance(amount, str) for amount in resources.values())
    cpu, memory = parse_quantity(resources["cpu"]), parse_quantity(resources["memory"])
    return float(cpu), float(memory)


@SHIPPINGS
def test_kubernetes_takes_what_the_chart_gives_the_server(shipping: Shipping) -> None:
    (server,) = values(shipping, "values.yaml")["dagster-user-deployments"]["deployments"]
    container = kubernetes_container(
        {
            "image": f"{server['image']['repository']}:{server['image']['tag']}",
            "image_pull_policy": server["image"]["pullPolicy"],
            "args": server["dagsterApiGrpcArgs"],
            "env": server.get("env", []),
            "resources": server["resources"],
        }
    )
    assert container.image == shipping.image
    assert quantities(container.resources.limits) == (1, 2048 * 1024**2)
    assert container.resources.limits == container.resources.requests
    assert server.get("replicaCount", 1) == shipping.replicas
    start = ["dagster", "api", "grpc", "-h", "0.0.0.0", "-p", str(server["port"])]
    assert options([*start, *server["dagsterApiGrpcArgs"]])["max_workers"] == shipping.max_workers


@SHIPPINGS
def test_dagster_takes_what_the_chart_writes_for_it(shipping: Shipping, tmp_path: Path) -> None:
    chart = values(shipping, "values.yaml")
    coordinator = chart["dagsterDaemon"]["runCoordinator"]
    limit = coordinator["config"]["queuedRunCoordinator"]["maxConcurrentRuns"]
    written = {
        "run_launcher": chart["runLauncher"]["config"]["customRunLauncher"],
        "run_coordinator": {
            "module": "dagster._core.run_coordinator",
            "class": coordinator["type"],
            "config": {"max_concurrent_runs": limit},
        },
    }
    with instance_of(yaml.safe_dump(written), tmp_path) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert isinstance(instance.run_launcher, DefaultRunLauncher)
    assert queue is not None
    assert queue.max_concurrent_runs == 6


@pytest.mark.parametrize(
    "wrong", [{"resources": {"limit": {"cpu": "1"}}}, {"environment": []}], ids=str
)
def test_a_container_kubernetes_does_not_know_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="Unexpected keys"):
        kubernetes_container(wrong)


@pytest.mark.parametrize("cpu", ["1 vCPU", "one"])
def test_a_size_that_is_no_quantity_is_refused(cpu: str) -> None:
    with pytest.raises(ValueError, match=r"1 vCPU|one"):
        quantities({"cpu": cpu, "memory": "2048Mi"})
