"""The instances of all cells, as the installed Dagster reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from dagster._core.instance.ref import InstanceRef
from dagster._core.run_coordinator import DefaultRunCoordinator, QueuedRunCoordinator
from ruamel.yaml import YAML

pytestmark = pytest.mark.unit

COMPOSE = Path(__file__).parents[3] / "compose"
HOMES = COMPOSE / "dagster-home"
NAMES = ("direct", "queued", "queued-threads")
SET_BY_HARNESS = {
    "DATABASE_URL": "postgresql+psycopg2://nobody@127.0.0.1:1/none",
    "MAX_CONCURRENT_RUNS": "7",
    "DEQUEUE_INTERVAL_S": "3",
    "DEQUEUE_THREADS": "4",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SET_BY_HARNESS.items():
        monkeypatch.setenv(name, value)


def coordinator(name: str) -> Any:
    return InstanceRef.from_dir(str(HOMES / name)).run_coordinator


def settings(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(HOMES / name / "dagster.yaml")
    return loaded


def test_the_direct_feed_launches_at_once_whatever_dagsters_default_is() -> None:
    assert isinstance(coordinator("direct"), DefaultRunCoordinator)


def test_the_queue_takes_its_numbers_from_the_cell_and_launches_one_at_a_time() -> None:
    queue = coordinator("queued")
    assert isinstance(queue, QueuedRunCoordinator)
    assert queue.get_run_queue_config().max_concurrent_runs == 7
    assert queue.dequeue_interval_seconds == 3
    assert not queue.dequeue_use_threads


def test_with_threads_the_queue_launches_as_many_at_a_time_as_the_cell_says() -> None:
    queue = coordinator("queued-threads")
    assert isinstance(queue, QueuedRunCoordinator)
    assert queue.get_run_queue_config().max_concurrent_runs == 7
    assert queue.dequeue_interval_seconds == 3
    assert (queue.dequeue_use_threads, queue.dequeue_num_workers) == (True, 4)


@pytest.mark.parametrize("name", NAMES)
def test_sensors_are_evaluated_side_by_side_in_every_instance(name: str) -> None:
    told = InstanceRef.from_dir(str(HOMES / name)).settings
    assert told is not None
    assert told["sensors"] == {"use_threads": True, "num_workers": 16}


@pytest.mark.parametrize("name", NAMES[1:])
def test_instances_differ_in_their_coordinator_and_in_nothing_else(name: str) -> None:
    one, other = settings("direct"), settings(name)
    assert one.pop("run_coordinator") != other.pop("run_coordinator")
    assert one == other


def test_the_compose_file_hands_over_every_variable_the_instances_read() -> None:
    read = set()
    for name in NAMES:
        read |= set(re.findall(r"\{env: (\w+)\}", (HOMES / name / "dagster.yaml").read_text()))
    services = YAML(typ="safe").load(COMPOSE / "compose.yaml")["services"]
    assert read == set(SET_BY_HARNESS)
    for service in ("code-server", "webserver", "daemon"):
        assert read <= set(services[service]["environment"])


def test_every_variable_of_the_compose_file_is_explained() -> None:
    used = set(re.findall(r"\$\{(\w+)", (COMPOSE / "compose.yaml").read_text()))
    explained = set(re.findall(r"`([A-Z_]+)`", (COMPOSE / "README.md").read_text()))
    assert used <= explained
