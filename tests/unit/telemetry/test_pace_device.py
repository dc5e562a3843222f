"""What a CPU-second of the machine is worth right now."""

from __future__ import annotations

import pytest

from harness.rig.telemetry import pace
from harness.rig.telemetry.pace import PaceDevice, start_once
from harness.rig.telemetry.sampler import CostLedger

pytestmark = pytest.mark.unit


def test_a_look_tells_what_a_start_took_and_is_charged_for_it() -> None:
    ledger = CostLedger()
    device = PaceDevice(ledger, start=iter([0.02, 0.03]).__next__)
    seen = [device.read().values["host", "start_cpu_s"] for _ in range(2)]
    assert seen == [0.02, 0.03]
    assert ledger.totals() == {"pace": pytest.approx(0.05)}


def test_a_bare_python_takes_some_cpu() -> None:
    assert start_once() > 0


def test_a_start_that_fails_is_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    command = (*pace.ARGUMENTS[:-1], "raise SystemExit(3)")
    monkeypatch.setattr(pace, "ARGUMENTS", command)
    with pytest.raises(OSError, match="ended with 3"):
        start_once()
