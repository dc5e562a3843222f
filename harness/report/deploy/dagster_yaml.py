"""The part of an open-source `dagster.yaml` that lets runs through, by Dagster version."""

from __future__ import annotations

from collections.abc import Sequence

from ruamel.yaml.comments import CommentedMap

from harness.analysis.sizing.types import Shipping
from harness.facts.dagster_versions import has_concurrency_section
from harness.report.deploy.document import Document
from harness.report.deploy.wording import heading, replica_notes
from harness.report.deploy.yaml_text import Row, block, yaml_text


def dagster_yaml_document(shipping: Shipping, because: Sequence[str] = ()) -> Document:
    """`concurrency` with the coordinator written out, or `run_queue` before Dagster 1.10."""
    newer = has_concurrency_section(shipping.dagster)
    return Document(
        name="dagster.yaml",
        title="Run queue of open-source Dagster",
        language="yaml",
        text=yaml_text(
            _concurrency(shipping) if newer else _run_queue(shipping),
            header=heading(shipping, because),
        ),
        notes=(
            *_NOTES,
            _ONE_BY_ONE if newer else _NO_COORDINATOR_BESIDE,
            *replica_notes(shipping),
        ),
    )


_NOTES = (
    "Leave run_launcher out, or set DefaultRunLauncher: with any other, runs get containers of "
    "their own and these sizes do not apply.",
    "DefaultRunLauncher does not watch its runs: one lost with its server stays STARTED and keeps "
    "its place in this limit until somebody ends it.",
)

_ONE_BY_ONE = (
    "The daemon launches one run at a time unless run_coordinator.config.dequeue_use_threads is "
    "true."
)

_NO_COORDINATOR_BESIDE = (
    "run_queue implies the queued coordinator; Dagster refuses a run_coordinator beside it. The "
    "daemon launches one run at a time unless run_queue.dequeue_use_threads is true."
)


def _concurrency(shipping: Shipping) -> CommentedMap:
    limit = Row(
        "max_concurrent_runs",
        shipping.max_concurrent_runs,
        "of the whole deployment; 10 where it is not set",
    )
    coordinator = block(
        Row("module", "dagster._core.run_coordinator"),
        Row("class", "QueuedRunCoordinator"),
    )
    return block(
        Row("concurrency", block(Row("runs", block(limit)))),
        Row("run_coordinator", coordinator, "the default since 1.10, said aloud"),
    )


def _run_queue(shipping: Shipping) -> CommentedMap:
    limit = Row(
        "max_concurrent_runs",
        shipping.max_concurrent_runs,
        "of the whole deployment; without run_queue, runs launch at once",
    )
    return block(Row("run_queue", block(limit)))
