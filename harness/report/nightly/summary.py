"""The contract of `nightly.json`: one night in one document.

Filled by `harness.scenarios.nightly`; nothing in here is judged or calculated. Lists of sentences
are in the order in which things happened.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from harness.analysis.history.types import Alarm

SCHEMA = 1
"""Version of the document. Further keys may appear within one; a key never changes its meaning."""

Status = Literal["green", "red", "grey"]
"""`green`: nothing is worse for sure. `red`: something is. `grey`: nobody can tell, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """Where a change began: the first night of the stretch that ends tonight.

    `changed`: what else changed with it, in words (`Dagster 1.13.20 → 1.13.21`). `before`, `now`:
    the Dagster versions on both sides; `before` is empty where nothing tells.
    """

    folder: str
    started_utc: str
    changed: tuple[str, ...] = ()
    before: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One gating series tonight. `since` is `None` where nothing moved; `bisect`: the command that
    finds the release, empty where Dagster did not change.
    """

    alarm: Alarm
    since: Since | None = None
    bisect: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """An objective that must never break, broken at an equal load.

    `steps` of `of` steps at `concurrency` broke it; `held`: steps before, or of the baseline
    tonight, that kept it. `red`: it held before for sure, and now it does not.
    """

    kind: str
    slo: str
    concurrency: int
    dagster: str
    steps: int
    of: int
    held: int
    red: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison made tonight, in short. `with_what`: `within the night`, or the pinned folder.

    `file`: the whole of it, in the results folder; empty where it was refused. `differences`: what
    forbade comparing.
    """

    with_what: str
    verdict: str
    sentence: str
    file: str = ""
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """A cell that came out invalid. `again`: it was measured once more; `outcome`: what of it."""

    cell: str
    why: str
    again: bool
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What broke the night off: what happened, what was seen, the way out."""

    what: str
    evidence: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """What to type next; empty where there is nothing to type."""

    reproduce: str = ""
    report: str = ""
    resume: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One night.

    Attributes:
        status: in a word; `headline` says it in a sentence, with the reason.
        exit_code: what the process told its caller.
        folder: name of the results folder; `None` where nothing was measured.
        started_utc, ended_utc: ISO 8601. `lasted_s`, `budget_s`: seconds; `None` without a budget.
        dagster: the versions, the baseline first where there is one.
        host, harness: what measured, in words; empty where nothing was.
        trouble: what broke it off; `None` where nothing did.
        nights: earlier nights that tonight was held against.
        resumed: it went on with a night that had been cut short.
        series: every gating series, and what tonight says of it.
        breaches: OOM kills and failed runs at equal loads.
        changed: what else is other than the night before.
        comparisons: within the night, and with the pinned results.
        shortened: what was left out to keep the budget.
        retried: cells that were invalid at first.
        unknown: what could not be told, and why.
        remarks: what a reader should know. failures: what went wrong after measuring.
        left: what earlier nights left behind, and what became of it.
        pruned: folders whose raw facts were removed.
    """

    status: Status
    headline: str
    exit_code: int
    campaign: str
    folder: str | None
    started_utc: str
    ended_utc: str
    lasted_s: float
    budget_s: float | None
    dagster: tuple[str, ...]
    baseline: str
    host: str = ""
    harness: str = ""
    trouble: Trouble | None = None
    nights: int = 0
    resumed: bool = False
    series: tuple[Series, ...] = ()
    breaches: tuple[Breach, ...] = ()
    changed: tuple[str, ...] = ()
    comparisons: tuple[Compared, ...] = ()
    shortened: tuple[str, ...] = ()
    retried: tuple[Retried, ...] = ()
    unknown: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    commands: Commands = field(default_factory=Commands)


def nightly_document(summary: Summary) -> dict[str, Any]:
    """The document as plain values, `schema` first; `null` means not known, never zero."""
    return {"schema": SCHEMA, **asdict(summary)}


def nightly_json(summary: Summary) -> str:
    """The document as text, ending in a newline.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot say.
    """
    document = nightly_document(summary)
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
