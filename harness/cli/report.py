"""`harness report`: show what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.listing import resolve
from harness.cli.show import show_findings


def report(
    results: Annotated[str, typer.Argument(help="A results folder, or `latest`.")] = "latest",
    root: Annotated[Path, typer.Option(help="Where results folders are.")] = Path("results"),
    format_: Annotated[str, typer.Option("--format", help="terminal or json.")] = "terminal",
) -> int:
    """Show the findings of a campaign: what it holds, what gives first, what to set."""
    if format_ not in ("terminal", "json"):
        raise typer.BadParameter(f"{format_!r} is neither terminal nor json", param_hint="--format")
    return show_findings(resolve(results, root), as_json=format_ == "json")
