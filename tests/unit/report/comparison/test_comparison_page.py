"""`comparison.html`: answer first, a line of ratios a row, every value, nothing from outside."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from comparison_cases import (
    HOSTILE,
    comparison,
    document,
    forced,
    group,
    hostile,
    metric,
    several,
)
from page_tree import Element, parse

from harness.analysis.comparison.types import ComparisonDocument
from harness.report.comparison.html.forest import REACHES, TICKS, line_of
from harness.report.comparison.html.page import HERE, OWN, render_comparison_page
from harness.report.html.page import CONTENT_POLICY

pytestmark = pytest.mark.unit


def text_of(made: ComparisonDocument) -> str:
    return render_comparison_page(made, version="0.1.0")


def tree_of(made: ComparisonDocument) -> Element:
    return parse(re.sub(r"<script\b.*?</script>", "", text_of(made), flags=re.DOTALL))


def payload_of(made: ComparisonDocument) -> dict[str, Any]:
    found = re.search(r'id="harness-data">([^<]*)<', text_of(made))
    assert found is not None
    loaded: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return loaded


@pytest.fixture
def tree() -> Element:
    return tree_of(document())


def test_the_verdict_comes_first_and_says_what_and_by_how_much(tree: Element) -> None:
    head = tree.one("header", id="answer")
    assert head.one("h1").text == "Dagster 1.13.28 beside 1.12.22: worse"
    counted, beside = (
        [(row.one("dt").text, row.one("dd").text) for row in part.children]
        for part in head.all(class_="parts")
    )
    assert counted[0][0] == "worse"
    assert "launch CPU by 12 % (8 to 16 %) in io" in counted[0][1]
    assert beside == [
        (
            "worse",
            "probe p50 at 3 runs by 150 % (120 to 190 %) in io and by 150 % (120 to 190 %) in cpu",
        )
    ]
    folded = head.one("details", class_="beside")
    assert "does not count for the verdict" in folded.one("summary").text


def test_several_contenders_have_a_verdict_each() -> None:
    tree = tree_of(several())
    assert tree.one("h1").text == "3 contenders beside Dagster 1.12.22"
    assert [each.one("h2").text for each in tree.all("section", class_="contender")] == [
        "Dagster 1.10.11: better", "1.12.22-mine: cannot tell", "Dagster 1.13.28: worse",
    ]  # fmt: skip


def test_versions_compared_with_themselves_are_comparisons() -> None:
    other = comparison(baseline=replace(comparison().baseline, label="before"))
    tree = tree_of(document(comparison(), other))
    assert tree.one("h1").text == "2 comparisons"


def test_a_forced_comparison_has_a_mark_above_everything_and_at_every_table() -> None:
    tree = tree_of(forced())
    first = tree.one("main").children[0]
    assert "FORCED" in first.text
    assert "host CPU: 2 CPUs, Xeon → 4 CPUs, EPYC" in first.text
    assert len(tree.all(class_="stamp")) == 2
    assert not tree_of(document()).all(class_="stamp")


def test_every_row_has_its_numbers_and_its_line(tree: Element) -> None:
    table = tree.all("table", class_="effects")[0]
    row = table.all("tbody")[1].one("tr")
    assert [cell.text for cell in row.children] == [
        "launch CPU CPU-s", "2.63", "2.95", "", "+12 % +8 to +16", "2.1 %", "worse",
    ]  # fmt: skip
    assert len(table.all("svg", class_="forest")) == 6
    assert table.all("tbody")[0].text.startswith("capacity")


def test_what_does_not_count_has_a_table_of_its_own(tree: Element) -> None:
    names = [row.text for row in tree.one(id="kind-1-others").one("table", class_="effects")
             .all("th", class_="text")]  # fmt: skip
    assert "probe p50 at 3 runs s" in names
    assert "launch CPU CPU-s" not in names


def test_every_figure_has_a_chart_and_its_numbers(tree: Element) -> None:
    figures = tree.all("figure", class_="chart")
    assert len(figures) == 18
    for figure in figures:
        assert figure.attributes["data-chart"] == "values"
        assert figure.parent is not None
        rows = figure.parent.one("details", class_="data").one("tbody").all("tr")
        assert rows[-1].children[0].text == "middle"


def test_the_numbers_below_a_chart_are_those_of_the_cells(tree: Element) -> None:
    block = tree.one(id="chart-kind-1-launch_cpu_s").parent
    assert block is not None
    rows = [[cell.text for cell in row.children] for row in block.one("tbody").all("tr")]
    assert rows == [
        ["1", "2.63", "2.95"], ["2", "2.6", "2.9"], ["3", "2.66", "2.99"], ["4", "2.62", "2.93"],
        ["middle", "2.63", "2.95"],
    ]  # fmt: skip


def test_charts_are_drawn_from_the_numbers_of_the_document() -> None:
    rows = payload_of(document())["rows"]
    entry = document().comparisons[0].groups[0].metrics[0]
    assert rows[0]["id"] == "kind-1-launch_cpu_s"
    assert [[each["value"] for each in side["values"]] for side in rows[0]["sides"]] == [
        [each.value for each in entry.baseline.values],
        [each.value for each in entry.contender.values],
    ]
    assert [rows[0]["effects"][0][key] for key in ("ratio", "low", "high")] == [1.12, 1.08, 1.16]
    assert rows[0]["noise"] == 0.021


def test_a_figure_no_side_knows_has_a_sentence_in_place_of_a_chart() -> None:
    unknown = metric("queue_s", "cannot_tell", [None], [None], at=3, noise=None)
    made = document(comparison(groups=(replace(group(), metrics=(unknown,)),)))
    (absent,) = tree_of(made).all(class_="absent")
    assert absent.text == "time in the run queue at 3 runs: unavailable on every side."
    assert payload_of(made)["rows"] == []


def test_every_link_inside_the_page_leads_somewhere() -> None:
    for made in (document(), several(), forced()):
        tree = tree_of(made)
        ids = [each.attributes["id"] for each in tree.all() if "id" in each.attributes]
        assert len(ids) == len(set(ids))
        links = [each.attributes["href"] for each in tree.all("a")]
        assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
        assert all(link.startswith("#") for link in links)


def test_the_page_forbids_itself_all_requests(tree: Element) -> None:
    policy = tree.all("meta", http_equiv="Content-Security-Policy")
    assert [each.attributes["content"] for each in policy] == [CONTENT_POLICY]
    page = re.sub(r"<script type=.*?</script>", "", text_of(document()), flags=re.DOTALL)
    assert re.findall(r"url\(|@import|fetch\(|XMLHttpRequest|sendBeacon|https?://(?!www.w3.org)",
                      page) == []  # fmt: skip


def test_no_fact_becomes_an_element() -> None:
    tree = tree_of(hostile())
    assert tree.all("img") == []
    assert HOSTILE.replace("\x00", "").split("|")[0].strip() in tree.one("main").text


def test_every_part_of_the_script_is_joined() -> None:
    assert {path.stem for path in (HERE / "charts").glob("*.js")} == set(OWN)


class TestLine:
    def entry(self, ratio: float | None, low: float | None, high: float | None) -> Any:
        return metric("launch_s", "cannot_tell", [1], [1], ratio=(ratio, low, high))

    def test_it_is_as_long_as_the_ratios_need(self) -> None:
        assert line_of([self.entry(1.02, 1.0, 1.04)]).reach == 1.06
        assert line_of([self.entry(1.5, 1.4, 1.6)]).reach == 1.6
        assert line_of([]).reach == REACHES[0]

    def test_halves_are_as_far_as_doubles(self) -> None:
        line = line_of([self.entry(2.0, 1.9, 2.1), self.entry(0.5, 0.45, 0.55)])
        there, back = (line.forest(self.entry(r, None, None)).at for r in (2.0, 0.5))
        assert there is not None
        assert back is not None
        assert there - 50 == pytest.approx(50 - back)

    def test_one_wide_interval_is_cut_instead_of_pressing_all_flat(self) -> None:
        narrow = [self.entry(1.02, 1.0, 1.04)] * 9
        wide = self.entry(1.05, 0.3, 4.0)
        line = line_of([*narrow, wide])
        assert line.reach == 1.06
        forest = line.forest(wide)
        assert (forest.cut_low, forest.cut_high, forest.band) == (True, True, (0.0, 100.0))

    def test_what_is_undefined_has_no_place(self) -> None:
        forest = line_of([]).forest(self.entry(None, None, None))
        assert (forest.at, forest.band) == (None, None)

    def test_a_ratio_of_nought_is_at_the_end(self) -> None:
        entry = self.entry(0.0, 0.0, 0.5)
        forest = line_of([entry]).forest(entry)
        assert forest.at is not None
        assert 0 <= forest.at <= 50

    def test_every_length_has_ticks_within_it(self) -> None:
        assert set(TICKS) == set(REACHES)
        for reach, ticks in TICKS.items():
            assert 1 in ticks
            assert all(1 / reach <= tick <= reach for tick in ticks)
