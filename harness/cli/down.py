"""`harness down`: remove what a crash left running."""

from __future__ import annotations

from rich.console import Console

from harness.errors import ExitCode
from harness.rig.ledger import Ledger
from harness.rig.leftovers import remove_leftovers, told


def down() -> int:
    """Remove every container, network, volume, process and cgroup a crashed run left behind.

    Only what the harness's ledger or its label names is touched, and nothing that belongs to a
    campaign still running. Finding nothing is fine.
    """
    console = Console(highlight=False, soft_wrap=True)
    done = remove_leftovers(Ledger.default())
    for cleaned in done:
        console.print(told(cleaned), markup=False)
    if not done:
        console.print("Nothing was left running.")
    return int(ExitCode.ENVIRONMENT) if any(c.problem for c in done) else 0
