"""Options that say who generates the load."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

PANEL = "Who generates the load"

Workers = Annotated[
    int | None,
    typer.Option(
        min=1, max=64, rich_help_panel=PANEL,
        help="Processes that generate it; several with Locust's master.",
    ),
]  # fmt: skip
Master = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT", rich_help_panel=PANEL,
        help="Wait here for so many workers from other hosts, instead of starting them.",
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """What was typed; a group of options (`option_groups`)."""

    load_workers: Workers = None
    load_master: Master = ""

    def changes(self) -> tuple[str, ...]:
        """What that changes of a campaign, as `--set` would put it; says how to start workers."""
        changes = () if self.load_workers is None else (f"load.workers={self.load_workers}",)
        if not self.load_master:
            return changes
        from harness.rig.load.commands import worker_command

        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(
            f"On {self.load_workers or 1} other places: {worker_command(self.load_master)}"
        )
        return (*changes, f"load.master={json.dumps(self.load_master)}")
