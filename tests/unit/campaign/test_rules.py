"""Parts of a campaign that contradict each other are refused, each with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from campaign_text import MINIMAL, load, problems, with_workload

from harness.campaign.packages import PACKAGES, package_of
from harness.campaign.plan import Search

pytestmark = pytest.mark.unit


class TestConcurrencies:
    @pytest.mark.parametrize(
        ("ladder", "path", "pair"),
        [("[1, 2, 2]", "2", "2 follows 2"), ("[1, 8, 4]", "2", "4 follows 8")],
    )
    def test_concurrencies_must_rise(self, ladder: str, path: str, pair: str) -> None:
        whole = f"search: {{concurrencies: {ladder}}}\n"
        (in_search,) = problems(MINIMAL + whole)
        (in_workload,) = problems(with_workload(f"{{name: io, concurrencies: {ladder}}}"))
        assert in_search.startswith(f"c.yaml:4: search.concurrencies.{path}: {pair}")
        assert in_workload.startswith(f"c.yaml:4: workloads.0.concurrencies.{path}: {pair}")

    def test_concurrencies_must_not_be_empty(self) -> None:
        text = "name: a\nprofiles: [1vcpu-2gb]\nworkloads: [{name: io, concurrencies: []}]\n"
        assert problems(text + "search: {concurrencies: []}") == [
            "c.yaml:3: workloads.0.concurrencies: must not be empty",
            "c.yaml:4: search.concurrencies: must not be empty",
        ]


class TestCellNames:
    @pytest.mark.parametrize(
        ("text", "path"),
        [
            ("profiles: [1vcpu-2gb, 1vCPU-2GB]\nworkloads: [io]", "profiles.1"),
            ("profiles: [1vcpu-2gb]\nworkloads: [io, {name: io, steps: 2}]", "workloads.1"),
            ("profiles: [1vcpu-2gb]\nworkloads: [io]\nmax_workers: [4, 6, 4]", "max_workers.2"),
            ("profiles: [1vcpu-2gb]\nworkloads: [io]\nreplicas: [1, 1]", "replicas.1"),
            ("profiles: [1vcpu-2gb]\nworkloads: [io]\ndagster: [1.8.3, 1.8.3]", "dagster.1"),
            (
                "profiles: [1vcpu-2gb]\nworkloads: [io]\nfeed: queued\n"
                "max_concurrent_runs: [null, 6, null]",
                "max_concurrent_runs.2",
            ),
        ],
    )
    def test_two_cells_must_not_share_a_name(self, text: str, path: str) -> None:
        (told,) = problems(f"name: a\n{text}")
        assert told.split(": ")[1] == path
        assert "in the list twice" in told

    def test_a_workload_measured_in_two_ways_is_shown_the_way(self) -> None:
        (told,) = problems(
            "name: a\nprofiles: [1vcpu-2gb]\nworkloads: [io, {name: io, steps: 2}]\n"
        )
        assert told.endswith("call one otherwise and give it `module: io`")
        campaign = load(
            "name: a\nprofiles: [1vcpu-2gb]\nworkloads: [io, {name: two, module: io, steps: 2}]\n"
        )
        assert [workload.package for workload in campaign.workloads] == ["io", "io"]

    def test_unnamed_free_sizes_are_told_apart_by_their_sizes(self) -> None:
        text = "name: a\nworkloads: [io]\nprofiles:\n- {vcpu: 1, memory_mib: 64}\n"
        assert len(load(text + "- {vcpu: 1, memory_mib: 65}").profiles) == 2
        (told,) = problems(text + "- {vcpu: 1, memory_mib: 64}")
        assert "would be the name of two cells" in told

    def test_cell_names_that_meet_by_accident_are_seen_too(self) -> None:
        (told,) = problems(
            "name: a\nworkloads: [{name: c, module: io}, {name: b_c, module: io}]\n"
            "profiles: [{name: a_b, vcpu: 1, memory_mib: 64}, {name: a, vcpu: 1, memory_mib: 64}]"
        )
        assert "a_b_c_1.13.27_w6_r1_direct would be the name of two cells" in told


class TestPackages:
    def test_the_known_packages_are_those_in_the_folder(self, repo_root: Path) -> None:
        found = {path.parent.name for path in repo_root.glob("workloads/*/definitions.py")}
        # The blend is made of others: a campaign asks for it by mix or sensors.
        assert found - {"blend"} == {package_of(name) for name in PACKAGES}

    @pytest.mark.parametrize("name", ["heavy-import", "heavy_import"])
    def test_both_spellings_of_a_package_are_known(self, name: str) -> None:
        (workload,) = load(with_workload(name)).workloads
        assert workload.package == "heavy_import"

    @pytest.mark.parametrize(
        ("workload", "place"),
        [
            ("ioo", "workloads.0"),
            ("{name: ioo, steps: 2}", "workloads.0.name"),
            ("{name: x, module: ioo}", "workloads.0.module"),
            ("{name: x, mix: {ioo: 1}}", "workloads.0.mix.ioo"),
            ("{name: x, mix: [cpu, ioo]}", "workloads.0.mix.1"),
            ("{name: x, mix: [{workload: ioo, share: 1}]}", "workloads.0.mix.0.workload"),
        ],
    )
    def test_an_unknown_package_is_refused_with_the_one_that_was_meant(
        self, workload: str, place: str
    ) -> None:
        said = "there is no package 'ioo' under workloads/; did you mean io?"
        assert problems(with_workload(workload)) == [f"c.yaml:4: {place}: {said}"]

    def test_an_unknown_package_like_no_other_is_refused_with_all_that_are_known(self) -> None:
        (told,) = problems(with_workload("etl"))
        assert told.endswith(f"there are {', '.join(PACKAGES)}")

    @pytest.mark.parametrize(
        "workload",
        ["{name: etl, module: io}", "{name: etl, mix: [io]}", "{name: blend, mix: [io]}"],
    )
    def test_a_name_of_its_own_is_free(self, workload: str) -> None:
        assert load(with_workload(workload)).workloads[0].name in {"etl", "blend"}


class TestMix:
    def test_mix_and_module_exclude_each_other(self) -> None:
        (told,) = problems(with_workload("{name: x, module: io, mix: [io, cpu]}"))
        assert told.startswith("c.yaml:4: workloads.0.module: means nothing beside mix")

    @pytest.mark.parametrize(
        ("mix", "place"),
        [
            ("[io, cpu, io]", "mix.2: io"),
            ("[{workload: io, share: 1}, {workload: io, share: 2}]", "mix.1: io"),
            ("{heavy-import: 1, heavy_import: 1}", "mix.heavy_import: heavy_import"),
        ],
    )
    def test_a_part_stands_in_a_mix_once(self, mix: str, place: str) -> None:
        (told,) = problems(with_workload(f"{{name: x, mix: {mix}}}"))
        assert told == f"c.yaml:4: workloads.0.{place} is in the mix twice: add the shares up"

    def test_a_mix_goes_with_every_model_of_arrivals(self) -> None:
        for model in ("closed", "uniform", "poisson", "burst"):
            text = with_workload("{name: x, mix: [io, cpu]}") + f"load: {model}"
            assert load(text).load.model == model


class TestEnvironment:
    @pytest.mark.parametrize(
        ("variable", "sensors", "source"),
        [
            ("WORKLOAD_BLEND", "", "from mix"),
            ("WORKLOAD_BLEND", ", sensors: 2", "from mix"),
            ("WORKLOAD_SENSORS", ", sensors: 2", "from sensors"),
            ("WORKLOAD_SENSOR_MODE", ", sensors: 2", "from sensors"),
            ("WORKLOAD_SENSOR_S", ", sensors: 2", "from sensors"),
            ("WORKLOAD_SENSOR_INTERVAL_S", ", sensors: 2", "from sensors"),
            ("WORKLOAD_SENSORS_RUNNING", ", sensors: 2", "from sensors"),
            ("WORKLOAD_EXECUTOR", "", "use the key executor"),
            ("WORKLOAD_STEPS", "", "use the key steps"),
            ("DAGSTER_GRPC_MAX_WORKERS", "", "use the key max_workers"),
        ],
    )
    def test_variables_the_harness_sets_itself_are_refused(
        self, variable: str, sensors: str, source: str
    ) -> None:
        text = with_workload(f"{{name: io, environment: {{{variable}: '1'}}{sensors}}}")
        (told,) = problems(text)
        said = "is set by the harness itself"
        assert told.startswith(f"c.yaml:4: workloads.0.environment.{variable}: {said}")
        assert source in told

    def test_without_the_key_sensors_their_variables_are_the_users(self) -> None:
        environment = "{WORKLOAD_SENSORS: '8', WORKLOAD_SENSORS_RUNNING: '1', OTHER: x}"
        campaign = load(with_workload(f"{{name: sensor, environment: {environment}}}"))
        (cell,) = campaign.cells()
        assert cell.workload.server_environment["WORKLOAD_SENSORS"] == "8"
        assert cell.needs_daemon


class TestFeed:
    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("max_concurrent_runs: 6", "max_concurrent_runs"),
            ("max_concurrent_runs: [null, 6]", "max_concurrent_runs"),
            ("queue: {dequeue_interval_s: 1}", "queue"),
            ("queue: {}", "queue"),
        ],
    )
    def test_what_belongs_to_the_queue_needs_the_feed_queued(self, text: str, place: str) -> None:
        for feed in ("", "feed: direct\n"):
            (told,) = problems(MINIMAL + feed + text)
            assert f": {place}: has no effect with feed direct" in told
            assert told.endswith("set feed to queued")
        assert load(MINIMAL + "feed: queued\n" + text).feed == "queued"

    def test_no_limit_is_no_contradiction(self) -> None:
        assert load(MINIMAL + "max_concurrent_runs: null").max_concurrent_runs == (None,)


class TestBurst:
    def test_a_burst_of_users_leaves_nothing_to_ramp(self) -> None:
        assert load(MINIMAL + "step: {burst: true, ramp_s: 0}").step.burst
        (told,) = problems(MINIMAL + "step:\n  burst: true")
        assert told.startswith("c.yaml:5: step.burst: sends all at once: set ramp_s to 0 (now 8")

    @pytest.mark.parametrize("model", ["burst", "uniform", "poisson"])
    @pytest.mark.parametrize("ramp_s", [0, 8])
    def test_a_burst_of_users_belongs_to_the_closed_model(self, model: str, ramp_s: int) -> None:
        step = f"step: {{burst: true, ramp_s: {ramp_s}}}\n"
        (told,) = problems(MINIMAL + step + f"load: {model}")
        said = f"belongs to load.model closed, not to {model}: leave it out"
        assert told == f"c.yaml:4: step.burst: {said}"
        assert load(MINIMAL + step.replace("true", "false") + f"load: {model}")


class TestSearchOptions:
    @pytest.mark.parametrize(
        ("option", "owners"),
        [
            ("repetitions: 2", {"ladder"}),
            ("stop_after_failures: 2", {"ladder"}),
            ("confidence: 0.8", {"adaptive"}),
            ("max_steps: 9", {"adaptive", "bisect", "soak"}),
            ("max_minutes: 9", {"adaptive", "bisect"}),
            ("highest: 9", {"adaptive", "bisect"}),
            ("concurrencies: [1, 9]", {"adaptive", "bisect", "ladder"}),
        ],
    )
    @pytest.mark.parametrize("strategy", ["adaptive", "bisect", "ladder"])
    def test_an_option_of_another_strategy_is_refused_with_its_owner(
        self, option: str, owners: set[str], strategy: str
    ) -> None:
        text = MINIMAL + f"search:\n  strategy: {strategy}\n  {option}\n"
        if strategy in owners:
            assert load(text).search.strategy == strategy
            return
        (told,) = problems(text)
        name = option.partition(":")[0]
        said = f"belongs to strategy {' and '.join(sorted(owners))}, not to {strategy}"
        assert told.startswith(f"c.yaml:6: search.{name}: {said}")
        assert f"--set search={strategy}" in told

    def test_an_option_counts_by_being_given_even_at_its_default(self) -> None:
        default = Search().repetitions
        (told,) = problems(MINIMAL + f"search: {{repetitions: {default}}}")
        assert "belongs to strategy ladder, not to adaptive" in told

    def test_the_way_out_of_the_message_works(self) -> None:
        text = MINIMAL + "search: {confidence: 0.8, max_minutes: 3}"
        assert len(problems(text, "search.strategy=ladder")) == 2
        assert load(text, "search=ladder").search == Search(strategy="ladder")

    def test_the_highest_of_a_given_grid_is_its_last(self) -> None:
        (told,) = problems(MINIMAL + "search: {concurrencies: [1, 2], highest: 9}")
        assert told == (
            "c.yaml:4: search.highest: means nothing beside concurrencies, which are the grid"
        )

    def test_minutes_too_few_for_two_steps_are_refused_with_the_length_of_a_step(self) -> None:
        times = "step: {ramp_s: 5, settle_s: 5, hold_s: 46, drain_s: 4}\n"  # a minute
        assert load(MINIMAL + times + "search: {max_minutes: 2}")
        (told,) = problems(MINIMAL + times + "search: {max_minutes: 1.9}")
        assert told == "c.yaml:5: search.max_minutes: 1.9 are too few for two steps of about 60 s"

    def test_other_problems_are_told_beside_a_contradiction(self) -> None:
        told = problems(MINIMAL + "search: {strategy: ladder, confidence: 2}\nidle_s: -1\n")
        assert [line.split(": ")[1] for line in told] == [
            "search.confidence",
            "search.confidence",
            "idle_s",
        ]
