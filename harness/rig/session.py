"""One campaign on this machine: look first, lock, prepare, then cell after cell."""

from __future__ import annotations

import datetime
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.campaign.estimate import estimate_cell_s, longest_cell_s
from harness.campaign.loading import dump_campaign
from harness.campaign.plan import Campaign, CellPlan
from harness.errors import Interrupted
from harness.facts.layout import CellFolder, ResultsFolder, new_results_path
from harness.facts.model import Cell
from harness.facts.store import CellWriter, ResultsWriter
from harness.rig.assets import state_dir
from harness.rig.conductor import Conductor
from harness.rig.environment import record_environment
from harness.rig.hosting import Hosting, choose, limits_of, prepare
from harness.rig.ledger import Ledger
from harness.rig.load.driver import LocustDriver
from harness.rig.lock import campaign_lock
from harness.rig.parts import Rig
from harness.rig.preflight import check_fit, check_results_root
from harness.rig.protocols import Expectation, Listener, NextStep
from harness.rig.telemetry.registry import DEVICES
from harness.rig.telemetry.suite import TelemetrySuite

Search = Callable[[CellPlan, CellFolder], NextStep]
"""Makes the search for one cell; it may read that cell's facts between steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How to measure, beside what."""

    results_root: Path
    allow_overcommit: bool = False
    command: list[str] = field(default_factory=list)


def measure(
    campaign: Campaign, search: Search, *, options: SessionOptions, listener: Listener
) -> ResultsFolder:
    """Measure a whole campaign; returns where the facts are.

    Nothing is left running, whichever way this ends.

    Raises:
        EnvironmentProblem: this machine is not ready; nothing was started.
        TargetFailed, GeneratorFailed: a cell could not be measured; the others' facts stay.
        Interrupted: Ctrl-C or SIGTERM; what was measured stays.
    """
    cells = list(campaign.cells())
    overcommitted = check_fit(cells, allow_overcommit=options.allow_overcommit)
    check_results_root(options.results_root)
    with campaign_lock(state_dir() / "campaign.lock", holder=campaign.name), _terminable():
        listener.campaign_started(campaign.name, [_expect(campaign, cell) for cell in cells])
        kind = choose(campaign.target, listener.say)
        # Before the results folder is made: what cannot be prepared leaves nothing behind.
        hosting = prepare(
            kind, campaign, ledger=Ledger.default(), say=listener.say,
            log=state_dir() / "images.log",
        )  # fmt: skip
        devices = campaign.devices
        hosting = replace(hosting, pool_probe=devices is None or "pool" in devices)
        started = datetime.datetime.now(datetime.UTC)
        folder = ResultsFolder(new_results_path(options.results_root, campaign.name, started))
        writer = ResultsWriter(folder)
        writer.write_campaign(dump_campaign(campaign))
        writer.write_environment(record_environment(options.command))
        try:
            for number, cell in enumerate(cells, start=1):
                listener.cell_started(cell.id, number, len(cells))
                session = _CellSession(campaign, cell, hosting, writer, overcommitted)
                ended = session.measure(search, folder.cell(cell.id), listener)
                listener.cell_done(cell.id, ended)
        except KeyboardInterrupt as error:
            raise Interrupted(
                "Interrupted; everything was taken down.",
                evidence=f"What was measured is in {folder.path}",
                hint=f"harness report {folder.path}",
            ) from error
        return folder


@dataclass(frozen=True, slots=True)
class _CellSession:
    campaign: Campaign
    cell: CellPlan
    hosting: Hosting
    writer: ResultsWriter
    overcommitted: bool

    def measure(self, search: Search, folder: CellFolder, listener: Listener) -> str:
        folder.path.mkdir(parents=True, exist_ok=True)
        telemetry = TelemetrySuite(self.campaign.devices)
        rig = Rig(
            target=self.hosting.target(self.cell, folder.path),
            load=LocustDriver(folder.path / "logs"),
            telemetry=telemetry,
            writer=CellWriter(folder),
            journal=self.writer.journal,
            listener=listener,
        )
        offered = tuple(device.name for device in DEVICES)
        devices = offered if self.campaign.devices is None else self.campaign.devices
        record = self._record(devices)
        conductor = Conductor(self.campaign, self.cell, cell=record, rig=rig)
        return conductor.measure(search(self.cell, folder)).ended

    def _record(self, devices: tuple[str, ...]) -> Cell:
        cell, limits = self.cell, limits_of(self.cell)
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
            requested_limits=limits,
            effective_limits=None,
            limits_enforced=False,
            overcommitted=self.overcommitted,
            devices=devices,
            slos={k: v for k, v in self.campaign.slos.model_dump().items() if v is not None},
            max_concurrent_runs=cell.max_concurrent_runs,
            executor=cell.workload.executor,
            sensors=sensors.model_dump() if sensors else None,
            repetition=cell.repetition,
        )


def _expect(campaign: Campaign, cell: CellPlan) -> Expectation:
    return Expectation(
        cell_id=cell.id,
        expected_s=estimate_cell_s(campaign, cell),
        longest_s=longest_cell_s(campaign, cell),
    )


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends a campaign the way Ctrl-C does: in order, and only once.

    SIGINT too is set by hand: a shell starts background jobs with it ignored.
    """
    signals = (signal.SIGINT, signal.SIGTERM)

    def interrupt(_signal: int, _frame: object) -> None:
        for each in signals:  # a second one must not cut the taking down short
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
