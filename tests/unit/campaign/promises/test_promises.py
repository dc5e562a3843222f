"""What configurations promise, as people have them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.campaign.profiles import parse_profile
from harness.campaign.promises.readers import read_configuration
from harness.campaign.promises.types import Configuration, Promise
from harness.campaign.promises.whole import Said, promise_of
from harness.errors import CampaignError

pytestmark = pytest.mark.unit

CLOUD = """
locations:
  - location_name: etl
    image: registry/etl:7
    code_source: {package_name: etl}
    executable_path: /unknown/to/us
    container_context:
      ecs:
        env_vars: ["SECRET", "DAGSTER_GRPC_MAX_WORKERS=12"]
        server_resources: {cpu: "1024", memory: "4096", replica_count: 2}
        run_resources: {cpu: "4096", memory: "30720"}
"""


def read(text: str, source: str = "file.yaml") -> Configuration:
    return read_configuration(text, source=source)


def promised(*texts: str, said: Said = Said()) -> Promise:  # noqa: B008 - frozen
    return promise_of([read(text, f"{number}.yaml") for number, text in enumerate(texts)], said)


def test_a_dagster_cloud_location_promises_its_server_not_its_isolated_runs() -> None:
    promise = promised(CLOUD)
    assert (promise.vcpu, promise.memory_mib, promise.replicas) == (1.0, 4096, 2)
    assert (promise.max_workers, promise.image) == (12, "registry/etl:7")
    assert promise.load == {"package": "etl"}
    place = "locations[0].container_context.ecs.server_resources.memory"
    assert promise.said["size"] == f"0.yaml: {place}"


def test_numbers_without_quotes_are_understood_and_named_as_the_agent_s_fault() -> None:
    promise = promised(CLOUD.replace('"1024"', "1024"))
    assert promise.vcpu == 1.0
    assert promise.faults == (
        "locations[0].container_context.ecs.server_resources.cpu: 1024 without quotes is refused "
        "by the ECS agent",
    )


@pytest.mark.parametrize(
    ("text", "vcpu", "memory_mib"),
    [
        ("ecs: {server_resources: {cpu: '.5 vCPU', memory: '2 GB'}}", 0.5, 2048),
        (
            "k8s: {server_k8s_config: {container_config: {resources: {limits: {cpu: 500m, "
            "memory: 1.5Gi}}}}}",
            0.5,
            1536,
        ),
        ("docker: {container_kwargs: {mem_limit: 512m, nano_cpus: 750000000}}", 0.75, 512),
    ],
)
def test_every_platform_writes_sizes_its_own_way(text: str, vcpu: float, memory_mib: int) -> None:
    promise = promised(text)
    assert (promise.vcpu, promise.memory_mib) == (vcpu, memory_mib)


def test_an_ecs_task_definition_s_container_binds_before_its_task() -> None:
    task: dict[str, Any] = {
        "family": "dagster-etl", "cpu": "2048", "memory": "8192",
        "containerDefinitions": [
            {"name": "sidecar", "command": ["fluent-bit"], "memory": 256},
            {"name": "code", "image": "r/etl:1", "cpu": 0, "memory": 4096,
             "command": ["dagster", "api", "grpc", "-m", "etl.defs", "--max-workers", "9"]},
        ],
    }  # fmt: skip
    for text in (json.dumps(task), json.dumps({"taskDefinition": task})):
        promise = promised(text)
        assert (promise.vcpu, promise.memory_mib, promise.max_workers) == (2.0, 4096, 9)
        assert promise.load == {"module": "etl.defs"}
        assert promise.notes == ("sidecar share the task's limits with it",)


def test_helm_values_promise_a_deployment_and_the_queue() -> None:
    text = """
    dagster-user-deployments:
      deployments:
        - name: etl
          image: {repository: r/etl, tag: "3"}
          dagsterApiGrpcArgs: ["--package-name", "etl", "--max-workers", "8"]
          replicaCount: 3
          resources: {limits: {cpu: "1", memory: 2Gi}, requests: {cpu: "0.1"}}
    runLauncher: {type: CustomRunLauncher}
    dagsterDaemon: {runCoordinator: {config: {queuedRunCoordinator: {maxConcurrentRuns: 25}}}}
    """
    promise = promised(text)
    assert (promise.vcpu, promise.memory_mib, promise.max_workers) == (1.0, 2048, 8)
    assert (promise.limit, promise.replicas, promise.image) == (25, 3, "r/etl:3")
    assert promise.notes == ()


@pytest.mark.parametrize(
    "env",
    [
        "[{name: A, value: b}, {name: DAGSTER_GRPC_MAX_WORKERS, value: '7'}]",
        "{A: b, DAGSTER_GRPC_MAX_WORKERS: 7}",
        "{DAGSTER_GRPC_MAX_WORKERS: '7'}",
    ],
)
def test_the_chart_takes_variables_as_a_list_and_as_a_mapping(env: str) -> None:
    (server,) = read(f"deployments: [{{name: etl, env: {env}}}]").servers
    assert server.max_workers == 7


def test_a_mapping_of_variables_is_the_charts_alone() -> None:
    with pytest.raises(CampaignError) as caught:
        read("containerDefinitions: [{environment: {DAGSTER_GRPC_MAX_WORKERS: 7}}]")
    assert "containerDefinitions[0].environment" in caught.value.evidence


def test_a_command_that_is_no_command_is_named_with_its_place() -> None:
    with pytest.raises(CampaignError) as caught:
        read("containerDefinitions: [{command: dagster api grpc -a 'x}]")
    place, _, why = caught.value.evidence.partition(": ")
    assert place == "containerDefinitions[0].command"
    assert "No closing quotation" in why


def test_a_quote_in_one_word_of_a_command_is_part_of_it() -> None:
    words = '["dagster", "api", "grpc", "--location-name", "Tom\'s place", "-n", "9"]'
    found = read(f"containerDefinitions: [{{command: {words}}}]")
    assert found.servers[0].max_workers == 9
    (note,) = found.notes
    assert note.startswith("containerDefinitions[0].command[4] is taken as one word")


def test_a_size_in_a_variable_is_as_if_it_were_not_said() -> None:
    text = CLOUD.replace('cpu: "1024", memory: "4096"', 'cpu: {env: CPU}, memory: "4096"')
    with pytest.raises(CampaignError, match="how much CPU etl may use"):
        promised(text)
    promise = promised(text, said=Said(profile=parse_profile("1vcpu-2gb")))
    (note,) = promise.notes
    assert note.endswith("server_resources.cpu stands in the environment variable CPU: taken as "
                         "not said")  # fmt: skip


def test_a_launcher_that_takes_runs_elsewhere_is_told() -> None:
    (note,) = read("run_launcher: {class: EcsRunLauncher}").notes
    assert note.startswith("EcsRunLauncher gives every run a container of its own")
    assert read("run_launcher: {class: DefaultRunLauncher}").notes == ()


def test_what_nobody_says_is_what_dagster_takes_and_is_told_so() -> None:
    promise = promised(CLOUD.replace("DAGSTER_GRPC_MAX_WORKERS=12", "A=b"))
    assert (promise.max_workers, promise.limit) == (6, 10)
    assert "where nobody sets it" in promise.said["max_workers"]
    assert "lets one non-isolated run through" in promise.said["limit"]
    assert "where nobody sets it" in promise.said["launches"]


def test_the_command_line_comes_first() -> None:
    said = Said(limit=3, profile=parse_profile("0.5vcpu-1gb"))
    promise = promised(CLOUD, said=said)
    assert (promise.limit, promise.vcpu, promise.memory_mib) == (3, 0.5, 1024)


def test_all_wrong_values_are_named_with_their_places() -> None:
    text = CLOUD.replace('"1024"', "lots").replace('"4096"', "[4]").replace("count: 2", "count: x")
    with pytest.raises(CampaignError, match="has 3 wrong values") as caught:
        read(text)
    place = "locations[0].container_context.ecs.server_resources"
    assert caught.value.evidence.splitlines() == [
        f"{place}.cpu: 'lots' is not ECS CPU: units of 1/1024 vCPU, or `1 vCPU`",
        f"{place}.memory: [4] is not a text",
        f"{place}.replica_count: 'x' is not a whole number",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2", "is no configuration that is understood"),
        ("[1]", "is no mapping"),
        ("{", "cannot be read"),
        ("locations: {a: 1}", "1 wrong value"),
    ],
)
def test_what_is_no_configuration_is_refused(text: str, said: str) -> None:
    with pytest.raises(CampaignError, match=said):
        read(text)


def test_without_a_size_nothing_can_be_tested_and_the_way_out_is_named() -> None:
    with pytest.raises(CampaignError, match="how much CPU and memory etl may use") as caught:
        promised("locations: [{location_name: etl, image: x}]")
    assert "--profile" in caught.value.hint


def test_of_several_locations_one_must_be_meant() -> None:
    two = CLOUD + CLOUD.replace("locations:\n", "").replace("name: etl", "name: other")
    with pytest.raises(CampaignError, match="Several code locations") as caught:
        promised(two)
    assert caught.value.evidence == "There are: etl, other"
    assert promised(two, said=Said(location="other")).name == "other"
    with pytest.raises(CampaignError, match="no code location 'third'"):
        promised(two, said=Said(location="third"))


def test_files_without_a_server_are_not_enough() -> None:
    with pytest.raises(CampaignError, match="None of these files describes a code server"):
        promised("run_queue: {max_concurrent_runs: 3}")
