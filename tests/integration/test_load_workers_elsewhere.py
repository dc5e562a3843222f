"""Load workers somebody else starts: they come, stay for every step, and what is wrong is said."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from fake_webserver import LOCATION, Behaviour, FakeWebserver, serving
from namespaces import Namespace, called, load_workers, once_there_are

from harness.errors import GeneratorFailed
from harness.rig.load.children import free_port
from harness.rig.load.commands import Staff
from harness.rig.load.driver import LocustDriver
from harness.rig.orders import JobOrder, LoadOrder, LoadOutcome

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

LONG_S = 2.0
"""A run that is still there when the last user of a ramp of 1 s comes, on a busy machine too."""


def order(fake: FakeWebserver, **changes: Any) -> LoadOrder:
    fields: dict[str, Any] = {
        "step": 1, "webserver_url": fake.url, "location": LOCATION,
        "jobs": (JobOrder(job="load", share=1, run_config={}),), "tags": {},
        "concurrency": 6, "ramp_s": 1.0, "settle_s": 0.0, "hold_s": 3.0, "drain_s": 10,
        "burst": False,
    }  # fmt: skip
    return LoadOrder(**{**fields, **changes})


def run(folder: Path, asked: LoadOrder, staff: Staff) -> LoadOutcome:
    return LocustDriver(folder, staff=staff).execute(
        asked, abort=lambda: "", progress=lambda _: None
    )


def workers_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return called("--worker", psutil.Process(process.pid))


def once_two_are_there(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return once_there_are(2, "--worker", psutil.Process(process.pid))


def test_they_come_again_for_every_step_and_only_as_many_work_as_it_has_users(
    tmp_path: Path,
) -> None:
    master = f"127.0.0.1:{free_port()}"
    with serving(Behaviour(run_s=LONG_S)) as fake, load_workers(master, 2) as started:
        staff = Staff(workers=2, master=master)
        alone = run(tmp_path, order(fake, step=0, concurrency=1, max_runs=2, hold_s=60.0), staff)
        assert fake.most_in_flight == 1
        together = run(tmp_path, order(fake, step=1), staff)
        assert fake.most_in_flight == 6
        left = workers_of(started)
    assert len(alone.runs) == 2
    assert [event.detail["index"] for event in alone.events] == [0]
    assert sorted({each.user for each in together.runs}) == list(range(6))
    assert sorted(event.detail["index"] for event in together.events) == [0, 1]
    assert {event.detail["step"] for event in together.events} == {1}
    # The clock is the same one here.
    assert all(
        abs(event.detail["offset_s"]) <= event.detail["uncertainty_s"] + 1e-3
        for event in together.events
    )
    psutil.wait_procs(left, timeout=5)
    assert not any(each.is_running() for each in left)


def test_none_is_left_when_who_started_them_is_killed(tmp_path: Path) -> None:
    with load_workers(f"127.0.0.1:{free_port()}", 2) as started:
        left = once_two_are_there(started)
        started.kill()
        _, alive = psutil.wait_procs(left, timeout=20)
    assert alive == []


def test_who_comes_late_waits_for_the_next_step(tmp_path: Path) -> None:
    master = f"127.0.0.1:{free_port()}"

    def come_late() -> None:
        time.sleep(1)
        while not fake.runs and not over.is_set():
            time.sleep(0.1)
        with load_workers(master, 1):
            over.wait(60)

    over = threading.Event()
    with serving(Behaviour(run_s=LONG_S)) as fake, load_workers(master, 1):
        late = threading.Thread(target=come_late, daemon=True)
        late.start()
        try:
            outcome = run(tmp_path, order(fake, hold_s=8.0), Staff(workers=1, master=master))
        finally:
            over.set()
        late.join(60)
    assert {each.status for each in outcome.runs} == {"SUCCESS"}
    assert fake.most_in_flight == 6
    assert len(outcome.events) == 1


def test_one_that_is_told_to_end_in_a_step_ends_the_step(tmp_path: Path) -> None:
    master = f"127.0.0.1:{free_port()}"

    def end_one(process: subprocess.Popen[bytes]) -> None:
        first, _ = once_two_are_there(process)
        while len(fake.runs) < 12 and not over.is_set():
            time.sleep(0.1)
        first.terminate()

    over = threading.Event()
    with serving(Behaviour(run_s=0.5)) as fake, load_workers(master, 2) as started:
        ending = threading.Thread(target=end_one, args=[started], daemon=True)
        ending.start()
        with pytest.raises(GeneratorFailed, match="ended before its step was over") as caught:
            run(tmp_path, order(fake, hold_s=60.0), Staff(workers=2, master=master))
        over.set()
        ending.join(30)
    assert "1 of 2 load workers were lost" in caught.value.evidence


def test_it_is_said_how_many_came_when_not_all_do(tmp_path: Path) -> None:
    master = f"127.0.0.1:{free_port()}"
    staff = Staff(workers=2, master=master, wait_s=15)
    with (
        serving(Behaviour()) as fake,
        load_workers(master, 1),
        pytest.raises(GeneratorFailed, match="could not begin its step") as caught,
    ):
        run(tmp_path, order(fake), staff)
    assert f"1 of 2 load workers came to {master} in 15 s" in caught.value.evidence
    assert fake.runs == {}


def test_another_host_drives_the_load(tmp_path: Path, namespace: Namespace) -> None:
    master = f"{namespace.address}:{free_port()}"
    with (
        serving(Behaviour(run_s=LONG_S), address=namespace.address) as fake,
        namespace.workers(master, 2),
    ):
        outcome = run(tmp_path, order(fake), Staff(workers=2, master=master))
    assert {each.status for each in outcome.runs} == {"SUCCESS"}
    assert fake.most_in_flight == 6
    assert len(outcome.events) == 2


def test_another_host_finds_a_webserver_of_this_one_at_the_master_s_address(
    tmp_path: Path, namespace: Namespace
) -> None:
    port = free_port()
    with serving(Behaviour(run_s=0.5), address="0.0.0.0") as fake:
        asked = order(fake, webserver_url=fake.url.replace("0.0.0.0", "127.0.0.1"))
        with namespace.workers(f"{namespace.address}:{port}", 2):
            outcome = run(tmp_path, asked, Staff(workers=2, master=f"0.0.0.0:{port}"))
    assert {each.status for each in outcome.runs} == {"SUCCESS"}


def test_a_worker_that_cannot_reach_the_webserver_says_so_before_the_step(
    tmp_path: Path, namespace: Namespace
) -> None:
    master = f"{namespace.address}:{free_port()}"
    with (
        serving(Behaviour(run_s=0.5)) as fake,
        namespace.workers(master, 2),
        pytest.raises(GeneratorFailed, match="could not begin its step") as caught,
    ):
        run(tmp_path, order(fake), Staff(workers=2, master=master))
    called = fake.url.replace("127.0.0.1", namespace.address)
    assert f"cannot reach the webserver at {called}" in caught.value.evidence
    assert fake.runs == {}
