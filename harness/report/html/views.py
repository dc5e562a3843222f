"""Findings, pictures and context of one cell brought together, as the templates want them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.findings.types import CellFinding, Findings, IssueFinding, StepFinding
from harness.analysis.picture.types import CellPicture
from harness.report.context import CellRecord, PageContext
from harness.report.html.figures import (
    Chart,
    curve_of,
    decides,
    gantt_of,
    over_time,
    phases_of,
    tells,
)
from harness.report.html.gaps import Gap, by_cell, page_gaps
from harness.report.html.scale import Scale, scales_of
from harness.report.standing import kind_of, shared_traits
from harness.report.verdict import cell_labels

MANY_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One line of the journal, and the step it led to. `done`: why the search ended."""

    kind: str
    concurrency: int | None
    repetition: int
    reason: str
    done: str
    step: StepFinding | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """Everything the page says of one cell.

    `number` counts from 1 in the order of the findings, `prefix` begins its id. `void`: a doubt or
    the feed took its answer away. `open_steps`: indexes of the steps whose objectives are shown
    unfolded; `telling_steps`: of those told in full even on a crowded page.
    """

    number: int
    label: str
    cell: CellFinding
    prefix: str
    picture: CellPicture | None
    record: CellRecord | None
    journal: tuple[Decision, ...]
    fatal: tuple[IssueFinding, ...]
    warnings: tuple[IssueFinding, ...]
    gaps: tuple[Gap, ...]
    scale: Scale
    curve: Chart
    phases: Chart
    gantt: Chart
    over_time: tuple[Chart, ...]
    open_steps: frozenset[int]
    telling_steps: frozenset[int]

    @property
    def anchor(self) -> str:
        """The id of its section."""
        return f"{self.prefix}-{self.number}"

    @property
    def void(self) -> bool:
        """Whether there is no answer to trust."""
        return self.cell.capacity.status == "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindView:
    """Equal cells. `whole`: all rounds as one; `rounds`: each, in the order they were measured."""

    whole: CellView
    rounds: tuple[CellView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """The page as a whole. `gaps`: of the campaign and of all cells; `shared`: what all cells
    have in common besides workload and size, in words. `kinds`: of a campaign in rounds, else
    none."""

    cells: tuple[CellView, ...]
    kinds: tuple[KindView, ...]
    gaps: tuple[Gap, ...]
    fatal: tuple[IssueFinding, ...]
    warnings: tuple[IssueFinding, ...]
    shared: tuple[str, ...]

    @property
    def answers(self) -> tuple[CellView, ...]:
        """What the page answers: each cell, or the rounds of a kind together."""
        return tuple(kind.whole for kind in self.kinds) or self.cells

    @property
    def grave(self) -> tuple[Gap, ...]:
        """Gaps the answer itself suffers from."""
        return tuple(gap for gap in self.gaps if gap.grave)

    @property
    def crowded(self) -> bool:
        """Whether there are so many steps that a page can tell only of a few all there is."""
        return sum(len(view.cell.steps) for view in self.cells) > MANY_STEPS

    @property
    def unenforced(self) -> tuple[CellView, ...]:
        """Cells whose limits nothing enforced."""
        return tuple(
            view for view in self.cells if view.cell.steps and not view.cell.limits_enforced
        )

    def view_of(self, cell: str) -> CellView | None:
        """The view of a cell by its id, `None` where the findings do not have it."""
        return next((view for view in self.cells if view.cell.id == cell), None)


def page_view(
    findings: Findings,
    pictures: Sequence[CellPicture],
    context: PageContext,
    *,
    pooled: Findings | None = None,
) -> PageView:
    """What the templates are filled with; `pooled`: of a campaign in rounds, kinds as one cell."""
    gaps = page_gaps(findings, pictures, context)
    cells = tuple(_cell_views(findings, pictures, context, by_cell(gaps)))
    in_rounds = any(cell.repetition is not None for cell in findings.cells)
    return PageView(
        cells=cells,
        kinds=tuple(_kinds(pooled, cells, context)) if pooled and in_rounds else (),
        gaps=gaps,
        fatal=tuple(issue for issue in findings.validity if issue.severity == "fatal"),
        warnings=tuple(issue for issue in findings.validity if issue.severity != "fatal"),
        shared=tuple(
            text
            for name, text in shared_traits((pooled or findings).cells).items()
            if name != "profile"
        ),
    )


def _kinds(pooled: Findings, cells: Sequence[CellView], context: PageContext) -> Iterator[KindView]:
    for whole in _cell_views(pooled, (), context, {}, prefix="kind"):
        rounds = (view for view in cells if kind_of(view.cell.id) == whole.cell.id)
        yield KindView(whole=whole, rounds=tuple(rounds))


def _cell_views(
    findings: Findings,
    pictures: Sequence[CellPicture],
    context: PageContext,
    gaps: Mapping[str, tuple[Gap, ...]],
    prefix: str = "cell",
) -> Iterator[CellView]:
    drawn = {picture.cell: picture for picture in pictures}
    records = {record.cell: record for record in context.records}
    labels, scales = cell_labels(findings.cells), scales_of(findings.cells)
    for number, cell in enumerate(findings.cells, start=1):
        own = tuple(issue for issue in findings.validity if issue.cell == cell.id)
        picture = drawn.get(cell.id)
        yield CellView(
            number=number,
            label=labels[number - 1],
            cell=cell,
            prefix=prefix,
            picture=picture,
            record=records.get(cell.id),
            journal=tuple(_journal(cell, context.journal)),
            fatal=tuple(issue for issue in own if issue.severity == "fatal"),
            warnings=tuple(issue for issue in own if issue.severity != "fatal"),
            gaps=gaps.get(cell.id, ()),
            scale=scales[number - 1],
            curve=curve_of(cell),
            phases=phases_of(cell),
            gantt=gantt_of(cell, picture),
            over_time=tuple(over_time(picture)),
            open_steps=frozenset(step.index for step in cell.steps if decides(cell, step)),
            telling_steps=frozenset(step.index for step in cell.steps if _tells(cell, step)),
        )


def _tells(cell: CellFinding, step: StepFinding) -> bool:
    """One of many rounds stands for nothing alone."""
    return cell.repetition is None and tells(cell, step)


def _journal(cell: CellFinding, lines: Sequence[Mapping[str, Any]]) -> Iterator[Decision]:
    steps = {(step.kind, step.concurrency, step.repetition): step for step in cell.steps}
    for line in lines:
        if line.get("cell") != cell.id:
            continue
        kind, concurrency = str(line.get("kind", "")), line.get("concurrency")
        repetition = line.get("repetition") or 1
        yield Decision(
            kind=kind,
            concurrency=concurrency,
            repetition=repetition,
            reason=str(line.get("reason", "")),
            done=str(line.get("done", "")),
            step=steps.get((kind, concurrency, repetition)) if concurrency else None,
        )
