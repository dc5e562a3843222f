from __future__ import annotations

import pytest

from harness.facts.dagster_versions import has_concurrency_section, version_of, workers_variable

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
