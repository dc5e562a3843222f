"""What may be written short in a campaign, and that problems are told as it was written."""

from __future__ import annotations

import pytest
from campaign_text import MINIMAL, load, problems, with_workload

from harness.campaign.plan import Load, Part, Search, Sensors, Slos, StepTimes, Workload
from harness.campaign.profiles import FARGATE

pytestmark = pytest.mark.unit

QUEUED = MINIMAL + "feed: queued\n"


class TestNamesAndLists:
    def test_a_profile_may_be_a_name_and_a_workload_too(self) -> None:
        campaign = load()
        assert campaign.profiles == (FARGATE["1vcpu-2gb"],)
        assert campaign.workloads == (Workload(name="io"),)

    def test_one_value_may_stand_for_a_list_of_one(self) -> None:
        campaign = load(
            "name: a\nprofiles: 1vcpu-2gb\nworkloads: io\nfeed: queued\n"
            "dagster: 1.12.0\nmax_workers: 4\nreplicas: 2\nmax_concurrent_runs: 6"
        )
        assert campaign.profiles == (FARGATE["1vcpu-2gb"],)
        assert [workload.name for workload in campaign.workloads] == ["io"]
        assert (campaign.dagster, campaign.max_workers, campaign.replicas) == (
            ("1.12.0",),
            (4,),
            (2,),
        )
        assert campaign.max_concurrent_runs == (6,)

    @pytest.mark.parametrize(
        ("written", "meant"),
        [("null", (None,)), ("[null, 6]", (None, 6)), ("[6, null]", (6, None)), ("[6]", (6,))],
    )
    def test_no_limit_of_runs_is_null_alone_or_in_a_list(
        self, written: str, meant: tuple[int | None, ...]
    ) -> None:
        campaign = load(QUEUED + f"max_concurrent_runs: {written}")
        assert campaign.max_concurrent_runs == meant
        assert [cell.max_concurrent_runs for cell in campaign.cells()] == list(meant)

    def test_null_stands_for_a_list_nowhere_else(self) -> None:
        assert problems(MINIMAL + "max_workers: null") == ["c.yaml:4: max_workers: must be a list"]

    def test_a_free_size_is_a_mapping_and_may_go_without_a_name(self) -> None:
        campaign = load(
            "name: a\nworkloads: [io]\n"
            "profiles: [{vcpu: 1.5, memory_mib: 3000}, {name: big, vcpu: 3, memory_mib: 9000}]"
        )
        assert [profile.name for profile in campaign.profiles] == ["ec2-1.5vcpu-3000mib", "big"]

    def test_what_the_text_leaves_out_keeps_its_default(self) -> None:
        campaign = load("name: a\nprofiles: [1vcpu-2gb]\nworkloads: [io]\nstep: {hold_s: 60}")
        assert campaign.step == StepTimes(hold_s=60)
        assert campaign.search == Search()
        assert campaign.load == Load()

    def test_an_slo_is_switched_off_by_null(self) -> None:
        assert load(MINIMAL + "slos: {pool_queue: null}").slos == Slos(pool_queue=None)

    def test_parts_may_be_shared_by_anchor_and_merge_key(self) -> None:
        campaign = load(
            "name: a\nprofiles: [1vcpu-2gb]\nworkloads:\n"
            "  - &first {name: io, steps: 3}\n"
            "  - {<<: *first, name: cpu}\n"
        )
        assert [workload.steps for workload in campaign.workloads] == [3, 3]


class TestOneWord:
    def test_arrivals_may_be_a_word(self) -> None:
        assert load(MINIMAL + "load: poisson").load == Load(model="poisson")
        assert load(MINIMAL + "load: {model: poisson}").load == Load(model="poisson")

    def test_a_search_may_be_a_word(self) -> None:
        assert load(MINIMAL + "search: ladder").search == Search(strategy="ladder")

    def test_sensors_may_be_a_number(self) -> None:
        (workload,) = load(with_workload("{name: io, sensors: 4}")).workloads
        assert workload.sensors == Sensors(count=4)

    def test_an_override_reaches_into_what_was_a_word(self) -> None:
        text = with_workload("{name: io, sensors: 4}") + "search: ladder\nload: poisson\n"
        changes = ("search.repetitions=2", "load.run_s=45", "workloads.0.sensors.tick_s=1")
        campaign = load(text, *changes)
        assert campaign.search == Search(strategy="ladder", repetitions=2)
        assert campaign.load == Load(model="poisson", run_s=45)
        assert campaign.workloads[0].sensors == Sensors(count=4, tick_s=1)

    def test_a_word_may_be_an_override_and_replaces_the_whole(self) -> None:
        text = MINIMAL + "search: {confidence: 0.8}\nload: {run_s: 3, model: uniform}"
        campaign = load(text, "search=ladder", "load=burst")
        assert campaign.search == Search(strategy="ladder")
        assert campaign.load == Load(model="burst")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("load: gauss", "load: must be 'closed', 'uniform', 'poisson' or 'burst', not 'gauss'"),
            ("search: 7", "search: must be 'adaptive', 'bisect', 'ladder' or 'soak', not 7"),
            ("search: true", "search: must be a mapping of keys to values, not True"),
            ("workloads: _", "workloads: must be lower-case letters, digits and . _ - and start"),
            ("workloads: ioo", "workloads: there is no package 'ioo' under workloads/; did you"),
            ("profiles: 1vcpu-1gb", "profiles: '1vcpu-1gb' is not a size Fargate offers."),
            ("max_workers: 0", "max_workers: must be greater than or equal to 1, not 0"),
        ],
    )
    def test_a_problem_is_told_at_the_word_not_at_the_key_it_stands_for(
        self, text: str, told: str
    ) -> None:
        kept = [line for line in MINIMAL.splitlines() if line[:6] != text[:6]]
        shown = problems("\n".join([*kept, text]))
        assert any(line.startswith(f"c.yaml:{len(kept) + 1}: {told}") for line in shown)

    def test_what_an_override_changes_in_a_word_is_the_overrides(self) -> None:
        text = "name: a\nprofiles: [1vcpu-2gb]\nworkloads: io\nsearch: ladder\nload: poisson\n"
        assert problems(text, "workloads.0.steps=0", "search.strategy=up", "load.model=x") == [
            "--set: load.model: must be 'closed', 'uniform', 'poisson' or 'burst', not 'x'",
            "--set: search.strategy: must be 'adaptive', 'bisect', 'ladder' or 'soak', not 'up'",
            "--set: workloads.0.steps: must be greater than or equal to 1, not 0",
        ]


class TestRanges:
    @pytest.mark.parametrize("written", ["1-5", "'1 - 5'", "[1, 2, 3, 4, 5]"])
    def test_a_range_is_every_concurrency_from_one_to_the_other(self, written: str) -> None:
        campaign = load(
            with_workload(f"{{name: io, concurrencies: {written}}}")
            + f"search: {{concurrencies: {written}}}"
        )
        assert campaign.workloads[0].concurrencies == (1, 2, 3, 4, 5)
        assert campaign.search.concurrencies == (1, 2, 3, 4, 5)

    def test_a_range_of_one_is_a_list_of_one(self) -> None:
        assert load(MINIMAL + "search: {concurrencies: 3-3}").search.concurrencies == (3,)

    @pytest.mark.parametrize("written", ["5-1", "0-4", "1-501", "1-999999999"])
    def test_a_range_that_cannot_be_is_refused_before_it_is_written_out(self, written: str) -> None:
        (told,) = problems(MINIMAL + f"search:\n  concurrencies: {written}")
        assert told.startswith(f"c.yaml:5: search.concurrencies: {written} is no range")

    @pytest.mark.parametrize("written", ["8", "1-", "one-two", "1-2-3"])
    def test_other_words_are_no_range(self, written: str) -> None:
        (told,) = problems(MINIMAL + f"search: {{concurrencies: {written}}}")
        assert told.startswith("c.yaml:4: search.concurrencies: must be a list, or a range such")


class TestMix:
    PARTS = (
        Part(workload="io", share=0.7),
        Part(workload="cpu", share=0.2),
        Part(workload="mixed", share=0.1),
    )

    @pytest.mark.parametrize(
        "written",
        [
            "{io: 0.7, cpu: 0.2, mixed: 0.1}",
            "{io: {share: 0.7}, cpu: 0.2, mixed: 0.1}",
            "[{workload: io, share: 0.7}, {workload: cpu, share: 0.2}, "
            "{workload: mixed, share: 0.1}]",
        ],
    )
    def test_a_mix_is_shares_by_name_or_a_list_of_parts(self, written: str) -> None:
        (workload,) = load(with_workload(f"{{name: day, mix: {written}}}")).workloads
        assert workload.mix == self.PARTS
        assert [job.name for job in workload.jobs] == ["load_io", "load_cpu", "load_mixed"]

    def test_names_alone_have_equal_shares(self) -> None:
        (workload,) = load(with_workload("{name: day, mix: [io, cpu]}")).workloads
        assert workload.mix == (Part(workload="io", share=1), Part(workload="cpu", share=1))

    def test_a_part_may_have_parameters_of_its_own(self) -> None:
        text = with_workload("{name: day, mix: {io: {share: 2, params: {wait_s: 3}}, cpu: 1}}")
        io, cpu = load(text).workloads[0].mix
        assert (io.params, cpu.params) == ({"wait_s": 3}, {})

    def test_an_override_changes_a_share_by_the_name_in_the_text(self) -> None:
        text = with_workload("{name: day, mix: {io: 0.7, cpu: 0.3}}")
        io, cpu = load(text, "workloads.0.mix.io=0.4", "workloads.0.mix.cpu=0.6").workloads[0].mix
        assert (io.share, cpu.share) == (0.4, 0.6)

    def test_problems_are_told_by_name_where_shares_are_by_name(self) -> None:
        text = (
            "name: a\nprofiles: [1vcpu-2gb]\nworkloads:\n- name: day\n  mix:\n    io: 0\n"
            "    cpu: {share: 1, parms: {}}\n    mixed: {share: 1, params: {x: [1]}}\n    long: a\n"
        )
        assert problems(text) == [
            "c.yaml:6: workloads.0.mix.io: must be greater than 0, not 0",
            "c.yaml:7: workloads.0.mix.cpu.parms: unknown key; did you mean params?",
            "c.yaml:8: workloads.0.mix.mixed.params.x: must be a number, a text, true or false",
            "c.yaml:9: workloads.0.mix.long: must be a valid number, not 'a'",
        ]

    def test_a_mix_of_another_kind_is_refused(self) -> None:
        (told,) = problems(with_workload("{name: day, mix: io}"))
        assert told.startswith("c.yaml:4: workloads.0.mix: must be a list of workloads, or of")
