"""A sizing in every form says the same, and the document keeps its contract."""

from __future__ import annotations

import copy
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from harness.analysis.sizing.answer import Wishes
from harness.analysis.sizing.types import Demand, Duration, Part, Price, SizingFinding
from harness.report.deploy.documents import documents
from harness.report.sizing.json import sizing_document, sizing_json
from harness.report.sizing.markdown import sizing_markdown
from harness.report.sizing.phrases import (
    answer_sentence,
    capacity_phrase,
    demand_phrase,
    option_values,
)
from harness.report.sizing.text import render_sizing
from harness.scenarios.sizing import Where, answer
from harness.units import show_money

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
VALIDATOR = Draft202012Validator(json.loads((ROOT / "results/sizing.schema.json").read_text()))
PRICE = Price(
    per_vcpu_hour=0.04048, per_gib_hour=0.004445, currency="USD", as_of="2026-06-17", source="test"
)


def sized(runs_per_hour: float, *parts: Part) -> SizingFinding:
    demand = Demand(
        runs_per_hour=runs_per_hour,
        parts=parts or (Part(workload="io", share=1.0, duration=Duration(mean_s=45)),),
        burst=2.5,
        growth=1.0,
    )
    where = Where(folders=(ROOT / "results/baselines/quick-compose",))
    return answer(demand, Wishes(price=PRICE), where=where)


@pytest.fixture(scope="module")
def finding() -> SizingFinding:
    return sized(200)


@pytest.fixture(scope="module")
def nothing() -> SizingFinding:
    return sized(500_000)


@pytest.fixture(scope="module")
def mix() -> SizingFinding:
    return sized(
        200,
        Part(workload="io", share=0.8, duration=Duration(mean_s=45, p95_s=120)),
        Part(workload="cpu", share=0.2, duration=Duration(mean_s=8)),
    )


def printed(finding: SizingFinding, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    files = documents(finding.shipping) if finding.shipping else ()
    render_sizing(finding, files, console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("name", ["finding", "nothing", "mix"])
def test_the_document_keeps_its_contract(name: str, request: pytest.FixtureRequest) -> None:
    document = json.loads(sizing_json(request.getfixturevalue(name)))
    VALIDATOR.validate(document)
    assert next(iter(document)) == "schema"


def without(document: dict[str, Any], *path: str) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    place: Any = changed
    for name in path[:-1]:
        place = place[int(name)] if isinstance(place, list) else place[name]
    del place[path[-1]]
    return changed


@pytest.mark.parametrize(
    "path", [("schema",), ("demand", "burst"), ("options", "0", "reason"), ("shipping", "image")]
)
def test_the_schema_misses_what_is_missing(finding: SizingFinding, path: tuple[str, ...]) -> None:
    document = json.loads(sizing_json(finding))
    assert not VALIDATOR.is_valid(without(document, *path))


def test_every_key_of_an_option_is_in_the_schema(finding: SizingFinding) -> None:
    known = set(VALIDATOR.schema["$defs"]["option"]["properties"])
    assert set(sizing_document(finding)["options"][0]) == known


@pytest.mark.parametrize("width", [60, 80, 116, 140, 200])
def test_the_same_numbers_at_every_width(finding: SizingFinding, width: int) -> None:
    text = printed(finding, width)
    assert " ".join(text.split()).startswith(answer_sentence(finding))
    words = " ".join(text.split())
    for option in finding.options:
        assert option.profile in text
        assert f"{option.in_flight_p95 or '-'}" in words
    for comparison in finding.comparisons:
        assert comparison.question.split()[0] in words
    assert "[/" not in words, "no markup"


def test_files_to_paste_are_whole_lines_however_narrow(finding: SizingFinding) -> None:
    text = printed(finding, 40)
    assert finding.shipping is not None
    for document in documents(finding.shipping):
        assert document.text.rstrip("\n") in text


def test_a_note_that_many_files_share_is_told_once(finding: SizingFinding) -> None:
    assert finding.shipping is not None
    shipping = replace(finding.shipping, replicas=2)
    notes = [note for each in documents(shipping) for note in each.notes]
    assert len(notes) > len(set(notes)), "there is something to leave out"
    text = " ".join(printed(replace(finding, shipping=shipping), 200).split())
    for note in set(notes):
        assert text.count(f"- {' '.join(note.split())}") == 1


def test_an_option_that_does_not_hold_says_why(finding: SizingFinding) -> None:
    failing = [each for each in finding.options if not each.holds]
    assert failing
    for width in (80, 140):
        words = " ".join(printed(finding, width).split())
        for each in failing:
            assert each.reason in words


def test_where_nothing_holds_there_is_nothing_to_paste(nothing: SizingFinding) -> None:
    assert answer_sentence(nothing) == "Nothing to ship: this demand is not held."
    assert demand_phrase(nothing.demand).startswith("500,000 runs/h of io")
    assert "To paste" not in printed(nothing, 140)
    assert "```" not in sizing_markdown(nothing, ())


def test_the_answer_names_the_variable_that_this_dagster_reads(finding: SizingFinding) -> None:
    assert finding.shipping is not None
    assert "DAGSTER_GRPC_MAX_WORKERS=" in answer_sentence(finding)
    old = replace(finding, shipping=replace(finding.shipping, dagster="1.5.14"))
    assert "DAGSTER_CLI_API_GRPC_MAX_WORKERS=" in answer_sentence(old)


def test_a_capacity_that_nothing_bounds_has_no_upper_end(finding: SizingFinding) -> None:
    option = replace(finding.options[0], capacity=20, capacity_low=18, capacity_high=None)
    assert capacity_phrase(option) == "20 (18 or more)"


def test_a_mix_is_told_with_shares_and_spreads(mix: SizingFinding) -> None:
    assert demand_phrase(mix.demand) == (
        "200 runs/h of 80% io (45 s, p95 2 min), 20% cpu (8.0 s), 2.5 times that at the busiest "
        "time"
    )


@pytest.fixture
def markdown(finding: SizingFinding) -> str:
    assert finding.shipping is not None
    return sizing_markdown(finding, documents(finding.shipping))


def test_markdown_has_the_answer_the_options_and_the_files(
    finding: SizingFinding, markdown: str
) -> None:
    assert markdown.startswith("## Ship 1 × 1vcpu-2gb: ")
    for option in finding.options:
        assert f"{option.replicas} × {option.profile}" in markdown
    assert markdown.count("```yaml") >= 3
    assert markdown.count("<details>") == markdown.count("</details>")
    assert markdown.endswith("\n")
    assert len(markdown.encode()) < 65_536, "fits a comment"


def test_a_table_row_has_a_value_for_every_heading(
    finding: SizingFinding, nothing: SizingFinding
) -> None:
    for each in (*finding.options, *nothing.options):
        assert len(option_values(each, "USD")) == 11


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (36.04, "USD", "$36.04"), (288.32, "USD", "$288"), (1441.6, "USD", "$1,442"),
        (0.2469, "USD", "$0.25"), (0.0617, "USD", "$0.062"), (0.0000617, "USD", "$0.000062"),
        (0, "USD", "$0.00"), (5, "EUR", "€5.00"), (5, "CHF", "CHF 5.00"),
    ],
)  # fmt: skip
def test_money_as_people_read_it(amount: float, currency: str, expected: str) -> None:
    assert show_money(amount, currency) == expected
