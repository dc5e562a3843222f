from __future__ import annotations

import pytest

from harness.facts.dagster_versions import (
    NEWEST,
    base_release,
    has_concurrency_section,
    unavailable,
    version_of,
    workers_variable,
)

pytestmark = pytest.mark.unit


def test_versions_compare_as_numbers_not_as_text() -> None:
    assert version_of("1.13.27") == (1, 13, 27)
    assert version_of("1.9.0") < version_of("1.10.0")


@pytest.mark.parametrize(
    ("dagster", "name"),
    [
        ("1.5.14", "DAGSTER_CLI_API_GRPC_MAX_WORKERS"),
        ("1.6.0", "DAGSTER_GRPC_MAX_WORKERS"),
        ("1.13.27", "DAGSTER_GRPC_MAX_WORKERS"),
    ],
)
def test_the_workers_have_another_name_before_1_6(dagster: str, name: str) -> None:
    assert workers_variable(dagster) == name


@pytest.mark.parametrize(("dagster", "known"), [("1.9.13", False), ("1.10.0", True)])
def test_the_concurrency_section_came_with_1_10(dagster: str, known: bool) -> None:
    assert has_concurrency_section(dagster) is known


@pytest.mark.parametrize(
    ("version", "release"),
    [("1.13.27", "1.13.27"), ("1.13.27+mine.2", "1.13.27"), ("1!0+dev", None), ("mine", None)],
)
def test_a_build_counts_as_the_release_it_is_made_from(version: str, release: str | None) -> None:
    assert base_release(version) == release
    assert version_of(version) == (version_of(release) if release else NEWEST)


@pytest.mark.parametrize(
    ("dagster", "devices"),
    [("1.5.14", ["ping"]), ("1.6.0", ["ping"]), ("1.6.1", []), ("1.13.27", []), ("1!0+dev", [])],
)
def test_a_ping_tells_of_requests_from_1_6_1_on(dagster: str, devices: list[str]) -> None:
    assert list(unavailable(dagster)) == devices
