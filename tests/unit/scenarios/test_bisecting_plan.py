"""Which releases, which load, which campaigns; and what cannot be meant."""

from __future__ import annotations

import pytest
from factory_bisect import RELEASES, plan

from harness.campaign.loading import dump_campaign, load_campaign
from harness.errors import CampaignError
from harness.scenarios.bisecting_plan import Wishes, outline_of, plan_of

pytestmark = pytest.mark.unit


def refused(**wishes: str) -> CampaignError:
    given = {"good": "1.12.4", "bad": "1.13.2", "metric": "per_run_mib", **wishes}
    with pytest.raises(CampaignError) as caught:
        plan_of(Wishes(**given), RELEASES)  # type: ignore[arg-type]
    return caught.value


def test_releases_are_those_from_the_one_end_to_the_other() -> None:
    made = plan()
    assert made.known.releases[0] == made.question.good == "1.11.16"
    assert made.known.releases[-1] == made.question.bad == "1.13.28"
    assert len(made.known.releases) == 53
    assert not made.question.turned


def test_ends_named_the_other_way_round_are_turned_and_ask_the_same() -> None:
    made = plan(good="1.13.28", bad="1.11.16")
    assert made.question.turned
    assert made.known.releases == plan().known.releases
    assert made.record_name == plan().record_name


def test_latest_is_a_number_in_the_record() -> None:
    assert plan(bad="latest").question.bad == "1.13.28"


def test_a_round_is_one_cell_a_release_and_every_second_one_goes_backwards() -> None:
    forwards, backwards = plan().campaign(1, ("1.12.4",)), plan().campaign(2, ("1.12.4",))
    assert [cell.dagster for cell in forwards.cells()] == ["1.11.16", "1.12.4", "1.13.28"]
    assert [cell.dagster for cell in backwards.cells()] == ["1.13.28", "1.12.4", "1.11.16"]
    assert backwards.baseline_version == "1.11.16"


def test_campaigns_are_named_after_the_metric_and_the_round() -> None:
    assert plan().campaign(3, ()).name == "bisect-per_run_mib-3"
    assert plan(metric="launch_s@4").campaign(12, ()).name == "bisect-launch_s-at-4-12"


def test_what_is_written_down_of_a_round_loads_back() -> None:
    campaign = plan().campaign(1, ("1.12.4",))
    assert load_campaign(dump_campaign(campaign), source="x") == campaign


@pytest.mark.parametrize(
    ("metric", "loads", "key"),
    [
        ("per_run_mib", (1, 5), "per_run_mib"),
        ("launch_cpu_s", (1, 3), "launch_cpu_s"),
        ("base_mib", (1,), "base_mib"),
        ("launch_s", (1, 3), "launch_s@3"),
        ("launch_s@1", (1,), "launch_s@1"),
        ("throughput_runs_per_s@8", (1, 8), "throughput_runs_per_s@8"),
    ],
)
def test_no_more_loads_than_the_metric_needs(metric: str, loads: tuple[int, ...], key: str) -> None:
    made = plan(metric=metric)
    (cell,) = made.campaign(1, ()).model_copy(update={"dagster": ("1.12.4",)}).cells()
    assert made.campaign(1, ()).concurrencies(cell) == loads
    assert made.question.key == key


def test_a_step_that_fails_keeps_no_load_from_being_measured() -> None:
    search = plan().campaign(1, ()).search
    assert search.stop_after_failures > len(search.grid)


@pytest.mark.parametrize("workload", ["io", "cpu", "mixed", "memory"])
def test_a_workload_is_as_in_the_presets_and_any_package_will_do(workload: str) -> None:
    (measured,) = plan(workload=workload).campaign(1, ()).workloads
    assert measured.name == workload
    assert measured.concurrencies is None
    assert bool(measured.params) == (workload != "memory")


@pytest.mark.parametrize(
    ("only", "expected"),
    [("first", {"1.12.0", "1.13.0", "1.11.16"}), ("last", {"1.11.16", "1.12.22", "1.13.28"})],
)
def test_only_one_release_of_each_minor(only: str, expected: set[str]) -> None:
    made = plan(only_minor=only)
    assert made.known.candidates == expected
    assert made.record_name != plan().record_name


def test_every_question_has_a_record_of_its_own() -> None:
    names = {
        each.record_name
        for each in (
            plan(), plan(metric="launch_s@4"), plan(metric="launch_s@5"), plan(workload="cpu"),
            plan(profile="2vcpu-4gb"), plan(target="process"), plan(bad="1.13.27"),
        )
    }  # fmt: skip
    assert len(names) == 7
    assert all(name.startswith("bisect-") and name.endswith(".json") for name in names)


def test_what_is_no_release_is_refused_both_at_once_with_its_neighbours() -> None:
    error = refused(good="1.12.99", bad="2.0.0")
    assert "lists no 1.12.99 and no 2.0.0" in error.what
    assert "1.12.99: the last of 1.12 are 1.12.19, 1.12.20, 1.12.21, 1.12.22" in error.evidence
    assert "2.0.0: there are 1.11.0 to 1.13.28" in error.evidence
    assert error.hint.startswith("For example: harness bisect --good")


def test_a_build_has_no_place_among_releases() -> None:
    error = refused(bad="./dagster-1.13.27-py3-none-any.whl")
    assert "harness run --preset compare --dagster 1.13.28 --dagster PATH" in error.hint


def test_two_equal_ends_are_refused() -> None:
    assert "nothing between them" in refused(bad="1.12.4").what


def test_an_unknown_metric_lists_the_known_ones() -> None:
    error = refused(metric="per_run_mb")
    assert "per_run_mib" in error.hint
    assert "launch_s" in error.hint


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("workload", "ioo", "did you mean io?"), ("profile", "1vcpu-9gb", "Nearest legal"),
     ("target", "kubernetes", "must be 'auto', 'compose', 'process' or 'external'")],
)  # fmt: skip
def test_what_no_campaign_can_be_is_refused_in_its_words(
    option: str, value: str, said: str
) -> None:
    assert said in refused(**{option: value}).evidence


def test_the_outline_says_what_is_expected_and_shows_the_first_round() -> None:
    lines = list(outline_of(plan(), 0))
    assert lines[0].endswith("between 1.11.16 and 1.13.28: 51 releases between them")
    assert "about 6 of them" in lines[2]
    assert any("2 versions" in line for line in lines)
    assert any("3 rounds are kept" in line for line in outline_of(plan(), 3))
