"""Campaigns from YAML: what is accepted, what is refused and how that is said."""

from __future__ import annotations

import pytest
from campaign_text import MINIMAL, load, problems
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.campaign.profiles import FARGATE
from harness.errors import CampaignError

pytestmark = pytest.mark.unit


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
        told = problems(text, "search.max_steps=0")
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
            ["--set", "search.max_steps"],
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
            ("load: {modell: closed}", "model"),
            ("queue: {dequeue_treads: 2}\nfeed: queued", "dequeue_threads"),
        ],
    )
    def test_an_unknown_key_is_refused_with_the_key_that_was_meant(
        self, text: str, guess: str
    ) -> None:
        assert problems(MINIMAL + text)[0].endswith(f"unknown key; did you mean {guess}?")

    def test_an_unknown_key_like_no_other_is_refused_with_all_that_are_known(self) -> None:
        (told,) = problems(MINIMAL + "search: {xyz: 1}")
        known = (
            "strategy, concurrencies, highest, repetitions, stop_after_failures, confidence, "
            "max_steps, max_minutes, always"
        )
        assert told == f"c.yaml:4: search.xyz: unknown key; known here: {known}"

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("nightly: {xyz: 1}", "nightly.xyz"),
            ("external: {xyz: 1}", "external.xyz"),
            ("faults: [{xyz: 1}]", "faults.0.xyz"),
            ("queue: {xyz: 1}", "queue.xyz"),
        ],
    )
    def test_an_unknown_key_is_told_wherever_keys_may_stand(self, text: str, place: str) -> None:
        assert any(f" {place}: unknown key; " in line for line in problems(MINIMAL + text))

    @pytest.mark.parametrize("code", ["{xyz: 1}", "{jobs: [{xyz: 1}]}"])
    def test_and_in_code_of_the_users_own(self, code: str) -> None:
        text = f"name: a\nprofiles: [1vcpu-2gb]\nworkloads: [{{name: mine, code: {code}}}]\n"
        assert any("xyz: unknown key; " in line for line in problems(text))

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
            (
                "dagster: '1.13'",
                "dagster: 1.13 is no release such as 1.13.27, and builds does not explain it",
            ),
            (
                "target: podman",
                "target: must be 'auto', 'compose', 'process' or 'external', not 'podman'",
            ),
            ("max_workers: []", "max_workers: must not be empty"),
            ("replicas: {a: 1}", "replicas: must be a list"),
            ("step: 5", "step: must be a mapping of keys to values, not 5"),
            ("load: {run_s: '4'}", "load.run_s: must be a valid number, not '4'"),
            ("search: {max_steps: 2.5}", "search.max_steps: must be a valid integer, not 2.5"),
            ("replicas: [x]", "replicas.0: must be a valid integer, not 'x'"),
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
            "--set: search.concurrencies.1: 1 follows 2: concurrencies must rise"
        ]

    def test_an_override_of_a_shared_part_changes_one_place(self) -> None:
        text = (
            "name: a\nprofiles: [1vcpu-2gb]\nworkloads:\n"
            "- {name: io, params: &shared {x: 1}}\n- {name: cpu, params: *shared}\n"
        )
        campaign = load(text, "workloads.0.params.x=2")
        assert [workload.params["x"] for workload in campaign.workloads] == [2, 1]
