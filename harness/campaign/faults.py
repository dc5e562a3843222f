"""What is broken on purpose beside a soak, and when."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from pydantic import Field

from harness.campaign.own_code import Strict

FaultKind = Literal[
    "database-pause", "server-kill", "run-kill", "network-cut", "server-disk-full",
    "database-disk-full",
]  # fmt: skip
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

AT_ONCE: frozenset[FaultKind] = frozenset(("server-kill", "run-kill"))
"""These are done in a moment; the others last, and are taken back."""

ENDS_SEGMENT: frozenset[FaultKind] = frozenset(("server-kill",))
"""These end their segment: whether runs start again, only the next one can show."""

MEANINGS: Mapping[FaultKind, str] = MappingProxyType(
    {
        "database-pause": "Postgres stands still, as under a failover",
        "server-kill": "SIGKILL to the code server's container, as by an OOM or a lost host",
        "run-kill": "SIGKILL to one run's process",
        "network-cut": "the code server loses its network",
        "server-disk-full": "no space where compute logs and artifacts go",
        "database-disk-full": "no space for Postgres",
    }
)


class Fault(Strict):
    """One thing broken in one segment of a soak, after a third of its hold.

    `segment`: which, from 1. `for_s`: how long it lasts; a kill is done in a moment.
    """

    kind: FaultKind
    segment: int = Field(ge=1)
    for_s: float = Field(default=30, gt=0, le=3600)

    @property
    def lasts_s(self) -> float:
        """How long it lasts, in seconds."""
        return 0.0 if self.kind in AT_ONCE else self.for_s
