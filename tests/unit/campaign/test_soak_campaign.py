"""A soak as a campaign: what contradicts it, how long it takes, how it is told and stored."""

from __future__ import annotations

import pytest
from campaign_text import MINIMAL, load, problems, with_workload

from harness.campaign.amount import most_runs, peak_of
from harness.campaign.estimate import (
    estimate_cell_s,
    estimate_step_s,
    estimate_steps,
    longest_cell_s,
    steps_of,
)
from harness.campaign.faults import AT_ONCE, FAULT_KINDS, MEANINGS, Fault
from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.outline import lasts, outline

pytestmark = pytest.mark.unit

SOAK = MINIMAL + "search: {strategy: soak, concurrencies: [4], max_steps: 9}\n"
TIMES = "step: {ramp_s: 8, settle_s: 4, hold_s: 288, drain_s: 120}\nidle_s: 0\nwarmup_runs: 0\n"
ONE = "must be a list of one number for a soak: how many runs it holds"


def faults(*written: str) -> str:
    return "".join(["faults:\n", *(f"- {each}\n" for each in written)])


class TestContradictions:
    @pytest.mark.parametrize(
        "search",
        ["{strategy: soak}", "{strategy: soak, concurrencies: [2, 4]}"],
    )
    def test_a_soak_holds_one_concurrency(self, search: str) -> None:
        assert f"c.yaml:4: search.concurrencies: {ONE}" in problems(MINIMAL + f"search: {search}")

    def test_a_workloads_own_grid_is_no_load_of_a_soak_either(self) -> None:
        text = with_workload("{name: io, concurrencies: [2, 4]}")
        told = problems(text + "search: {strategy: soak, concurrencies: [4]}\n")
        assert told == [f"c.yaml:4: workloads.0.concurrencies: {ONE}"]

    @pytest.mark.parametrize(
        "several",
        [
            "max_workers: [2, 4]", "replicas: [1, 2]", "repetitions: 2",
            'dagster: ["1.12.22", "1.13.27"]',
        ],
    )  # fmt: skip
    def test_a_soak_is_of_one_cell(self, several: str) -> None:
        (told,) = problems(SOAK + several + "\n")
        assert told.startswith(f"c.yaml:5: {several.partition(':')[0]}: must be one for a soak")
        assert load(SOAK + "max_workers: [4]\nrepetitions: 1\n").max_workers == (4,)

    def test_a_load_of_the_wrong_kind_is_left_to_the_models(self) -> None:
        told = problems(MINIMAL + "search: {strategy: soak, concurrencies: 4}\n")
        assert len(told) == 1
        assert ONE not in told[0]

    @pytest.mark.parametrize("model", ["uniform", "poisson"])
    def test_open_arrivals_need_to_know_what_a_run_takes(self, model: str) -> None:
        assert problems(SOAK + f"load: {model}\n") == [
            "c.yaml:5: load.run_s: is needed by a soak of open arrivals, for it measures no run "
            "alone"
        ]
        assert load(SOAK + f"load: {{model: {model}, run_s: 9}}\n").load.run_s == 9

    def test_faults_belong_to_a_soak(self) -> None:
        told = problems(MINIMAL + faults("{kind: run-kill, segment: 2}"))
        assert told == ["c.yaml:4: faults: belong to strategy soak: leave them out"]

    @pytest.mark.parametrize("target", ["process", "external"])
    def test_only_the_parts_of_the_compose_target_can_be_broken(self, target: str) -> None:
        text = SOAK + f"target: {target}\n" + faults("{kind: run-kill, segment: 2}")
        said = "faults: need the compose target, whose parts can be broken"
        assert any(line.endswith(said) for line in problems(text))

    @pytest.mark.parametrize("target", ["auto", "compose"])
    def test_other_targets_may_have_them(self, target: str) -> None:
        text = SOAK + f"target: {target}\n" + faults("{kind: run-kill, segment: 2}")
        assert load(text).faults == (Fault(kind="run-kill", segment=2),)

    def test_a_fault_lies_within_the_soak(self) -> None:
        told = problems(
            SOAK + faults("{kind: run-kill, segment: 9}", "{kind: run-kill, segment: 10}")
        )
        assert told == ["c.yaml:7: faults.1.segment: the soak has 9 segments only"]

    def test_the_length_of_the_soak_may_be_the_default(self) -> None:
        text = MINIMAL + "search: {strategy: soak, concurrencies: [4]}\n"
        assert load(text + faults("{kind: run-kill, segment: 24}")).faults[0].segment == 24
        (told,) = problems(text + faults("{kind: run-kill, segment: 25}"))
        assert told.endswith("the soak has 24 segments only")

    def test_each_fault_has_a_segment_of_its_own(self) -> None:
        text = SOAK + faults(
            "{kind: run-kill, segment: 3}", "{kind: server-kill, segment: 4}",
            "{kind: network-cut, segment: 3}",
        )  # fmt: skip
        assert problems(text) == ["c.yaml:8: faults.2.segment: segment 3 has a fault already"]

    @pytest.mark.parametrize(
        ("fault", "place"),
        [
            ("{kind: earthquake, segment: 2}", "kind"),
            ("{kind: run-kill, segment: 0}", "segment"),
            ("{kind: run-kill, segment: two}", "segment"),
            ("{kind: run-kill}", "segment"),
            ("{kind: network-cut, segment: 2, for_s: 0}", "for_s"),
            ("{kind: network-cut, segment: 2, for_s: 3601}", "for_s"),
            ("{kind: network-cut, segment: 2, how: hard}", "how"),
        ],
    )
    def test_what_no_fault_can_be_is_told_with_its_place(self, fault: str, place: str) -> None:
        (told,) = problems(SOAK + faults(fault))
        assert told.split(": ")[1] == f"faults.0.{place}"


def test_every_kind_says_what_it_stands_for() -> None:
    assert set(MEANINGS) == set(FAULT_KINDS)
    assert set(FAULT_KINDS) > AT_ONCE


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_kill_lasts_no_time_and_the_others_as_long_as_asked(kind: str) -> None:
    fault = Fault.model_validate({"kind": kind, "segment": 2, "for_s": 45})
    assert fault.lasts_s == (0 if kind in AT_ONCE else 45)


class TestTime:
    def test_the_steps_are_its_segments_all_under_load(self) -> None:
        plan = load(SOAK.replace("[4]", "[1]"))
        (cell,) = plan.cells()
        assert steps_of(plan, cell) == [("load", 1, segment) for segment in range(1, 10)]
        assert estimate_steps(plan, cell) == 9

    def test_a_cell_is_start_segments_and_stop_and_nothing_makes_it_longer(self) -> None:
        plan = load(SOAK + TIMES)
        (cell,) = plan.cells()
        around_s = estimate_cell_s(plan, cell) - 9 * estimate_step_s(plan)
        nine_more = load(SOAK + TIMES, "search.max_steps=18")
        assert 0 < around_s < 60
        assert estimate_cell_s(nine_more, cell) == pytest.approx(
            around_s + 18 * estimate_step_s(plan)
        )
        assert longest_cell_s(plan, cell) == estimate_cell_s(plan, cell)

    def test_it_launches_at_most_what_every_segment_can_send(self) -> None:
        times = "step={ramp_s: 0, settle_s: 0, hold_s: 10}"
        plan = load(SOAK, times, "warmup_runs=2", "load.run_s=5")
        assert most_runs(plan) == 2 + 9 * 4 * 2
        assert peak_of(plan) == 4


class TestOutline:
    def test_it_says_load_segments_and_their_length(self) -> None:
        lines = [line.strip() for line in outline(load(SOAK + TIMES))]
        assert "soak at 4 in flight: 9 segments of 5 min 6 s" in lines

    def test_it_says_what_is_broken_when(self) -> None:
        broken = faults("{kind: network-cut, segment: 3}", "{kind: server-kill, segment: 6}")
        lines = list(outline(load(SOAK + TIMES + broken)))
        assert any(
            line.endswith("; network-cut in segment 3, server-kill in segment 6") for line in lines
        )

    def test_nothing_ends_it_early(self) -> None:
        plan = load(SOAK + TIMES)
        assert lasts(plan).startswith("about 46 min")
        assert "less" not in lasts(plan)
        assert "at most" not in lasts(plan)


class TestStored:
    def test_a_soak_with_faults_loads_back_as_it_was(self) -> None:
        plan = load(
            SOAK + faults("{kind: database-pause, segment: 3, for_s: 12.5}",
                          "{kind: run-kill, segment: 5}")
        )  # fmt: skip
        assert load_campaign(dump_campaign(plan), source="dump") == plan

    def test_a_campaign_without_faults_does_not_mention_them(self) -> None:
        assert "faults" not in dump_campaign(load(SOAK))
