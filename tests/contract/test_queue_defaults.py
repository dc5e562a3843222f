"""What is taken where a configuration says nothing of the queue, is what Dagster takes."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from dagster._core.instance.config import dagster_instance_config
from dagster._core.instance.ref import InstanceRef
from dagster._core.run_coordinator import QueuedRunCoordinator

from harness.campaign.promises.quantities import pool_size
from harness.campaign.promises.readers import read_configuration
from harness.campaign.promises.whole import DAGSTER

pytestmark = pytest.mark.contract


def test_a_queue_that_is_told_nothing(tmp_path: Path) -> None:
    own: QueuedRunCoordinator[Any] = QueuedRunCoordinator()
    assert own.get_run_queue_config().max_concurrent_runs == DAGSTER.limit
    assert own.dequeue_interval_seconds == DAGSTER.interval_s
    assert own.dequeue_use_threads is bool(DAGSTER.threads)
    assert isinstance(InstanceRef.from_dir(str(tmp_path)).run_coordinator, QueuedRunCoordinator)


@pytest.mark.parametrize("cpus", [1, 2, 8, 64])
def test_threads_nobody_counted(cpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    own: QueuedRunCoordinator[Any] = QueuedRunCoordinator(dequeue_use_threads=True)
    for name in ("cpu_count", "process_cpu_count"):
        monkeypatch.setattr(os, name, lambda: cpus, raising=False)
    with ThreadPoolExecutor(own.dequeue_num_workers) as pool:
        assert pool._max_workers == pool_size(cpus)


@pytest.mark.parametrize("limit", ["-1", "0", "15", "{env: MAX_RUNS}"])
def test_every_limit_that_dagster_takes_can_be_read(
    limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_RUNS", "15")
    text = f"run_queue: {{max_concurrent_runs: {limit}, dequeue_num_workers: {{env: MAX_RUNS}}}}"
    (tmp_path / "dagster.yaml").write_text(text, encoding="utf-8")
    dagster_instance_config(str(tmp_path))
    assert read_configuration(text, source="dagster.yaml").kind
