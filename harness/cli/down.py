"""`harness down`: remove what a crash left running."""

from __future__ import annotations

from rich.console import Console

from harness.errors import ExitCode
from harness.rig.ledger import Entry, Ledger
from harness.rig.target import engine
from harness.rig.target.process_server import remove_box


def down() -> int:
    """Remove every container, network, volume, process and cgroup a crashed run left behind.

    Only what the harness's ledger or its label names is touched, and nothing that belongs to a
    campaign still running. Finding nothing is fine.
    """
    console = Console(highlight=False, soft_wrap=True)
    done = Ledger.default().cleanup(
        {"compose": _project, "cgroup": remove_box},
    )
    for cleaned in done:
        said = cleaned.problem or f"removed ({cleaned.removed})"
        console.print(f"{cleaned.entry.kind} {cleaned.entry.name}: {said}", markup=False)
    if not done:
        console.print("Nothing was left running.")
    return int(ExitCode.ENVIRONMENT) if any(c.problem for c in done) else 0


def _project(entry: Entry) -> int:
    return engine.remove_project(entry.project)
