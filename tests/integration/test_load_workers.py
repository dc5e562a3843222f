"""Locust's master with real workers against a fake webserver: the same load, whoever sends it."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from fake_webserver import LOCATION, Behaviour, FakeWebserver, serving
from namespaces import called, once_there_are

from harness.errors import GeneratorFailed
from harness.rig.load.commands import Staff
from harness.rig.load.driver import LocustDriver
from harness.rig.orders import JobOrder, LoadOrder, LoadOutcome

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


def order(fake: FakeWebserver, **changes: Any) -> LoadOrder:
    fields: dict[str, Any] = {
        "step": 1, "webserver_url": fake.url, "location": LOCATION,
        "jobs": (JobOrder(job="load", share=1, run_config={}),), "tags": {},
        "concurrency": 6, "ramp_s": 1.0, "settle_s": 0.0, "hold_s": 4.0, "drain_s": 10,
        "burst": False,
    }  # fmt: skip
    return LoadOrder(**{**fields, **changes})


def run(folder: Path, asked: LoadOrder, workers: int) -> LoadOutcome:
    driver = LocustDriver(folder, staff=Staff(workers=workers))
    return driver.execute(asked, abort=lambda: "", progress=lambda _: None)


def children() -> list[psutil.Process]:
    return called("locust", psutil.Process())


@pytest.mark.parametrize("workers", [2, 4])
def test_a_closed_model_keeps_as_many_in_flight_whoever_sends_them(
    tmp_path: Path, workers: int
) -> None:
    with serving(Behaviour(run_s=2.0)) as fake:
        outcome = run(tmp_path, order(fake), workers)
    assert outcome.abort_reason == ""
    assert {each.status for each in outcome.runs} == {"SUCCESS"}
    assert fake.most_in_flight == 6
    assert sorted({each.user for each in outcome.runs}) == list(range(6))
    assert [phase.name for phase in outcome.phases] == ["ramp", "hold", "drain"]
    sent = [each.sent_s for each in outcome.runs]
    assert sent == sorted(sent)
    assert children() == []


def test_arrivals_are_shared_out_and_none_is_sent_twice(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=0.2)) as fake:
        asked = order(fake, model="uniform", rate_per_s=10.0, ramp_s=0.0)
        outcome = run(tmp_path, asked, 3)
    assert len(outcome.runs) + outcome.dropped_arrivals == 40
    gaps = sorted(each.intended_s for each in outcome.runs)
    assert gaps[-1] - gaps[0] == pytest.approx(3.9, abs=0.05)


def test_a_limit_of_runs_holds_for_all_together(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=0.1)) as fake:
        outcome = run(tmp_path, order(fake, max_runs=5, ramp_s=0.0), 2)
    assert len(outcome.runs) == len(fake.runs) == 5


def test_a_burst_comes_at_once(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=6.0)) as fake:
        outcome = run(tmp_path, order(fake, model="burst", ramp_s=0.0, hold_s=1.0), 2)
    assert len(outcome.runs) == 6
    assert fake.most_in_flight == 6


def test_a_worker_that_is_killed_ends_the_step_and_leaves_nothing(tmp_path: Path) -> None:
    def kill_one() -> None:
        found = once_there_are(2, "--worker", psutil.Process())
        time.sleep(2)
        os.kill(found[0].pid, signal.SIGKILL)

    with serving(Behaviour(run_s=0.5)) as fake:
        killer = threading.Thread(target=kill_one, daemon=True)
        killer.start()
        with pytest.raises(GeneratorFailed):
            run(tmp_path, order(fake, hold_s=60.0), 2)
        killer.join(30)
    assert children() == []
