"""All rounds so far as `bisect.json`."""

from __future__ import annotations

import math

from harness.analysis.bisecting.belief import Belief, believe
from harness.analysis.bisecting.evidence import Evidence
from harness.analysis.bisecting.status import ends_of, status_of, steps_of, sure_of
from harness.analysis.bisecting.types import (
    SCHEMA,
    USUAL,
    BisectFinding,
    Like,
    Placed,
    Question,
    Rules,
    Size,
    Skipped,
)
from harness.analysis.findings.document import METHOD


def conclude(
    evidence: Evidence, question: Question, *, rules: Rules = USUAL, ended: str = ""
) -> BisectFinding:
    """What is known by now.

    Args:
        evidence: all rounds so far; none is allowed.
        question: what they are to answer.
        rules: how sure to be.
        ended: why no more is measured; empty while it goes on.
    """
    belief = believe(evidence)
    seen = evidence.rounds_of(evidence.releases[0], evidence.releases[-1]) > 0
    status = status_of(belief, rules)
    return BisectFinding(
        schema=SCHEMA,
        method=METHOD,
        question=question,
        releases=len(evidence.releases),
        rules=rules,
        status=status,
        ended=ended,
        ends=ends_of(belief) if seen else None,
        same_p=min(belief.nothing, 1.0),
        single_p=min(belief.single, 1.0),
        drift_p=min(belief.drift, 1.0),
        noise=belief.noise if len(evidence.rounds) > 1 and seen else None,
        steps=steps_of(belief, rules, status),
        measured=_measured(belief, rules),
        skipped=tuple(
            Skipped(release=release, why=evidence.skipped[release])
            for release in sorted(evidence.skipped, key=evidence.index.__getitem__)
        ),
        rounds=evidence.rounds,
    )


def _measured(belief: Belief, rules: Rules) -> tuple[Placed, ...]:
    evidence = belief.evidence
    levels: dict[int, Size] = belief.levels
    named = {release for each in evidence.rounds for release in each.values}
    # Of an older end without a figure there is a belief, and that is no measurement.
    good_seen = evidence.rounds_of(evidence.releases[0]) > 0
    return tuple(
        Placed(
            release=evidence.releases[at],
            value=_middle(evidence, evidence.releases[at]),
            to_good=levels.get(at) if good_seen else None,
            like=_like(belief, column, rules),
            rounds=evidence.rounds_of(evidence.releases[at]),
        )
        for column, at in enumerate(evidence.places)
        if evidence.releases[at] in named
    )


def _middle(evidence: Evidence, release: str) -> float | None:
    values = [each.values[release] for each in evidence.rounds if release in each.values]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def _like(belief: Belief, column: int, rules: Rules) -> Like:
    """On which side of what moved a release is, if something did."""
    if column in (0, len(belief.evidence.places) - 1):
        return "good" if column == 0 else "bad"
    moved = 1 - belief.nothing
    before = belief.chance(lambda gaps: bool(gaps) and min(gaps) >= column)
    behind = belief.chance(lambda gaps: bool(gaps) and max(gaps) < column)
    ways: tuple[tuple[Like, float], ...] = (
        ("good", before), ("bad", behind), ("between", moved - before - behind),
    )  # fmt: skip
    like, most = max(ways, key=lambda way: way[1])
    return like if most >= sure_of(rules) * moved else "unsure"
