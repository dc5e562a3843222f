"""Values for the open-source Helm chart, with runs inside the code server."""

from __future__ import annotations

from collections.abc import Sequence

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from harness.analysis.sizing.types import Shipping
from harness.report.deploy.container_context import kubernetes_resources
from harness.report.deploy.document import Document
from harness.report.deploy.wording import (
    CODE_PACKAGE,
    PUT_YOURS,
    WORKERS_WHY,
    dns_label,
    heading,
    replica_notes,
    step_variables,
    workers_notes,
)
from harness.report.deploy.yaml_text import Item, Row, block, listing, quoted, yaml_text

PORT = 3030


def helm_document(shipping: Shipping, because: Sequence[str] = ()) -> Document:
    """The deployment, the run launcher that keeps runs in it, and the queue before it."""
    root = block(
        Row("dagster-user-deployments", block(Row("deployments", _deployments(shipping)))),
        Row("runLauncher", _launcher(), "the chart's own gives every run a pod"),
        Row("dagsterDaemon", block(Row("runCoordinator", _coordinator(shipping)))),
    )
    return Document(
        name="values.yaml",
        title="Helm values (open-source chart)",
        language="yaml",
        text=yaml_text(root, header=heading(shipping, because)),
        notes=(*_naming_notes(shipping), *_NOTES, *_notes_by_size(shipping)),
    )


_NOTES = (
    "Helm replaces lists: put your other deployments into this one.",
    "runLauncher holds for the whole installation: the runs of every code location then live in "
    "its code server.",
    "Do not set concurrency.runs.maxConcurrentRuns as well: the chart refuses both.",
    "The chart's readiness probe starts a whole Python every 20 s, which was not part of the "
    "measurement. Leave livenessProbe out: it would kill a busy server with all its runs.",
    "On a rollout Kubernetes kills the pod 30 s after asking it to stop (its default): longer "
    "runs are lost.",
)


def _deployments(shipping: Shipping) -> CommentedSeq:
    environment = [
        Item(block(Row("name", name, why), Row("value", quoted(value))))
        for name, value, why in step_variables(shipping)
    ]
    deployment = block(
        Row("name", quoted(dns_label(shipping.location))),
        Row("image", _image(shipping.image)),
        Row("dagsterApiGrpcArgs", _arguments(shipping)),
        Row("port", PORT),
        Row("replicaCount", shipping.replicas) if shipping.replicas > 1 else None,
        Row("env", listing(*environment)) if environment else None,
        Row("resources", kubernetes_resources(shipping)),
    )
    return listing(Item(deployment))


def _image(image: str) -> CommentedMap:
    """The chart joins repository and tag with a colon, and takes its own version for no tag."""
    before, _, after = image.rpartition(":")
    named = bool(before) and "/" not in after
    return block(
        Row("repository", quoted(before if named else image)),
        Row("tag", quoted(after if named else "latest")),
        Row("pullPolicy", "IfNotPresent"),
    )


def _arguments(shipping: Shipping) -> CommentedSeq:
    arguments = [Item("--package-name"), Item(CODE_PACKAGE, PUT_YOURS)]
    if shipping.max_workers is not None:
        workers = Item(quoted(str(shipping.max_workers)), WORKERS_WHY)
        arguments += [Item("--max-workers"), workers]
    return listing(*arguments)


def _launcher() -> CommentedMap:
    default = block(
        Row("module", "dagster._core.launcher"),
        Row("class", "DefaultRunLauncher"),
        Row("config", block()),
    )
    return block(
        Row("type", "CustomRunLauncher"),
        Row("config", block(Row("customRunLauncher", default))),
    )


def _coordinator(shipping: Shipping) -> CommentedMap:
    limit = Row("maxConcurrentRuns", shipping.max_concurrent_runs, "of the whole deployment")
    return block(
        Row("enabled", True),
        Row("type", "QueuedRunCoordinator"),
        Row("config", block(Row("queuedRunCoordinator", block(limit)))),
    )


def _naming_notes(shipping: Shipping) -> tuple[str, ...]:
    label = dns_label(shipping.location)
    if label == shipping.location:
        return ()
    return (
        f"The chart names the location and its service alike, and Kubernetes takes only DNS "
        f"labels: the location is called {label} here.",
    )


def _notes_by_size(shipping: Shipping) -> tuple[str, ...]:
    replicas = (
        "replicaCount came back to the chart in the middle of 2026 (pull request 33908), with a "
        "server id shared by the replicas; an older chart runs one replica, whatever stands here.",
    )
    return (
        *workers_notes(shipping),
        *(replicas if shipping.replicas > 1 else ()),
        *replica_notes(shipping),
    )
