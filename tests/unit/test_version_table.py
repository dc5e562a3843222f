"""The table and chart of Dagster versions say what the committed comparison says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from harness.analysis.comparison.types import ComparisonDocument

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "results/baselines/versions"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "version_table", ROOT / "benchmarks/version_table.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["version_table"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def document(script: ModuleType) -> ComparisonDocument:
    found: ComparisonDocument = script.compared(STORED)
    return found


def test_the_readme_shows_the_table_of_the_committed_comparison(
    script: ModuleType, document: ComparisonDocument
) -> None:
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("<!-- versions-table -->")[1]
    rows = [line for line in shown.split("<!-- /versions-table -->")[0].splitlines() if line]
    lines = script.table(document)
    assert len(lines) >= 8
    assert [row for row in rows if row.startswith("|")] == lines


def test_the_chart_is_made_of_the_committed_comparison(
    script: ModuleType, document: ComparisonDocument
) -> None:
    drawn = script.chart(document)
    assert (ROOT / "docs/images/versions.svg").read_text(encoding="utf-8") == drawn
    marks = ElementTree.fromstring(drawn).findall("{http://www.w3.org/2000/svg}circle")
    known = sum(len(script.bars(document, key)) for key in script.CHARTED)
    workloads = len(document.comparisons[0].groups)
    assert known >= 4
    assert len(marks) == known + workloads  # the legend has one each
