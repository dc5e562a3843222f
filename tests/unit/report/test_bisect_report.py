"""A bisection in words, in Markdown and as a document that its schema knows."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from harness.analysis.bisecting.types import (
    USUAL,
    BisectFinding,
    Placed,
    Question,
    Round,
    Size,
    Skipped,
    Step,
)
from harness.analysis.comparison.metrics import metric_of
from harness.errors import StoredDataError
from harness.report.bisect.json_document import bisect_document, bisect_from, bisect_json
from harness.report.bisect.markdown import bisect_markdown
from harness.report.bisect.phrases import answer, effort, placed_line, remarks
from harness.report.bisect.text import render_bisect

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]
VALIDATOR = Draft202012Validator(json.loads((ROOT / "results/bisect.schema.json").read_text()))

ROSE = Size(ratio=1.12, low=1.09, high=1.15)
STEP = Step(after="1.12.4", upto="1.12.5", size=ROSE, probability=0.97, unmeasured=())
ROUND = Round(
    number=1, folder="20260101T000000Z-bisect-per_run_mib-1", releases=("1.11.16", "1.13.28"),
    values={"1.11.16": 100.0, "1.13.28": 112.0}, took_s=190.0,
)  # fmt: skip


def placed(release: str, **more: Any) -> Placed:
    given = {"value": 112.0, "to_good": ROSE, "like": "bad", "rounds": 3}
    return Placed(release=release, **{**given, **more})


def finding_of(**more: Any) -> BisectFinding:
    """Found between 1.12.4 and 1.12.5."""
    given: dict[str, Any] = {
        "schema": 1, "method": 2, "releases": 53, "rules": USUAL, "status": "found",
        "question": Question(
            key="per_run_mib", metric=metric_of("per_run_mib"),
            setup={"workload": "io", "profile": "1vcpu-2gb", "target": "auto", "loads": "1, 5"},
            good="1.11.16", bad="1.13.28", turned=False,
        ),
        "ended": "the answer is sure", "ends": ROSE, "same_p": 0.0001, "single_p": 0.98,
        "drift_p": 0.001, "noise": 0.021, "steps": (STEP,),
        "measured": (
            placed("1.11.16", value=100.0, to_good=None, like="good"),
            placed("1.12.4", value=99.5, to_good=Size(ratio=0.995, low=0.97, high=1.02),
                   like="good"),
            placed("1.12.5"), placed("1.13.28"),
        ),
        "skipped": (), "rounds": (ROUND,),
    }  # fmt: skip
    return BisectFinding(**{**given, **more})


def test_what_was_found_is_told_with_all_its_numbers() -> None:
    assert answer(finding_of()) == (
        "per_run_mib rose by 12 % (9 to 15 %) between 1.12.4 and 1.12.5 (for the worse); not "
        "between these two: P = 0.03."
    )


def test_a_fall_is_told_as_one() -> None:
    fell = replace(STEP, size=Size(ratio=0.9, low=0.88, high=0.93), probability=0.999)
    assert answer(finding_of(steps=(fell,))) == (
        "per_run_mib fell by 10 % (7 to 12 %) between 1.12.4 and 1.12.5 (for the better); not "
        "between these two: P < 0.01."
    )


def test_more_throughput_is_for_the_better() -> None:
    asked = finding_of().question
    more = replace(
        asked, key="throughput_runs_per_s@3", metric=metric_of("throughput_runs_per_s@3")
    )
    assert "(for the better)" in answer(finding_of(question=more))


def test_nothing_to_bisect_is_told_with_the_numbers() -> None:
    alike = finding_of(status="same", steps=(), ends=Size(ratio=1.01, low=0.97, high=1.05))
    assert answer(alike) == (
        "per_run_mib differs by 1 % (−3 to 5 %) between 1.11.16 and 1.13.28: nothing to bisect."
    )


def test_several_steps_are_told_the_largest_first() -> None:
    second = Step(after="1.13.1", upto="1.13.4", size=Size(ratio=1.05, low=1.02, high=1.08),
                  probability=0.96, unmeasured=("1.13.2", "1.13.3"))  # fmt: skip
    found = finding_of(status="several", steps=(STEP, second))
    assert answer(found) == (
        "per_run_mib moved in several steps: +12 % (+9 to +15) between 1.12.4 and 1.12.5, "
        "P = 0.97; +5 % (+2 to +8) between 1.13.1 and 1.13.4, P = 0.96."
    )
    assert "Not measured between 1.13.1 and 1.13.4: 1.13.2, 1.13.3." in remarks(found)


def test_a_drift_names_no_release_as_the_culprit() -> None:
    told = answer(finding_of(status="gradual", steps=(), single_p=0.02))
    assert "little by little" in told
    assert "one release alone did it with P = 0.02" in told


def test_what_cannot_be_told_says_what_is_known() -> None:
    unsure = {"status": "cannot_tell"}
    assert "more than noise cannot be told (1 round; it does with P = 0.70)" in answer(
        finding_of(**unsure, steps=(), same_p=0.3)
    )
    assert answer(finding_of(**unsure, steps=(), ends=None, measured=())) == (
        "per_run_mib is not known of both 1.11.16 and 1.13.28: no answer."
    )
    wide = replace(STEP, upto="1.12.9", unmeasured=("1.12.6", "1.12.7"))
    assert answer(finding_of(**unsure, steps=(wide,))) == (
        "per_run_mib rose by 12 % (9 to 15 %) between 1.12.4 and 1.12.9 (P = 0.97): no more than "
        "that can be told."
    )
    assert "where cannot be told surely" in answer(finding_of(**unsure, steps=(STEP, wide)))


def test_what_was_left_out_is_told_with_its_reason() -> None:
    many = tuple(f"1.12.{n}" for n in range(5, 15))
    found = finding_of(
        steps=(replace(STEP, upto="1.12.15", unmeasured=many),),
        skipped=(Skipped(release="1.12.7", why="The image cannot be built."),),
    )
    said = remarks(found)
    assert "Not measured between 1.12.4 and 1.12.15: 1.12.5, 1.12.6, … 1.12.14 (10 releases)." in (
        said
    )
    assert "Skipped 1.12.7: The image cannot be built." in said
    assert "Ended: the answer is sure." in said


def test_ends_named_the_other_way_round_are_said_to_be_turned() -> None:
    turned = replace(finding_of().question, turned=True)
    assert remarks(finding_of(question=turned))[0].startswith("1.11.16 is older than 1.13.28")


def test_the_effort_is_told() -> None:
    assert effort(finding_of()) == "4 of 53 releases measured, 1 round, 2 cells, 3 min 10 s"


def test_one_release_in_a_line() -> None:
    found = finding_of()
    assert placed_line(found, found.measured[1]) == (
        "1.12.4: 99.5 MiB, −0.5 % (−3 to +2) beside 1.11.16: like 1.11.16"
    )


@pytest.mark.parametrize("width", [60, 140])
def test_a_terminal_begins_with_the_answer(width: int) -> None:
    out = io.StringIO()
    render_bisect(finding_of(), Console(file=out, width=width))
    text = " ".join(out.getvalue().split())
    assert text.startswith("per_run_mib rose by 12 %")
    for release in ("1.11.16", "1.12.4", "1.12.5", "1.13.28"):
        assert release in text
    assert "like 1.11.16" in text
    assert max(map(len, out.getvalue().splitlines())) <= width


def test_brackets_of_a_reason_are_no_markup() -> None:
    out = io.StringIO()
    broken = (Skipped(release="1.12.7", why="uv failed: [stacks] and [/bold]"),)
    render_bisect(finding_of(skipped=broken), Console(file=out, width=140))
    assert "uv failed: [stacks] and [/bold]" in out.getvalue()


def test_markdown_begins_with_the_answer_and_keeps_the_rounds() -> None:
    text = bisect_markdown(finding_of())
    assert text.startswith("## per_run_mib rose by 12 % (9 to 15 %) between 1.12.4 and 1.12.5")
    assert "| 1.12.4  | 99.5 MiB | −0.5 % (−3 to +2)" in text
    assert "`20260101T000000Z-bisect-per_run_mib-1`" in text
    assert "1.11.16: 100, 1.13.28: 112" in text
    assert text.endswith("</details>\n")


def test_a_round_without_a_value_says_so() -> None:
    lame = replace(ROUND, values={"1.11.16": 100.0}, why={"1.13.28": "no CPU reading"})
    assert "1.13.28: unavailable" in bisect_markdown(finding_of(rounds=(lame,)))


@pytest.mark.parametrize(
    "change",
    [{}, {"ends": None, "noise": None, "steps": (), "measured": (), "rounds": ()},
     {"skipped": (Skipped(release="1.12.7", why="no"),), "ended": ""}],
)  # fmt: skip
def test_the_document_is_as_its_schema_says_and_comes_back_whole(change: dict[str, Any]) -> None:
    finding = finding_of(**change)
    document = json.loads(bisect_json(finding))
    VALIDATOR.validate(document)
    assert bisect_from(document, "x.json") == finding


def test_the_schema_misses_what_is_missing_and_knows_every_key() -> None:
    document = json.loads(bisect_json(finding_of()))
    assert set(document) == set(VALIDATOR.schema["properties"])
    for key in document:
        assert not VALIDATOR.is_valid(
            {name: each for name, each in document.items() if name != key}
        )
    assert next(iter(bisect_document(finding_of()))) == "schema"


def test_another_schema_is_refused_with_the_way_out() -> None:
    document = {**json.loads(bisect_json(finding_of())), "schema": 9}
    with pytest.raises(StoredDataError, match=r"x\.json is no bisection") as refused:
        bisect_from(document, "x.json")
    assert "schema 9" in refused.value.evidence
    assert "remove x.json" in refused.value.hint


def test_a_damaged_document_is_refused_with_the_place() -> None:
    document = json.loads(bisect_json(finding_of()))
    document["rounds"][0]["values"] = "many"
    with pytest.raises(StoredDataError) as refused:
        bisect_from(document, "x.json")
    assert refused.value.evidence.startswith("rounds.0.values")
