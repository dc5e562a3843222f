"""From a claim and figures to a verdict: computed, never typed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.analysis.guides.predicate import decide, names_in
from harness.analysis.guides.types import Claim, Evidence, Figure, Figures, State, Verdict


def judge(claims: Sequence[Claim], figures: Mapping[str, Figures]) -> tuple[Verdict, ...]:
    """A verdict for every claim, in their order.

    Args:
        claims: of the registry.
        figures: by scenario, of those that were measured.
    """
    return tuple(verdict_on(claim, figures.get(claim.scenario)) for claim in claims)


def verdict_on(claim: Claim, figures: Figures | None) -> Verdict:
    """What the figures of its scenario say of a claim; `None`: it was not measured."""
    if not claim.scenario:
        return Verdict(claim=claim, state="cannot be measured here", why=claim.cannot)
    if figures is None:
        return Verdict(claim=claim, state="not measured")
    evidence = tuple(
        Evidence(name=name, figure=_figure(figures, name)) for name in names_in_all(claim)
    )
    unknown = [each for each in evidence if each.figure.value is None]
    if unknown:
        why = "; ".join(f"{each.name}: {each.figure.why or 'not known'}" for each in unknown)
        return Verdict(claim=claim, state="cannot tell", why=why, evidence=evidence)
    values = {e.name: e.figure.value for e in evidence if e.figure.value is not None}
    state = _state(claim, values)
    why = _filled(claim.depends_on, values) if state == "depends" else ""
    told = claim.surprise if state in ("does not hold", "depends") else ""
    return Verdict(
        claim=claim, state=state, why=why, surprise=_filled(told, values), evidence=evidence
    )


def changed(first: Sequence[Verdict], second: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Verdicts of the second trial on claims that both decided, and differently."""
    before = {verdict.claim.id: verdict.state for verdict in first if verdict.decided}
    return tuple(
        verdict
        for verdict in second
        if verdict.decided and before.get(verdict.claim.id, verdict.state) != verdict.state
    )


def names_in_all(claim: Claim) -> tuple[str, ...]:
    """Every figure a claim's predicates name; its words may put in no others."""
    predicates = filter(None, (claim.holds, claim.depends))
    return tuple(dict.fromkeys(name for each in predicates for name in names_in(each)))


def _state(claim: Claim, values: Mapping[str, float]) -> State:
    if claim.depends and decide(claim.depends, values):
        return "depends"
    return "holds" if claim.holds and decide(claim.holds, values) else "does not hold"


def _figure(figures: Figures, name: str) -> Figure:
    missing = Figure(value=None, unit="", meaning="", n=0, why="the scenario has no such figure")
    return figures.get(name, missing)


class _Told(float):
    """A number in a sentence: `{x}` three digits, thousands in full; `{x:%}` per cent."""

    def __format__(self, how: str) -> str:
        if how == "%":
            return f"{100 * self:.2g} %" if abs(self) < 0.1 else f"{100 * self:.0f} %"
        return f"{float(self):,.0f}" if abs(self) >= 1000 else f"{float(self):.3g}"


def _filled(words: str, values: Mapping[str, float]) -> str:
    return words.format_map({name: _Told(value) for name, value in values.items()})
