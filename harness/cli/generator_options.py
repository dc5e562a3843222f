"""Options that say who generates the load."""

from __future__ import annotations

import json
import socket
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
        help="Wait at this address for so many workers that somebody else starts, in containers or "
        "on other hosts; there the webserver is reachable, too.",
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

        command = worker_command(self.load_master, socket.gethostname())
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(
            f"Waiting for {self.load_workers or 1} load workers in every step. To start one: "
            f"{command} (or as containers: compose/load-workers)."
        )
        return (*changes, f"load.master={json.dumps(self.load_master)}")
