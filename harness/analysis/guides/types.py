"""The words of a trial: figures, claims, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal[
    "holds", "does not hold", "depends", "cannot be measured here", "cannot tell", "not measured"
]
"""`cannot tell`: measured, but a figure that would decide it is not known. `not measured`: its
scenario has not been run."""

DECIDED: tuple[State, ...] = ("holds", "does not hold", "depends")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number a scenario found.

    `meaning` says what it is, for somebody who does not know the scenario. `n`: how many readings
    are behind it. `value` `None` is not known, and `why` says why. `predicted`: by a model, from
    what was measured at another size.
    """

    value: float | None
    unit: str
    meaning: str
    n: int = 1
    why: str = ""
    predicted: bool = False


Figures = Mapping[str, Figure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence of a guide, in our words, and what decides it.

    Args:
        id: number of the claim, as the field research counts them.
        seed: number of the document, `000`.
        where: its section there.
        claim: what it says, in our words.
        scenario: what measures it; empty where nothing here can.
        holds: when it is true, over the scenario's figures (`predicate`).
        depends: when it is neither true nor false; looked at before `holds`.
        depends_on: on what, in words; `{figure}` puts one in, `{share:%}` one as per cent.
        cannot: why nothing here can decide it, and what would.
        note: what the code of Dagster implies.
        instead: what to do instead, where it does not hold or depends.
        surprise: the result in a sentence, for those who read ten; `{figure}` puts one in. Told
            only where the claim does not hold, or depends.
        rank: which of the surprises it is, from 1.
    """

    id: int
    seed: str
    where: str
    claim: str
    scenario: str = ""
    holds: str = ""
    depends: str = ""
    depends_on: str = ""
    cannot: str = ""
    note: str = ""
    instead: str = ""
    surprise: str = ""
    rank: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A figure a verdict rests on."""

    name: str
    figure: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a claim.

    `why`: what it depends on, or why it cannot be said. `evidence`: every figure its predicates
    name. `surprise`: the claim's, with figures put in; empty where there is none to tell.
    """

    claim: Claim
    state: State
    why: str = ""
    surprise: str = ""
    evidence: tuple[Evidence, ...] = field(default=())

    @property
    def predicted(self) -> bool:
        """Whether a model had a say."""
        return any(each.figure.predicted for each in self.evidence)

    @property
    def decided(self) -> bool:
        """Whether measuring answered it."""
        return self.state in DECIDED


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFinding:
    """A scenario of a trial. `ended`: `done`, why not, or empty where it was never begun.

    `figures` is `None` where it was not measured to its end, or in a way today's code cannot judge.
    """

    name: str
    question: str
    ended: str = ""
    quick: bool = False
    started_s: float | None = None
    took_s: float | None = None
    figures: Figures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFinding:
    """A trial of the guides on one machine, judged. `started_s` in epoch seconds."""

    schema: int
    dagster: str
    started_s: float
    environment: Mapping[str, Any]
    scenarios: tuple[ScenarioFinding, ...]
    verdicts: tuple[Verdict, ...]
