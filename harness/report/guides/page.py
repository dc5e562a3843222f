"""A trial as the page people quote: what surprises first, then every claim by its guide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

from harness.analysis.guides.types import TrialFinding, Verdict
from harness.report.guides.markdown import claim_rows, host_words, scenario_sections
from harness.report.guides.words import counts_words
from harness.report.markup import inline

MOST_SURPRISES = 10

_HEAD = """# The sizing guides on trial

People size Dagster code servers by guides. We took five, wrote down what they claim in our own
words, and measured each claim with real components: a real `dagster api grpc` server under CPU and
memory limits, its webserver and daemon, PostgreSQL, and what feeds them. Every verdict below is a
predicate over measured figures, stored with the figures it rests on; nothing is typed in. Where
this machine is too small a model had a say, and the verdict says *predicted*.
"""

_AGAIN = """## Measure it yourself

    harness guides run            # all of it, at most 100 minutes; --quick: 20
    harness guides run --claim 20 # what decides one claim
    harness guides report         # this table, for your machine

Trials are resumable (`--resume FOLDER`), and facts are kept: a verdict can be disputed, or judged
again by better code, without a server. What decides a claim:
[`harness/scenarios/guides/`](../harness/scenarios/guides/), a file a question, claims beside it.
"""


def trial_page(finding: TrialFinding, documents: Mapping[str, str]) -> str:
    """The whole page, ending in a newline.

    Args:
        finding: the trial.
        documents: what each guide is about, by its number.
    """
    day = datetime.fromtimestamp(finding.started_s, UTC).date()
    lines = [
        _HEAD,
        f"Dagster {finding.dagster}, {day}, {host_words(finding)}. "
        f"{counts_words(finding.verdicts)}.",
        "",
        *_surprises(finding.verdicts),
        *_by_document(finding.verdicts, documents),
        _AGAIN,
        "## What was measured",
        *scenario_sections(finding),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _surprises(verdicts: Sequence[Verdict]) -> Iterator[str]:
    told = sorted((v for v in verdicts if v.surprise), key=lambda v: (v.claim.rank, v.claim.id))
    if not told:
        return
    yield "## What surprises most"
    yield ""
    for number, verdict in enumerate(told[:MOST_SURPRISES], start=1):
        predicted = " (predicted)" if verdict.predicted else ""
        claim = f"[claim {verdict.claim.id}](#{anchor(verdict.claim.seed)})"
        yield f"{number}. {inline(verdict.surprise, longest=500)}{predicted} ({claim})"
    yield ""


def _by_document(verdicts: Sequence[Verdict], documents: Mapping[str, str]) -> Iterator[str]:
    ordered = sorted(verdicts, key=lambda verdict: (verdict.claim.seed, verdict.claim.id))
    for seed, group in groupby(ordered, key=lambda verdict: verdict.claim.seed):
        yield f"## Guide {seed}"
        yield ""
        yield f"{documents.get(seed, '')}."
        yield ""
        yield from claim_rows(tuple(group))
        yield ""


def anchor(seed: str) -> str:
    """Where the claims of a guide are on the page."""
    return f"guide-{seed}"
