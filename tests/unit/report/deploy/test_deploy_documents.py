from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness.analysis.sizing.types import Shipping
from harness.report.deploy.documents import Document, documents
from harness.report.deploy.wording import dns_label, kubernetes_cpu

pytestmark = pytest.mark.unit

ONE = Shipping(
    dagster="1.13.27",
    location="my-location",
    image="my-image:latest",
    vcpu=1.0,
    memory_mib=2048,
    replicas=1,
    max_workers=5,
    max_concurrent_runs=6,
)
TWO = replace(ONE, replicas=2)
HOSTILE = (
    'say "hi": # not a comment',
    "it's",
    "yes",
    "007",
    "1.0",
    "null",
    "two\nlines",
    "- [a, {b: c}] & *d !e %f @g `h",
    "{{ jinja }} {% raw %} {# gone #} {{{",
    "back\\slash \\{{ x }}",
    " outer spaces ",
    "é 😀 \u2028 \u0085 \x1b",
)


def emitted(shipping: Shipping, *because: str) -> Mapping[str, Document]:
    return {document.name: document for document in documents(shipping, because)}


def read(document: Document) -> Any:
    if document.language == "json":
        return json.loads(document.text)
    return YAML(typ="safe").load(document.text)


def values(shipping: Shipping, name: str) -> Any:
    return read(emitted(shipping)[name])


def ecs(shipping: Shipping) -> Any:
    return values(shipping, "dagster_cloud.yaml")["locations"][0]["container_context"]["ecs"]


def helm(shipping: Shipping) -> Any:
    return values(shipping, "values.yaml")["dagster-user-deployments"]["deployments"][0]


def container(shipping: Shipping) -> Any:
    return values(shipping, "task-definition.json")["containerDefinitions"][0]


def notes(shipping: Shipping, name: str) -> str:
    return "\n".join(emitted(shipping)[name].notes)


def test_every_file_has_a_name_of_its_own_and_ends_its_last_line() -> None:
    files = documents(TWO)
    assert len({file.name for file in files}) == len(files) == 7
    assert all(file.text.endswith("\n") and not file.text.endswith("\n\n") for file in files)
    assert all(file.title and file.notes for file in files)


def test_the_same_settings_give_the_same_files() -> None:
    assert documents(TWO, ("a reason",)) == documents(TWO, ("a reason",))


def test_reasons_stand_above_the_settings_or_among_the_notes() -> None:
    for file in documents(ONE, ("holds 4 runs,\nmeasured",)):
        said = "\n".join(file.notes) if file.language == "json" else file.text
        squeezed = said.replace("\n", " ")
        assert "holds 4 runs, measured" in squeezed
        assert "1 vCPU / 2 GiB" in squeezed


@pytest.mark.parametrize("name", HOSTILE)
def test_any_location_and_image_come_back_as_they_were(name: str) -> None:
    shipping = replace(TWO, location=name, image=f"{name}:1")
    location = values(shipping, "dagster_cloud.yaml")["locations"][0]
    assert (location["location_name"], location["image"]) == (name, f"{name}:1")
    definition = container(shipping)
    command = definition["command"]
    assert command[command.index("--location-name") + 1] == name
    assert definition["image"] == f"{name}:1"
    image = helm(shipping)["image"]
    assert f"{image['repository']}:{image['tag']}" == f"{name}:1"


def test_sizes_are_strings_in_the_units_of_ecs() -> None:
    half = replace(ONE, vcpu=0.5, memory_mib=1024)
    assert ecs(half)["server_resources"] == {"cpu": "512", "memory": "1024", "replica_count": 1}
    definition = values(half, "task-definition.json")
    assert (definition["cpu"], definition["memory"]) == ("512", "1024")


@pytest.mark.parametrize(
    ("vcpu", "text"), [(0.25, "250m"), (1.0, "1"), (1.5, "1500m"), (16.0, "16")]
)
def test_kubernetes_counts_cpu_in_thousandths(vcpu: float, text: str) -> None:
    assert kubernetes_cpu(replace(ONE, vcpu=vcpu)) == text


def test_kubernetes_gets_what_was_measured_as_request_and_limit() -> None:
    context = values(ONE, "container_context.k8s.yaml")["k8s"]["server_k8s_config"]
    for resources in (helm(ONE)["resources"], context["container_config"]["resources"]):
        assert resources["requests"] == resources["limits"] == {"cpu": "1", "memory": "2048Mi"}


def test_one_replica_asks_for_none_of_what_replicas_need() -> None:
    assert "replicaCount" not in helm(ONE)
    assert "server_replica_count" not in values(ONE, "container_context.k8s.yaml")["k8s"]
    assert "--fixed-server-id" not in container(ONE)["command"]
    assert not any("replica" in note.lower() for file in documents(ONE) for note in file.notes)


def test_two_replicas_share_an_identity_and_say_what_they_cost() -> None:
    assert helm(TWO)["replicaCount"] == 2
    assert values(TWO, "container_context.k8s.yaml")["k8s"]["server_replica_count"] == 2
    assert ecs(TWO)["server_resources"]["replica_count"] == 2
    assert container(TWO)["command"][-2:] == ["--fixed-server-id", "my-image:latest"]
    for name in emitted(TWO):
        assert "at random" in notes(TWO, name)
        assert "about 1 in 2" in notes(TWO, name)
    assert "fixed-server-id" in notes(TWO, "task-definition.json")


def test_workers_go_by_variable_to_dagster_plus_and_by_option_elsewhere() -> None:
    assert ecs(ONE)["env_vars"] == ["DAGSTER_GRPC_MAX_WORKERS=5"]
    assert container(ONE)["command"][-2:] == ["--max-workers", "5"]
    assert helm(ONE)["dagsterApiGrpcArgs"][-2:] == ["--max-workers", "5"]
    assert "overrides the location's" in notes(ONE, "dagster_cloud.yaml")


def test_an_old_dagster_gets_the_variable_it_reads() -> None:
    old = replace(ONE, dagster="1.5.14")
    assert ecs(old)["env_vars"] == ["DAGSTER_CLI_API_GRPC_MAX_WORKERS=5"]


def test_unknown_workers_are_left_to_dagster_with_a_word() -> None:
    unset = replace(ONE, max_workers=None)
    assert "env_vars" not in ecs(unset)
    assert "env" not in values(unset, "container_context.k8s.yaml")["k8s"]["server_k8s_config"]
    assert "--max-workers" not in container(unset)["command"]
    assert "--max-workers" not in helm(unset)["dagsterApiGrpcArgs"]
    for name in ("dagster_cloud.yaml", "task-definition.json", "values.yaml"):
        assert "min(32, CPUs it sees + 4)" in notes(unset, name)


def test_steps_at_once_reach_the_runs_through_the_servers_environment() -> None:
    steps = replace(ONE, steps_at_once=2)
    variable = {"name": "DAGSTER_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT", "value": "2"}
    assert ecs(steps)["env_vars"][-1] == "DAGSTER_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT=2"
    assert container(steps)["environment"] == [variable]
    assert helm(steps)["env"] == [variable]
    assert "environment" not in container(ONE)
    assert "env" not in helm(ONE)


@pytest.mark.parametrize(
    ("dagster", "settings"),
    [
        ("1.9.13", {"run_queue": {"max_concurrent_runs": 6}}),
        (
            "1.10.0",
            {
                "concurrency": {"runs": {"max_concurrent_runs": 6}},
                "run_coordinator": {
                    "module": "dagster._core.run_coordinator",
                    "class": "QueuedRunCoordinator",
                },
            },
        ),
    ],
)
def test_the_queue_is_written_in_the_words_of_the_version(
    dagster: str, settings: Mapping[str, Any]
) -> None:
    assert values(replace(ONE, dagster=dagster), "dagster.yaml") == settings


def test_dagster_plus_gets_the_second_limit_that_is_one_by_default() -> None:
    settings = values(ONE, "deployment_settings.yaml")
    assert settings["concurrency"] == {"runs": {"max_concurrent_runs": 6}}
    assert settings["non_isolated_runs"] == {
        "enabled": True,
        "max_concurrent_non_isolated_runs": 6,
    }
    assert '"dagster/isolation": "disabled"' in emitted(ONE)["deployment_settings.yaml"].text


def test_a_size_fargate_does_not_offer_goes_to_ec2_and_says_so() -> None:
    odd = replace(ONE, vcpu=1.5, memory_mib=3000)
    assert values(ONE, "task-definition.json")["requiresCompatibilities"] == ["FARGATE"]
    assert values(odd, "task-definition.json")["requiresCompatibilities"] == ["EC2"]
    for name in ("dagster_cloud.yaml", "task-definition.json"):
        assert "Fargate does not offer 1.5 vCPU" in notes(odd, name)
        assert "does not offer" not in notes(ONE, name)


def test_helm_keeps_runs_inside_the_server_and_queues_them() -> None:
    chart = values(ONE, "values.yaml")
    assert chart["runLauncher"]["config"]["customRunLauncher"]["class"] == "DefaultRunLauncher"
    coordinator = chart["dagsterDaemon"]["runCoordinator"]
    assert coordinator["config"]["queuedRunCoordinator"] == {"maxConcurrentRuns": 6}


@pytest.mark.parametrize(
    ("image", "repository", "tag"),
    [
        ("my-image:latest", "my-image", "latest"),
        ("my-image", "my-image", "latest"),
        ("host:5000/my-image", "host:5000/my-image", "latest"),
        ("host:5000/my-image:007", "host:5000/my-image", "007"),
        ("my-image@sha256:abc", "my-image@sha256", "abc"),
    ],
)
def test_an_image_is_split_where_the_chart_joins_it(image: str, repository: str, tag: str) -> None:
    split = helm(replace(ONE, image=image))["image"]
    assert (split["repository"], split["tag"]) == (repository, tag)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("my-location", "my-location"),
        ("My Location!", "my-location"),
        ("007", "code-007"),
        ("---", "code"),
        ("x" * 80, "x" * 63),
    ],
)
def test_a_location_becomes_a_dns_label_for_kubernetes(name: str, label: str) -> None:
    assert dns_label(name) == label
    shipping = replace(ONE, location=name)
    assert helm(shipping)["name"] == label
    assert (f"called {label} here" in notes(shipping, "values.yaml")) is (label != name)


def test_a_server_gets_no_health_check_that_could_kill_its_runs() -> None:
    assert "healthCheck" not in container(ONE)
    assert "No healthCheck" in notes(ONE, "task-definition.json")
    assert container(ONE)["linuxParameters"] == {"initProcessEnabled": True}
