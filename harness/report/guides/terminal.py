"""A trial on a terminal: the verdicts in a table, counts first."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.analysis.guides.types import Claim, TrialFinding, Verdict
from harness.report.guides.words import SIGNS, counts_words, evidence_words, state_words

STYLES = {
    "holds": "green", "does not hold": "red", "depends": "yellow",
    "cannot tell": "yellow", "cannot be measured here": "dim", "not measured": "dim",
}  # fmt: skip


def render_trial(finding: TrialFinding, *, everything: bool) -> RenderableType:
    """Every verdict; those not measured only with `everything`."""
    shown = [v for v in finding.verdicts if everything or v.decided or v.state == "cannot tell"]
    heading = Text(f"Dagster {finding.dagster}. {counts_words(finding.verdicts)}.", style="bold")
    return Group(heading, _table(shown))


def render_claims(claims: Sequence[Claim]) -> RenderableType:
    """The registry: what is claimed where, and what decides it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("#", "guide", "claim", "decided by"):
        table.add_column(name, overflow="fold")
    for claim in claims:
        decides = claim.scenario or f"cannot be measured here: {claim.cannot}"
        table.add_row(str(claim.id), claim.seed, claim.claim, decides)
    return table


def _table(verdicts: Sequence[Verdict]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("claim", ratio=3, overflow="fold")
    table.add_column("verdict", ratio=2, overflow="fold")
    table.add_column("measured here", ratio=3, overflow="fold")
    for verdict in verdicts:
        style = STYLES[verdict.state]
        table.add_row(
            str(verdict.claim.id), verdict.claim.claim,
            Text(f"{SIGNS[verdict.state]} {state_words(verdict)}", style=style),
            evidence_words(verdict.evidence),
        )  # fmt: skip
    return table
