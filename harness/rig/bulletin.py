"""What a listener hears about the server while a cell is measured.

The telemetry sees what its devices see. That a server died, or was replaced, only the stepper
knows; here the two become one account.
"""

from __future__ import annotations

import dataclasses

from harness.facts.model import Event
from harness.rig.orders import Progress
from harness.rig.parts import Rig
from harness.rig.protocols import Vitals


class Bulletin:
    """Hands on progress and, with it, the vitals of one cell."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._moments: list[Event] = []
        self._unseen_kills = 0

    def progress(self, progress: Progress) -> None:
        """The step goes on: tell how, and how the server does."""
        self._rig.listener.progress(progress)
        self._rig.listener.vitals(self._vitals())

    def note(self, *events: Event, unseen_kills: int = 0) -> None:
        """Keep what happened to the server, and tell it at once.

        Args:
            events: oldest first; without any, nothing is told.
            unseen_kills: OOM kills that no device could count: the counter went with the server.
        """
        self._moments += events
        self._unseen_kills += unseen_kills
        if events:
            self._rig.listener.vitals(self._vitals())

    def _vitals(self) -> Vitals:
        vitals = self._rig.telemetry.vitals()
        events = sorted((*vitals.events, *self._moments), key=lambda event: event.at_s)
        return dataclasses.replace(
            vitals, events=tuple(events), oom_kills=vitals.oom_kills + self._unseen_kills
        )
