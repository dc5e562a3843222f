"""`report.html`: one campaign on one page that needs nothing but a browser."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.findings.types import Findings
from harness.analysis.picture.types import CellPicture
from harness.report.html.context import PageContext


def render_page(findings: Findings, pictures: Sequence[CellPicture], context: PageContext) -> str:
    """The whole page as text.

    Args:
        findings: of one campaign.
        pictures: of its cells, any order; a cell without one says so in place of its charts.
        context: what is not a finding.
    """
    raise NotImplementedError
