"""What reports say besides the findings: whose record it is, how it came about, where it lies.

Plain values, filled by `harness.scenarios.reporting`; nothing in here is judged or calculated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLink:
    """A file or folder of the results folder.

    `path` is relative to that folder, with forward slashes, not quoted; `what` says what it is.
    """

    path: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRecord:
    """How one cell's record ended, and what else is to be known of it.

    `ended`: in the conductor's words (`interrupted`, `failed: …`, or why the search was done),
    empty while the cell was never ended. `sealed`: false where measuring was cut off. `notes`:
    (name, value) shown as they are, such as the images. `links`: its facts.
    """

    cell: str
    ended: str
    sealed: bool
    notes: tuple[tuple[str, str], ...] = ()
    links: tuple[FactLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """The answer of a command that asked more of these facts: a soak, a validation.

    `kind`: `pass`, `fail` or `inconclusive`. `lines`: the answer first, then what it rests on,
    indented by two blanks a level.
    """

    title: str
    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """Everything a report shows that is not a finding.

    Attributes:
        title: name of the campaign.
        folder: name of the results folder, as a person would pass it to `harness report`.
        started_utc: ISO 8601, `None` where the folder's name does not tell.
        version: of the harness that makes this page.
        command: the argument list that measured, `command` in `environment.json`; empty where
            not recorded.
        campaign_text: `campaign.yaml` as it is.
        journal: the lines of `journal.jsonl`, in order; each has `cell`.
        records: one for each cell that has a record, in the order they were measured.
        planned: ids of all cells of the campaign, in order, measured or not.
        verify: `cells` of `verify.json`, `None` without that file.
        guard: `cells` of `guard.json`, `None` without that file.
        answers: of a soak or a validation, where these are its facts.
        links: the campaign's own files.
        comparison: the page that puts its Dagster versions beside each other, relative as those;
            empty without one.
    """

    title: str
    folder: str
    version: str
    started_utc: str | None = None
    command: tuple[str, ...] = ()
    campaign_text: str = ""
    journal: tuple[Mapping[str, Any], ...] = ()
    records: tuple[CellRecord, ...] = ()
    planned: tuple[str, ...] = ()
    verify: tuple[Mapping[str, Any], ...] | None = None
    guard: tuple[Mapping[str, Any], ...] | None = None
    answers: tuple[KeptAnswer, ...] = ()
    links: tuple[FactLink, ...] = ()
    comparison: str = ""
