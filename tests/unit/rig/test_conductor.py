"""What the conductor promises about a cell, whatever happens in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fakes import (
    LIMITS,
    Clock,
    FakeListener,
    FakeLoad,
    FakeTarget,
    FakeTelemetry,
    endpoints,
)

from harness.campaign.plan import Campaign
from harness.campaign.profiles import parse_profile
from harness.errors import EnvironmentProblem, TargetFailed
from harness.facts.layout import CellFolder
from harness.facts.model import Cell, Event, Limits, Step
from harness.facts.reopening import reopen
from harness.facts.store import CellWriter, read_cell
from harness.facts.table import CellFacts
from harness.rig.conductor import Conductor
from harness.rig.host_clock import Offset, OtherClock
from harness.rig.orders import LoadOrder
from harness.rig.parts import Rig
from harness.rig.protocols import Done, NextStep, StepOrder, Vitals

pytestmark = pytest.mark.unit

CAMPAIGN = Campaign.model_validate(
    {"name": "test", "profiles": [parse_profile("1vcpu-2gb")], "workloads": [{"name": "io"}],
     "warmup_runs": 1, "idle_s": 5}
)  # fmt: skip
PLAN = next(CAMPAIGN.cells())
CELL = Cell(
    id=PLAN.id, profile="1vcpu-2gb", vcpu=1, memory_bytes=2 * 2**30, workload="io", params={},
    dagster="1.13.27", max_workers=6, replicas=1, feed="direct", target="fake",
    requested_limits=LIMITS, effective_limits=None, limits_enforced=False, overcommitted=False,
    devices=("cgroup",), slos={},
)  # fmt: skip


@dataclass
class Bench:
    """A conductor among fakes, and what it left on disk."""

    folder: CellFolder
    clock: Clock = field(default_factory=Clock)
    target: FakeTarget = field(default_factory=FakeTarget)
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)
    listener: FakeListener = field(default_factory=FakeListener)
    journal: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.load = FakeLoad(self.clock)

    def measure(
        self, next_step: NextStep, *, started: Callable[[Cell], None] = lambda _: None
    ) -> Cell:
        return self._conductor(CELL, started=started).measure(next_step)

    def go_on(self, next_step: NextStep) -> Cell:
        """The same cell after what is stored of it."""
        kept = reopen(self.folder)
        return self._conductor(kept.cell, kept=kept.steps).measure(next_step)

    def _conductor(self, cell: Cell, **how: Any) -> Conductor:
        rig = Rig(
            target=self.target, load=self.load, telemetry=self.telemetry,
            writer=CellWriter(self.folder), journal=self.journal.append,
            listener=self.listener, clock=self.clock.time, sleep=self.clock.sleep,
        )  # fmt: skip
        return Conductor(CAMPAIGN, PLAN, cell=cell, rig=rig, **how)

    @property
    def facts(self) -> CellFacts:
        return read_cell(self.folder)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(CellFolder(tmp_path / "cell"))


def ladder(*concurrencies: int) -> NextStep:
    def next_step(steps: Sequence[Step]) -> StepOrder | Done:
        climbed = sum(step.kind != "warmup" for step in steps)
        if climbed == len(concurrencies):
            return Done(reason="the ladder is at its end")
        return StepOrder(
            kind="load", concurrency=concurrencies[climbed], repetition=1, reason=f"rung {climbed}"
        )

    return next_step


def kill_at_four(bench: Bench) -> Callable[[LoadOrder], None]:
    def during(order: LoadOrder) -> None:
        if order.concurrency == 4:
            bench.target.die_when = lambda: True

    return during


def test_a_cell_is_warmed_up_watched_idle_then_climbed_and_sealed(bench: Bench) -> None:
    cell = bench.measure(ladder(1, 4))
    assert [(s.kind, s.concurrency) for s in bench.facts.steps] == [
        ("warmup", 1), ("load", 1), ("load", 4),
    ]  # fmt: skip
    assert cell.sealed
    assert cell.ended == "the ladder is at its end"
    assert cell.idle_end_s - cell.idle_start_s == CAMPAIGN.idle_s
    assert cell.effective_limits == LIMITS
    assert bench.target.calls == ["start", "stop"]
    assert not bench.telemetry.running


def test_the_journal_says_why_each_step_was_chosen_and_why_the_cell_ended(bench: Bench) -> None:
    bench.measure(ladder(2))
    assert [entry.get("reason") or entry.get("done") for entry in bench.journal] == [
        "warm the caches", "rung 0", "the ladder is at its end",
    ]  # fmt: skip


def test_the_search_sees_a_step_only_when_its_facts_are_on_disk(bench: Bench) -> None:
    on_disk: list[int] = []
    climb = ladder(1, 2)

    def next_step(steps: Sequence[Step]) -> StepOrder | Done:
        on_disk.append(len(read_cell(bench.folder).steps))
        assert on_disk[-1] == len(steps)
        return climb(steps)

    bench.measure(next_step)
    assert on_disk == [1, 2, 3]


def test_a_dead_server_is_a_fact_and_the_next_step_gets_a_fresh_one(bench: Bench) -> None:
    bench.load.during = kill_at_four(bench)
    bench.measure(ladder(4, 1))
    died, after = bench.facts.steps[1:]
    assert (died.outcome, died.oom_kills, died.restarts, died.server) == ("aborted", 1, 1, 0)
    assert {run.status for run in bench.facts.runs_of(died)} == {"LOST"}
    assert {run.replica for run in bench.facts.runs_of(died)} == {"code-server-1"}
    assert (after.outcome, after.server) == ("completed", 1)
    assert bench.target.calls == ["start", "restart", "stop"]
    kinds = [event.kind for event in bench.facts.events]
    assert kinds.index("server_died") < kinds.index("fresh_server")


def test_runs_that_died_with_their_server_do_not_hold_their_slots(bench: Bench) -> None:
    """Dagster would have them as started for ever, and start fewer in the next step."""
    bench.load.during = kill_at_four(bench)
    bench.measure(ladder(4, 1))
    assert bench.load.given_up == [{"dagster-load-harness/step": "1"}]
    (fresh,) = (event for event in bench.facts.events if event.kind == "fresh_server")
    assert fresh.detail["runs_given_up"] == 0


def test_whoever_watches_hears_how_the_server_does_with_each_progress(bench: Bench) -> None:
    bench.telemetry.known = Vitals(at_s=7.0, memory_bytes=5.0)
    bench.measure(ladder(1, 4))
    assert bench.listener.seen == [bench.telemetry.known] * 3  # the warm-up and two rungs


def test_whoever_watches_hears_of_a_death_and_of_the_fresh_server(bench: Bench) -> None:
    noticed = Event(at_s=1.0, kind="fallback", source="code-server-1")
    bench.telemetry.known = Vitals(at_s=7.0, events=(noticed,))
    bench.load.during = kill_at_four(bench)
    bench.measure(ladder(4, 1))
    told = [[event.kind for event in vitals.events] for vitals in bench.listener.seen]
    assert told[1:4] == [
        ["fallback"],
        ["fallback", "server_died"],
        ["fallback", "server_died", "fresh_server"],
    ]
    dead = bench.listener.seen[2]
    assert (dead.oom_kills, dead.events[1].detail["exit_code"]) == (1, 137)
    assert bench.listener.seen[-1].oom_kills == 1
    assert [news for news in bench.listener.news if news.startswith("A fresh server")] == [
        "A fresh server is started: code-server-1 died with exit code 137 (exit code 137)"
    ]


def test_a_kill_that_a_counter_saw_is_not_counted_twice(bench: Bench) -> None:
    def kill(order: LoadOrder) -> None:
        if order.concurrency == 4:
            bench.target.die_when = lambda: True
            bench.telemetry.kills = 2
            bench.telemetry.known = Vitals(at_s=7.0, oom_kills=2)

    bench.load.during = kill
    bench.measure(ladder(4))
    assert [vitals.oom_kills for vitals in bench.listener.seen] == [0, 2, 2]
    assert bench.facts.steps[1].oom_kills == 2


def test_runs_left_over_by_a_drain_do_not_load_the_next_step(bench: Bench) -> None:
    bench.load.unfinished = iter([0, 2])  # warm-up: none, first rung: two
    bench.measure(ladder(4, 1))
    assert bench.target.calls == ["start", "restart", "stop"]
    assert [step.server for step in bench.facts.steps] == [0, 0, 1]


def test_other_limits_than_asked_for_stop_the_cell_before_any_load(bench: Bench) -> None:
    bench.target.effective = replace(LIMITS, memory_bytes=2**30)
    with pytest.raises(EnvironmentProblem, match="limits") as caught:
        bench.measure(ladder(1))
    assert "1073741824" in caught.value.evidence
    assert bench.load.orders == []
    assert bench.target.calls == ["start", "stop"]
    assert bench.facts.cell.effective_limits.memory_bytes == 2**30


def test_a_missing_limit_differs_from_a_limit(bench: Bench) -> None:
    bench.target.effective = Limits(cpu_cores=None, memory_bytes=LIMITS.memory_bytes)
    with pytest.raises(EnvironmentProblem) as caught:
        bench.measure(ladder(1))
    assert "no limit" in caught.value.evidence


def test_where_nothing_enforces_limits_the_record_says_so(bench: Bench) -> None:
    bench.target.effective = None
    bench.measure(ladder(1))
    assert not bench.facts.cell.limits_enforced


def test_an_interrupt_keeps_what_was_measured_and_takes_everything_down(bench: Bench) -> None:
    def interrupt_at_four(order: LoadOrder) -> None:
        if order.concurrency == 4:
            raise KeyboardInterrupt

    bench.load.during = interrupt_at_four
    with pytest.raises(KeyboardInterrupt):
        bench.measure(ladder(1, 4))
    assert [step.concurrency for step in bench.facts.steps] == [1, 1]
    assert bench.facts.cell.ended == "interrupted"
    assert bench.listener.news[-1] == "Interrupted: everything is taken down now"
    assert bench.target.calls[-1] == "stop"


def test_a_target_that_breaks_leaves_readable_facts_and_its_reason(bench: Bench) -> None:
    def lose_the_database(order: LoadOrder) -> None:
        if order.concurrency == 4:
            raise TargetFailed("postgres exited with 1")

    bench.load.during = lose_the_database
    with pytest.raises(TargetFailed):
        bench.measure(ladder(1, 4))
    assert len(bench.facts.steps) == 2
    assert bench.facts.cell.ended == "failed: postgres exited with 1"
    assert bench.target.calls[-1] == "stop"


def test_what_cannot_be_taken_down_does_not_hide_what_went_wrong_first(bench: Bench) -> None:
    def lose_the_engine(order: LoadOrder) -> None:
        bench.target.stuck = True
        raise TargetFailed("The Docker engine died during the measurement.")

    bench.load.during = lose_the_engine
    with pytest.raises(TargetFailed, match="died during"):
        bench.measure(ladder(1))
    assert "harness down" in bench.listener.news[-1]
    assert bench.facts.cell.sealed


def test_a_good_cell_that_cannot_be_taken_down_is_an_error(bench: Bench) -> None:
    bench.target.stuck = True
    with pytest.raises(EnvironmentProblem):
        bench.measure(ladder(1))


def interrupted_at(bench: Bench, concurrency: int, *rungs: int) -> None:
    """A cell that Ctrl-C ended in that rung."""

    def during(order: LoadOrder) -> None:
        if order.concurrency == concurrency:
            raise KeyboardInterrupt

    bench.load.during = during
    with pytest.raises(KeyboardInterrupt):
        bench.measure(ladder(*rungs))
    bench.load.during = lambda _: None
    bench.target.calls.clear()
    bench.journal.clear()


def test_a_cell_goes_on_after_its_steps_on_a_fresh_server(bench: Bench) -> None:
    interrupted_at(bench, 4, 1, 2, 4)
    cell = bench.go_on(ladder(1, 2, 4))
    assert [(s.index, s.kind, s.concurrency, s.server) for s in bench.facts.steps] == [
        (0, "warmup", 1, 0), (1, "load", 1, 0), (2, "load", 2, 0),
        (3, "warmup", 1, 1), (4, "load", 4, 1),
    ]  # fmt: skip
    assert (cell.sealed, cell.ended) == (True, "the ladder is at its end")
    assert bench.target.calls == ["start", "stop"]
    assert [entry.get("reason") for entry in bench.journal] == ["warm the caches", "rung 2", None]


def test_the_server_it_goes_on_with_idles_as_long_and_the_first_window_stays(bench: Bench) -> None:
    interrupted_at(bench, 4, 1, 4)
    window = (bench.facts.cell.idle_start_s, bench.facts.cell.idle_end_s)
    bench.go_on(ladder(1, 4))
    assert (bench.facts.cell.idle_start_s, bench.facts.cell.idle_end_s) == window
    warmed, loaded = bench.facts.steps[2:]
    assert loaded.phases[0].start_s - warmed.phases[-1].end_s == CAMPAIGN.idle_s


def test_a_cell_that_only_lacked_its_seal_gets_it_without_a_server(bench: Bench) -> None:
    interrupted_at(bench, 4, 1, 2, 4)
    cell = bench.go_on(ladder(1, 2))
    assert (cell.sealed, cell.ended) == (True, "the ladder is at its end")
    assert len(bench.facts.steps) == 3
    assert bench.target.calls == []
    assert bench.journal == [{"cell": PLAN.id, "done": "the ladder is at its end"}]


def test_what_is_found_at_the_start_can_end_the_cell_before_any_load(bench: Bench) -> None:
    seen: list[Cell] = []

    def started(cell: Cell) -> None:
        assert bench.facts.cell.effective_limits is None  # nothing of it is written yet
        seen.append(cell)
        raise TargetFailed("another server")

    with pytest.raises(TargetFailed, match="another"):
        bench.measure(ladder(1), started=started)
    assert seen[0].effective_limits == LIMITS
    assert seen[0].detail == {"fake": True}
    assert bench.load.orders == []
    assert bench.facts.cell.ended == "failed: another server"
    assert bench.target.calls == ["start", "stop"]


def test_the_record_says_how_the_servers_clock_stands_to_ours(bench: Bench) -> None:
    assert bench.measure(ladder(1)).detail["clock"]["measured"] is False


def test_another_hosts_clock_is_compared_at_the_end_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = [Offset(offset_s=each, uncertainty_s=0.01, at_s=1.0) for each in (3.0, 4.0, 5.0, 6.0)]
    waiting = iter(looks)
    last: list[Offset] = []

    def look() -> Offset:
        last[:] = [next(waiting)]
        return last[0]

    here = replace(endpoints(), elsewhere=True, clock=OtherClock(look))
    monkeypatch.setattr(bench.target, "start", lambda: here)
    bench.measure(ladder(1))
    clock = bench.facts.cell.detail["clock"]
    assert clock["start"]["offset_s"] == 3.0
    assert clock["end"]["offset_s"] == clock["offset_s"] == last[0].offset_s > 3.0


def test_asked_to_stop_while_stopping_it_leaves_nothing_all_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops: list[str] = []

    def stop() -> None:
        stops.append("stop")
        if len(stops) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(bench.target, "stop", stop)
    with pytest.raises(KeyboardInterrupt):
        bench.measure(ladder(1))
    assert stops == ["stop", "stop"]
