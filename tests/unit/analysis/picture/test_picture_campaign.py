"""A campaign's pictures share what a page can carry, fairly and without losing what matters."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import factory
import factory_picture
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.findings.document import findings_of
from harness.analysis.measures.windows import hold_of
from harness.analysis.picture.budget import LEAST_POINTS, Total, shares
from harness.analysis.picture.campaign import budgets, judged_windows, pictures_of
from harness.analysis.picture.types import CellPicture
from harness.campaign.plan import Campaign, Workload
from harness.campaign.profiles import parse_profile
from harness.facts.table import CellFacts

pytestmark = pytest.mark.unit

MOST_RAW_BYTES, MOST_PACKED_BYTES = 2_500_000, 450_000
UNJUDGED: Any = SimpleNamespace(cells=())


@pytest.fixture(scope="module", params=[(10, 10), (1, 100), (100, 1)], ids=str)
def campaign(request: pytest.FixtureRequest) -> list[CellFacts]:
    """100 steps and 20,000 runs, in few cells or in many."""
    cells, steps = request.param
    return factory_picture.make_campaign(factory_picture.Shape(cells=cells, steps=steps))


@pytest.fixture(scope="module")
def pictures(campaign: list[CellFacts]) -> tuple[CellPicture, ...]:
    return pictures_of(campaign, UNJUDGED)


def as_json(pictures: Sequence[CellPicture]) -> bytes:
    plain = [dataclasses.asdict(picture) for picture in pictures]
    return json.dumps(plain, separators=(",", ":"), allow_nan=False).encode()


def test_a_large_campaign_fits_a_page(pictures: tuple[CellPicture, ...]) -> None:
    text = as_json(pictures)
    assert len(text) < MOST_RAW_BYTES
    assert len(gzip.compress(text, 9)) < MOST_PACKED_BYTES


def test_no_peak_of_a_large_campaign_is_lost(
    campaign: list[CellFacts], pictures: tuple[CellPicture, ...]
) -> None:
    for facts, picture in zip(campaign, pictures, strict=True):
        for line in picture.memory.lines:
            _, read = facts.samples.series("cgroup", line.metric, line.source)
            known = [value for value in line.values if value is not None]
            assert max(known) == line.peak == pytest.approx(read.max() / factory.MIB, abs=0.051)


def test_every_run_is_drawn_where_there_is_room(
    campaign: list[CellFacts], pictures: tuple[CellPicture, ...]
) -> None:
    lanes = [lanes for picture in pictures for lanes in picture.runs]
    assert sum(len(each.lane) for each in lanes) == factory_picture.total_runs(campaign) == 20_000
    assert {each.omitted for each in lanes} == {0}


def test_where_there_is_no_room_the_failed_the_unended_and_the_slowest_stay(
    campaign: list[CellFacts],
) -> None:
    total = Total(points=5_000, runs=2_000)
    found = pictures_of(campaign, UNJUDGED, total=total)
    lanes = [lanes for picture in found for lanes in picture.runs]
    assert sum(len(each.lane) for each in lanes) <= total.runs
    assert sum(len(each.lane) + each.omitted for each in lanes) == 20_000
    runs = [run for facts in campaign for run in facts.runs]
    for status in ("FAILURE", "UNFINISHED"):
        kept = sum(each.status.count(status) for each in lanes)
        assert kept == sum(run.status == status for run in runs) > 0


def test_every_step_is_drawn_as_finely_however_the_steps_lie_in_cells() -> None:
    long = factory.make_facts([factory.Rung(concurrency=1)] * 6)
    short = factory.make_facts([factory.Rung(concurrency=1)] * 3)
    first, second = budgets([long, short], Total(points=3600, runs=10))
    assert first.points == pytest.approx(2 * second.points, abs=1)


def test_a_line_never_gets_too_little_to_show_anything() -> None:
    facts = factory.make_facts([factory.Rung(concurrency=1)])
    assert {each.points for each in budgets([facts] * 50, Total(points=100, runs=0))} == {
        LEAST_POINTS
    }


@given(st.lists(st.integers(0, 500), max_size=30), st.integers(0, 2000))
def test_who_wants_little_gets_it_and_the_others_get_equally_much(
    wanted: list[int], total: int
) -> None:
    given_ = shares(wanted, total)
    assert sum(given_) <= total
    assert all(own <= wish for own, wish in zip(given_, wanted, strict=True))
    if sum(wanted) <= total:
        assert list(given_) == wanted
    cut = [own for own, wish in zip(given_, wanted, strict=True) if own < wish]
    assert max(cut, default=0) - min(cut, default=0) <= 1
    assert max(given_, default=0) <= min(cut, default=total) + 1


def test_the_judged_window_is_the_hold_without_its_warm_up() -> None:
    rungs = [factory.Rung(concurrency=1, kind="unloaded"), factory.Rung(concurrency=4)]
    facts = factory.make_facts(rungs)
    plan = Campaign(
        name="x", profiles=(parse_profile("1vcpu-2gb"),), workloads=(Workload(name="io"),)
    )
    findings = findings_of(plan, {"host": {"cpus": 4}}, [facts])
    (picture,) = pictures_of([facts], findings)
    for span, step, judged in zip(picture.spans, facts.steps, findings.cells[0].steps, strict=True):
        hold = hold_of(step)
        assert hold is not None
        assert judged.steady is not None
        assert span.judged_s is not None
        start_s, end_s = span.judged_s
        cut_from_s = hold.start_s + judged.steady.cut_s - picture.origin_s
        assert start_s == pytest.approx(cut_from_s, abs=0.01)
        assert end_s - start_s == pytest.approx(judged.hold_s, abs=0.02)


def test_without_findings_no_window_was_judged() -> None:
    facts = factory.make_facts([factory.Rung(concurrency=1)])
    assert judged_windows(facts, None) == {}
    (picture,) = pictures_of([facts], UNJUDGED)
    assert picture.spans[0].judged_s is None
