"""What joins a search that wants something broken to a target that can be broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from harness.campaign.faults import FaultKind
from harness.errors import TargetFailed


class StaysBroken(TargetFailed):
    """Something may have been broken and was not given back: nothing can be measured any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOrder:
    """What is to be broken in a step, `after_s` into its hold, and for how long."""

    kind: FaultKind
    after_s: float
    lasts_s: float


class Broken(Protocol):
    """Something that was broken on purpose. `detail`: what exactly, as flat JSON. `at_s`: the
    moment just before, epoch seconds of our clock, so that whatever it ends ends after it.
    """

    @property
    def at_s(self) -> float: ...

    @property
    def detail(self) -> Mapping[str, Any]: ...

    def mend(self) -> None:
        """Take it back. Safe to call twice.

        Raises:
            TargetFailed: it stays broken.
        """


@runtime_checkable
class Breakable(Protocol):
    """A target whose parts can be broken."""

    def break_(self, kind: FaultKind) -> Broken:
        """Break something, from any thread; it is broken when this returns.

        Raises:
            StaysBroken: it went wrong, and not all is as before.
            TargetFailed: it could not be broken; all is as before.
        """
