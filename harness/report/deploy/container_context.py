"""`container_context.yaml`: how a Dagster+ agent on ECS or Kubernetes runs the code server."""

from __future__ import annotations

from collections.abc import Sequence

from ruamel.yaml.comments import CommentedMap

from harness.analysis.sizing.types import Shipping
from harness.report.deploy.document import Document
from harness.report.deploy.wording import (
    NOT_DRAINED,
    ecs_cpu,
    fargate_notes,
    heading,
    kubernetes_cpu,
    kubernetes_memory,
    replica_notes,
    show_memory,
    variables,
    workers_notes,
)
from harness.report.deploy.yaml_text import Item, Row, block, listing, quoted, yaml_text
from harness.units import show_cores

REPLICAS_FROM = "1.13.6"
"""First Kubernetes agent that knows `server_replica_count`."""


def ecs_document(shipping: Shipping, because: Sequence[str] = ()) -> Document:
    """The context for an ECS agent, in a project that `dg` deploys."""
    return Document(
        name="container_context.yaml",
        title="Code server of a Dagster+ ECS agent (project with build.yaml)",
        language="yaml",
        text=yaml_text(block(Row("ecs", ecs_context(shipping))), header=heading(shipping, because)),
        notes=ecs_notes(shipping),
    )


def kubernetes_document(shipping: Shipping, because: Sequence[str] = ()) -> Document:
    """The same for a Kubernetes agent."""
    return Document(
        name="container_context.k8s.yaml",
        title="Code server of a Dagster+ Kubernetes agent (project with build.yaml)",
        language="yaml",
        text=yaml_text(
            block(Row("k8s", _kubernetes_context(shipping))), header=heading(shipping, because)
        ),
        notes=_kubernetes_notes(shipping),
    )


def ecs_context(shipping: Shipping) -> CommentedMap:
    """What stands below `ecs:`, anew for each document."""
    environment = [Item(quoted(f"{name}={value}"), why) for name, value, why in variables(shipping)]
    resources = block(
        Row("cpu", quoted(ecs_cpu(shipping)), f"{show_cores(shipping.vcpu)}; must be a string"),
        Row("memory", quoted(str(shipping.memory_mib)), f"{show_memory(shipping)}, in MiB"),
        Row("replica_count", shipping.replicas),
    )
    return block(
        Row("env_vars", listing(*environment)) if environment else None,
        Row("server_resources", resources, "run_resources are for isolated runs only"),
    )


def ecs_notes(shipping: Shipping) -> tuple[str, ...]:
    """What to know of the ECS agent."""
    overruled = (
        "If the agent itself has DAGSTER_GRPC_MAX_WORKERS in its environment, that overrides the "
        "location's."
    )
    pex = "The agent refuses more than one replica for a PEX deploy."
    return (
        *((overruled,) if shipping.max_workers is not None else ()),
        *workers_notes(shipping),
        *fargate_notes(shipping),
        NOT_DRAINED,
        *replica_notes(shipping),
        *((pex,) if shipping.replicas > 1 else ()),
    )


def _kubernetes_context(shipping: Shipping) -> CommentedMap:
    environment = [
        Item(block(Row("name", name, why), Row("value", quoted(value))))
        for name, value, why in variables(shipping)
    ]
    container = block(
        Row("resources", kubernetes_resources(shipping)),
        Row("env", listing(*environment)) if environment else None,
    )
    server = block(Row("container_config", container))
    return block(
        Row("server_replica_count", shipping.replicas) if shipping.replicas > 1 else None,
        Row("server_k8s_config", server, "of the code server alone, not of isolated runs"),
    )


def kubernetes_resources(shipping: Shipping) -> CommentedMap:
    """Requests and limits of the code server, equal, as it was measured under a hard limit."""

    def sizes() -> CommentedMap:
        return block(
            Row("cpu", quoted(kubernetes_cpu(shipping))),
            Row("memory", quoted(kubernetes_memory(shipping))),
        )

    return block(
        Row("requests", sizes(), "equal to the limits: nothing lent"),
        Row("limits", sizes()),
    )


def _kubernetes_notes(shipping: Shipping) -> tuple[str, ...]:
    since = f"An agent older than {REPLICAS_FROM} refuses server_replica_count."
    return (
        "Save it as container_context.yaml, or put it below container_context in "
        "dagster_cloud.yaml.",
        *workers_notes(shipping),
        *((since,) if shipping.replicas > 1 else ()),
        *replica_notes(shipping),
    )
