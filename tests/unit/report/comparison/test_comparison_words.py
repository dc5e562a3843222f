"""A comparison in words: percent of the baseline, never 0 for what is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from comparison_cases import (
    BASELINE,
    capacity,
    comparison,
    document,
    figures,
    group,
    metric,
    several,
    side,
)

from harness.analysis.comparison.chosen import NOT_ASKED
from harness.analysis.comparison.types import Effect, Rules
from harness.report.comparison.headline import answer, pair_phrase, parts_of, verdict_line
from harness.report.comparison.reasons import reasons_of
from harness.report.comparison.views import tables_of
from harness.report.comparison.words import (
    change,
    effect_phrase,
    middle,
    minus,
    rules_phrase,
    side_name,
    size_phrase,
    value,
    verdict_phrase,
)

pytestmark = pytest.mark.unit


def effect(ratio: float | None, low: float | None = None, high: float | None = None) -> Effect:
    return Effect(ratio=ratio, low=low, high=high, n=4, paired=True)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1.0, "0 %"), (1.12, "+12 %"), (0.966, "-3.4 %"), (1.0054, "+0.54 %"), (3.0, "+200 %"),
        (0.5, "-50 %"), (1.0997, "+10 %"), (1.00001, "0 %"), (25.0, "+2,400 %"), (0.0, "-100 %"),
        (None, "undefined"),
    ],
)  # fmt: skip
def test_a_ratio_is_told_in_percent_of_the_baseline(ratio: float | None, words: str) -> None:
    assert change(ratio) == words


def test_an_effect_has_its_interval_or_says_that_there_is_none() -> None:
    assert effect_phrase(effect(1.12, 1.08, 1.16)) == "+12 % (+8 to +16)"
    assert effect_phrase(effect(1.0, 0.97, 1.04)) == "0 % (-3 to +4)"
    assert effect_phrase(effect(1.12)) == "+12 % (no interval)"
    assert effect_phrase(effect(None)) == "undefined"


def test_how_far_apart_needs_no_sign_where_a_word_says_the_direction() -> None:
    assert size_phrase(effect(1.12, 1.08, 1.16)) == "12 % (8 to 16 %)"
    assert size_phrase(effect(0.876, 0.84, 0.91)) == "12 % (9 to 16 %)"


def test_what_is_not_known_is_a_word_and_never_nought() -> None:
    assert middle(figures(BASELINE, [None, None])) == value(None) == "unavailable"
    assert value(0.0) == "0"


def test_a_verdict_of_the_same_says_within_what() -> None:
    entry = metric("launch_s", "same", [1, 1], [1, 1], within=0.03)
    assert verdict_phrase(entry) == "same within 3 %"
    assert verdict_phrase(replace(entry, verdict="cannot_tell")) == "cannot tell"


def test_a_side_is_called_by_its_version_and_a_build_by_its_name() -> None:
    assert side_name(side("1.13.28")) == "Dagster 1.13.28"
    assert side_name(side("quick", "1.13.28")) == "quick (Dagster 1.13.28)"
    build = replace(side("mine"), software={"dagster": "1.13.27+slow"})
    assert side_name(build) == "mine (Dagster 1.13.27+slow)"
    assert side_name(replace(build, software={})) == "mine"


def test_versions_are_put_beside_each_other_without_saying_dagster_twice() -> None:
    assert pair_phrase(comparison()) == "Dagster 1.13.28 beside 1.12.22"
    build = comparison(contender=replace(side("mine"), software={"dagster": "1.13.27"}))
    assert pair_phrase(build) == "mine (Dagster 1.13.27) beside Dagster 1.12.22"


def test_the_answer_says_what_moved_by_how_much_what_stayed_and_what_is_open() -> None:
    assert answer(comparison(groups=(group(),))) == (
        "worse in throughput at 3 runs by 12 % (9 to 16 %) and launch CPU by 12 % (8 to 16 %), "
        "better in RSS of a run at work at 3 runs by 3.3 % (2.7 to 3.9 %), the same within 3 % in "
        "launch time p50 at 1 run, cannot tell in capacity, launch time p50 at 3 runs and idle "
        "server memory. Beside the verdict: worse in probe p50 at 3 runs by 150 % (120 to 190 %)."
    )


def test_a_figure_is_named_once_with_the_places_it_moved_in() -> None:
    worse = next(part for part in parts_of(comparison()) if part.verdict == "worse")
    assert "launch CPU by 12 % (8 to 16 %) in io and by 12 % (8 to 16 %) in cpu" in worse.told


def test_where_a_figure_has_two_verdicts_the_place_is_said() -> None:
    other = replace(
        group(workload="cpu"), metrics=(metric("launch_s", "worse", [1], [2], at=1,
                                               ratio=(2.0, 1.9, 2.1)),)
    )  # fmt: skip
    same = next(
        part for part in parts_of(comparison(groups=(group(), other))) if part.verdict == "same"
    )
    assert same.told == "launch time p50 at 1 run of io"


def test_profiles_are_said_only_where_they_differ() -> None:
    large = replace(group(), profile="2vcpu-4gb")
    worse = parts_of(comparison(groups=(group(), large)))[0]
    assert "in io on 1vcpu-2gb and by 12 % (9 to 16 %) in io on 2vcpu-4gb" in worse.told


def test_of_many_only_the_largest_are_named() -> None:
    (worse, *_) = parts_of(comparison(groups=(group(),)), most=1)
    assert worse.told == "throughput at 3 runs by 12 % (9 to 16 %) and 1 other"


def test_a_capacity_that_moved_is_told_first_and_how_surely() -> None:
    held = replace(
        group().capacity, baseline=capacity(6, 6, 7), contender=capacity(4, 3, 4), verdict="worse",
        lower=0.97, higher=0.001,
    )  # fmt: skip
    worse = parts_of(comparison(groups=(replace(group(), capacity=held),)))[0]
    assert worse.told.startswith(
        "capacity from 6 (80 %: 6 to 7) to 4 (80 %: 3 to 4) (97 % likely fewer), "
    )


def test_nothing_in_common_is_nothing_to_tell() -> None:
    nothing = comparison(groups=(), verdict="cannot_tell", why="no kind of cell is on both sides")
    assert answer(nothing) == "cannot tell: no kind of cell is on both sides"
    assert parts_of(nothing) == ()


def test_a_capacity_nobody_asked_for_is_not_told() -> None:
    held = replace(group().capacity, why=NOT_ASKED)
    alone = comparison(groups=(replace(group(), capacity=held),))
    assert "capacity" not in answer(alone)
    assert tables_of(document(alone))[0].capacities == (None,)
    assert NOT_ASKED not in [why for _, why in reasons_of(alone.groups[0])]


def test_equal_reasons_are_told_once() -> None:
    metrics = tuple(
        metric(key, verdict, [1.0], [1.0], why=why, ratio=(1.0, 0.99, 1.01))
        for key, verdict, why in (
            ("launch_cpu_s", "cannot_tell", "one cell"), ("base_mib", "cannot_tell", "one cell"),
            ("launch_s", "same", "95 % interval"), ("per_run_mib", "cannot_tell", "few points"),
        )
    )  # fmt: skip
    one = replace(group(), metrics=metrics)
    assert list(reasons_of(one))[1:] == [
        (("launch CPU", "idle server memory"), "one cell"),
        (("launch time p50",), "95 % interval"),
        (("memory a run",), "few points"),
    ]


def test_the_verdict_in_a_line_has_what_decided_it_and_how_much_is_open() -> None:
    assert verdict_line(comparison(groups=(group(),))) == (
        "Dagster 1.13.28 is WORSE than 1.12.22: throughput at 3 runs by 12 % (9 to 16 %) and "
        "launch CPU by 12 % (8 to 16 %); better in RSS of a run at work at 3 runs by 3.3 % (2.7 to "
        "3.9 %); cannot tell in 3 of 7 figures."
    )


def test_results_of_different_days_say_so_in_the_first_line() -> None:
    later = comparison(contender=replace(side("1.13.28"), folder="another"))
    assert verdict_line(later).endswith("a change of the machine would look the same.")


def test_single_cells_are_told_in_one_sentence_what_to_do() -> None:
    once = tuple(
        metric(key, "cannot_tell", [1.0], [1.1], ratio=(1.1, None, None), noise=None)
        for key in ("launch_cpu_s", "base_mib")
    )
    found = comparison(groups=(replace(group(), metrics=once),), verdict="cannot_tell")
    assert verdict_line(found) == (
        "Dagster 1.13.28 beside 1.12.22, CANNOT TELL: each side was measured once, so no "
        "difference can be told from noise; measure in rounds: harness run --set repetitions=4."
    )


def test_why_a_value_of_one_cell_is_not_known_is_a_reason() -> None:
    assert (
        ("time in the run queue at 3 runs",), "the event log does not tell this phase"
    ) in list(reasons_of(group()))  # fmt: skip


def test_contenders_are_columns_of_one_table_in_their_order() -> None:
    io, cpu = tables_of(several())
    assert [each.contender.label for each in io.comparisons] == [
        "1.10.11", "1.12.22-mine", "1.13.28"
    ]  # fmt: skip
    assert all(None not in row.entries for row in io.rows)
    assert cpu.rows[0].entries[1] is None
    assert cpu.rows[0].baseline == cpu.rows[0].entries[0].baseline  # type: ignore[union-attr]


def test_a_figure_only_one_contender_has_is_a_row() -> None:
    more = replace(group("1.13.28"), metrics=(metric("idle_cores", "same", [1], [1], within=0.0),))
    (table,) = tables_of(
        document(comparison("1.10.11", groups=(group("1.10.11"),)), comparison(groups=(more,)))
    )
    assert (table.rows[-1].key, table.rows[-1].entries[0]) == ("idle_cores", None)


def test_each_baseline_has_tables_of_its_own() -> None:
    other = replace(side("1.13.28"), folder="before")
    tables = tables_of(document(comparison(), comparison(baseline=other)))
    assert [table.baseline.folder for table in tables][::2] == [side("x").folder, "before"]


def test_typography_is_for_readers_only() -> None:
    assert minus("-3.4 % (-5 to -1), 1.12.22-mine") == "−3.4 % (−5 to −1), 1.12.22-mine"


def test_how_it_was_decided_is_said_with_its_numbers() -> None:
    told = rules_phrase(Rules(alpha=0.01, tolerance=0.1, capacity_confidence=0.9))
    assert "1 %" in told
    assert "within 10 %" in told
    assert "at least 90 %" in told
