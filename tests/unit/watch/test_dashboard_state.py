"""What the dashboard knows after each call, in simulated time."""

from __future__ import annotations

import pytest
from listening import CELLS, FAILED, IO, ORDER, PROGRESS, event, opinion, vitals

from harness.watch.dashboard.state import Scene

pytestmark = pytest.mark.unit

MEASURING = Scene().campaign_started("quick", CELLS, 0.0).cell_started(IO, 1, 2, 10.0)
STEPPING = MEASURING.step_started(ORDER, 30.0, 40.0)


def test_before_a_step_it_says_what_goes_on_and_since_when() -> None:
    scene = Scene().campaign_started("quick", CELLS, 0.0)
    assert (scene.doing, scene.total) == ("getting ready", 2)
    scene = scene.said("The image is built", 3.0)
    assert (scene.doing, scene.doing_since_s) == ("The image is built", 3.0)
    assert (MEASURING.doing, MEASURING.doing_since_s) == ("starting the server", 10.0)


def test_a_step_has_its_order_its_times_and_its_progress() -> None:
    scene = STEPPING.progressed(PROGRESS)
    assert scene.step is not None
    assert (scene.step.order, scene.step.progress) == (ORDER, PROGRESS)
    assert scene.step.elapsed_s(52.0) == 12.0
    assert scene.step.left_s(52.0) == 18.0
    assert scene.step.left_s(100.0) == 0.0
    assert scene.doing == ""


def test_what_is_said_in_a_step_stands_beside_it() -> None:
    scene = STEPPING.said("Interrupted: everything is taken down now", 50.0)
    assert scene.step is not None
    assert scene.doing.startswith("Interrupted")
    assert scene.step_started(ORDER, 30.0, 60.0).doing == ""


def test_progress_without_a_step_is_ignored() -> None:
    assert MEASURING.progressed(PROGRESS) == MEASURING


def test_the_curve_grows_by_opinions_and_begins_anew_with_a_cell() -> None:
    scene = STEPPING.step_done(71.0).step_judged(opinion(4), 72.0)
    assert (scene.step, scene.doing) == (None, "choosing the next step")
    scene = scene.step_judged(FAILED, 100.0)
    assert scene.opinion == FAILED
    assert [each.concurrency for each in scene.opinions] == [4, 8]
    scene = scene.cell_done(IO, 110.0)
    assert scene.found == ((IO, "threshold 4 to 7"),)
    scene = scene.cell_started(CELLS[1].cell_id, 2, 2, 111.0)
    assert (scene.opinions, scene.vitals, scene.opinion) == ((), None, None)
    assert scene.found == ((IO, "threshold 4 to 7"),)


def test_after_the_last_cell_the_campaign_is_judged() -> None:
    assert MEASURING.cell_done(IO, 90.0).doing == "going to the next cell"
    last = MEASURING.cell_started(CELLS[1].cell_id, 2, 2, 91.0)
    assert last.cell_done(CELLS[1].cell_id, 99.0).doing == "judging the campaign"


def test_only_events_worth_a_line_are_shown() -> None:
    known = (event("oom_kill"), event("health_status"), event("fresh_server"))
    scene = STEPPING.felt(vitals(events=known), 50.0)
    assert [each.kind for each in scene.events] == ["oom_kill", "fresh_server"]
    assert MEASURING.events == ()


def test_time_left_counts_the_step_under_way() -> None:
    assert STEPPING.left_s(40.0) == 270.0
    late = MEASURING.step_started(ORDER, 60.0, 300.0)
    assert late.left_s(310.0) == 50.0 + 120.0
    assert 0 < late.share(310.0) < 1


def test_another_campaign_begins_with_nothing() -> None:
    scene = STEPPING.step_judged(FAILED, 70.0).campaign_started("verify", CELLS[:1], 200.0)
    assert (scene.campaign, scene.total, scene.cell_id) == ("verify", 1, "")
    assert (scene.opinions, scene.step, scene.found) == ((), None, ())
    assert scene.left_s(200.0) == 180.0
