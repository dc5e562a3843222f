"""A cell of which something is missing has a picture too, and the picture says what and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import factory
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.picture.budget import Budget
from harness.analysis.picture.cell import picture_of
from harness.analysis.picture.types import CellPicture, Group
from harness.facts.model import Event, Phase, Sample
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit

AT_S = factory.START_S
DEVICES = (*factory.ALL_DEVICES, "ping")
NO_PING = "The device ping was switched off for this campaign."
"""True of every cell of the factory."""


def empty(**cell: Any) -> CellFacts:
    """A cell that was begun and no more."""
    begun = {"idle_start_s": None, "idle_end_s": None, "devices": DEVICES, **cell}
    return CellFacts(
        cell=factory.make_cell(**begun), steps=[], runs=[], samples=SamplesTable.of(), events=[]
    )


def without(facts: CellFacts, device: str) -> CellFacts:
    """The same cell, had this device read nothing."""
    kept = [sample for sample in facts.samples if sample.device != device]
    return replace(facts, samples=SamplesTable.of(kept))


def groups(picture: CellPicture) -> dict[str, Group]:
    names = ("memory", "cpu", "throttling", "queues", "probe", "processes")
    return {name: getattr(picture, name) for name in names}


def test_a_cell_that_failed_before_its_first_step_says_so_in_every_chart() -> None:
    ended = "failed: The server did not become ready in 60 s."
    picture = picture_of(empty(sealed=True, ended=ended, limits_enforced=False))
    said = "(failed: The server did not become ready in 60 s)."
    for group in groups(picture).values():
        assert group.lines == ()
        assert group.missing == f"Nothing was read: the cell ended before its first step {said}"
    assert picture.missing == (f"No step was measured {said}",)
    assert (picture.spans, picture.runs, picture.marks) == ((), (), ())
    assert (picture.origin_s, picture.end_s) == (0.0, 0.0)


def test_a_cell_that_was_cut_off_at_once_says_so() -> None:
    picture = picture_of(empty(sealed=False, ended=""))
    assert picture.missing == (
        "The cell was not finished: its record ends where the harness was stopped.",
        "No step was measured.",
    )
    assert "the harness was stopped before the first step" in picture.memory.missing


def test_a_cell_with_events_alone_begins_with_the_first() -> None:
    ended = Event(at_s=AT_S, kind="end", source="harness", detail={"reason": "failed"})
    picture = picture_of(replace(empty(sealed=True, ended="failed"), events=[ended]))
    assert picture.origin_s == AT_S
    assert [mark.at_s for mark in picture.marks] == [0.0]


def test_an_unsealed_cell_draws_what_it_has() -> None:
    picture = picture_of(factory.make_facts([factory.Rung(concurrency=2)], sealed=False))
    assert picture.memory.lines
    assert picture.missing == (
        "The cell was not finished: its record ends where the harness was stopped.",
        NO_PING,
    )


def test_an_interrupted_cell_says_so_and_draws_what_it_has() -> None:
    facts = factory.make_facts([factory.Rung(concurrency=2)], ended="interrupted")
    picture = picture_of(facts)
    assert picture.missing == ("The cell ended before its search did (interrupted).", NO_PING)
    assert picture.runs


def test_a_step_without_a_hold_has_a_span_and_a_sentence() -> None:
    facts = factory.make_facts([factory.Rung(concurrency=2), factory.Rung(concurrency=9)])
    broken = replace(
        facts.steps[1], phases=facts.steps[1].phases[:1], outcome="aborted",
        outcome_detail="code-server-1 died",
    )  # fmt: skip
    bare = replace(facts.steps[0], phases=())
    picture = picture_of(replace(facts, steps=[bare, broken]), judged={2: (AT_S, AT_S + 1)})
    assert [len(span.phases) for span in picture.spans] == [0, 1]
    assert (picture.spans[0].start_s, picture.spans[0].end_s) == (0.0, 0.0)
    assert picture.missing[1] == (
        "Step 2 (load, concurrency 9) never held its load (code-server-1 died): "
        "no window of it was judged."
    )
    assert len(picture.runs) == 2


def test_a_step_without_runs_has_no_lanes() -> None:
    facts = factory.make_facts([factory.Rung(concurrency=2)])
    picture = picture_of(replace(facts, runs=[]))
    assert picture.runs == ()
    assert picture.missing == ("No run was offered.", NO_PING)


def test_devices_that_were_switched_off_are_named() -> None:
    facts = factory.make_facts([factory.Rung(concurrency=2)], devices=("probe",))
    picture = picture_of(replace(facts, samples=SamplesTable.of()))
    assert {name: group.missing for name, group in groups(picture).items()} == {
        "memory": "The device cgroup was switched off for this campaign.",
        "cpu": "The device cgroup was switched off for this campaign.",
        "throttling": "The device cgroup was switched off for this campaign.",
        "queues": "The devices pool and run_queue were switched off for this campaign.",
        "probe": "No probe was read, although the device probe was on.",
        "processes": "The device processes was switched off for this campaign.",
    }
    assert picture.memory.limit == 2048.0


@pytest.mark.parametrize(
    ("kind", "detail", "said"),
    [
        ("device_not_offered", {}, "The device cgroup cannot look at the target compose here."),
        ("device_error", {"error": "OSError: gone"}, "The device cgroup failed (OSError: gone)."),
    ],
)
def test_what_a_device_said_of_itself_is_the_reason(
    kind: str, detail: dict[str, Any], said: str
) -> None:
    facts = without(factory.make_facts([factory.Rung(concurrency=2)]), "cgroup")
    events = [Event(at_s=AT_S + 1, kind=kind, source="cgroup", detail=detail)]
    assert picture_of(replace(facts, events=events)).memory.missing == said


def test_a_process_without_enforced_limits_has_no_cgroup_to_ask() -> None:
    facts = factory.make_facts(
        [factory.Rung(concurrency=2)],
        target="process", effective_limits=None, limits_enforced=False,
    )  # fmt: skip
    picture = picture_of(without(facts, "cgroup"))
    assert picture.memory.missing.startswith("No memory was read: no limits were enforced here")
    assert picture.missing == ("No limit was enforced, so none is drawn.", NO_PING)
    assert picture.queues.lines


def test_a_queue_that_is_not_in_the_chart_is_named() -> None:
    facts = factory.make_facts([factory.Rung(concurrency=2)], devices=DEVICES)
    assert picture_of(without(facts, "pool")).missing == (
        "No pool queue was read, although the device pool was on.",
        "No answer of Dagster's own Ping was read, although the device ping was on.",
    )


def test_a_dagster_that_tells_no_queue_is_not_taken_for_one_without() -> None:
    facts = factory.make_facts([factory.Rung(concurrency=2)], devices=DEVICES)
    answered = Sample(
        device="ping", source="code-server-1", key="ping_s", due_s=AT_S, taken_s=AT_S, value=0.1
    )
    picture = picture_of(replace(facts, samples=SamplesTable.of([*facts.samples, answered])))
    assert picture.missing == (
        "Dagster's own Ping told no queue: this version does not report it.",
    )


@given(st.data())
def test_whatever_is_left_of_a_cell_has_a_picture(data: st.DataObject) -> None:
    whole = factory.make_facts(
        [factory.Rung(concurrency=2, hold_s=5.0, late_status="LOST", late_every=2)] * 2
    )
    samples = whole.samples.frame
    rows = data.draw(st.lists(st.integers(0, samples.height - 1), max_size=12))
    kinds = st.sampled_from(["oom_kill", "server_died", "fresh_server", "device_error", "x"])
    details = st.dictionaries(st.sampled_from(["count", "exit_code", "why"]), st.integers())
    events = [
        Event(at_s=AT_S, kind=kind, source="x", detail=detail)
        for kind, detail in data.draw(st.lists(st.tuples(kinds, details), max_size=3))
    ]
    left = CellFacts(
        cell=whole.cell,
        steps=[
            replace(step, phases=step.phases[: data.draw(st.integers(0, 4))])
            for step in whole.steps
            if data.draw(st.booleans())
        ],
        runs=data.draw(st.lists(st.sampled_from(whole.runs), max_size=5)),
        samples=SamplesTable(samples[rows]),
        events=events,
    )
    budget = Budget(points=data.draw(st.integers(0, 20)), runs=data.draw(st.integers(0, 5)))
    picture = picture_of(left, budget=budget)
    assert picture.end_s >= 0
    assert len(picture.spans) == len(left.steps)
    for group in groups(picture).values():
        assert bool(group.lines) != bool(group.missing)


def test_a_chart_with_something_in_it_misses_nothing() -> None:
    picture = picture_of(factory.make_facts([factory.Rung(concurrency=2)]))
    for name, group in groups(picture).items():
        assert bool(group.lines) != bool(group.missing), name
    assert picture.missing == (NO_PING,)


def test_a_phase_of_no_length_is_drawn_as_such() -> None:
    facts = factory.make_facts([factory.Rung(concurrency=2)])
    hold = Phase(name="hold", start_s=AT_S, end_s=AT_S)
    warm = replace(facts.steps[0], kind="warmup", phases=(hold,))
    (span,) = picture_of(replace(facts, steps=[warm])).spans
    assert span.phases == (("hold", span.start_s, span.start_s),)
