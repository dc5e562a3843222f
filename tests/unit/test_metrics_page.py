"""docs/metrics.md defines every figure that is stored, printed or served.

Keys are looked for by their last name, in code style: `response_s.p95` as `p95`.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from harness.facts.model import Run, Step
from harness.watch.openmetrics_names import METRICS, PREFIX

pytestmark = pytest.mark.unit

SCHEMAS = (
    "findings", "sizing", "comparison", "trends", "nightly", "bisect", "soak", "validation",
)  # fmt: skip
NOT_FIGURES = {"step", "repetition"}
"""Numbers that name something instead of measuring it."""


def section(page: str, title: str) -> str:
    """The text below a heading that begins so, up to the next heading."""
    (found,) = (part for part in re.split(r"^## ", page, flags=re.M) if part.startswith(title))
    return found


def named(text: str) -> set[str]:
    """Every name in code style; whole blocks of code are examples."""
    inline = re.sub(r"```.*?```", "", text, flags=re.S)
    return set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", inline))))


@pytest.fixture(scope="module")
def page(repo_root: Path) -> str:
    return (repo_root / "docs/metrics.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def readme(repo_root: Path) -> str:
    return (repo_root / "results/README.md").read_text(encoding="utf-8")


def keys_of(schema: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Every key of a JSON Schema with whether it may be a number, itself or as a list's items."""
    nodes: list[Any] = [schema]
    while nodes:
        node = nodes.pop()
        if isinstance(node, list):
            nodes += node
        elif isinstance(node, dict):
            nodes += node.values()
            properties = node.get("properties")
            for name, value in properties.items() if isinstance(properties, dict) else ():
                yield name, _may_be_number(value)


def _may_be_number(node: dict[str, Any]) -> bool:
    types = {node.get("type")} if isinstance(node.get("type"), str) else set(node.get("type", ()))
    return bool(types & {"number", "integer"}) and "const" not in node


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_figure_of_a_document_is_defined(name: str, page: str, repo_root: Path) -> None:
    schema = json.loads((repo_root / f"results/{name}.schema.json").read_text(encoding="utf-8"))
    figures = {key for key, number in keys_of(schema) if number}
    assert len(figures) > 8
    assert figures - named(page) - NOT_FIGURES == set()


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_other_key_is_explained_somewhere(
    name: str, page: str, readme: str, repo_root: Path
) -> None:
    schema = json.loads((repo_root / f"results/{name}.schema.json").read_text(encoding="utf-8"))
    nights = (repo_root / "docs/nightly/README.md").read_text(encoding="utf-8")
    known = named(page) | named(readme) | named(nights)
    assert {key for key, _ in keys_of(schema)} - known == set()


@pytest.mark.parametrize(
    ("record", "title"),
    [(Run, "Recorded by the generator"), (Step, "Recorded of a step")],
)
def test_every_column_of_a_fact_is_defined(record: type, title: str, page: str) -> None:
    columns = {field.name for field in dataclasses.fields(record)}
    assert columns - named(section(page, title)) == set()


def sampled_table(page: str) -> dict[str, set[str]]:
    """Keys by device; a row without a device goes on with that of the row above."""
    found: dict[str, set[str]] = {}
    device = ""
    for row in section(page, "Sampled").splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if row.startswith("|") and len(cells) == 5:
            device = next(iter(re.findall(r"`(\w+)`", cells[0])), cells[0] or device)
            found.setdefault(device, set()).update(named(cells[2]))
    return found


def test_every_key_a_device_stored_is_defined_at_that_device(page: str, repo_root: Path) -> None:
    table = sampled_table(page)
    stored: set[tuple[str, str]] = set()
    for path in (repo_root / "results/baselines").glob("*/cells/*/samples.parquet"):
        stored |= set(pl.read_parquet(path, columns=["device", "key"]).unique().rows())
    assert len({device for device, _ in stored}) > 7
    unknown = [each for each in stored if each[1] not in table.get(each[0], set()) | table["any"]]
    assert unknown == []


def test_the_live_gauges_are_those_that_are_served(page: str) -> None:
    rows = [row for row in section(page, "Live gauges").splitlines() if row.startswith("| `")]
    names = [name for row in rows for name in re.findall(r"`(\w+)", row.split("|")[1])]
    served = [metric.series.removeprefix(f"{PREFIX}_") for metric in METRICS]
    assert sorted(names) == sorted(served)
