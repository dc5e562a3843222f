"""A sizing as files to paste, in the words of each system that reads them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.sizing.types import Shipping
from harness.report.deploy.container_context import ecs_document, kubernetes_document
from harness.report.deploy.dagster_cloud import dagster_cloud_document
from harness.report.deploy.dagster_yaml import dagster_yaml_document
from harness.report.deploy.deployment_settings import deployment_settings_document
from harness.report.deploy.document import Document
from harness.report.deploy.helm_values import helm_document
from harness.report.deploy.task_definition import task_definition_document

__all__ = ["Document", "documents"]


def documents(shipping: Shipping, because: Sequence[str] = ()) -> tuple[Document, ...]:
    """All files for one deployment, Dagster+ first; names do not repeat.

    Args:
        shipping: what is deployed.
        because: what it rests on, in sentences; written above the settings of every file, and
            among the notes where a file takes no comments.
    """
    writers = (
        dagster_cloud_document,
        ecs_document,
        kubernetes_document,
        deployment_settings_document,
        dagster_yaml_document,
        task_definition_document,
        helm_document,
    )
    return tuple(write(shipping, because) for write in writers)
