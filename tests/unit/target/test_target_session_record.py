"""The record a session makes of a cell before it is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.campaign.plan import Campaign, Sensors, Workload
from harness.campaign.profiles import Profile
from harness.facts.layout import ResultsFolder
from harness.facts.model import Cell
from harness.facts.store import ResultsWriter
from harness.rig.cell_session import CellSession
from harness.rig.hosting import Hosting
from harness.rig.ledger import Ledger

pytestmark = pytest.mark.unit


def record(folder: Path, workload: Workload, limit: int | None) -> Cell:
    campaign = Campaign(
        name="test",
        feed="queued",
        profiles=(Profile(name="small", vcpu=1, memory_mib=1024),),
        workloads=(workload,),
        max_concurrent_runs=(limit,),
    )
    hosting = Hosting(
        kind="process", ledger=Ledger(folder / "ledger.jsonl"), images={}, say=lambda _: None
    )
    (cell,) = campaign.cells()
    writer = ResultsWriter(ResultsFolder(folder / "results"))
    return CellSession(campaign, cell, hosting, writer, False).record()


def test_the_record_holds_the_cap_the_executor_and_the_sensors(tmp_path: Path) -> None:
    workload = Workload(name="io", executor="multiprocess", sensors=Sensors(count=4, tick_s=2.5))
    cell = record(tmp_path, workload, 15)
    assert cell.max_concurrent_runs == 15
    assert cell.executor == "multiprocess"
    assert cell.sensors == {"count": 4, "tick_s": 2.5, "interval_s": 30, "mode": "block"}


def test_no_cap_and_no_sensors_are_recorded_as_such(tmp_path: Path) -> None:
    cell = record(tmp_path, Workload(name="io"), None)
    assert (cell.max_concurrent_runs, cell.executor, cell.sensors) == (None, "in_process", None)
