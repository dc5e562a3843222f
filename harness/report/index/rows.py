"""What `index.html` shows of one campaign, in words and in keys to sort by.

Rows keep nothing of the findings they are made from: an index is made of a thousand campaigns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from harness.analysis.changes import Change
from harness.analysis.findings.types import CellFinding, Findings, IssueFinding
from harness.errors import ExitCode
from harness.facts.model import Cell, broke_off
from harness.report.context import FactLink
from harness.report.index.wording import ChangeWords, change_words
from harness.report.phrases import UNKNOWN, binding_phrase, capacity_phrase, count_of
from harness.report.standing import traits_of, verdict_word

Tone = Literal["good", "bad", "warn", "plain"]

TONES: dict[ExitCode, Tone] = {
    ExitCode.PASS: "good",
    ExitCode.BREACH: "bad",
    ExitCode.INCONCLUSIVE: "warn",
}
RANKS: dict[ExitCode, int] = {ExitCode.BREACH: 1, ExitCode.INCONCLUSIVE: 2, ExitCode.PASS: 4}
"""Order of verdicts, what wants attention first; 0 and 3 are of campaigns without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRow:
    """One cell.

    `holds` is `None` where it was not judged. `runs` is its capacity to sort by, `None` where it
    has none. `note` says why it is not whole, or what is known of it without findings.
    """

    workload: str
    profile: str
    rest: str
    holds: str | None = None
    runs: int | None = None
    binds: str = UNKNOWN
    change: ChangeWords | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow:
    """One results folder.

    `gaps`: what is missing, in sentences. `links`: files that are there.
    """

    folder: str
    campaign: str
    started_utc: datetime
    verdict: str
    tone: Tone
    rank: int
    gaps: tuple[str, ...] = ()
    fatal: int = 0
    warnings: int = 0
    doubts: tuple[str, ...] = ("none",)
    cells: tuple[CellRow, ...] = ()
    links: tuple[FactLink, ...] = ()

    @property
    def anchor(self) -> str:
        """The row's id in the page."""
        return anchor_of(self.folder)

    @property
    def least(self) -> int | None:
        """The smallest capacity among the cells."""
        return min((cell.runs for cell in self.cells if cell.runs is not None), default=None)

    @property
    def worst_ratio(self) -> float | None:
        """The capacity that fell most since the one before, or grew least."""
        ratios = [cell.change.ratio for cell in self.cells if cell.change]
        return min((ratio for ratio in ratios if ratio is not None), default=None)


def anchor_of(folder: str) -> str:
    """The id of a campaign's row."""
    return f"c-{folder}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a campaign lies, by its folder's name, and which of its files are there."""

    folder: str
    campaign: str
    started_utc: datetime
    links: tuple[FactLink, ...]


def judged_row(
    place: Place,
    findings: Findings,
    changes: Sequence[Change],
    *,
    verdict: ExitCode,
    gaps: Mapping[str, str],
    missing: Sequence[CellRow],
) -> CampaignRow:
    """A campaign with findings.

    Args:
        place: where it lies.
        findings: of the campaign.
        changes: one for each of its cells, in their order.
        verdict: what the exit code says.
        gaps: why a cell is not whole, by its id.
        missing: cells that were planned and have no findings.
    """
    counts = Counter(issue.severity for issue in findings.validity)
    told = [
        _judged_cell(cell, change, gaps.get(cell.id, ""))
        for cell, change in zip(findings.cells, changes, strict=True)
    ]
    return CampaignRow(
        folder=place.folder,
        campaign=place.campaign,
        started_utc=place.started_utc,
        links=place.links,
        verdict=verdict_word(verdict),
        tone=TONES[verdict],
        rank=RANKS[verdict],
        gaps=_gaps(sum(bool(cell.note) for cell in told), len(missing)),
        fatal=counts["fatal"],
        warnings=counts["warning"],
        doubts=_doubts(findings.validity),
        cells=(*told, *missing),
    )


def _gaps(broken_off: int, missing: int) -> tuple[str, ...]:
    told = ((broken_off, "broke off"), (missing, "not measured"))
    return tuple(f"{count_of(number, 'cell')} {what}" for number, what in told if number)


def unjudged_row(place: Place, cells: Iterable[Cell], gaps: Sequence[str]) -> CampaignRow:
    """A campaign that was not judged yet."""
    return CampaignRow(
        folder=place.folder, campaign=place.campaign, started_utc=place.started_utc,
        links=place.links, verdict="not judged", tone="plain", rank=3, gaps=tuple(gaps),
        doubts=(UNKNOWN,), cells=tuple(map(_recorded_cell, cells)),
    )  # fmt: skip


def unreadable_row(place: Place, cells: Iterable[Cell], problem: str) -> CampaignRow:
    """A campaign whose findings cannot be read, and why."""
    return CampaignRow(
        folder=place.folder, campaign=place.campaign, started_utc=place.started_utc,
        links=place.links, verdict="unreadable", tone="bad", rank=0, gaps=(problem,),
        doubts=(UNKNOWN,), cells=tuple(map(_recorded_cell, cells)),
    )  # fmt: skip


def _judged_cell(cell: CellFinding, change: Change, gap: str) -> CellRow:
    traits = traits_of(cell)
    apart = ("workload", "profile")
    return CellRow(
        workload=cell.workload,
        profile=cell.profile.name,
        rest=", ".join(text for name, text in traits.items() if text and name not in apart),
        holds=capacity_phrase(cell.capacity),
        runs=cell.capacity.concurrency,
        binds=binding_phrase(cell),
        change=change_words(change),
        note=gap,
    )


def _recorded_cell(cell: Cell) -> CellRow:
    note = cell.ended if cell.sealed else "cut off, or still being measured"
    if cell.sealed and not broke_off(cell.ended):
        note = f"measured: {cell.ended}"
    return CellRow(
        workload=cell.workload,
        profile=cell.profile,
        rest=f"Dagster {cell.dagster}, {cell.max_workers} workers, {cell.feed} feed, {cell.target}",
        note=note,
    )


def _doubts(issues: Sequence[IssueFinding]) -> tuple[str, ...]:
    """`2 fatal (generator_late)` and `1 warning (work_inflated)`, or `none`."""
    told = []
    for severity, plural in (("fatal", "fatal"), ("warning", "warnings")):
        codes = [issue.code for issue in issues if issue.severity == severity]
        if codes:
            word = severity if len(codes) == 1 else plural
            told.append(f"{len(codes)} {word} ({', '.join(dict.fromkeys(codes))})")
    return tuple(told) or ("none",)
