"""Facts as text and bytes, and back."""

from __future__ import annotations

import dataclasses
import typing

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.facts import codec
from harness.facts.model import Event, Phase, Run, RunStatus, Sample, Step

pytestmark = pytest.mark.unit

INTS = st.integers(-(2**62), 2**62)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
STEPS = st.builds(
    Step,
    index=INTS,
    kind=st.sampled_from(["warmup", "unloaded", "load"]),
    concurrency=INTS,
    repetition=INTS,
    reason=st.text(),
    phases=st.lists(st.builds(Phase, name=st.text(), start_s=FLOATS, end_s=FLOATS), max_size=3).map(
        tuple
    ),
    outcome=st.sampled_from(["completed", "aborted"]),
    kernel_peak_bytes=st.none() | FLOATS,
)
RUNS = st.builds(
    Run,
    step=INTS,
    user=INTS,
    run_id=st.none() | st.text(),
    intended_s=FLOATS,
    sent_s=FLOATS,
    ended_s=st.none() | FLOATS,
    status=st.sampled_from(typing.get_args(RunStatus)),
    error=st.none() | st.text(),
)


@given(STEPS)
def test_a_step_comes_back_from_its_line_unchanged(step: Step) -> None:
    line = codec.to_line(step)
    assert "\n" not in line
    assert codec.from_json(Step, line) == step


@given(st.lists(RUNS, max_size=5))
def test_runs_come_back_from_parquet_unchanged_and_in_order(runs: list[Run]) -> None:
    content = codec.to_parquet(codec.to_frame(Run, runs))
    assert codec.from_frame(Run, codec.from_parquet(Run, content)) == runs


def test_nested_detail_comes_back_unchanged() -> None:
    event = Event(at_s=1.5, kind="oom", source="r0", detail={"a": [1, {"b": None, "ü": 0.1}]})
    assert codec.from_json(Event, codec.to_line(event)) == event


def test_unknown_stays_unknown_and_never_becomes_zero() -> None:
    run = Run(step=0, user=0, run_id=None, intended_s=1, sent_s=1)
    (back,) = codec.from_frame(Run, codec.to_frame(Run, [run]))
    assert (back.run_id, back.ended_s, back.work_cpu_s) == (None, None, None)


def test_columns_follow_the_fields_of_the_dataclass() -> None:
    assert list(codec.columns(Run)) == [field.name for field in dataclasses.fields(Run)]
    assert codec.columns(Run)["status"] == pl.String
    assert codec.columns(Run)["accepted_s"] == pl.Float64


def test_a_column_that_came_later_reads_as_its_default() -> None:
    runs = [Run(step=0, user=1, run_id="x", intended_s=1, sent_s=2, work_cpu_s=3)]
    older = codec.to_frame(Run, runs).drop("work_cpu_s", "replica")
    frame = codec.from_parquet(Run, codec.to_parquet(older))
    assert codec.from_frame(Run, frame) == [dataclasses.replace(runs[0], work_cpu_s=None)]


def test_a_column_this_version_does_not_know_is_dropped() -> None:
    newer = codec.to_frame(Sample, []).with_columns(pl.lit(1).alias("colour"))
    assert codec.from_parquet(Sample, codec.to_parquet(newer)).columns == list(
        codec.columns(Sample)
    )


def test_a_missing_required_column_is_an_error() -> None:
    content = codec.to_parquet(codec.to_frame(Sample, []).drop("value"))
    with pytest.raises(ValueError, match="column value is missing"):
        codec.from_parquet(Sample, content)


def test_a_wrong_type_is_an_error_that_names_its_place() -> None:
    with pytest.raises(ValidationError) as caught:
        codec.from_json(Event, '{"at_s": "noon", "kind": "x", "source": "y"}')
    assert codec.first_problem(caught.value).startswith("at_s: ")


def test_a_number_that_is_not_finite_is_not_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        codec.to_line({"share": float("nan")})


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"schema": "1"}', b'{"schema": 1', b"\xff"])
def test_a_document_without_schema_number_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        codec.from_document(content)


def test_a_torn_last_line_is_not_a_line() -> None:
    assert codec.whole_lines(b'{"a":1}\n{"a":2}\n{"a"') == ['{"a":1}', '{"a":2}']
    assert codec.whole_lines(b'{"a"') == []
    assert codec.whole_lines(b"") == []


def test_a_line_separator_inside_a_text_does_not_end_the_line() -> None:
    line = codec.to_line({"text": "one\u2028two\u0085three"})
    assert codec.whole_lines(f"{line}\n".encode()) == [line]
