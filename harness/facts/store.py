"""The stored record: durable writes while a campaign runs, versioned reads afterwards.

A cell's steps are recorded one by one. The line in `steps.jsonl` is written last and is what
makes a step count, so that a kill at any moment costs at most the step in progress. Sealing
merges the parts; `sealed` in `cell.json` is set before the parts are removed, so that sealing
can be repeated from wherever it was cut off.

One process writes a folder, from one thread at a time. A cell that broke off is written on after
`harness.facts.reopening` has opened it again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from pydantic import ValidationError

from harness.errors import StoredDataError
from harness.facts import codec
from harness.facts.durable import append_lines, make_folder, write_bytes, write_text, writing
from harness.facts.layout import TRIAL_MARK, CellFolder, ResultsFolder, parse_results_name
from harness.facts.lost_events import forget_lost, lost_from, mark_events
from harness.facts.model import SCHEMA, Cell, Event, Run, Sample, Step
from harness.facts.retention_marker import refuse_removed
from harness.facts.table import CellFacts, ResultsFacts, ResultsSummary, SamplesTable

T = TypeVar("T")


def _write_frame(path: Path, frame: pl.DataFrame) -> None:
    write_bytes(path, codec.to_parquet(frame))


class CellWriter:
    """Writes one cell while it is measured; makes its folders.

    Every method raises `EnvironmentProblem` when the disk is full or not writable, and
    `StoredDataError` when the cell is sealed already (`seal` itself may be repeated).
    """

    def __init__(self, folder: CellFolder) -> None:
        """Open a new cell, or one that a crash left behind, to go on with it."""
        self.folder = folder
        self._sealed = folder.cell_json.exists() and read_cell_json(folder).sealed
        self._recorded = {step.index for step in _read_steps(folder)}
        make_folder(folder.logs)
        if not self._sealed:
            make_folder(folder.parts)
            self._forget_lost()

    def write_cell(self, cell: Cell) -> None:
        """Write `cell.json` anew."""
        self._refuse_if_sealed()
        write_text(
            self.folder.cell_json, codec.to_document(codec.to_plain(replace(cell, sealed=False)))
        )

    def append_step(
        self,
        step: Step,
        runs: Iterable[Run],
        samples: Iterable[Sample],
        events: Iterable[Event],
    ) -> None:
        """Record one step and all it left; durable once this returns.

        Raises:
            ValueError: a step of this index is recorded already.
        """
        self._refuse_if_sealed()
        if step.index in self._recorded:
            raise ValueError(f"step {step.index} is recorded already")
        self._forget_lost()
        _write_frame(self.folder.runs_part(step.index), codec.to_frame(Run, runs))
        _write_frame(self.folder.samples_part(step.index), codec.to_frame(Sample, samples))
        lines = [codec.to_line(event) for event in events]
        if lines:
            mark_events(self.folder, step.index)
            append_lines(self.folder.events_jsonl, lines)
        append_lines(self.folder.steps_jsonl, [codec.to_line(step)])
        self._recorded.add(step.index)

    def append_loose(self, samples: Iterable[Sample] = (), events: Iterable[Event] = ()) -> None:
        """Record what was seen between steps (idle, restarts); durable once this returns."""
        self._refuse_if_sealed()
        self._forget_lost()
        frame = codec.to_frame(Sample, samples)
        if frame.height:
            taken = len(self.folder.loose_parts())
            _write_frame(self.folder.loose_part(taken), frame)
        append_lines(self.folder.events_jsonl, map(codec.to_line, events))

    def seal(self, cell: Cell) -> None:
        """Merge the parts, mark the cell sealed, remove the parts. May be repeated."""
        if not self._sealed:
            self._forget_lost()
            runs, samples = _read_parts(self.folder, sorted(self._recorded))
            _write_frame(self.folder.runs_parquet, runs)
            _write_frame(self.folder.samples_parquet, samples)
            # Before the parts go: a kill from here on must find the merged files trusted.
            plain = codec.to_plain(replace(cell, sealed=True))
            write_text(self.folder.cell_json, codec.to_document(plain))
            self._sealed = True
        with writing(self.folder.parts):
            if self.folder.parts.exists():
                shutil.rmtree(self.folder.parts)

    def _forget_lost(self) -> None:
        forget_lost(self.folder, self._recorded)

    def _refuse_if_sealed(self) -> None:
        if self._sealed:
            raise StoredDataError(
                f"The cell in {self.folder.path} is sealed and is never edited.",
                hint="Measure again into a new results folder with `harness run`.",
            )


class ResultsWriter:
    """Writes what belongs to the whole campaign; makes the folder. Raises as `CellWriter`."""

    def __init__(self, folder: ResultsFolder) -> None:
        self.folder = folder
        make_folder(folder.cells)

    def write_campaign(self, text: str) -> None:
        """The campaign, as YAML text."""
        write_text(self.folder.campaign_yaml, text)

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        """The machine and the versions: JSON-ready values."""
        write_text(self.folder.environment_json, codec.to_document(environment))

    def add_environment(self, environment: Mapping[str, Any]) -> str:
        """The same each time measuring goes on; the first stays. Returns the file's name."""
        path = self.folder.next_environment()
        write_text(path, codec.to_document(environment))
        return path.name

    def write_findings(self, findings: Mapping[str, Any]) -> None:
        """Derived, replaceable: JSON-ready findings, which carry their own schema."""
        text = json.dumps(findings, ensure_ascii=False, indent=2, allow_nan=False)
        write_text(self.folder.findings_json, text + "\n")

    def journal(self, entry: Mapping[str, Any]) -> None:
        """One decision of the search, durable once this returns."""
        append_lines(self.folder.journal_jsonl, [codec.to_line(entry)])

    def cell(self, cell_id: str) -> CellWriter:
        """The writer of one cell."""
        return CellWriter(self.folder.cell(cell_id))


@contextmanager
def _reading(path: Path, place: str = "") -> Iterator[None]:
    """Turn whatever a file cannot be read for into a `StoredDataError` naming it."""
    try:
        yield
    except FileNotFoundError as error:
        raise StoredDataError(
            f"{path} is missing.",
            evidence="A results folder is read as a whole.",
            hint="Name another results folder; `harness list` shows them.",
        ) from error
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        reason = codec.first_problem(error) if isinstance(error, ValidationError) else str(error)
        raise StoredDataError(
            f"{path} is damaged{place}.",
            evidence=reason,
            hint="Restore the file from a copy, or measure again with `harness run`.",
        ) from error


def _read_versioned(path: Path) -> dict[str, Any]:
    """A JSON object with a schema number we know; the number is taken out."""
    with _reading(path):
        schema, plain = codec.from_document(path.read_bytes())
    if schema > SCHEMA:
        raise StoredDataError(
            f"{path} was written by a newer harness.",
            evidence=f"Its schema is {schema}; this version reads up to {SCHEMA}.",
            hint="Upgrade the harness (`pip install --upgrade dagster-load-harness`).",
        )
    return plain


def read_cell_json(folder: CellFolder) -> Cell:
    """What a cell says of itself, without its facts.

    Raises:
        StoredDataError: the file is missing, damaged, or from a newer schema.
    """
    plain = _read_versioned(folder.cell_json)
    with _reading(folder.cell_json):
        return codec.from_json(Cell, json.dumps(plain))


def _read_lines(path: Path, parse: Callable[[str], T], *, upto: int | None = None) -> list[T]:
    """The whole lines of a jsonl file, parsed; none when there is no file yet."""
    if not path.exists():
        return []
    with _reading(path):
        lines = codec.whole_lines(path.read_bytes()[:upto])
    records = []
    for number, line in enumerate(lines, start=1):
        with _reading(path, f" in line {number}"):
            records.append(parse(line))
    return records


def _read_steps(folder: CellFolder) -> list[Step]:
    steps = _read_lines(folder.steps_jsonl, partial(codec.from_json, Step))
    return sorted(steps, key=lambda step: step.index)


def _read_events(folder: CellFolder, *, upto: int | None = None) -> list[Event]:
    """Those before the byte `upto`; `None` for all."""
    events = _read_lines(folder.events_jsonl, partial(codec.from_json, Event), upto=upto)
    return sorted(events, key=lambda event: event.at_s)


def _read_frame(kind: type[Any], path: Path) -> pl.DataFrame:
    with _reading(path):
        return codec.from_parquet(kind, path.read_bytes())


def _read_parts(folder: CellFolder, steps: Iterable[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(runs, samples) of the recorded steps and of between; other parts do not count."""
    indexes = list(steps)
    runs = [_read_frame(Run, folder.runs_part(index)) for index in indexes]
    paths = [folder.samples_part(index) for index in indexes] + folder.loose_parts()
    samples = codec.join(Sample, [_read_frame(Sample, path) for path in paths])
    return codec.join(Run, runs), samples.sort("taken_s", maintain_order=True)


def read_cell(folder: CellFolder) -> CellFacts:
    """Everything one cell left behind, sealed or not.

    Raises:
        StoredDataError: a file is missing, damaged, or from a newer schema.
    """
    cell = read_cell_json(folder)
    steps = _read_steps(folder)
    indexes, lost = [step.index for step in steps], None
    if cell.sealed:
        runs = _read_frame(Run, folder.runs_parquet)
        samples = _read_frame(Sample, folder.samples_parquet)
    else:
        runs, samples = _read_parts(folder, indexes)
        with _reading(folder.parts):
            lost = lost_from(folder, indexes)
    with _reading(folder.runs_parquet if cell.sealed else folder.parts):
        run_list = codec.from_frame(Run, runs)
    return CellFacts(
        cell=cell,
        steps=steps,
        runs=run_list,
        samples=SamplesTable(samples),
        events=_read_events(folder, upto=lost),
    )


def read_campaign_text(folder: ResultsFolder) -> str:
    """`campaign.yaml` as it is.

    Raises:
        StoredDataError: it is missing or cannot be read.
    """
    with _reading(folder.campaign_yaml):
        return folder.campaign_yaml.read_text(encoding="utf-8")


def read_environment(path: Path) -> dict[str, Any]:
    """One of `ResultsFolder.environments`, without its schema number.

    Raises:
        StoredDataError: the file is missing, damaged, or from a newer schema.
    """
    return _read_versioned(path)


def read_journal(folder: ResultsFolder) -> list[dict[str, Any]]:
    """Every decision so far, in order; empty where none was made.

    Raises:
        StoredDataError: a line is damaged.
    """
    return _read_lines(folder.journal_jsonl, codec.from_line)


def read_results(path: Path) -> ResultsFacts:
    """Everything one campaign left behind. Cells without a `cell.json` yet are left out.

    Raises:
        StoredDataError: this is no results folder, its facts were removed by age, or a file of it
            cannot be read.
    """
    folder = ResultsFolder(path)
    if not folder.environment_json.exists():
        raise StoredDataError(
            f"{path} is not a results folder.",
            evidence=f"There is no {folder.environment_json.name} in it.",
            hint="`harness list` shows the results folders there are.",
        )
    refuse_removed(folder)
    cells = [read_cell(cell_folder) for cell_folder in folder.cell_folders()]
    cells.sort(key=_start_order)
    name = path.resolve().name
    started_utc, campaign = parse_results_name(name) or (None, name)
    return ResultsFacts(
        campaign=campaign,
        started_utc=started_utc,
        campaign_text=read_campaign_text(folder),
        environment=read_environment(folder.environment_json),
        journal=read_journal(folder),
        cells=cells,
    )


def _start_order(facts: CellFacts) -> tuple[float, str]:
    start_s = facts.cell.idle_start_s
    return (float("inf") if start_s is None else start_s, facts.cell.id)


def list_results(root: Path) -> list[ResultsSummary]:
    """The results folders in `root`, newest first; empty when there is no such folder."""
    if not root.is_dir():
        return []
    summaries = [_summary(path) for path in root.iterdir() if path.is_dir()]
    found = [summary for summary in summaries if summary is not None]
    return sorted(found, key=lambda each: (each.started_utc, each.path.name), reverse=True)


def _summary(path: Path) -> ResultsSummary | None:
    named = parse_results_name(path.name)
    if named is None or (path / TRIAL_MARK).exists():
        return None
    started_utc, campaign = named
    folders, cells, problem = ResultsFolder(path).cell_folders(), [], ""
    for folder in folders:
        try:
            cells.append(read_cell_json(folder))
        except StoredDataError as error:
            problem = problem or error.what
    return ResultsSummary(
        path=path,
        campaign=campaign,
        started_utc=started_utc,
        cells=len(folders),
        sealed=bool(folders) and len(cells) == len(folders) and all(c.sealed for c in cells),
        ended=tuple(cell.ended for cell in cells),
        problem=problem,
    )
