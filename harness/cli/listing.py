"""`harness list`: which campaigns are stored here."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.errors import StoredDataError
from harness.facts.layout import is_results, parse_results_name

if TYPE_CHECKING:
    from harness.facts.table import ResultsSummary

ENDLESS = 10_000
"""Columns, to see how wide a table would like to be."""


def list_(
    root: Annotated[Path, typer.Option(help="Where results folders are.")] = Path("results"),
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    html: Annotated[
        bool,
        typer.Option(
            "--html",
            help="Write index.html there instead: what each campaign holds and what changed.",
        ),
    ] = False,
) -> int:
    """List stored campaigns, newest first."""
    from harness.facts.store import list_results

    if html and json_:
        raise typer.BadParameter("either that or --json.", param_hint="--html")
    if html and root.is_dir():
        return _write_index(root)

    stored = list_results(root)
    if json_:
        rows = [
            {"path": str(e.path), "campaign": e.campaign, "started": e.started_utc.isoformat(),
             "cells": e.cells, "sealed": e.sealed}
            for e in stored
        ]  # fmt: skip
        print(json.dumps(rows, indent=2))
        return 0
    if not stored:
        missing = "" if root.is_dir() else " (there is no such folder)"
        print(f"No campaigns in {root}{missing}. Measure one: harness run")
        _tell_others(root)
        return 0
    table = Table("started (UTC)", "campaign", "cells", "state", "folder", box=None)
    for entry in stored:
        table.add_row(
            f"{entry.started_utc:%Y-%m-%d %H:%M:%S}", entry.campaign, str(entry.cells),
            _state(entry), str(entry.path),
        )  # fmt: skip
    console = Console(markup=False)
    # Wider than the terminal rather than a path in pieces: it is there to be copied, or grepped.
    needed = console.measure(table, options=console.options.update(max_width=ENDLESS)).maximum
    Console(markup=False, width=max(console.width, needed)).print(table)
    _tell_others(root)
    return 0


def _tell_others(root: Path) -> None:
    """Results folders somebody gave another name: they can be read, and stand in no list."""
    others = sorted(
        path.name
        for path in (root.iterdir() if root.is_dir() else ())
        if is_results(path) and parse_results_name(path.name) is None
    )
    if others:
        note = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        note.print(
            f"Not listed, because not named <start>-<campaign>: {', '.join(others)}. "
            "Name one to read it: harness report FOLDER"
        )


def _write_index(root: Path) -> int:
    # Statistics take seconds to import; `harness --help` must not wait for them.
    from harness.scenarios.overview import write_index

    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"All campaigns: {write_index(root)}")
    return 0


def _state(entry: ResultsSummary) -> str:
    if entry.problem:
        return "damaged"
    if not entry.sealed:
        return "unfinished"
    for word in ("interrupted", "failed"):
        if any(reason.startswith(word) for reason in entry.ended):
            return word
    return "complete"


def resolve(name: str, root: Path) -> Path:
    """The results folder a user means: a path, a folder name under `root`, or `latest`.

    Raises:
        StoredDataError: there is no such folder.
    """
    from harness.facts.store import list_results

    if name == "latest":
        stored = list_results(root)
        if not stored:
            missing = "" if root.is_dir() else "There is no such folder."
            raise StoredDataError(
                f"There are no results in {root}.",
                evidence=missing,
                hint="Measure some: harness run. Or say where they are: --root FOLDER",
            )
        return stored[0].path
    for candidate in (Path(name), root / name):
        if candidate.is_dir():
            return candidate
    elsewhere = "" if root == Path("results") else f" --root {quote(str(root))}"
    below = [path.as_posix() for path in sorted(root.glob(f"*/{Path(name).name}")) if path.is_dir()]
    meant = f"Did you mean {below[0]}? " if below else ""
    raise StoredDataError(
        f"There is no results folder {name!r}.",
        evidence=f"Neither {Path(name)} nor {root / name} is a folder.",
        hint=f"{meant}See which there are: harness list{elsewhere}",
    )
