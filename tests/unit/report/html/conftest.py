"""Pages of the committed baseline and of its variants, without charts: they have own tests."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import Markup

from harness.analysis.picture.campaign import pictures_of
from harness.report.html import page
from harness.scenarios.reporting import judge_stored

sys.path.append(str(Path(__file__).parent))

from page_tree import Material, Render, Text, parse


@pytest.fixture(scope="session")
def quick(repo_root: Path) -> Material:
    """The committed baseline, by the way `harness report` goes."""
    judged = judge_stored(repo_root / "results" / "baselines" / "quick-compose")
    return Material(
        findings=judged.findings,
        pictures=pictures_of(judged.stored.cells, judged.findings),
        context=replace(judged.context, folder="results/quick"),
    )


@pytest.fixture
def text_of(monkeypatch: pytest.MonkeyPatch) -> Text:
    """The text of a page, charts left out."""
    monkeypatch.setattr(page, "charts_block", lambda *_: Markup("<!-- charts -->"))
    return lambda made: page.render_page(made.findings, made.pictures, made.context)


@pytest.fixture
def tree_of(text_of: Text) -> Render:
    """The same, parsed."""
    return lambda made: parse(text_of(made))
