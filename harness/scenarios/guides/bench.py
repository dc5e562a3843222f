"""What a scenario works with: labs, campaigns, a notebook, and somebody to tell."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.rig.lab.lab import Lab, LabParts
from harness.rig.lab.records import RunRow
from harness.rig.lab.spec import LabSpec
from harness.rig.lab.watching import Watch
from harness.rig.lab.web import Launched


class Note(Protocol):
    """Writes one observation down."""

    def __call__(self, what: str, /, **values: Any) -> None:
        """`note("burst", runs=8, took_s=3.2)`: values are flat JSON."""


class Bench:
    """Given to a scenario's `measure`.

    Attributes:
        quick: whether to be content with less: fewer sizes, fewer runs, one repetition.
        dagster: the version that is measured.
        note: writes an observation down, durably.
        say: tells whoever watches.
        sleep: waits that many seconds.
    """

    def __init__(self, where: Where, *, note: Note) -> None:
        self.quick = where.quick
        self.dagster = where.dagster
        self.folder = where.folder
        self.note = note
        self.say = where.parts.say
        self.sleep: Callable[[float], None] = time.sleep
        self._parts = where.parts
        self._campaigns = where.campaigns
        self._labs = 0

    def lab(self, spec: LabSpec) -> Lab:
        """A lab, not yet started: `with bench.lab(LabSpec(...)) as lab`."""
        self._labs += 1
        return Lab(spec, self.folder / "labs" / f"{self._labs:02d}", self._parts)

    def campaign(self, settings: Mapping[str, Any]) -> None:
        """Measure an ordinary campaign and note every judged cell and step, as `cell` and `step`
        observations: the fields are those of `findings.json`.

        Args:
            settings: as a campaign file has them; the Dagster version is the bench's.

        Raises:
            HarnessError: as `harness run`.
        """
        for what, values in self._campaigns({"dagster": [self.dagster], **settings}, self.folder):
            self.note(what, **values)

    def note_launches(self, group: str, launches: Sequence[Launched], **beside: Any) -> None:
        """One `launch` observation each, with `group` and what else tells them apart."""
        for each in launches:
            self.note("launch", group=group, **beside, **dataclasses.asdict(each))

    def note_runs(self, group: str, rows: Sequence[RunRow], **beside: Any) -> None:
        """One `run` observation each: `RunRow.values`."""
        for row in rows:
            self.note("run", group=group, **beside, **row.values())

    def note_looks(self, group: str, watch: Watch, **beside: Any) -> None:
        """One `look` observation each: `LabServer.look`, with `at_s` as `look_s`."""
        for look in watch.looks:
            told = {key: value for key, value in look.items() if key != "at_s"}
            self.note("look", group=group, **beside, look_s=look["at_s"], **told)


Campaigns = Callable[[Mapping[str, Any], Path], list[tuple[str, dict[str, Any]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which bench: the scenario's own folder, what all labs share, and how a campaign is run."""

    folder: Path
    dagster: str
    quick: bool
    parts: LabParts
    campaigns: Campaigns
