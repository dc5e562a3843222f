"""The configurations of docs/examples, as people have them: each is read, whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.campaign.promises.readers import read_configuration
from harness.campaign.promises.types import Configuration, Promise
from harness.campaign.promises.whole import Said, promise_of

pytestmark = pytest.mark.unit

EXAMPLES = Path(__file__).parents[4] / "docs" / "examples"


def example(name: str) -> Configuration:
    return read_configuration((EXAMPLES / name).read_text(encoding="utf-8"), source=name)


def promised(*names: str, limit: int | None = None) -> Promise:
    return promise_of([example(name) for name in names], Said(limit=limit))


@pytest.mark.parametrize(
    ("names", "size", "workers", "limit"),
    [
        (("dagster_cloud.yaml", "deployment-settings.yaml"), (1.0, 2048), 12, 6),
        (("container_context.yaml", "dagster.yaml"), (0.5, 1024), 8, 6),
        (("task-definition.json", "dagster.yaml"), (4.0, 16384), 32, 6),
        (("values.yaml",), (1.0, 2048), 8, 4),
    ],
)
def test_every_example_promises_what_stands_in_it(
    names: tuple[str, ...], size: tuple[float, int], workers: int, limit: int
) -> None:
    promise = promised(*names)
    assert (promise.vcpu, promise.memory_mib) == size
    assert (promise.max_workers, promise.limit, promise.faults) == (workers, limit, ())


def test_launches_at_a_time_are_read_where_they_are_said() -> None:
    assert promised("values.yaml").dequeue_threads == 4
    assert promised("container_context.yaml", "dagster.yaml").dequeue_threads is None


def test_every_example_is_named_on_its_page_and_read_by_this_test() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    names = {path.name for path in EXAMPLES.iterdir()} - {"README.md"}
    assert {name for name in names if f"`{name}`" in page} == names
    assert all(example(name).kind for name in names)
