from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from page_tree import Element, Material, Render, Text, parse

from harness.report.html import page
from harness.report.html.definitions import definitions
from harness.report.html.page import CONTENT_POLICY, squeezed

pytestmark = pytest.mark.unit

MOST_BYTES_WITHOUT_CHARTS = 200_000
KINDS = {
    "curve", "memory", "cpu", "throttling", "queues", "probe", "processes", "phases", "gantt",
}  # fmt: skip


@pytest.fixture
def tree(quick: Material, tree_of: Render) -> Element:
    return tree_of(quick)


def test_the_answer_comes_before_everything_else(tree: Element) -> None:
    assert tree.one("main").children[0].one(class_="verdict").text == (
        "One server of 1 vCPU / 2 GiB holds 4 io runs at once, or 1 cpu run, or 3 mixed runs. "
        "First to give out: CPU for starting runs."
    )
    headings = [each.attributes.get("id") for each in tree.one("main").children]
    assert headings.index("answer") < headings.index("doubts") < headings.index("cell-1")


def test_every_cell_says_what_it_holds_what_binds_and_what_to_set(
    tree: Element, quick: Material
) -> None:
    answers = tree.all("article")
    assert len(answers) == len(quick.findings.cells)
    for answer, cell in zip(answers, quick.findings.cells, strict=True):
        assert [each.text for each in answer.all("h4")] == [
            "What does it hold?", "What binds?", "What do I set?",
        ]  # fmt: skip
        assert str(cell.capacity.concurrency) in answer.one(class_="big").text
        assert f"{cell.capacity.first_failing}" in answer.one(class_="holds").text
        assert "CPU for starting runs" in answer.one(class_="binds").text
        assert answer.one("pre").text == " ".join(" ".join(cell.recommendation.paste).split())


def test_the_interval_and_how_sure_it_is_are_beside_the_number(tree: Element) -> None:
    text = tree.all("article")[0].one(class_="holds").text
    assert "80 % sure it is 4 to 5 , more than 99 % that it is at least 4." in text


def test_a_strip_shows_every_concurrency_with_what_became_of_it(tree: Element) -> None:
    strip = tree.all("svg", class_="strip")[0]
    assert strip.attributes["aria-label"] == (
        "Concurrencies tried: 1: pass; 4: pass; 5: fail; 7: fail."
    )


def test_every_chart_has_its_place_and_its_numbers(tree: Element, quick: Material) -> None:
    for number, cell in enumerate(quick.findings.cells, start=1):
        section = tree.one("section", id=f"cell-{number}")
        figures = section.all("figure", class_="chart")
        assert {each.attributes["data-chart"] for each in figures} == KINDS
        for figure in figures:
            kind = figure.attributes["data-chart"]
            assert figure.attributes["id"] == f"chart-{number}-{kind}"
            assert figure.attributes["data-cell"] == cell.id
            assert figure.one("figcaption").text
            assert figure.one(class_="plot").text == ""
            assert "needs JavaScript" in figure.one("noscript").text
            assert figure.parent is not None
            assert figure.parent.one("details", class_="data").all("tbody")


def test_the_gantt_begins_with_the_step_that_broke(tree: Element, quick: Material) -> None:
    cell = quick.findings.cells[0]
    step = next(s for s in cell.steps if s.concurrency == cell.capacity.first_failing)
    assert tree.one(id="chart-1-gantt").attributes["data-step"] == str(step.index)


def test_every_step_has_its_objectives_and_the_one_that_failed_is_open(
    tree: Element, quick: Material
) -> None:
    for number, cell in enumerate(quick.findings.cells, start=1):
        for step in cell.steps:
            folded = tree.one("details", id=f"cell-{number}-step-{step.index}")
            decides = step.verdict == "fail" and step.concurrency == cell.capacity.first_failing
            assert ("open" in folded.attributes) == decides
            rows = folded.one("table", class_="slo").one("tbody").all("tr")
            assert [row.all("code")[0].text for row in rows] == list(step.slo)
            broken = {row.all("code")[0].text for row in rows if row._has({"class_": "broken"})}
            assert broken == {name for name, slo in step.slo.items() if slo.ok is False}
            assert step.reason in folded.one(class_="why").text


def test_the_numbers_of_the_curve_are_those_of_the_findings(tree: Element, quick: Material) -> None:
    block = tree.one(id="chart-1-curve").parent
    assert block is not None
    rows = [[cell.text for cell in row.children] for row in block.one("tbody").all("tr")]
    steps = sorted(quick.findings.cells[0].steps, key=lambda step: step.concurrency)
    assert [row[0] for row in rows] == [str(step.concurrency) for step in steps]
    assert [row[2] for row in rows] == [f"{step.throughput_runs_per_s:.3f}" for step in steps]
    assert [row[-1] for row in rows] == [step.verdict for step in steps]


def test_the_table_of_a_chart_over_time_has_the_peak_of_every_line(
    tree: Element, quick: Material
) -> None:
    block = tree.one(id="chart-1-memory").parent
    assert block is not None
    rows = [[cell.text for cell in row.children] for row in block.one("tbody").all("tr")]
    group = quick.pictures[0].memory
    assert [row[0] for row in rows] == [*(line.name for line in group.lines), group.limit_name]
    assert rows[0][2] == f"{group.lines[0].peak:,.4g}"


def test_the_search_tells_why_each_step_was_chosen(tree: Element, quick: Material) -> None:
    lines = [line for line in quick.context.journal if line["cell"] == quick.ids[0]]
    items = tree.one(id="cell-1-journal").one("ol").all("li")
    assert len(items) == len(lines)
    for item, line in zip(items, lines, strict=True):
        assert line.get("reason", line.get("done")) in item.text


def test_every_link_inside_the_page_leads_somewhere(tree: Element) -> None:
    ids = Counter(each.attributes["id"] for each in tree.all() if "id" in each.attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    inner = {a.attributes["href"][1:] for a in tree.all("a") if a.attributes["href"][0] == "#"}
    assert inner - set(ids) == set()
    shapes = {use.attributes["href"][1:] for use in tree.all("use")}
    assert shapes - set(ids) == set()


def test_every_definition_that_is_linked_has_its_own_words(tree: Element) -> None:
    for known in definitions().values():
        place = tree.one("div", id=known.anchor)
        assert known.meaning in place.text
    linked = {
        a.attributes["href"] for a in tree.all("a") if a.attributes["href"].startswith("#def")
    }
    assert len(linked) > 50


def test_every_heading_of_a_table_of_steps_is_defined(tree: Element) -> None:
    for table in tree.all("table", class_="steps"):
        for heading in table.one("thead").all("th"):
            assert heading.all("a"), heading.text


def test_nothing_in_the_page_asks_for_anything_outside(
    quick: Material, text_of: Text, tree: Element
) -> None:
    asking = ("src", "srcset", "poster", "data", "action", "formaction", "background", "ping")
    assert [each.tag for each in tree.all() if set(asking) & set(each.attributes)] == []
    assert [each.attributes["href"] for each in tree.all("link")] == ["data:,"]
    assert [a for a in tree.all("a") if "://" in a.attributes["href"]] == []
    assert re.findall(r"url\(|@import|fetch\(|XMLHttpRequest|sendBeacon", text_of(quick)) == []


def test_the_page_forbids_itself_all_requests(tree: Element) -> None:
    meta = tree.one("meta", http_equiv="Content-Security-Policy")
    assert meta.attributes["content"] == CONTENT_POLICY
    assert CONTENT_POLICY.startswith("default-src 'none';")
    assert "connect-src" not in CONTENT_POLICY


def test_tables_scroll_in_a_box_the_keyboard_reaches(tree: Element) -> None:
    for table in tree.all("table"):
        box = table.parent
        assert box is not None
        assert box._has({"class_": "scroll"})
        assert (box.attributes["tabindex"], box.attributes["role"]) == ("0", "region")
    labels = [box.attributes["aria-label"] for box in tree.all(class_="scroll")]
    assert len(labels) == len(set(labels))


def test_the_exact_command_and_the_whole_campaign_are_there(tree: Element, quick: Material) -> None:
    assert (
        tree.one("pre", id="command").text
        == "harness run --target compose --results results --plain"
    )
    campaign = tree.one("pre", id="campaign")
    assert "".join(part for part in campaign.parts if isinstance(part, str)).strip() == (
        quick.context.campaign_text.strip()
    )


def test_facts_are_linked_from_the_folder_they_lie_in(tree: Element, quick: Material) -> None:
    links = {a.attributes["href"] for a in tree.all("a")}
    assert {link.path for link in quick.context.links} <= links
    assert not [href for href in links if href.startswith("/")]


def test_copying_buttons_name_what_they_copy(tree: Element) -> None:
    for button in tree.all("button", class_="copy"):
        assert tree.one("pre", id=button.attributes["data-copy"])
        assert len(button.text) > len("Copy ")


def test_a_page_is_small(quick: Material, text_of: Text) -> None:
    assert len(text_of(quick).encode()) <= MOST_BYTES_WITHOUT_CHARTS


def test_so_many_steps_that_only_the_telling_ones_are_told_in_full(
    quick: Material, tree_of: Render
) -> None:
    cell = quick.findings.cells[0]
    steps = tuple(
        replace(cell.steps[place % len(cell.steps)], index=place + 1) for place in range(100)
    )
    many = replace(quick, findings=replace(quick.findings, cells=(replace(cell, steps=steps),)))
    tree = tree_of(many)
    section = tree.one(id="cell-1-steps")
    rows = section.one("table", class_="matrix").one("tbody").all("tr")
    assert len(rows) == len(steps)
    telling = {cell.capacity.concurrency, cell.capacity.first_failing}
    assert len(section.all("details", class_="step")) == sum(
        step.concurrency in telling for step in steps
    )
    ids = {each.attributes["id"] for each in tree.all() if "id" in each.attributes}
    assert {f"cell-1-step-{step.index}" for step in steps} <= ids


def test_squeezing_leaves_alone_what_is_shown_as_it_stands() -> None:
    text = (
        "<p>\n   a\n</p>\n<pre>\n  x\n\n  </td> y</pre>\n<table>\n <tr>\n <td>1</td>\n</tr></table>"
    )
    assert squeezed(text) == "<p>a</p><pre>\n  x\n\n  </td> y</pre><table><tr><td>1</table>"


def test_squeezing_changes_no_word(
    quick: Material, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = text_of(quick)
    monkeypatch.setattr(page, "squeezed", lambda text: text)
    written = text_of(quick)
    assert len(small) < len(written)
    assert parse(small).text == parse(written).text
