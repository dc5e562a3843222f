"""A trial as a table for a page: claim, measured here, verdict, what to do instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from harness.analysis.guides.types import ScenarioFinding, TrialFinding, Verdict
from harness.facts.server_host import server_host
from harness.report.guides.words import counts_words, evidence_words, figure_words, state_words
from harness.report.markup import inline


def trial_markdown(finding: TrialFinding) -> str:
    """The whole trial, ending in a newline."""
    lines = [
        *_head(finding), "", *claim_rows(finding.verdicts), "", "## What was measured",
        *scenario_sections(finding),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _head(finding: TrialFinding) -> Iterator[str]:
    day = datetime.fromtimestamp(finding.started_s, UTC).date()
    yield "# The guides on trial"
    yield ""
    yield (
        f"Dagster {finding.dagster}, measured on {day}, {host_words(finding)}. "
        f"{counts_words(finding.verdicts)}."
    )


def host_words(finding: TrialFinding) -> str:
    """`on 2 CPUs (AMD EPYC)`."""
    host = server_host(finding.environment)
    return f"on {host.get('cpus')} CPUs ({inline(host.get('cpu_model') or 'unknown')})"


def claim_rows(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A table of claims with their verdicts."""
    yield "| # | guide | claim | measured here | verdict | instead |"
    yield "|---|---|---|---|---|---|"
    yield from map(_row, verdicts)


def _row(verdict: Verdict) -> str:
    claim = verdict.claim
    instead = claim.instead if verdict.state in ("does not hold", "depends") else ""
    cells = (
        str(claim.id), f"{claim.seed}, {inline(claim.where)}", inline(claim.claim),
        inline(evidence_words(verdict.evidence), longest=600), inline(state_words(verdict)),
        inline(instead),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def scenario_sections(finding: TrialFinding) -> Iterator[str]:
    """Every scenario with all of its figures."""
    for scenario in finding.scenarios:
        yield ""
        yield f"### {scenario.name}"
        yield ""
        yield f"{inline(scenario.question)} {_took(scenario)}"
        if scenario.figures:
            yield ""
            yield "| figure | value | readings | meaning |"
            yield "|---|---|---|---|"
            for name, figure in scenario.figures.items():
                value = figure_words(figure) + (" (predicted)" if figure.predicted else "")
                yield f"| `{name}` | {inline(value)} | {figure.n} | {inline(figure.meaning)} |"


def _took(scenario: ScenarioFinding) -> str:
    if not scenario.ended:
        return "Not measured."
    quick = ", quick" if scenario.quick else ""
    took = f"{(scenario.took_s or 0) / 60:.1f} min{quick}"
    return f"({took})" if scenario.figures is not None else f"Broke off: {inline(scenario.ended)}"
