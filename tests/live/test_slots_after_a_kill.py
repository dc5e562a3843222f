"""Runs that died with their server hold no slot of Dagster's queue in the segments after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeListener
from live.rigs import campaign

from harness.facts.store import read_results
from harness.rig.session import SessionOptions
from harness.scenarios import threshold
from harness.scenarios.soaking import soaked

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(900)]

PLAN = """
name: slots
target: compose
profiles: [1vcpu-2gb]
workloads: [{name: io, params: {requests: 2, wait_s: 2}}]
feed: queued
max_concurrent_runs: [2]
warmup_runs: 0
idle_s: 0
step: {ramp_s: 1, settle_s: 0, hold_s: 20, drain_s: 60}
search: {strategy: soak, concurrencies: [3], max_steps: 3}
slos: {slowdown_p95: null, launch_s_p95: null}
faults: [{kind: server-kill, segment: 2}]
"""


def test_later_segments_have_all_slots(tmp_path: Path) -> None:
    options = SessionOptions(results_root=tmp_path, command=["pytest"])
    folder = threshold.run(campaign(PLAN), options=options, listener=FakeListener())
    soak = soaked(Path(folder.path))
    (fault,) = soak.faults
    assert fault.lost > 0
    assert fault.recovered
    (fresh,) = (
        event for event in read_results(folder.path).cells[0].events if event.kind == "fresh_server"
    )
    assert fresh.detail["runs_given_up"] > 0
    assert set(soak.runs) == {"SUCCESS"}, soak.why
