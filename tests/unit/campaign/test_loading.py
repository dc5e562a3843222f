"""Campaigns from YAML: what is accepted, what is refused and how that is said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign, Ladder, Slos, StepTimes, Workload
from harness.campaign.profiles import FARGATE
from harness.errors import CampaignError, ExitCode

pytestmark = pytest.mark.unit

MINIMAL = "name: a\nprofiles: [1vcpu-2gb]\nworkloads: [io]\n"


def load(text: str = MINIMAL, *overrides: str) -> Campaign:
    return load_campaign(text, source="c.yaml", overrides=overrides)


def problems(text: str = MINIMAL, *overrides: str) -> list[str]:
    with pytest.raises(CampaignError) as caught:
        load(text, *overrides)
    assert caught.value.exit_code == ExitCode.BAD_INPUT
    return caught.value.evidence.splitlines()


class TestShorthands:
    def test_a_profile_may_be_a_name_and_a_workload_too(self) -> None:
        campaign = load()
        assert campaign.profiles == (FARGATE["1vcpu-2gb"],)
        assert campaign.workloads == (Workload(name="io"),)

    def test_one_value_may_stand_for_a_list_of_one(self) -> None:
        campaign = load(
            "name: a\nprofiles: 1vcpu-2gb\nworkloads: io\n"
            "dagster: 1.12.0\nmax_workers: 4\nreplicas: 2"
        )
        assert campaign.profiles == (FARGATE["1vcpu-2gb"],)
        assert [workload.name for workload in campaign.workloads] == ["io"]
        assert (campaign.dagster, campaign.max_workers, campaign.replicas) == (
            ("1.12.0",),
            (4,),
            (2,),
        )

    def test_a_free_size_is_a_mapping_and_may_go_without_a_name(self) -> None:
        campaign = load(
            "name: a\nworkloads: [io]\n"
            "profiles: [{vcpu: 1.5, memory_mib: 3000}, {name: big, vcpu: 3, memory_mib: 9000}]"
        )
        assert [profile.name for profile in campaign.profiles] == ["ec2-1.5vcpu-3000mib", "big"]

    def test_what_the_text_leaves_out_keeps_its_default(self) -> None:
        campaign = load("name: a\nprofiles: [1vcpu-2gb]\nworkloads: [io]\nstep: {hold_s: 60}")
        assert campaign.step == StepTimes(hold_s=60)
        assert campaign.search == Ladder()

    def test_an_slo_is_switched_off_by_null(self) -> None:
        assert load(MINIMAL + "slos: {pool_queue: null}").slos == Slos(pool_queue=None)

    def test_parts_may_be_shared_by_anchor_and_merge_key(self) -> None:
        campaign = load(
            "name: a\nprofiles: [1vcpu-2gb]\nworkloads:\n"
            "  - &first {name: io, steps: 3}\n"
            "  - {<<: *first, name: cpu}\n"
        )
        assert [workload.steps for workload in campaign.workloads] == [3, 3]


class TestProblems:
    def test_all_problems_are_told_at_once_each_with_its_line_and_path(self) -> None:
        text = (
            "name: Not Good\n"
            "profils: [1vcpu-2gb]\n"
            "profiles:\n"
            "  - 1vcpu-1gb\n"
            "  - {vcpu: 1, memory_mib: lots}\n"
            "workloads:\n"
            "  - name: io\n"
            "    steps: 0\n"
            "    params: {requests: [1]}\n"
            "step:\n"
            "  hold_s: -1\n"
            "max_workers: ['6']\n"
            "name: b\n"
        )
        told = problems(text, "search.stop_after_failures=0")
        assert [line.split(": ")[:2] for line in told] == [
            ["c.yaml:1", "name"],
            ["c.yaml:2", "profils"],
            ["c.yaml:4", "profiles.0"],
            ["c.yaml:5", "profiles.1.memory_mib"],
            ["c.yaml:8", "workloads.0.steps"],
            ["c.yaml:9", "workloads.0.params.requests"],
            ["c.yaml:11", "step.hold_s"],
            ["c.yaml:12", "max_workers.0"],
            ["c.yaml:13", "name"],
            ["--set", "search.stop_after_failures"],
        ]

    def test_the_headline_counts_the_problems(self) -> None:
        with pytest.raises(CampaignError, match=r"The campaign c\.yaml has 2 problems\."):
            load("name: a\nprofiles: [1vcpu-2gb]\nworkload: [io]")

    @pytest.mark.parametrize(
        ("text", "guess"),
        [
            ("feeds: direct", "feed"),
            ("step: {hold: 3}", "hold_s"),
            ("slos: {no_ooms: 1}", "no_oom"),
            ("search: {concurrency: [1]}", "concurrencies"),
        ],
    )
    def test_an_unknown_key_is_refused_with_the_key_that_was_meant(
        self, text: str, guess: str
    ) -> None:
        assert problems(MINIMAL + text)[0].endswith(f"unknown key; did you mean {guess}?")

    def test_an_unknown_key_like_no_other_is_refused_with_all_that_are_known(self) -> None:
        (told,) = problems(MINIMAL + "search: {xyz: 1}")
        known = "strategy, concurrencies, repetitions, stop_after_failures"
        assert told == f"c.yaml:4: search.xyz: unknown key; known here: {known}"

    def test_a_missing_key_is_named(self) -> None:
        assert problems("name: a\nprofiles: [1vcpu-2gb]") == ["c.yaml:1: workloads: is required"]

    def test_every_key_that_stands_twice_is_told_with_both_lines(self) -> None:
        told = problems(MINIMAL + "step:\n  hold_s: 1\n  hold_s: 2\nname: b\n")
        assert told == [
            "c.yaml:6: step.hold_s: stands here again; first in line 5",
            "c.yaml:7: name: stands here again; first in line 1",
        ]

    def test_an_illegal_fargate_pair_is_told_with_its_neighbours(self) -> None:
        (told,) = problems("name: a\nworkloads: [io]\nprofiles: [1vcpu-1gb]")
        assert told.startswith("c.yaml:3: profiles.0: '1vcpu-1gb' is not a size Fargate offers.")
        assert "Nearest legal: 1vcpu-2gb, 0.5vcpu-1gb" in told

    def test_a_fargate_name_with_other_sizes_is_refused(self) -> None:
        (told,) = problems(
            "name: a\nworkloads: [io]\nprofiles: [{name: 1vcpu-2gb, vcpu: 4, memory_mib: 9}]"
        )
        assert told.startswith("c.yaml:3: profiles.0: 1vcpu-2gb is a Fargate size of 1 vCPU")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("max_workers: [true]", "max_workers.0: must be a valid integer, not True"),
            ("max_workers: ['6']", "max_workers.0: must be a valid integer, not '6'"),
            ("step: {hold_s: '6'}", "step.hold_s: must be a valid number, not '6'"),
            ("description: 7", "description: must be text (quotes make it so), not 7"),
            ("dagster: 1.13", "dagster: must be text (quotes make it so), not 1.13"),
            ("dagster: '1.13'", "dagster: must be a full version such as 1.13.27, not '1.13'"),
            ("target: podman", "target: must be 'auto', 'compose' or 'process', not 'podman'"),
            ("max_workers: []", "max_workers: must not be empty"),
            ("replicas: {a: 1}", "replicas: must be a list"),
            ("step: 5", "step: must be a mapping of keys to values, not 5"),
        ],
    )
    def test_values_are_not_bent_into_another_type(self, text: str, message: str) -> None:
        (told,) = problems(MINIMAL + text)
        assert told.replace("dagster.0", "dagster") == f"c.yaml:4: {message}"

    @pytest.mark.parametrize("number", [".inf", "-.inf", ".nan"])
    def test_a_number_must_be_finite(self, number: str) -> None:
        text = (
            f"name: a\nprofiles: [1vcpu-2gb]\nworkloads:\n- {{name: io, params: {{x: {number}}}}}"
        )
        (told,) = problems(text)
        assert told.startswith("c.yaml:4: workloads.0.params.x: must be a finite number")


class TestContradictions:
    @pytest.mark.parametrize(
        ("ladder", "path", "pair"),
        [("[1, 2, 2]", "2", "2 follows 2"), ("[1, 8, 4]", "2", "4 follows 8")],
    )
    def test_a_ladder_must_rise(self, ladder: str, path: str, pair: str) -> None:
        whole = f"search: {{concurrencies: {ladder}}}\n"
        own = f"name: a\nprofiles: [1vcpu-2gb]\nworkloads:\n- {{name: io, concurrencies: {ladder}}}"
        (in_search,) = problems(MINIMAL + whole)
        (in_workload,) = problems(own)
        assert in_search.startswith(f"c.yaml:4: search.concurrencies.{path}: {pair}")
        assert in_workload.startswith(f"c.yaml:4: workloads.0.concurrencies.{path}: {pair}")

    def test_a_ladder_must_not_be_empty(self) -> None:
        text = "name: a\nprofiles: [1vcpu-2gb]\nworkloads: [{name: io, concurrencies: []}]\n"
        assert problems(text + "search: {concurrencies: []}") == [
            "c.yaml:3: workloads.0.concurrencies: must not be empty",
            "c.yaml:4: search.concurrencies: must not be empty",
        ]

    @pytest.mark.parametrize(
        ("text", "path"),
        [
            ("profiles: [1vcpu-2gb, 1vCPU-2GB]\nworkloads: [io]", "profiles.1"),
            ("profiles: [1vcpu-2gb]\nworkloads: [io, {name: io, steps: 2}]", "workloads.1"),
            ("profiles: [1vcpu-2gb]\nworkloads: [io]\nmax_workers: [4, 6, 4]", "max_workers.2"),
            ("profiles: [1vcpu-2gb]\nworkloads: [io]\nreplicas: [1, 1]", "replicas.1"),
            ("profiles: [1vcpu-2gb]\nworkloads: [io]\ndagster: [1.2.3, 1.2.3]", "dagster.1"),
        ],
    )
    def test_two_cells_must_not_share_a_name(self, text: str, path: str) -> None:
        (told,) = problems(f"name: a\n{text}")
        assert told.split(": ")[1] == path
        assert "in the list twice" in told

    def test_unnamed_free_sizes_are_told_apart_by_their_sizes(self) -> None:
        text = "name: a\nworkloads: [io]\nprofiles:\n- {vcpu: 1, memory_mib: 64}\n"
        assert len(load(text + "- {vcpu: 1, memory_mib: 65}").profiles) == 2
        (told,) = problems(text + "- {vcpu: 1, memory_mib: 64}")
        assert "would be the name of two cells" in told

    def test_cell_names_that_meet_by_accident_are_seen_too(self) -> None:
        (told,) = problems(
            "name: a\nworkloads: [c, b_c]\n"
            "profiles: [{name: a_b, vcpu: 1, memory_mib: 64}, {name: a, vcpu: 1, memory_mib: 64}]"
        )
        assert "a_b_c_1.13.27_w6_r1_direct would be the name of two cells" in told

    def test_a_burst_leaves_nothing_to_ramp(self) -> None:
        assert load(MINIMAL + "step: {burst: true, ramp_s: 0}").step.burst
        (told,) = problems(MINIMAL + "step:\n  burst: true")
        assert told.startswith("c.yaml:5: step.burst: sends all at once: set ramp_s to 0 (now 8")


class TestUnreadable:
    @pytest.mark.parametrize(
        ("text", "line", "said"),
        [
            ("a: [1,\n  2\nb: 3\n", 3, "flow sequence that began in line 1"),
            ("a: 1\n\tb: 2", 2, "not valid YAML"),
            ("a: 1\nb: \x00", 2, "cannot be read"),
            ("a: 1\n---\nb: 2", 2, "another document"),
            ("a: 1\nb: *x", 2, "undefined alias"),
            ("a: 2001-99-99", 1, "cannot be read"),
            ("a: &a\n  - *a", 1, "nested more than 10 deep"),
            ("a: " + "[" * 500, 1, "cannot be read"),
            ("name: a\n? [b]\n: 1", 2, "a key must be a plain word"),
            ("", 1, "the campaign is empty"),
            ("- a", 1, "must be a mapping"),
        ],
    )
    def test_text_that_is_no_campaign_is_refused_with_its_line(
        self, text: str, line: int, said: str
    ) -> None:
        (told,) = problems(text)
        assert told.startswith(f"c.yaml:{line}: ")
        assert said in told

    def test_a_wrong_override_is_told_beside_unreadable_text(self) -> None:
        told = problems("a: [", "idle_s")
        assert told[1] == "--set: 'idle_s' is not of the form key.path=value"

    @settings(deadline=None)
    @given(text=st.text(max_size=60) | st.text("abc:-[]{}&*!<>|\"'#%?, \n01.", max_size=60))
    def test_whatever_the_text_the_answer_is_a_campaign_error(self, text: str) -> None:
        assert problems(text)

    @settings(deadline=None)
    @given(value=st.text(max_size=40) | st.text("abc:-[]{}&*!<>|\"'#%?, \n01.", max_size=40))
    def test_whatever_the_override_it_is_taken_or_refused_by_name(self, value: str) -> None:
        try:
            told = ""
            load(MINIMAL, f"description={value}")
        except CampaignError as error:
            told = error.evidence
        assert not told or told.startswith("--set: description: ")


class TestOverrides:
    def test_values_are_yaml_and_paths_reach_into_lists_and_defaults(self) -> None:
        campaign = load(
            MINIMAL,
            "search.concurrencies=[1,2]",
            "workloads.0.params.run_s=3",
            "profiles=[0.5vcpu-1gb]",
            "slos.no_oom=null",
            "target=compose",
            "dagster=1.12.0",
        )
        assert campaign.search.concurrencies == (1, 2)
        assert campaign.workloads[0].params == {"run_s": 3}
        assert campaign.profiles == (FARGATE["0.5vcpu-1gb"],)
        assert campaign.slos.no_oom is None
        assert campaign.target == "compose"
        assert campaign.dagster == ("1.12.0",)

    def test_the_last_override_wins(self) -> None:
        assert load(MINIMAL, "idle_s=1", "idle_s=2").idle_s == 2

    def test_a_value_may_contain_an_equals_sign(self) -> None:
        assert load(MINIMAL, "description=a=b").description == "a=b"

    @pytest.mark.parametrize(
        ("override", "told"),
        [
            ("serch.concurrencies=[1]", "serch: unknown key; did you mean search?"),
            ("step.hold=3", "step.hold: unknown key; did you mean hold_s?"),
            ("workloads.1.steps=2", "workloads.1: no such item: there are 1, counted from 0"),
            ("workloads.io.steps=2", "workloads.io: no such item: there are 1, counted from 0"),
            ("name.x=3", "name.x: lies inside a single value: set that one as a whole"),
            ("step.hold_s=0", "step.hold_s: must be greater than 0, not 0"),
            ("idle_s", "'idle_s' is not of the form key.path=value"),
            ("a..b=1", "'a..b=1' is not of the form key.path=value"),
            ("=1", "'=1' is not of the form key.path=value"),
        ],
    )
    def test_an_override_that_cannot_be_meant_is_refused(self, override: str, told: str) -> None:
        assert problems(MINIMAL, override) == [f"--set: {told}"]

    @pytest.mark.parametrize("value", ["[1", "{a: 1, a: 2}", "&a [*a]", "!!int x"])
    def test_an_override_that_is_no_yaml_is_refused(self, value: str) -> None:
        (told,) = problems(MINIMAL, f"workloads.0.params={value}")
        assert told.startswith("--set: workloads.0.params: ")

    def test_an_override_heals_what_it_replaces(self) -> None:
        assert load(MINIMAL + "step: {hold_s: -1}", "step.hold_s=5").step.hold_s == 5

    def test_a_problem_of_a_replaced_part_is_the_overrides(self) -> None:
        text = MINIMAL + "search:\n  concurrencies: [1, 2]\n"
        assert problems(text, "search={concurrencies: [2, 1]}") == [
            "--set: search.concurrencies.1: 1 follows 2: a ladder must rise at every step"
        ]

    def test_an_override_of_a_shared_part_changes_one_place(self) -> None:
        text = (
            "name: a\nprofiles: [1vcpu-2gb]\nworkloads:\n"
            "- {name: io, params: &shared {x: 1}}\n- {name: cpu, params: *shared}\n"
        )
        campaign = load(text, "workloads.0.params.x=2")
        assert [workload.params["x"] for workload in campaign.workloads] == [2, 1]
