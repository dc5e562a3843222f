"""A comparison on a terminal, in a pull request, for CI and for a program: all say the same."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from comparison_cases import (
    CONTENDER,
    HOSTILE,
    comparison,
    document,
    forced,
    group,
    hostile,
    several,
)
from rich.console import Console

from harness.analysis.comparison.types import ComparisonDocument
from harness.errors import StoredDataError
from harness.report.comparison.html.page import render_comparison_page
from harness.report.comparison.json_document import comparison_from, comparison_json
from harness.report.comparison.junit import render_comparison_junit
from harness.report.comparison.markdown import MOST_BYTES, render_comparison_markdown
from harness.report.comparison.terminal import render_comparison

pytestmark = pytest.mark.unit

Make = Callable[[], ComparisonDocument]
CASES: dict[str, Make] = {
    "one": document, "forced": forced, "several": several, "hostile": hostile
}  # fmt: skip


def printed(made: ComparisonDocument, width: int = 140, *, details: bool = True) -> str:
    text = io.StringIO()
    render_comparison(made, Console(file=text, width=width), details=details)
    return text.getvalue()


def page(made: ComparisonDocument) -> str:
    return render_comparison_page(made, version="0.1.0")


FORMATS: dict[str, Callable[[ComparisonDocument], str]] = {
    "terminal": printed, "markdown": render_comparison_markdown, "json": comparison_json,
    "junit": render_comparison_junit, "html": page,
}  # fmt: skip


def cases_of(text: str) -> dict[str, dict[str, str]]:
    """Kind of every test case, by suite."""
    return {
        suite.get("name", ""): {
            case.get("name", ""): next(
                (c.tag for c in case if c.tag in ("failure", "skipped", "error")), "passed"
            )
            for case in suite.iter("testcase")
        }
        for suite in ET.fromstring(text)
    }


@pytest.mark.parametrize("format_", FORMATS)
def test_a_forced_comparison_is_marked_and_says_why(format_: str) -> None:
    text = FORMATS[format_](forced())
    mark = '"forced": true' if format_ == "json" else "FORCED"
    assert mark in text
    assert mark not in FORMATS[format_](document())
    assert all(part in text for part in ("host CPU", "2 CPUs, Xeon", "4 CPUs, EPYC"))


@pytest.mark.parametrize("format_", [name for name in FORMATS if name != "json"])
def test_what_is_not_known_is_a_word(format_: str) -> None:
    assert "unavailable" in FORMATS[format_](document())


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", CASES)
def test_every_format_can_tell_everything(name: str, format_: str) -> None:
    text = FORMATS[format_](CASES[name]())
    assert text.endswith("\n") or format_ in ("html", "terminal")
    assert "None" not in text
    assert "nan" not in re.findall(r"\bnan\b", text)


class TestTerminal:
    def test_the_verdict_in_words_comes_first(self) -> None:
        first = " ".join(printed(document()).split("\n\n")[0].split())
        assert first.startswith("Dagster 1.13.28 is WORSE than 1.12.22: throughput at 3 runs by")

    def test_the_verdict_in_a_word_comes_last(self) -> None:
        for details in (True, False):
            last = printed(document(), details=details).splitlines()[-1]
            assert last == "Verdict: 1.13.28 worse"

    def test_why_and_what_else_differs_are_details(self) -> None:
        whole, short = printed(document()), printed(document(), details=False)
        for part in ("Why: ", "What else differs", "Chance of a false verdict"):
            assert part in whole
            assert part not in short

    def test_a_mark_comes_before_the_verdict(self) -> None:
        assert printed(forced()).startswith("FORCED: these results must not be compared")

    def test_what_counts_is_apart_from_what_does_not(self) -> None:
        whole, short = printed(document()), printed(document(), details=False)
        assert "io on 1vcpu-2gb: not counted for the verdict" in whole
        assert "probe p50 at 3 runs  " in whole
        assert "not counted" not in short
        assert "--details" in short

    def test_a_row_has_value_difference_noise_and_verdict(self) -> None:
        row = next(one for one in printed(document()).splitlines() if one.startswith(" launch CPU"))
        assert row.split("  ") != []
        assert re.sub(r"\s{2,}", " | ", row.strip()) == (
            "launch CPU | CPU-s | 2.63 | 2.95 | +12 % (+8 to +16) | 2.1 % | worse"
        )

    def test_several_contenders_are_columns(self) -> None:
        text = printed(several(), 160)
        heading = next(one for one in text.splitlines() if one.strip().startswith("figure "))
        assert heading.split() == [
            "figure", "unit", "1.12.22", "1.10.11", "1.12.22-mine", "1.13.28"
        ]  # fmt: skip
        assert "not measured" in text  # cpu of one of them

    @pytest.mark.parametrize("width", [60, 80, 100])
    def test_a_narrow_window_gets_lines_and_loses_nothing(self, width: int) -> None:
        text = printed(document(), width)
        assert all(len(line) <= width for line in text.splitlines())
        flat = " ".join(text.split())
        assert "1.13.28: 2.95, +12 % (+8 to +16), noise floor 2.1 %: worse" in flat
        capacities = "5 (80 %: 4 to 6) → 4 (80 %: 3 to 5)"
        assert f"{capacities}, 82 % likely fewer, 4 % more: cannot tell" in flat

    def test_a_narrow_window_without_details_tells_at_length_only_what_moved(self) -> None:
        flat = " ".join(printed(document(), 60, details=False).split())
        still = ", +0.4 % (-1.5 to +2.3): same within 3 %"
        assert "launch time p50 at 1 run: 2.11 s, then 2.13" in flat
        assert still in flat
        assert "1.13.28: 2.95, +12 % (+8 to +16), noise floor 2.1 %: worse" in flat

    def test_markup_in_a_name_is_text(self) -> None:
        made = document(comparison("[bold]x[/bold]"))
        assert "[bold]x[/bold]" in printed(made)


class TestMarkdown:
    def test_the_verdict_is_in_the_heading_and_the_numbers_in_a_table(self) -> None:
        text = render_comparison_markdown(document())
        assert text.startswith("## Comparison: Dagster 1.13.28: worse\n")
        row = next(line for line in text.splitlines() if line.startswith("| launch CPU"))
        assert [cell.strip() for cell in row.strip("|").split("|")] == [
            "launch CPU, CPU-s", "2.63", "2.95", "+12 % (+8 to +16)", "2.1 %", "**worse**",
        ]  # fmt: skip

    def test_what_does_not_count_is_folded(self) -> None:
        text = render_comparison_markdown(document())
        assert text.index("<details>") < text.index("| probe p50")
        assert text.index("| launch CPU") < text.index("<details>")

    def test_a_pull_request_can_hold_it(self) -> None:
        many = render_comparison_markdown(document(*(comparison(f"1.13.{n}") for n in range(60))))
        assert len(many.encode()) <= MOST_BYTES
        assert "Left out here to stay short:" in many
        assert "Left out" not in render_comparison_markdown(document())

    def test_no_fact_breaks_the_table(self) -> None:
        text = render_comparison_markdown(hostile())
        rows = [line for line in text.splitlines() if line.startswith("| ")]
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
        assert "<img" not in text

    def test_the_results_it_rests_on_are_named(self) -> None:
        text = render_comparison_markdown(document())
        assert text.rstrip().endswith(f"from the results `{document().baseline.folder}`.")


class TestJunit:
    def test_a_kind_of_cell_is_a_suite_and_a_figure_a_case(self) -> None:
        found = cases_of(render_comparison_junit(document()))
        assert list(found) == ["Dagster 1.13.28: io on 1vcpu-2gb", "Dagster 1.13.28: cpu on "
                               "1vcpu-2gb"]  # fmt: skip
        assert found["Dagster 1.13.28: io on 1vcpu-2gb"] == {
            "capacity": "skipped",
            "launch CPU": "failure",
            "launch time p50 at 1 run": "passed",
            "launch time p50 at 3 runs": "skipped",
            "throughput at 3 runs": "failure",
            "RSS of a run at work at 3 runs": "passed",
            "idle server memory": "skipped",
            "time in the run queue at 3 runs": "skipped",
            "memory a run": "passed",
            "probe p50 at 3 runs": "skipped",  # worse, and nothing fails for it
        }

    def test_the_counts_are_those_of_the_cases(self) -> None:
        root = ET.fromstring(render_comparison_junit(several()))
        cases = list(root.iter("testcase"))
        assert root.get("tests") == str(len(cases))
        assert root.get("failures") == str(sum(case.find("failure") is not None for case in cases))
        assert root.get("skipped") == str(sum(case.find("skipped") is not None for case in cases))

    def test_a_case_tells_both_values_and_every_cell(self) -> None:
        root = ET.fromstring(render_comparison_junit(document()))
        failure = root.find("testsuite/testcase[@name='launch CPU']/failure")
        assert failure is not None
        assert failure.get("message", "").startswith(
            "worse: 2.95 CPU-s instead of 2.63: +12 % (+8 to +16), noise floor 2.1 %"
        )
        assert "baseline, round 1: 2.63 (" in (failure.text or "")

    def test_what_cannot_be_told_says_why(self) -> None:
        root = ET.fromstring(render_comparison_junit(document()))
        skipped = root.find("testsuite/testcase[@name='launch time p50 at 3 runs']/skipped")
        assert skipped is not None
        assert "the interval holds both a change and none" in skipped.get("message", "")

    def test_nothing_in_common_is_one_skipped_case(self) -> None:
        nothing = document(comparison(groups=(), verdict="cannot_tell", unmatched=("io on x",)))
        assert cases_of(render_comparison_junit(nothing)) == {
            f"Dagster {CONTENDER}: comparable": {"comparable": "skipped"}
        }


@pytest.fixture(scope="module")
def schema(repo_root: Path) -> Any:
    return json.loads((repo_root / "results/comparison.schema.json").read_text("utf-8"))


class TestJson:
    @pytest.mark.parametrize("name", CASES)
    def test_it_is_as_the_schema_says_and_comes_back_whole(self, name: str, schema: Any) -> None:
        made = CASES[name]()
        text = comparison_json(made)
        jsonschema.validate(json.loads(text), schema)
        assert comparison_from(json.loads(text)) == made

    def test_the_schema_knows_and_wants_every_key(self, schema: Any) -> None:
        def objects(value: Any, rule: Any) -> None:
            rule = schema["$defs"][rule["$ref"].split("/")[-1]] if "$ref" in rule else rule
            if isinstance(value, dict) and "properties" in rule:
                assert set(value) == set(rule["properties"]) == set(rule["required"])
                for key, each in value.items():
                    objects(each, rule["properties"][key])
            elif isinstance(value, list):
                for each in value:
                    objects(each, rule["items"])

        objects(json.loads(comparison_json(document())), schema)

    def test_a_wrong_document_is_noticed(self, schema: Any) -> None:
        made = json.loads(comparison_json(document()))
        made["comparisons"][0]["groups"][0]["metrics"][0]["verdict"] = "fine"
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(made, schema)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_a_number_json_cannot_say_is_refused(self, value: float) -> None:
        broken = replace(group(), metrics=(replace(group().metrics[0], within=value),))
        with pytest.raises(ValueError, match="JSON"):
            comparison_json(document(comparison(groups=(broken,))))

    def test_another_schema_is_refused_with_the_way_out(self) -> None:
        with pytest.raises(StoredDataError) as caught:
            comparison_from({"schema": 99})
        assert "schema 99" in caught.value.evidence
        assert "harness compare" in caught.value.hint

    def test_a_damaged_document_is_refused_with_the_place(self) -> None:
        made = json.loads(comparison_json(document()))
        del made["comparisons"][0]["verdict"]
        with pytest.raises(StoredDataError) as caught:
            comparison_from(made)
        assert "comparisons.0.verdict" in caught.value.evidence

    def test_keys_of_a_later_version_do_not_matter(self) -> None:
        made = json.loads(comparison_json(document())) | {"more": 1}
        assert comparison_from(made) == document()


def test_all_formats_agree_on_every_verdict() -> None:
    """Of one figure of one kind of cell."""
    html = re.sub(r"<[^>]+>", " ", page(document()).replace("\u2212", "-"))
    for text in (printed(document()), render_comparison_markdown(document()), html):
        flat = re.sub(r"[|*\s]+", " ", text)
        assert (
            "-3.3 % ( -3.9 to -2.7 ) 0.6 % better" in flat.replace("(", "( ").replace(")", " )")
            or "-3.3 % -3.9 to -2.7 0.6 % better" in flat
        )


def test_hostile_words_stay_words_in_xml() -> None:
    root = ET.fromstring(render_comparison_junit(hostile()))
    assert HOSTILE.replace("\x00", "\ufffd") in root[0].get("name", "")
