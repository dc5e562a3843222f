"""An ECS task definition for a code server that no agent starts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.analysis.sizing.types import Shipping
from harness.report.deploy.document import Document
from harness.report.deploy.wording import (
    CODE_PACKAGE,
    dns_label,
    ecs_cpu,
    fargate_notes,
    heading,
    replica_notes,
    step_variables,
    workers_notes,
)

PORT = 4000

LONGEST_STOP_S = 120
"""What Fargate allows between SIGTERM and SIGKILL; its default is 30."""


def task_definition_document(shipping: Shipping, because: Sequence[str] = ()) -> Document:
    """What `register-task-definition` takes, but for roles, logs and secrets."""
    definition = {
        "family": f"dagster-{dns_label(shipping.location)}",
        "requiresCompatibilities": ["FARGATE" if shipping.fargate else "EC2"],
        "networkMode": "awsvpc",
        "cpu": ecs_cpu(shipping),
        "memory": str(shipping.memory_mib),
        "containerDefinitions": [_container(shipping)],
    }
    return Document(
        name="task-definition.json",
        title="ECS task definition of a code server (open-source Dagster)",
        language="json",
        text=json.dumps(definition, indent=2, ensure_ascii=False) + "\n",
        notes=(*heading(shipping, because), *_NOTES, *_notes_by_size(shipping)),
    )


_NOTES = (
    f"A fragment: put your package in place of {CODE_PACKAGE}, and add executionRoleArn, "
    "taskRoleArn, logConfiguration, and as secrets the variables your dagster.yaml reads by "
    "`env:`; the runs need them.",
    "No healthCheck, on purpose: `dagster api grpc-health-check` starts a whole Python, waits for "
    "a worker thread without a deadline, and ECS would kill a busy server with all its runs. If "
    "you must have one, give it an interval of minutes.",
    f"stopTimeout {LONGEST_STOP_S}: on SIGTERM the server takes no new runs and waits for those "
    "it has; runs longer than this are lost at every deploy.",
    "initProcessEnabled: without an init, ended runs stay behind as zombies.",
)


def _container(shipping: Shipping) -> dict[str, Any]:
    environment = [{"name": name, "value": value} for name, value, _ in step_variables(shipping)]
    return {
        "name": "code-server",
        "image": shipping.image,
        "essential": True,
        "command": _command(shipping),
        **({"environment": environment} if environment else {}),
        "portMappings": [{"containerPort": PORT, "protocol": "tcp"}],
        "linuxParameters": {"initProcessEnabled": True},
        "stopTimeout": LONGEST_STOP_S,
    }


def _command(shipping: Shipping) -> list[str]:
    command = ["dagster", "api", "grpc", "--host", "0.0.0.0", "--port", str(PORT)]
    command += ["--package-name", CODE_PACKAGE, "--location-name", shipping.location]
    if shipping.max_workers is not None:
        command += ["--max-workers", str(shipping.max_workers)]
    if shipping.replicas > 1:
        command += ["--fixed-server-id", shipping.image]
    return command


def _notes_by_size(shipping: Shipping) -> tuple[str, ...]:
    replicas = (
        f"Set desiredCount {shipping.replicas} in the service, behind one name.",
        "--fixed-server-id must be the same in all replicas and another after every deploy: it is "
        "the image here, so give images a tag of their own. Without it the webserver sees a new "
        "server at every other look, and reloads.",
    )
    return (
        *workers_notes(shipping),
        *fargate_notes(shipping),
        *(replicas if shipping.replicas > 1 else ()),
        *replica_notes(shipping),
    )
