"""One cell of a session: its parts made, its record begun or gone on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.campaign.plan import Campaign, CellPlan
from harness.facts.durable import make_folder
from harness.facts.layout import CellFolder
from harness.facts.model import Cell, Limits
from harness.facts.reopening import reopen
from harness.facts.store import CellWriter, ResultsWriter
from harness.rig.conductor import Conductor
from harness.rig.hosting import Hosting, limits_of
from harness.rig.load.commands import Staff
from harness.rig.load.driver import LocustDriver
from harness.rig.parts import Rig
from harness.rig.protocols import Listener, NextStep
from harness.rig.telemetry.registry import DEVICES
from harness.rig.telemetry.suite import TelemetrySuite

if TYPE_CHECKING:
    from harness.facts.table import CellFacts

NOT_ASKED = Limits(cpu_cores=None, memory_bytes=None)

Search = Callable[[CellPlan, CellFolder], NextStep]
"""Makes the search for one cell; it may read that cell's facts between steps."""


@dataclass(frozen=True, slots=True)
class CellSession:
    """A cell to be measured, and all it needs for that."""

    campaign: Campaign
    cell: CellPlan
    hosting: Hosting
    writer: ResultsWriter
    overcommitted: bool

    def measure(
        self,
        search: Search,
        listener: Listener,
        *,
        go_on: bool = False,
        started: Callable[[Cell], None] = lambda _: None,
    ) -> str:
        """Measure it to its end; returns why it ended.

        Args:
            search: makes its search.
            listener: who is told.
            go_on: after the steps that are stored, instead of from the start.
            started: see `Conductor`.

        Raises:
            EnvironmentProblem, TargetFailed, GeneratorFailed, KeyboardInterrupt: as `Conductor`.
        """
        folder = self.writer.folder.cell(self.cell.id)
        make_folder(folder.path)
        kept = reopen(folder) if go_on else None
        rig = Rig(
            target=self.hosting.target(self.cell, folder.path),
            load=LocustDriver(folder.path / "logs", secrets=self._secrets(), staff=self._staff()),
            telemetry=TelemetrySuite(self.campaign.devices),
            writer=CellWriter(folder),
            journal=self.writer.journal,
            listener=listener,
        )
        conductor = Conductor(
            self.campaign,
            self.cell,
            cell=self._record(kept),
            rig=rig,
            kept=kept.steps if kept else (),
            started=started,
        )
        return conductor.measure(search(self.cell, folder)).ended

    def _staff(self) -> Staff:
        load = self.campaign.load
        return Staff(workers=load.workers, master=load.master or "")

    def _secrets(self) -> Path | None:
        code = self.cell.workload.code
        return Path(code.env_file).expanduser() if code and code.env_file else None

    def _record(self, kept: CellFacts | None) -> Cell:
        if kept is None:
            return self.record()
        return replace(kept.cell, overcommitted=kept.cell.overcommitted or self.overcommitted)

    def record(self) -> Cell:
        """What the cell is meant to be, before anything of it runs."""
        campaign, cell = self.campaign, self.cell
        offered = tuple(device.name for device in DEVICES)
        sensors = cell.workload.sensors
        return Cell(
            id=cell.id,
            profile=cell.profile.name,
            vcpu=cell.profile.vcpu,
            memory_bytes=cell.profile.memory_bytes,
            workload=cell.workload.name,
            params=dict(cell.workload.params),
            dagster=cell.dagster,
            max_workers=cell.max_workers,
            replicas=cell.replicas,
            feed=cell.feed,
            target=self.hosting.kind,
            # Of something that is there already, nothing is asked for.
            requested_limits=NOT_ASKED if self.hosting.kind == "external" else limits_of(cell),
            effective_limits=None,
            limits_enforced=False,
            overcommitted=self.overcommitted,
            devices=offered if campaign.devices is None else campaign.devices,
            slos={k: v for k, v in campaign.slos.model_dump().items() if v is not None},
            max_concurrent_runs=cell.max_concurrent_runs,
            executor=cell.workload.executor,
            sensors=sensors.model_dump() if sensors else None,
            repetition=cell.repetition,
        )
