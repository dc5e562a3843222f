"""The configurations of docs/examples are what their own readers take: the cloud command, the ECS
agent, Dagster, the ECS API. For deployment settings and Helm values nothing installed can say.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator
from dagster._core.instance.config import dagster_instance_config
from dagster_aws.ecs.container_context import EcsContainerContext
from dagster_cloud.workspace.config_schema import process_workspace_config
from dagster_cloud_cli.config.loader import DagsterCloudLocationsConfigLoader

pytestmark = pytest.mark.contract


@pytest.fixture
def examples(repo_root: Path) -> Path:
    return repo_root / "docs" / "examples"


def test_the_cloud_command_and_the_agent_take_the_location(examples: Path) -> None:
    path = str(examples / "dagster_cloud.yaml")
    found = DagsterCloudLocationsConfigLoader.load_from_template(path, {})
    (location,) = process_workspace_config(found.model_dump(exclude_none=True))["locations"]
    context = EcsContainerContext.create_from_config(location["container_context"])
    assert (context.server_resources["cpu"], context.server_resources["memory"]) == ("1024", "2048")


def test_the_agent_takes_the_context(examples: Path) -> None:
    text = (examples / "container_context.yaml").read_text(encoding="utf-8")
    context = EcsContainerContext.create_from_config(yaml.safe_load(text))
    assert context.server_resources["memory"] == "1024"


def test_dagster_takes_the_instance(examples: Path, tmp_path: Path) -> None:
    text = (examples / "dagster.yaml").read_text(encoding="utf-8")
    (tmp_path / "dagster.yaml").write_text(text, encoding="utf-8")
    told: Any = dagster_instance_config(str(tmp_path))[0]
    assert told["concurrency"]["runs"]["max_concurrent_runs"] == 6


def test_ecs_takes_the_task(examples: Path) -> None:
    model = botocore.session.get_session().get_service_model("ecs")
    shape = model.operation_model("RegisterTaskDefinition").input_shape
    task = json.loads((examples / "task-definition.json").read_text(encoding="utf-8"))
    assert ParamValidator().validate(task, shape).generate_report() == ""
