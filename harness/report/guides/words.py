"""Figures and verdicts in words, the same on a terminal and on a page."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.guides.types import Evidence, Figure, Verdict

SIGNS = {
    "holds": "✓",
    "does not hold": "✗",
    "depends": "≈",
    "cannot be measured here": "–",
    "cannot tell": "?",
    "not measured": "·",
}


def state_words(verdict: Verdict) -> str:
    """`does not hold`, `depends: …`, `cannot be measured here: …`; a model's say is labelled."""
    told = f"{verdict.state}: {verdict.why}" if verdict.why else verdict.state
    return f"{told} (predicted)" if verdict.predicted and verdict.decided else told


def figure_words(figure: Figure) -> str:
    """`98.2 MiB`, `0.031`, `not known`."""
    if figure.value is None:
        return "not known"
    unit = "" if figure.unit in ("", "1") else f" {figure.unit}"
    return f"{_number(figure.value)}{unit}"


def evidence_words(evidence: Sequence[Evidence]) -> str:
    """`processes a run adds: 1 (3 readings); …`"""
    return "; ".join(
        f"{each.figure.meaning or each.name}: {figure_words(each.figure)}" for each in evidence
    )


def counts_words(verdicts: Sequence[Verdict]) -> str:
    """`69 claims: 20 hold, 31 do not, …`."""
    names = (
        ("holds", "hold"), ("does not hold", "do not hold"), ("depends", "depend"),
        ("cannot be measured here", "cannot be measured here"),
        ("cannot tell", "could not be decided"), ("not measured", "not measured"),
    )  # fmt: skip
    counts = [(sum(v.state == state for v in verdicts), words) for state, words in names]
    told = ", ".join(f"{count} {words}" for count, words in counts if count)
    return f"{len(verdicts)} claims: {told}"


NOTHING = 1e-9
"""Smaller figures are what arithmetic leaves of 0."""


def _number(value: float) -> str:
    if abs(value) < NOTHING:
        return "0"
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value)}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
