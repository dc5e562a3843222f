"""What an OOM kill cost, told from the facts it left."""

from __future__ import annotations

import pytest
from factory import Rung, make_runs, make_step

from harness.analysis.blast import blast_of
from harness.facts.model import Event, Run, Step

pytestmark = pytest.mark.unit

AT_S = 1_000.0
STEP = make_step(
    1, Rung(concurrency=4, late_status="LOST", late_every=2, step={"oom_kills": 1}), AT_S
)
KILL = Event(at_s=AT_S + 9, kind="oom_kill", source="code-server-1", detail={"count": 1})
DEATH = Event(
    at_s=AT_S + 10, kind="server_died", source="code-server-1",
    detail={"oom": True, "exit_code": 137, "witnesses": ["exit code 137"]},
)  # fmt: skip
FRESH = Event(
    at_s=AT_S + 90, kind="fresh_server", source="harness", detail={"until_serving_s": 3.5}
)


def runs_of(step: Step, **late: str) -> list[Run]:
    return make_runs(step, Rung(concurrency=4, late_every=2, **late))  # type: ignore[arg-type]


def test_a_dead_server_is_the_victim_and_loses_its_runs_until_a_fresh_one_serves() -> None:
    runs = runs_of(STEP, late_status="LOST")
    blast = blast_of(STEP, runs, [KILL, DEATH, FRESH])
    assert blast is not None
    assert blast.victim == "server"
    assert blast.runs_lost == sum(run.status == "LOST" for run in runs) > 0
    assert blast.until_serving_s == 3.5
    assert blast.witnesses == ("exit code 137", "cgroup: oom_kill")


def test_where_only_a_run_was_killed_the_server_never_stopped() -> None:
    blast = blast_of(STEP, runs_of(STEP), [KILL])
    assert blast is not None
    assert (blast.victim, blast.until_serving_s) == ("run", None)


def test_an_earlier_step_s_death_is_not_this_one_s() -> None:
    early = Event(at_s=AT_S - 50, kind="server_died", source="x", detail={"oom": True})
    blast = blast_of(STEP, runs_of(STEP), [early, KILL])
    assert blast is not None
    assert blast.victim == "run"


def test_no_kill_no_blast() -> None:
    calm = make_step(1, Rung(concurrency=4), AT_S)
    assert blast_of(calm, runs_of(calm), [DEATH]) is None
