from __future__ import annotations

import re
from pathlib import Path

import pytest
from page_tree import Material, Render

from harness.report.html.definitions import definition_groups, definitions

pytestmark = pytest.mark.unit

HOMES = ("docs/metrics.md", "docs/glossary.md", "docs/method.md")
TEMPLATES = "harness/report/html/templates"


@pytest.fixture(scope="module")
def homes(repo_root: Path) -> str:
    return "\n".join((repo_root / name).read_text(encoding="utf-8") for name in HOMES)


def used_keys(root: Path) -> set[str]:
    """Keys that templates and charts name as they stand."""
    templates = "\n".join(p.read_text(encoding="utf-8") for p in (root / TEMPLATES).glob("*.j2"))
    figures = (root / "harness/report/html/figures.py").read_text(encoding="utf-8")
    return set(re.findall(r'\bterm\("([^"]+)"', templates)) | set(
        re.findall(r'\bkey="([^"]+)"', figures)
    )


def test_every_key_that_is_used_is_defined(repo_root: Path) -> None:
    keys = used_keys(repo_root)
    assert len(keys) > 50
    assert keys - set(definitions()) == set()


@pytest.mark.parametrize("key", definitions())
def test_every_definition_has_a_home_in_the_docs(key: str, homes: str) -> None:
    assert key in homes


@pytest.mark.parametrize("key", definitions())
def test_every_definition_is_one_sentence_or_two_with_a_name(key: str) -> None:
    known = definitions()[key]
    assert known.name
    assert known.meaning.endswith(".")
    assert len(known.meaning) <= 260


def test_places_on_the_page_are_different() -> None:
    anchors = [known.anchor for known in definitions().values()]
    assert len(anchors) == len(set(anchors))
    assert [anchor for anchor in anchors if not re.fullmatch(r"def-[\w.-]+", anchor)] == []


def test_no_definition_is_lost_between_groups() -> None:
    assert sum(len(group.terms) for group in definition_groups()) == len(definitions())


def test_every_objective_of_the_campaign_is_defined(quick: Material) -> None:
    assert set(quick.findings.campaign["slos"]) <= set(definitions())


def test_every_line_that_is_drawn_is_defined_or_named(quick: Material, tree_of: Render) -> None:
    tree = tree_of(quick)
    for name in ("working set", "anonymous memory", "probe time"):
        assert tree.one(id="cell-1-time").all("a")
        assert name in tree.one(id="cell-1-time").text
