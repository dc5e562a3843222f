"""What a dry run shows of a campaign."""

from __future__ import annotations

import pytest
from campaign_text import MINIMAL, load, with_workload

from harness.campaign.loading import load_campaign, preset_names, preset_text
from harness.campaign.outline import lasts, outline

pytestmark = pytest.mark.unit

MINUTE = "step: {ramp_s: 5, settle_s: 5, hold_s: 46, drain_s: 4}\nidle_s: 0\nwarmup_runs: 0\n"


def shown(text: str, *overrides: str) -> list[str]:
    return list(outline(load(text, *overrides)))


def line(text: str, start: str) -> str:
    """The one line that begins so."""
    (found,) = [one for one in shown(text) if one.strip().startswith(start)]
    return found.strip()


def test_a_campaign_is_shown_cell_by_cell_with_its_time() -> None:
    text = MINIMAL + MINUTE + "max_workers: [4, 6]\nsearch: {max_steps: 10, max_minutes: 8}"
    searched = (
        "    adaptive over 1-64: gallops up, then repeats at the boundary until 95 % sure; "
        "at most 10 steps or 8 minutes, about 8"
    )
    assert shown(text) == [
        "Campaign a · target auto · feed direct",
        "  arrivals: closed: a run that ends is followed by the next",
        "  1vcpu-2gb_io_1.13.27_w4_r1_direct  about 8 min 18 s",
        searched,
        "  1vcpu-2gb_io_1.13.27_w6_r1_direct  about 8 min 18 s",
        searched,
        "In all about 16 min 36 s, at most 16 min 36 s.",
    ]


class TestSearch:
    def test_a_ladder_is_shown_rung_by_rung(self) -> None:
        text = MINIMAL + "search: {strategy: ladder, concurrencies: [1, 4, 8]}"
        assert line(text, "concurrency") == "concurrency 1 → 4 → 8; stops early when a rung fails"

    def test_repetitions_of_a_rung_are_shown(self) -> None:
        text = MINIMAL + "search: {strategy: ladder, concurrencies: [4], repetitions: 2}"
        assert line(text, "concurrency").startswith("concurrency 1 → 1 → 4 → 4;")

    def test_several_failures_may_be_allowed(self) -> None:
        text = MINIMAL + "search: {strategy: ladder, stop_after_failures: 2}"
        assert line(text, "concurrency").endswith("; stops early when 2 rungs in a row fail")

    def test_a_ladder_that_failures_cannot_end_says_so(self) -> None:
        text = MINIMAL + (
            "search: {strategy: ladder, concurrencies: [2, 4], stop_after_failures: 3}"
        )
        assert line(text, "concurrency") == "concurrency 1 → 2 → 4; all of them, whatever fails"
        assert "less" not in lasts(load(text))

    def test_minutes_are_shown_only_where_there_is_a_limit(self) -> None:
        text = MINIMAL + "search: {max_steps: 24}"
        assert line(text, "adaptive").endswith("; at most 24 steps, about 13")

    def test_a_bisection_is_shown_with_its_grid(self) -> None:
        text = MINIMAL + "search: {strategy: bisect, concurrencies: [1, 2, 4, 8]}"
        assert line(text, "bisect") == (
            "bisect over 1, 2, 4, 8: halves, each concurrency once; at most 24 steps, about 3"
        )

    def test_a_workloads_own_grid_is_shown(self) -> None:
        text = with_workload("{name: io, concurrencies: 2-9}")
        assert line(text, "adaptive").startswith("adaptive over 2-9: ")
        text = with_workload("{name: io, concurrencies: [7]}")
        assert line(text, "adaptive").startswith("adaptive over 7: ")


class TestArrivals:
    @pytest.mark.parametrize(
        ("load_text", "said"),
        [
            ("burst", "burst: all runs of a step at once, and no more"),
            ("uniform", "uniform, evenly: concurrency ÷ the unloaded response time"),
            (
                "{model: poisson, run_s: 45, seed: 7}",
                "poisson, by chance (seed 7): concurrency ÷ 45 s, each is 80 runs/hour",
            ),
        ],
    )
    def test_the_model_is_shown_with_what_a_concurrency_means(
        self, load_text: str, said: str
    ) -> None:
        assert line(MINIMAL + f"load: {load_text}", "arrivals") == f"arrivals: {said}"


class TestContent:
    def test_a_mix_is_shown_in_percent_of_all_shares(self) -> None:
        text = with_workload("{name: day, mix: {io: 2, cpu: 1, heavy-import: 1}}")
        assert line(text, "mix") == "mix: io 50 %, cpu 25 %, heavy-import 25 % of the runs"

    def test_sensors_are_shown_with_what_they_do(self) -> None:
        text = with_workload("{name: io, sensors: {count: 4, tick_s: 2.5, interval_s: 40}}")
        said = "4, each holds a worker for 2.5 s (sleeping), at most every 40 s"
        assert line(text, "sensors") == f"sensors: {said}"
        text = with_workload("{name: io, sensors: {count: 1, mode: burn}}")
        said = "one, it holds a worker for 5 s (computing), at most every 30 s"
        assert line(text, "sensors") == f"sensors: {said}"

    def test_the_queue_is_shown_where_runs_pass_one(self) -> None:
        text = MINIMAL + "feed: queued\nmax_concurrent_runs: [null, 6]\n"
        assert [one.strip() for one in shown(text) if "queue:" in one] == [
            "queue: no limit of runs, looked at every 5 s, one launch at a time",
            "queue: at most 6 runs at once, looked at every 5 s, one launch at a time",
        ]
        threads = text + "queue: {dequeue_threads: 8}"
        assert all("8 launches at a time" in one for one in shown(threads) if "queue:" in one)
        assert not any("queue:" in one for one in shown(MINIMAL))


def test_how_long_it_lasts_says_what_makes_it_less_or_more() -> None:
    ladder = load(MINIMAL + MINUTE + "search: {strategy: ladder, concurrencies: [1, 2]}")
    assert lasts(ladder) == "about 2 min 18 s, less where a ladder stops early"
    adaptive = load(MINIMAL + MINUTE + "search: {max_steps: 20, highest: 2}")
    assert lasts(adaptive) == "about 8 min 18 s, at most 20 min 18 s"


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_can_be_outlined(name: str) -> None:
    plan = load_campaign(preset_text(name), source=name)
    lines = list(outline(plan))
    told = {cell.id.removesuffix(f"_n{cell.repetition}") for cell in plan.cells()}
    if len(plan.dagster) > 1:
        told = {cell.replace(f"_{v}_", "_*_") for v in plan.dagster for cell in told
                if f"_{v}_" in cell}  # fmt: skip
    assert {line.split()[0] for line in lines if "_w" in line} == told
    assert len(lines) < 40


class TestVersionsAndRounds:
    SEVERAL = (
        MINIMAL
        + MINUTE
        + (
            "dagster: [1.12.22, mine, 1.13.28]\nbuilds: {mine: 1.13.27}\nbaseline: mine\n"
            "repetitions: 4\nsearch: {always: [1, 3], max_steps: 3}"
        )
    )

    def test_a_line_stands_for_all_versions_and_rounds(self) -> None:
        lines = [each for each in shown(self.SEVERAL) if "_w6_" in each]
        assert lines == [
            "  1vcpu-2gb_io_*_w6_r1_direct  about 3 min 18 s each, 4 rounds of 3 versions"
        ]

    def test_the_time_is_that_of_all_cells(self) -> None:
        assert shown(self.SEVERAL)[-1] == "In all 12 cells, about 39 min 36 s, at most 39 min 36 s."

    def test_what_is_compared_with_what_and_what_names_stand_for(self) -> None:
        assert line(self.SEVERAL, "compared:") == "compared: 1.12.22, 1.13.28 with mine"
        assert line(self.SEVERAL, "mine:") == "mine: 1.13.27"
        assert line(self.SEVERAL, "rounds:") == (
            "rounds: 4, every second one backwards through the versions"
        )

    def test_rounds_of_one_version_go_nowhere_backwards(self) -> None:
        text = MINIMAL + MINUTE + "repetitions: 3"
        assert line(text, "rounds:") == "rounds: 3"
        assert line(text, "1vcpu").endswith(" each, 3 rounds")
        assert not any("compared" in each for each in shown(text))

    def test_versions_measured_once_are_counted(self) -> None:
        text = MINIMAL + MINUTE + "dagster: [1.12.22, 1.13.28]"
        assert line(text, "1vcpu").endswith(" each, 2 versions")
        assert shown(text)[-1].startswith("In all 2 cells, ")

    def test_equal_loads_are_told(self) -> None:
        assert "first 1, 3, whatever they show, then at the boundary" in line(
            self.SEVERAL, "adaptive"
        )
