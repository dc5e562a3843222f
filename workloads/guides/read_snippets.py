"""Snippets of configuration, of the shape a guide gives, as those who must read them do.

No location: a script for an environment with `dagster-cloud` and `dagster-aws`, which asks
neither AWS nor anybody else. It prints a JSON list: each answer has `name`, `accepted`, `error`
(the first line of what the reader said, empty where it accepted), and what was made of the snippet.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # a client is made, and never used
os.environ.pop("ECS_CONTAINER_METADATA_URI_V4", None)  # this is no task

LOCATION = """
locations:
  - location_name: one
    image: one:latest
    code_source: {{package_name: one}}
    container_context:
      ecs:
        server_resources: {{cpu: {0}2048{0}, memory: {0}8192{0}}}
        run_resources: {{cpu: {0}1024{0}, memory: {0}4096{0}}}
"""
"""`dagster_cloud.yaml`; with a quote put in or not."""

WORKERS = "DAGSTER_GRPC_MAX_WORKERS"
SIZE = {"ecs/cpu": "4096", "ecs/memory": "16384"}

Answer = Mapping[str, Any]


def location(quote: str) -> Answer:
    """What the cloud command and the agent make of a location's file, and who gets which size."""
    import yaml
    from dagster_aws.ecs import EcsRunLauncher
    from dagster_aws.ecs.container_context import EcsContainerContext
    from dagster_cloud.workspace.config_schema import process_workspace_config
    from dagster_cloud.workspace.ecs.launcher import EcsUserCodeLauncher
    from dagster_cloud_cli.config.loader import DagsterCloudLocationsConfigLoader

    text = LOCATION.format(quote)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dagster_cloud.yaml"
        path.write_text(text, encoding="utf-8")
        loaded = DagsterCloudLocationsConfigLoader.load_from_template(str(path), {})
        process_workspace_config(loaded.model_dump(exclude_none=True))
    (one,) = yaml.safe_load(text)["locations"]
    context = EcsContainerContext.create_from_config(one["container_context"])
    sizes = EcsRunLauncher.get_cpu_and_memory_overrides(_anybody(), context, _run({}))
    server = EcsUserCodeLauncher._get_service_cpu_override(_anybody(), context)
    return {"server_cpu": server, "run_cpu": sizes["cpu"]}


def context(quote: str) -> Answer:
    """The container context alone, without the cloud command."""
    import yaml
    from dagster_aws.ecs.container_context import EcsContainerContext

    (one,) = yaml.safe_load(LOCATION.format(quote))["locations"]
    EcsContainerContext.create_from_config(one["container_context"])
    return {}


def workers() -> Answer:
    """The variable that an ECS location's server gets."""
    from dagster_aws.ecs.container_context import EcsContainerContext

    read = EcsContainerContext.create_from_config({"ecs": {"env_vars": [f"{WORKERS}=20"]}})
    return {"told": read.get_environment_dict().get(WORKERS)}


def step_size(**how: Any) -> Answer:
    """What the ECS executor would ask of ECS for the step of an asset that says its size so."""
    from dagster import Definitions, asset
    from dagster._core.execution.api import create_execution_plan
    from dagster_aws.ecs.executor import EcsStepHandler

    @asset(name="heavy", **how)
    def heavy() -> None:
        """Never runs."""

    definitions = Definitions(assets=[heavy])
    get_job = getattr(definitions, "resolve_implicit_global_asset_job_def", None)
    job = (get_job or definitions.get_implicit_global_asset_job_def)()
    (step,) = create_execution_plan(job).step_dict.values()
    handler = EcsStepHandler.__new__(EcsStepHandler)  # its constructor asks AWS
    handler._cpu = handler._memory = handler._ephemeral_storage = None
    handler._task_overrides = {}
    asked = handler._get_task_overrides(step.tags)
    return {"op_cpu": heavy.op.tags.get("ecs/cpu"), "asked_cpu": asked.get("cpu")}


def executor(launcher: Mapping[str, str]) -> Answer:
    """Whether the ECS executor takes an instance whose run launcher is this."""
    from dagster import DagsterInstance

    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps({"run_launcher": launcher})  # which is YAML
        (Path(folder) / "dagster.yaml").write_text(text, encoding="utf-8")
        with DagsterInstance.from_config(folder) as instance:
            launcher_there = type(instance.run_launcher).__name__
            return {"launcher": launcher_there, "taken": _takes(instance)}


def _takes(instance: Any) -> bool:
    """The check comes first; what fails behind it is that this is no task on ECS.

    Raises:
        CheckError: the executor refuses the launcher.
    """
    from dagster import job, op
    from dagster._check import CheckError
    from dagster._core.definitions.job_base import InMemoryJob
    from dagster._core.executor.init import InitExecutorContext
    from dagster_aws.ecs.executor import ecs_executor

    @op
    def nothing() -> None:
        """Never runs."""

    @job(executor_def=ecs_executor)
    def one() -> None:
        nothing()

    init = InitExecutorContext(
        job=InMemoryJob(one),
        executor_def=ecs_executor,
        executor_config={"retries": {"enabled": {}}},
        instance=instance,
    )
    try:
        ecs_executor.executor_creation_fn(init)
    except CheckError:
        raise
    except Exception:  # whatever it needs of a real task
        return True
    return True


def agent() -> Answer:
    """Which launchers an agent's instance has for a run that is not isolated: the one that starts
    it, and the one that anything inside the run sees.
    """
    from dagster_aws.ecs import EcsRunLauncher
    from dagster_cloud.instance import DagsterCloudAgentInstance
    from dagster_cloud.util import NON_ISOLATED_RUN_TAG_PAIR

    isolated = EcsRunLauncher.__new__(EcsRunLauncher)
    instance = DagsterCloudAgentInstance.__new__(DagsterCloudAgentInstance)
    instance._user_code_launcher = SimpleNamespace(run_launcher=lambda: isolated)
    run = _run(dict([NON_ISOLATED_RUN_TAG_PAIR]))
    starts = DagsterCloudAgentInstance.get_run_launcher_for_run(instance, run)
    sees = DagsterCloudAgentInstance.run_launcher.fget(instance)
    return {"starts": type(starts).__name__, "sees": type(sees).__name__}


def _run(tags: Mapping[str, str]) -> Any:
    from dagster import DagsterRun

    return DagsterRun(job_name="one", tags=dict(tags))


def _anybody() -> Any:
    """In place of a `self` that the method does not look at."""
    return None


QUESTIONS: Mapping[str, Callable[[], Answer]] = {
    "location_unquoted": lambda: location(""),
    "location_quoted": lambda: location('"'),
    "context_unquoted": lambda: context(""),
    "context_quoted": lambda: context('"'),
    "workers": workers,
    "asset_tags": lambda: step_size(tags=SIZE),
    "op_tags": lambda: step_size(op_tags=SIZE),
    "executor_default": lambda: executor(
        {"module": "dagster._core.launcher", "class": "DefaultRunLauncher"}
    ),
    "executor_ecs": lambda: executor({"module": "dagster_aws.ecs", "class": "EcsRunLauncher"}),
    "agent": agent,
}


def answers() -> list[dict[str, Any]]:
    """All of them, in their order."""
    return [_answered(name, ask) for name, ask in QUESTIONS.items()]


def _answered(name: str, ask: Callable[[], Answer]) -> dict[str, Any]:
    try:
        return {"name": name, "accepted": True, "error": "", **ask()}
    except Exception as error:  # a refusal is an answer, and each reader has errors of its own
        said = " ".join(str(error).split())[:300]
        return {"name": name, "accepted": False, "error": f"{type(error).__name__}: {said}"}


if __name__ == "__main__":
    json.dump(answers(), sys.stdout, indent=1)
