"""`harness analyse`: judge stored facts again, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.listing import resolve
from harness.cli.show import show_findings


def analyse(
    results: Annotated[str, typer.Argument(help="A results folder, or `latest`.")] = "latest",
    root: Annotated[Path, typer.Option(help="Where results folders are.")] = Path("results"),
    json_: Annotated[bool, typer.Option("--json", help="Print findings.json.")] = False,
) -> int:
    """Judge stored facts again and rewrite findings.json; the facts are not touched."""
    return show_findings(resolve(results, root), as_json=json_)
