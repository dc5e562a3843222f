"""What an OOM kill cost, told from the facts it left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from factory import Rung, make_facts
from factory_binding import with_runs, without

from harness.analysis.blast import Blast, blast_of, blasts_of
from harness.facts.model import Event, Run, Step
from harness.facts.table import CellFacts

pytestmark = pytest.mark.unit

OFFERED = Rung(concurrency=4, late_status="LOST", late_every=2, step={"oom_kills": 1})


def cell(*rungs: Rung) -> CellFacts:
    return make_facts(rungs)


def event(
    step: Step, after_s: float, kind: str, source: str = "harness", **detail: object
) -> Event:
    return Event(
        at_s=step.phases[0].start_s + after_s, kind=kind, source=source, detail=dict(detail)
    )


def kill(step: Step) -> Event:
    return event(step, 9, "oom_kill", "code-server-1", count=1)


def death(step: Step, replica: str = "code-server-1", *, oom: bool = True) -> Event:
    words = ["exit code 137"] if oom else []
    return event(step, 10, "server_died", replica, oom=oom, witnesses=words)


def fresh(step: Step, after_s: float = 61, until_serving_s: float = 3.5) -> Event:
    """Asked for between two steps: the first one's phases last 60 s."""
    return event(step, after_s, "fresh_server", until_serving_s=until_serving_s)


def blast_in(facts: CellFacts, *events: Event, step: int = 0) -> Blast | None:
    return blast_of(replace(facts, events=sorted(events, key=lambda e: e.at_s)), facts.steps[step])


def sigkilled(run: Run) -> Run:
    return replace(run, error_class="oom_sigkill") if run.status == "FAILURE" else run


def test_a_dead_server_is_the_victim_and_loses_its_runs_until_a_fresh_one_serves() -> None:
    facts = cell(OFFERED, Rung(concurrency=2))
    step = facts.steps[0]
    blast = blast_in(facts, kill(step), death(step), fresh(step))
    assert blast is not None
    assert (blast.victim, blast.servers, blast.kills) == ("server", ("code-server-1",), 1)
    own = facts.runs_of(step)
    assert blast.runs_offered == len(own)
    assert blast.runs_lost == sum(run.status == "LOST" for run in own) > 0
    assert blast.runs_killed == 0
    assert blast.until_serving_s == 3.5
    assert blast.witnesses == ("exit code 137", "cgroup: oom_kill")
    assert (blast.step, blast.concurrency, blast.repetition) == (step.index, 4, 1)


def test_launches_a_dying_server_cut_off_are_lost_with_it() -> None:
    """StartRun had not answered when the kernel struck: Dagster never says that a run began."""

    def cut_off(run: Run) -> Run:
        return replace(run, error_class="server_unreachable") if run.status == "REJECTED" else run

    facts = with_runs(cell(replace(OFFERED, late_status="REJECTED")), cut_off)
    step = facts.steps[0]
    rejected = sum(run.status == "REJECTED" for run in facts.runs)
    blast = blast_in(facts, death(step), fresh(step))
    assert blast is not None
    assert blast.runs_lost == rejected > 0
    others = with_runs(facts, lambda run: replace(run, error_class=None))
    unlike = blast_in(others, death(step), fresh(step))
    assert unlike is not None
    assert unlike.runs_lost == 0


def test_where_only_runs_were_killed_the_server_never_stopped() -> None:
    facts = with_runs(cell(replace(OFFERED, late_status="FAILURE")), sigkilled)
    blast = blast_in(facts, kill(facts.steps[0]))
    assert blast is not None
    assert (blast.victim, blast.servers, blast.until_serving_s) == ("run", (), None)
    assert blast.runs_lost == 0
    assert blast.runs_killed == sum(run.status == "FAILURE" for run in facts.runs) > 0
    assert "signal 9" in blast.witnesses[-1]


def test_another_step_s_death_is_not_this_one_s() -> None:
    facts = cell(Rung(concurrency=2), OFFERED, Rung(concurrency=6, step={"oom_kills": 1}))
    earlier, own, later = facts.steps
    blast = blast_in(facts, death(earlier), kill(own), death(later), fresh(later), step=1)
    assert blast is not None
    assert (blast.victim, blast.until_serving_s) == ("run", None)


def test_a_server_that_died_of_something_else_is_no_victim_of_memory() -> None:
    facts = cell(OFFERED)
    step = facts.steps[0]
    blast = blast_in(facts, kill(step), death(step, oom=False), fresh(step))
    assert blast is not None
    assert (blast.victim, blast.runs_lost, blast.until_serving_s) == ("run", 0, None)


def test_a_fresh_server_nobody_asked_for_leaves_the_outage_unknown() -> None:
    facts = cell(OFFERED)
    blast = blast_in(facts, death(facts.steps[0]))
    assert blast is not None
    assert blast.until_serving_s is None


def test_a_death_for_memory_is_a_kill_though_no_counter_outlived_it() -> None:
    facts = cell(replace(OFFERED, step={}))
    blast = blast_in(facts, death(facts.steps[0]))
    assert blast is not None
    assert (blast.victim, blast.kills) == ("server", 1)


def test_every_replica_that_died_is_named_once() -> None:
    facts = cell(replace(OFFERED, step={"oom_kills": 3}))
    step = facts.steps[0]
    one, other = "code-server-1", "code-server-2"
    blast = blast_in(facts, death(step, other), death(step, one), death(step, other))
    assert blast is not None
    assert blast.servers == (one, other)
    assert blast.kills == 3


def test_a_signal_9_counts_only_where_nobody_counted_the_kernel_s_kills() -> None:
    facts = with_runs(cell(Rung(concurrency=4, late_status="FAILURE", late_every=2)), sigkilled)
    assert blast_in(facts) is None
    blast = blast_in(without(facts, "cgroup"))
    assert blast is not None
    assert (blast.victim, blast.kills) == ("run", None)
    assert blast.runs_killed > 0


def test_no_kill_no_blast() -> None:
    facts = cell(Rung(concurrency=4))
    assert blast_in(facts, death(facts.steps[0], oom=False)) is None


def test_the_blasts_of_a_cell_come_in_the_order_of_its_steps() -> None:
    facts = cell(OFFERED, Rung(concurrency=2), replace(OFFERED, repetition=2))
    found = blasts_of(facts)
    assert [(blast.step, blast.repetition) for blast in found] == [(1, 1), (3, 2)]
