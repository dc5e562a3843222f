"""What every report says beside the findings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_context import context_of

from harness.analysis.findings.types import Findings
from harness.errors import ExitCode
from harness.report.context import CellRecord
from harness.report.standing import (
    VERDICTS,
    command_line,
    gaps_by_cell,
    gaps_of,
    harness_phrase,
    host_phrase,
    own_traits,
    shared_traits,
)

pytestmark = pytest.mark.unit


def test_a_whole_campaign_has_no_gaps(bracketed: Findings) -> None:
    assert gaps_of(context_of(bracketed)) == ()


@pytest.mark.parametrize(
    ("record", "gap"),
    [
        (CellRecord(cell="io", ended="interrupted", sealed=True), "interrupted"),
        (CellRecord(cell="io", ended="failed: no disk", sealed=True), "failed: no disk"),
        (CellRecord(cell="io", ended="", sealed=False), "cut off, or still being measured; "
         "judged by the steps that were recorded"),
    ],
)  # fmt: skip
def test_a_cell_that_broke_off_is_a_gap(record: CellRecord, gap: str, bracketed: Findings) -> None:
    assert gaps_by_cell(context_of(bracketed, records=(record,))) == {"io": gap}


def test_what_was_planned_and_has_no_record_is_a_gap(bracketed: Findings) -> None:
    context = context_of(bracketed, planned=("io", "cpu"))
    assert gaps_of(context) == ("cpu: not measured",)


def test_every_exit_code_of_findings_has_its_words() -> None:
    assert set(VERDICTS) == {ExitCode.PASS, ExitCode.BREACH, ExitCode.INCONCLUSIVE}


def test_what_is_not_known_of_the_machine_is_left_out() -> None:
    assert host_phrase({}) == host_phrase({"host": None}) == "-"
    assert host_phrase({"host": {"cpus": 2, "cgroup": "v2", "cpu_model": None}}) == (
        "2 CPUs, cgroup v2"
    )
    assert host_phrase({"host": {"memory_bytes": 24 << 30}}) == "24.0 GiB"
    assert harness_phrase({}) == "harness -"
    assert harness_phrase({"harness": {"version": "1", "commit": "ab"}}) == "harness 1 (commit ab)"


def test_a_command_is_told_as_it_would_be_typed() -> None:
    assert command_line(["harness", "run", "a b", "--set", "x=$1"]) == (
        "harness run 'a b' --set 'x=$1'"
    )
    assert command_line(()) == ""


def test_cells_are_told_apart_by_what_they_do_not_share(bracketed: Findings) -> None:
    cell = bracketed.cells[0]
    cells = (cell, replace(cell, max_workers=20, replicas=2))
    shared = shared_traits(cells)
    assert set(shared) == {"profile", "dagster", "feed", "target"}
    names = [own_traits(each, shared) for each in cells]
    assert names == [f"io, {cell.max_workers} workers", "io, 20 workers, 2 replicas"]
    assert shared_traits(()) == {}


def test_a_server_on_another_machine_is_told_with_its_own_host() -> None:
    engine = {"place": "ssh", "name": "bench", "cpus": 16, "memory_bytes": 64 << 30}
    told = host_phrase({"host": {"cpus": 2, "cpu_model": "slow"}, "engine": engine})
    assert told == (
        "16 CPUs, engine bench, 64.0 GiB, by ssh from another machine, which generated the load"
    )
