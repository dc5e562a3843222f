"""A cell that broke off, opened again to be gone on with.

Only a cell that was interrupted or failed: one that came to its own end is never edited. Sealing
merged its parts; here they are made again, and `cell.json` says last that the cell is open. Until
then the merged files are what counts, so that opening can be repeated from wherever it was cut off.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

import polars as pl

from harness.errors import StoredDataError
from harness.facts import codec
from harness.facts.durable import make_folder, write_bytes, write_text, writing
from harness.facts.layout import CellFolder
from harness.facts.model import Cell, Run, Sample, broke_off
from harness.facts.store import CellWriter, read_cell
from harness.facts.table import CellFacts


def reopen(folder: CellFolder) -> CellFacts:
    """Make a cell that broke off, or was cut off, ready for a `CellWriter`; its facts.

    Raises:
        StoredDataError: it came to its own end, or cannot be read.
        EnvironmentProblem: no room, or no right to write there.
    """
    facts = read_cell(folder)
    if facts.cell.sealed and not broke_off(facts.cell.ended):
        raise StoredDataError(
            f"The cell in {folder.path} came to its own end and is never edited.",
            hint="Measure it anew: harness resume --again CELL",
        )
    if facts.cell.sealed:
        _spread(folder, facts)
        _mark_open(folder, facts.cell)
    return replace(facts, cell=replace(facts.cell, sealed=False, ended=""))


def finish_sealing(folder: CellFolder) -> None:
    """Remove what a kill in the middle of sealing left of a sealed cell's parts.

    Raises:
        EnvironmentProblem: it cannot be removed.
    """
    if folder.parts.exists():
        facts = read_cell(folder)
        CellWriter(folder).seal(facts.cell)


def _spread(folder: CellFolder, facts: CellFacts) -> None:
    """The parts as they were before sealing: runs by step; samples in one, they know their time."""
    with writing(folder.parts):
        if folder.parts.exists():  # of a sealing, or an opening, that was cut off
            shutil.rmtree(folder.parts)
    make_folder(folder.parts)
    runs = codec.to_frame(Run, facts.runs)
    nothing = codec.to_parquet(codec.to_frame(Sample, ()))
    for step in facts.steps:
        own = runs.filter(pl.col("step") == step.index)
        write_bytes(folder.runs_part(step.index), codec.to_parquet(own))
        write_bytes(folder.samples_part(step.index), nothing)
    write_bytes(folder.loose_part(0), codec.to_parquet(facts.samples.frame))


def _mark_open(folder: CellFolder, cell: Cell) -> None:
    plain = codec.to_plain(replace(cell, sealed=False, ended=""))
    write_text(folder.cell_json, codec.to_document(plain))
