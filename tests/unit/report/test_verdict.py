from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.findings.document import Findings
from harness.analysis.findings.types import CellFinding
from harness.report.phrases import limit_words, probability_phrase, size_phrase
from harness.report.verdict import cell_labels, verdict_sentences

pytestmark = pytest.mark.unit


def told(findings: Findings, *cells: CellFinding) -> str:
    return " ".join(verdict_sentences(replace(findings, cells=cells)))


@pytest.fixture
def io(bracketed: Findings) -> CellFinding:
    return bracketed.cells[0]


def test_one_cell_is_one_sentence_and_what_gave_out(bracketed: Findings, io: CellFinding) -> None:
    assert told(bracketed, io) == (
        "One server of 1 vCPU / 2 GiB holds 4 io runs at once. First to give out: gRPC workers."
    )


def test_workloads_are_alternatives_and_never_added(bracketed: Findings, io: CellFinding) -> None:
    cpu = replace(io, workload="cpu", capacity=replace(io.capacity, concurrency=1))
    assert "holds 4 io runs at once, or 1 cpu run." in told(bracketed, io, cpu)


def test_what_is_less_sure_is_only_probable(bracketed: Findings, io: CellFinding) -> None:
    unsure = replace(io, capacity=replace(io.capacity, confirmed=False))
    assert "holds probably 4 io runs" in told(bracketed, unsure)


def test_nothing_broke_is_at_least(everything: Findings) -> None:
    cell = next(c for c in everything.cells if c.capacity.status == "above_max")
    assert (
        told(everything, cell) == "One server of 1 vCPU / 2 GiB holds at least 10 cpu runs at once."
    )


def test_nothing_held_is_said_as_such(everything: Findings) -> None:
    cell = next(c for c in everything.cells if c.capacity.status == "below_min")
    assert told(everything, cell).startswith(
        "One server of 1 vCPU / 2 GiB does not hold even 1 memory run."
    )


def test_a_void_answer_gives_no_number_and_no_limit(everything: Findings) -> None:
    cell = next(c for c in everything.cells if c.capacity.status == "invalid")
    assert told(everything, cell) == f"There is no valid answer for {cell.workload}."


def test_several_servers_are_told_by_what_they_differ_in(
    bracketed: Findings, io: CellFinding
) -> None:
    other = replace(io, max_workers=9, capacity=replace(io.capacity, concurrency=7))
    assert told(bracketed, io, other).startswith(
        "Runs held at once: 4 (io, 6 workers) and 7 (io, 9 workers)."
    )


def test_replicas_hold_together(bracketed: Findings, io: CellFinding) -> None:
    assert told(bracketed, replace(io, replicas=3)).startswith(
        "3 servers of 1 vCPU / 2 GiB together hold 4 io runs at once."
    )


def test_many_cells_are_counted(everything: Findings) -> None:
    assert told(everything, *everything.cells) == (
        "Of 6 cells, 2 hold from 4 (io, compose, no. 1) to at least 10 (cpu, compose) runs at "
        "once, 1 did not even hold the lowest load tried and 3 have no valid answer. First to "
        "give out: gRPC workers in 1 cell and memory in 1 cell."
    )


def test_limits_that_differ_are_told_by_cell(bracketed: Findings, io: CellFinding) -> None:
    assert io.binding is not None
    other = replace(io, workload="big", binding=replace(io.binding, limit="memory"))
    assert told(bracketed, io, other).endswith(
        "First to give out: gRPC workers (io) and memory (big)."
    )


def test_an_unclear_limit_is_not_told(bracketed: Findings, io: CellFinding) -> None:
    assert io.binding is not None
    unclear = replace(io, binding=replace(io.binding, strength="unclear"))
    assert "give out" not in told(bracketed, unclear)


def test_no_cell_is_no_answer(bracketed: Findings) -> None:
    assert told(bracketed) == "Nothing was measured, so there is no answer."


def test_labels_say_only_what_differs(io: CellFinding) -> None:
    newer = replace(io, dagster="1.14.0")
    assert cell_labels([io]) == ("io",)
    assert cell_labels([io, newer]) == ("io, Dagster 1.13.27", "io, Dagster 1.14.0")
    assert cell_labels([io, io]) == ("io, no. 1", "io, no. 2")
    assert cell_labels([]) == ()


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (None, "-"), (0.999, "more than 99 %"), (1.0, "more than 99 %"), (0.979, "97 %"),
        (0.5, "50 %"), (0.004, "less than 1 %"), (0.0, "less than 1 %"),
    ],
)  # fmt: skip
def test_certainty_is_never_claimed(probability: float | None, words: str) -> None:
    assert probability_phrase(probability) == words


def test_sizes_and_limits_in_words(io: CellFinding) -> None:
    assert size_phrase(io.profile) == "1 vCPU / 2 GiB"
    assert limit_words("launch_cpu") == "CPU for starting runs"
    assert limit_words("something_new") == "something_new"
    assert limit_words(None) == "-"
