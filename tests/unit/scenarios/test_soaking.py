"""A cell becomes a soak: how long, how much, and where in it something is broken."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from factory_bursts import CELL_ID, campaign_of, cell_of, filled
from fake_rig import Machine, plan
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from harness.analysis.capacity import Capacity
from harness.analysis.findings.types import Findings
from harness.analysis.soaking.types import (
    Answer,
    Course,
    FaultOutcome,
    Growth,
    PerHour,
    Reach,
    Soak,
    Storage,
)
from harness.campaign.faults import FAULT_KINDS, FaultKind
from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.plan import Campaign, Load, Queue
from harness.errors import CampaignError, Interrupted, StoredDataError
from harness.facts.layout import ResultsFolder
from harness.facts.model import RunStatus
from harness.scenarios.soaking import (
    FEWEST_SEGMENTS,
    MOST_SEGMENTS,
    SoakWish,
    choose_cell,
    soak_campaign,
    soak_json,
    soaked,
)

pytestmark = pytest.mark.unit

Asked = tuple[FaultKind, int | None, float | None]


def soak(
    *faults: Asked, campaign: Campaign | None = None, cell: Any = None, **wish: Any
) -> Campaign:
    given: dict[str, Any] = {"hours": 2.0, "faults": faults}
    wanted = SoakWish(**{**given, **wish})
    return soak_campaign(campaign or campaign_of(), cell or cell_of(), wanted)


def segment_s(made: Campaign) -> float:
    return made.step.ramp_s + made.step.settle_s + made.step.hold_s


def held(made: Campaign) -> int:
    (cell,) = made.cells()
    (concurrency,) = made.concurrencies(cell)
    return concurrency


class TestLoad:
    @pytest.mark.parametrize(
        ("capacity", "share", "runs"), [(6, 0.7, 4), (6, 1.0, 6), (1, 0.7, 1), (12, 0.25, 3)]
    )
    def test_it_is_a_share_of_what_the_cell_held_rounded_down(
        self, capacity: int, share: float, runs: int
    ) -> None:
        cell = cell_of(capacity=filled(Capacity, concurrency=capacity, status="bracketed"))
        assert held(soak(cell=cell, share=share)) == runs

    def test_so_many_runs_as_are_asked_for_go_before_a_share(self) -> None:
        nothing_held = cell_of(capacity=filled(Capacity, concurrency=None, status="below_min"))
        assert held(soak(cell=nothing_held, runs=9)) == 9
        assert held(soak(runs=9)) == 9

    def test_of_nothing_there_is_no_share(self) -> None:
        nothing_held = cell_of(capacity=filled(Capacity, concurrency=None, status="below_min"))
        with pytest.raises(CampaignError, match="no share of that") as refused:
            soak(cell=nothing_held)
        assert "--runs" in refused.value.hint

    def test_it_is_closed_whatever_the_campaign_offered(self) -> None:
        offered = Load(model="poisson", run_s=5, seed=7, workers=3)
        made = soak(campaign=campaign_of(load=offered))
        assert made.load == Load(workers=3, seed=7)

    def test_the_cell_is_the_one_that_was_measured(self) -> None:
        campaign = campaign_of(
            feed="queued", max_concurrent_runs=(None, 6), queue=Queue(dequeue_interval_s=1),
            dagster=("1.12.0", "1.13.27"), max_workers=(4, 6), repetitions=3,
        )  # fmt: skip
        (cell,) = soak(
            campaign=campaign, cell=cell_of(feed="queued", max_concurrent_runs=6)
        ).cells()
        assert (cell.max_workers, cell.max_concurrent_runs, cell.feed) == (6, 6, "queued")
        assert (cell.dagster, cell.queue.dequeue_interval_s, cell.repetition) == (
            "1.13.27", 1, None,
        )  # fmt: skip

    def test_no_slowdown_is_judged_for_no_run_is_measured_alone(self) -> None:
        made = soak()
        assert made.slos.slowdown_p95 is None
        assert made.slos.memory_headroom == campaign_of().slos.memory_headroom


class TestSegments:
    @pytest.mark.parametrize(
        ("hours", "segments", "length_s"), [(1, 20, 180), (24, 288, 300), (0.15, 7, 540 / 7)]
    )
    def test_they_last_about_five_minutes_where_that_makes_enough_of_them(
        self, hours: float, segments: int, length_s: float
    ) -> None:
        made = soak(hours=hours)
        assert made.search.max_steps == segments
        assert segment_s(made) == pytest.approx(length_s)

    @settings(deadline=None, max_examples=40)
    @given(hours=st.floats(0.05, 168))
    def test_however_long_it_is_there_are_neither_too_few_nor_too_many(self, hours: float) -> None:
        made = soak(hours=hours)
        assert FEWEST_SEGMENTS <= made.search.max_steps <= MOST_SEGMENTS
        planned_s = made.search.max_steps * segment_s(made)
        assert planned_s == pytest.approx(max(hours * 3600, FEWEST_SEGMENTS * 60.0))
        assert load_campaign(dump_campaign(made), source="made") == made

    def test_runs_are_given_two_minutes_to_end_or_what_the_campaign_gave(self) -> None:
        patient = campaign_of(step=campaign_of().step.model_copy(update={"drain_s": 600.0}))
        assert soak().step.drain_s == 120
        assert soak(campaign=patient).step.drain_s == 600

    def test_the_name_says_what_it_is_and_stays_a_name(self) -> None:
        assert soak().name == "quick-soak"
        assert len(soak(campaign=campaign_of(name="q" * 60)).name) == 60


class TestFaults:
    def test_they_are_spread_evenly(self) -> None:
        made = soak(*[(kind, None, None) for kind in FAULT_KINDS[:4]], hours=25 / 12)
        assert [fault.segment for fault in made.faults] == [4, 10, 16, 22]
        assert [fault.kind for fault in made.faults] == list(FAULT_KINDS[:4])

    @settings(deadline=None, max_examples=40)
    @given(hours=st.floats(0.5, 20), number=st.integers(1, 30))
    def test_none_is_in_the_first_or_the_last_segment_or_in_one_with_another(
        self, hours: float, number: int
    ) -> None:
        room = soak(hours=hours).search.max_steps - 2
        asked: list[Asked] = [("run-kill", None, None)] * number
        if number > room:
            with pytest.raises(CampaignError, match="do not fit"):
                soak(*asked, hours=hours)
            return
        places = [fault.segment for fault in soak(*asked, hours=hours).faults]
        assert places == sorted(set(places))
        assert places[0] > 1
        assert places[-1] < room + 2

    def test_given_segments_and_lengths_are_honoured(self) -> None:
        made = soak(("network-cut", 9, 5.0), ("run-kill", None, None), ("database-pause", 2, None))
        places = {fault.kind: (fault.segment, fault.lasts_s) for fault in made.faults}
        assert places["network-cut"] == (9, 5)
        assert places["database-pause"] == (2, 30)
        assert places["run-kill"][1] == 0
        assert [fault.segment for fault in made.faults] == sorted(f.segment for f in made.faults)

    def test_an_unplaced_fault_keeps_out_of_a_given_segment(self) -> None:
        taken: list[Asked] = [("run-kill", number, None) for number in (2, 3, 4, 5)]
        made = soak(*taken, ("network-cut", None, None), hours=0.15)
        assert made.search.max_steps == 7
        assert [f.segment for f in made.faults if f.kind == "network-cut"] == [6]

    def test_more_than_there_are_segments_for_are_refused_with_the_way_out(self) -> None:
        with pytest.raises(CampaignError, match="6 faults do not fit into 7 segments") as refused:
            soak(*[("run-kill", None, None)] * 6, hours=0.15)
        assert "--hours" in refused.value.hint

    def test_one_that_ends_its_segment_is_refused_in_the_last(self) -> None:
        """Nobody would be left to see whether runs start again."""
        with pytest.raises(CampaignError, match="server-kill ends its segment") as refused:
            soak(("server-kill", 7, None), hours=0.15)
        assert refused.value.hint.endswith("--fault server-kill@6")
        placed = soak(("server-kill", 6, None), ("network-cut", 7, None), hours=0.15).faults
        assert [(each.kind, each.segment) for each in placed] == [
            ("server-kill", 6), ("network-cut", 7),
        ]  # fmt: skip

    @pytest.mark.parametrize("wrong", [(0,), (8,), (99,), (3, 3)])
    def test_a_segment_that_is_not_there_or_has_one_already_is_refused(
        self, wrong: tuple[int, ...]
    ) -> None:
        """It would never strike, and nobody would be told."""
        with pytest.raises(CampaignError, match="segments 1 to 7") as refused:
            soak(*[("run-kill", number, None) for number in wrong], hours=0.15)
        assert refused.value.evidence == f"Asked for: {wrong[0]}"


class TestChoosing:
    CELLS = filled(
        Findings, schema=2, campaign={}, cells=(cell_of(), cell_of(id="other", max_workers=8))
    )
    ALONE = filled(Findings, schema=2, campaign={}, cells=(cell_of(),))

    def test_the_only_cell_needs_no_name(self) -> None:
        assert choose_cell(self.ALONE, "").id == CELL_ID

    def test_one_of_several_is_named(self) -> None:
        assert choose_cell(self.CELLS, "other").max_workers == 8

    @pytest.mark.parametrize(
        ("name", "said"), [("", "Which of the cells"), ("third", "There is no cell third")]
    )
    def test_else_all_are_told(self, name: str, said: str) -> None:
        with pytest.raises(CampaignError, match=said) as refused:
            choose_cell(self.CELLS, name)
        assert refused.value.evidence.splitlines() == [CELL_ID, "other"]


FULL = Soak(
    cell="c", concurrency=4, hours=1.0, segments=12, used=8, answer="does not last",
    why=("memory of code-server-1 reaches its limit in 9 h",), runs={"SUCCESS": 900},
    growth=(
        Growth(
            what="memory", of="code-server-1", unit="MiB", course="grows", first=500.0, last=600.0,
            per_hour=PerHour(value=100.0, low=90.0, high=110.0, n=8),
            reach=Reach(limit=2048.0, hours=9.0, earliest=8.0, latest=10.0),
        ),
        Growth(what="threads", of="code-server-1", unit="", course="not known"),
    ),
    storage=Storage(runs=900, hours=1.0),
    faults=(
        FaultOutcome(kind="run-kill", meaning="m", segment=3, struck=True, errors=(("e", 2),)),
    ),
)  # fmt: skip


ROOT = Path(__file__).resolve().parents[3]
VALIDATOR = Draft202012Validator(
    json.loads((ROOT / "results/soak.schema.json").read_text(encoding="utf-8"))
)


def never(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def test_soak_json_has_everything_and_nothing_that_is_no_json() -> None:
    read = json.loads(soak_json(FULL), parse_constant=never)
    VALIDATOR.validate(read)
    assert read["schema"] == 1
    assert read["answer"] == "does not last"
    assert read["growth"][0]["per_hour"] == {"value": 100.0, "low": 90.0, "high": 110.0, "n": 8}
    assert read["growth"][1]["reach"] is None
    assert read["faults"][0]["errors"] == [["e", 2]]


SOAK = ("workloads=[io]", "search={strategy: soak, concurrencies: [3], max_steps: 8}")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_a_stored_soak_is_judged_and_kept_beside_its_facts(machine: Machine) -> None:
    path = machine.run(plan(*SOAK))
    found = soaked(path)
    assert (found.segments, found.used, found.answer) == (8, 7, "steady")
    kept = (path / "soak.json").read_text(encoding="utf-8")
    assert kept == soak_json(found)
    read = json.loads(kept, parse_constant=never)
    VALIDATOR.validate(read)
    assert read["concurrency"] == 3


def test_the_schema_knows_every_key_and_asks_for_all_of_them() -> None:
    """A key that is new in the records is to be new in the schema, too."""
    properties = VALIDATOR.schema["properties"]
    parts = {
        Soak: VALIDATOR.schema, Growth: properties["growth"]["items"],
        PerHour: properties["growth"]["items"]["properties"]["per_hour"],
        Reach: properties["growth"]["items"]["properties"]["reach"],
        Storage: properties["storage"], FaultOutcome: properties["faults"]["items"],
    }  # fmt: skip
    for record, part in parts.items():
        keys = {each.name for each in fields(record)} | ({"schema"} if record is Soak else set())
        assert set(part["properties"]) == set(part["required"]) == keys
    assert set(properties["answer"]["enum"]) == set(get_args(Answer))
    courses = properties["growth"]["items"]["properties"]["course"]["enum"]
    assert set(courses) == set(get_args(Course))
    assert set(properties["runs"]["propertyNames"]["enum"]) == set(get_args(RunStatus))


def test_a_soak_that_broke_off_is_judged_as_far_as_it_came(machine: Machine) -> None:
    def stop(order: Any) -> None:
        if order.step == 4:
            raise KeyboardInterrupt

    machine.during = stop
    with pytest.raises(Interrupted):
        machine.run(plan(*SOAK))
    path = machine.only()
    assert path is not None
    found = soaked(path)
    assert (found.segments, found.answer) == (3, "cannot tell")
    machine.during = lambda _: None
    machine.resume(path)
    assert soaked(path).segments == 8


def test_what_is_no_soak_is_refused_and_left_alone(machine: Machine) -> None:
    path = machine.run(plan("workloads=[io]", "search={strategy: ladder, concurrencies: [1, 2]}"))
    with pytest.raises(StoredDataError, match="is not of a soak") as refused:
        soaked(path)
    assert "harness soak" in refused.value.hint
    assert not (ResultsFolder(path).path / "soak.json").exists()
