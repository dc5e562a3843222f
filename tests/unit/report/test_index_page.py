"""The page of all campaigns: whole without JavaScript, and asking nobody for anything."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from report_context import HOSTILE

from harness.report.context import FactLink
from harness.report.index.page import render_index
from harness.report.index.rows import CampaignRow, CellRow
from harness.report.index.wording import ChangeWords

pytestmark = pytest.mark.unit

ROW = CampaignRow(
    folder="20260101T000000Z-quick+2",
    campaign="quick",
    started_utc=datetime(2026, 1, 1, tzinfo=UTC),
    verdict="pass",
    tone="good",
    rank=4,
    links=(FactLink(path="report.html", what="report"), FactLink(path="", what="folder")),
    cells=(
        CellRow(workload="io", profile="1vcpu-2gb", rest="Dagster 1", holds="4 (4 to 5)", runs=4),
        CellRow(
            workload="cpu", profile="1vcpu-2gb", rest="Dagster 1", holds="1", runs=1,
            change=ChangeWords(lead="2 → 1", more=("launch CPU",), tone="bad", ratio=0.5,
                               against="20250101T000000Z-quick"),
        ),
    ),
)  # fmt: skip


class Seen(HTMLParser):
    """Elements with their attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._silent = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._silent = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._silent else data

    def values(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.elements if name in attrs]

    def count(self, tag: str) -> int:
        return sum(each == tag for each, _ in self.elements)


def test_a_campaign_is_a_group_of_rows_a_cell_each() -> None:
    seen = Seen(render_index([ROW]))
    assert (seen.count("tbody"), seen.count("tr")) == (1, 3)
    assert seen.values("rowspan") == ["2"] * 4
    for words in ("2026-01-01", "pass", "4 (4 to 5)", "2 → 1", "launch CPU"):
        assert words in seen.text


def test_every_column_can_be_sorted_by() -> None:
    seen = Seen(render_index([ROW]))
    keys = seen.values("data-key")
    assert len(keys) == 8
    body = next(attrs for tag, attrs in seen.elements if tag == "tbody")
    assert {f"data-{key}" for key in keys} <= set(body)
    assert (body["data-holds"], body["data-changed"]) == ("1", "0.5")
    assert seen.values("aria-sort") == ["descending"]


def test_links_are_relative_and_quoted() -> None:
    links = Seen(render_index([ROW])).values("href")
    assert "20260101T000000Z-quick%2B2/report.html" in links
    assert "20260101T000000Z-quick%2B2/" in links
    assert "#c-20250101T000000Z-quick" in links


def test_the_page_asks_nobody_for_anything() -> None:
    text = render_index([ROW])
    assert not re.findall(r"(?:https?:)?//[\w.-]+\.\w", text)
    assert "default-src 'none'" in text
    assert "@import" not in text


def test_whatever_a_name_holds_it_stays_text() -> None:
    bad = HOSTILE.replace("\ud800", "") + "\"'></td><script>alert(1)</script>"
    row = replace(
        ROW, campaign=bad, gaps=(bad,), doubts=(bad,), folder=bad.replace("/", ""),
        cells=(replace(ROW.cells[1], holds=bad, rest=bad, binds=bad),),
    )  # fmt: skip
    seen = Seen(render_index([row]))
    assert seen.count("script") == 1
    assert seen.count("b") == 0
    assert seen.count("tr") == 2


def test_a_campaign_without_cells_has_a_row() -> None:
    seen = Seen(render_index([replace(ROW, cells=(), gaps=("findings.json is damaged",))]))
    assert "findings.json is damaged" in seen.text
    assert "No cell is recorded here." in seen.text


def test_a_cell_that_is_not_whole_says_so_beside_its_answer() -> None:
    note = "failed: the engine is gone"
    kept = replace(ROW.cells[0], note=note)
    lost = replace(ROW.cells[0], note="not measured", holds=None, runs=None)
    seen = Seen(render_index([replace(ROW, cells=(kept, lost))]))
    assert note in seen.text
    assert "not measured" in seen.text
    assert seen.values("colspan") == ["3"]


def test_an_empty_root_says_how_to_begin() -> None:
    seen = Seen(render_index([]))
    assert "harness run" in seen.text
    assert (seen.count("table"), seen.count("script")) == (0, 0)


def test_trends_are_linked_where_there_are_some() -> None:
    assert "trends.html" not in Seen(render_index([ROW])).values("href")
    assert "trends.html" in Seen(render_index([ROW], trends="trends.html")).values("href")
