"""What happened is marked in plain words, at the moment it happened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import factory
import pytest

from harness.analysis.picture.cell import picture_of
from harness.analysis.picture.marks import MOST_OF_A_KIND, PING_DEADLINE_S, PROBE_DEADLINE_S
from harness.analysis.picture.types import Mark
from harness.facts.model import Event
from harness.rig.telemetry import ping, probe

pytestmark = pytest.mark.unit

AT_S = factory.START_S
CELL = factory.make_facts([factory.Rung(concurrency=2)])


def marks(*events: Event) -> tuple[Mark, ...]:
    return picture_of(replace(CELL, events=list(events))).marks


def event(kind: str, at_s: float = 20.0, source: str = "code-server-1", **detail: Any) -> Event:
    return Event(at_s=AT_S + at_s, kind=kind, source=source, detail=detail)


@pytest.mark.parametrize(
    ("kind", "detail", "text"),
    [
        ("oom_kill", {"count": 1}, "OOM: the kernel killed a process for memory"),
        ("oom_kill", {"count": 3}, "OOM: the kernel killed 3 processes for memory"),
        (
            "server_died",
            {"exit_code": 137, "oom": True, "witnesses": [], "log_tail": "x"},
            "The server died for want of memory (OOM), exit code 137 (signal 9)",
        ),
        (
            "server_died",
            {"exit_code": 1, "oom": False},
            "The server died with exit code 1",
        ),
        ("server_died", {"exit_code": -11}, "The server died with exit code -11 (signal 11)"),
        ("server_died", {"exit_code": None}, "The server died with exit code not known"),
        ("end", {"reason": "3 holds"}, "The cell ended: 3 holds"),
        ("device_error", {"error": "OSError: gone"}, "The device could not read: OSError: gone"),
        ("device_not_offered", {}, "The device cannot look at this target"),
        ("probe_error", {"error": "x"}, "The probe inside the server failed: x"),
        ("die", {"exit_code": 143}, "The container ended, exit code 143 (signal 15)"),
        ("kill", {"signal": "15"}, "The container was sent signal 15"),
        ("health_status", {"status": "unhealthy"}, "The container's health: unhealthy"),
        ("something_new", {"found": 7}, "found 7"),
        ("something_new", {}, "something new"),
    ],
)
def test_an_event_is_said_in_plain_words(kind: str, detail: dict[str, Any], text: str) -> None:
    (mark,) = marks(event(kind, **detail))
    assert (mark.kind, mark.source, mark.text) == (kind, "code-server-1", text)
    assert mark.at_s == pytest.approx(20.0, abs=0.01)


def test_a_fresh_server_is_marked_when_it_served() -> None:
    (mark,) = marks(event("fresh_server", why="it died", until_serving_s=12.4))
    assert mark.at_s == pytest.approx(32.4, abs=0.01)
    assert mark.text == "A fresh server serves after 12 s (because it died)"


def test_a_step_that_broke_off_is_marked_at_its_end() -> None:
    (step,) = CELL.steps
    aborted = replace(step, outcome="aborted", outcome_detail="the server died")
    (mark,) = picture_of(replace(CELL, steps=[aborted])).marks
    assert mark.text == "Step 1 at concurrency 2 broke off: the server died"
    assert mark.at_s == pytest.approx(step.phases[-1].end_s - AT_S, abs=0.01)


def test_marks_are_in_order_of_time_and_none_lies_before_the_picture() -> None:
    found = marks(event("oom_kill", 30), event("die", 25), event("device_not_offered", -2))
    assert [mark.kind for mark in found] == ["device_not_offered", "die", "oom_kill"]
    assert found[0].at_s == 0.0


def test_stacks_and_who_drove_the_load_are_no_moments() -> None:
    assert marks(event("stack", threads=3)) == ()
    assert marks(event("load_worker", index=0)) == ()


def test_a_kind_that_never_stops_is_cut_short_and_the_picture_says_so() -> None:
    many = [event("probe_error", 20 + place / 10) for place in range(MOST_OF_A_KIND + 5)]
    picture = picture_of(replace(CELL, events=[*many, event("oom_kill", 60)]))
    assert len(picture.marks) == MOST_OF_A_KIND + 1
    assert picture.marks[-1].kind == "oom_kill"
    assert any("probe_error" in sentence for sentence in picture.missing)


def test_deaths_and_kills_are_never_left_out() -> None:
    many = [event("oom_kill", 20 + place / 10) for place in range(MOST_OF_A_KIND + 5)]
    picture = picture_of(replace(CELL, events=many))
    assert len(picture.marks) == len(many)
    assert not any("oom_kill" in sentence for sentence in picture.missing)


def test_deadlines_are_those_the_devices_keep() -> None:
    assert (PING_DEADLINE_S, PROBE_DEADLINE_S) == (ping.DEADLINE_S, probe.DEADLINE_S)


def test_where_a_cell_that_broke_off_goes_on_is_marked() -> None:
    (mark,) = marks(event("resumed", kept_steps=3))
    assert mark.text == "It was broken off after 3 steps; a fresh server goes on"
