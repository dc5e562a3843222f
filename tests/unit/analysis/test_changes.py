"""What is compared with what, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.capacity import Capacity
from harness.analysis.changes import Change, History, Shift
from harness.analysis.findings.types import CellFinding, Findings
from harness.report.json_document import findings_from

pytestmark = pytest.mark.unit

IO = 0


@pytest.fixture(scope="module")
def quick(repo_root: Path) -> Findings:
    """Three cells: io, cpu and mixed; io holds 4 (4 to 5)."""
    path = repo_root / "results/baselines/quick-compose/findings.json"
    return findings_from(json.loads(path.read_text(encoding="utf-8")))


def with_cell(findings: Findings, cell: CellFinding) -> Findings:
    return replace(findings, cells=(cell,))


def with_capacity(findings: Findings, **changes: Any) -> Findings:
    cell = findings.cells[IO]
    return with_cell(findings, replace(cell, capacity=replace(cell.capacity, **changes)))


def with_workload(findings: Findings, **changes: Any) -> Findings:
    """The same campaign, its io workload defined otherwise."""
    campaign = dict(findings.campaign)
    campaign["workloads"] = [
        {**each, **changes} if each["name"] == "io" else each for each in campaign["workloads"]
    ]
    return replace(findings, campaign=campaign)


def last_change(*campaigns: Findings) -> Change:
    """The change of the first cell of the last of these campaigns, called a, b, c …"""
    history = History()
    told = [history.changes(chr(ord("a") + n), each) for n, each in enumerate(campaigns)]
    return told[-1][0]


def moved(change: Change) -> Shift:
    assert change.capacity is not None
    return change.capacity


def test_what_nothing_older_is_like_is_the_first_of_its_kind(quick: Findings) -> None:
    assert [each.relation for each in History().changes("a", quick)] == ["first"] * 3
    cpu, io = with_cell(quick, quick.cells[1]), with_cell(quick, quick.cells[IO])
    assert last_change(cpu, io).relation == "first"


def test_equal_campaigns_show_no_change(quick: Findings) -> None:
    change = last_change(quick, quick)
    assert (change.relation, change.against) == ("compared", "a")
    assert (moved(change).before, moved(change).now, moved(change).place) == (4, 4, "inside")
    assert [figure.ratio for figure in change.figures] == [1.0, 1.0]
    assert change.remarks == ()


@pytest.mark.parametrize(
    ("now", "interval", "place"),
    [(5, (4, 6), "inside"), (5, (5, 6), "between"), (8, (7, 9), "outside"),
     (8, (4, 9), "between"), (2, (1, 3), "outside")],
)  # fmt: skip
def test_a_capacity_is_placed_by_both_intervals(
    quick: Findings, now: int, interval: tuple[int, int], place: str
) -> None:
    later = with_capacity(quick, concurrency=now, low=interval[0], high=interval[1])
    shift = moved(last_change(quick, later))
    assert (shift.before, shift.now, shift.place) == (4, now, place)
    assert shift.ratio == now / 4


def test_a_capacity_nothing_bounds_is_open_above(quick: Findings) -> None:
    earlier = with_capacity(quick, concurrency=4, low=4, high=None, status="above_max")
    later = with_capacity(quick, concurrency=30, low=4, high=31)
    assert moved(last_change(earlier, later)).place == "inside"


def test_without_a_capacity_on_one_side_nothing_is_placed(quick: Findings) -> None:
    none = with_capacity(quick, concurrency=None, low=None, high=None, status="invalid")
    shift = moved(last_change(quick, none))
    assert (shift.before, shift.now, shift.ratio, shift.place) == (4, None, None, None)
    assert moved(last_change(none, quick)).before is None


def test_a_server_that_holds_nothing_has_a_capacity_of_zero(quick: Findings) -> None:
    nothing = with_capacity(quick, concurrency=0, low=0, high=0, status="below_min")
    down = moved(last_change(quick, nothing))
    assert (down.now, down.ratio, down.place) == (0, 0.0, "outside")
    assert moved(last_change(nothing, quick)).ratio is None


def test_costs_of_a_run_are_compared_with_their_intervals(quick: Findings) -> None:
    cell = quick.cells[IO]
    assert cell.cpu.launch_cpu_s is not None
    dearer = replace(cell.cpu, launch_cpu_s=2 * cell.cpu.launch_cpu_s, launch_cpu_s_ci=(5.0, 5.5))
    unknown = replace(cell.memory, per_run_mib=None, per_run_mib_ci=None)
    later = with_cell(quick, replace(cell, cpu=dearer, memory=unknown))
    launch, memory = last_change(quick, later).figures
    assert (launch.unit, launch.ratio, launch.place) == ("CPU-s", 2.0, "outside")
    assert (memory.now, memory.ratio, memory.place) == (None, None, None)
    assert memory.before == pytest.approx(66.2, abs=0.1)


def test_an_interval_that_is_missing_leaves_the_place_unknown(quick: Findings) -> None:
    cell = quick.cells[IO]
    bare = replace(cell.cpu, launch_cpu_s_ci=None)
    launch, _ = last_change(quick, with_cell(quick, replace(cell, cpu=bare))).figures
    assert (launch.ratio, launch.place) == (1.0, None)


def test_another_dagster_version_is_compared_and_named(quick: Findings) -> None:
    newer = with_cell(quick, replace(quick.cells[IO], dagster="1.14.0"))
    change = last_change(quick, newer)
    assert change.relation == "compared"
    assert change.remarks == (("Dagster", "1.13.27", "1.14.0"),)


def test_of_two_versions_the_same_one_is_compared_with(quick: Findings) -> None:
    old, new = (replace(quick.cells[IO], dagster=each, id=each) for each in ("1.9.0", "1.14.0"))
    both = replace(quick, cells=(old, new))
    assert last_change(both, with_cell(quick, old)).remarks == ()
    assert last_change(both, with_cell(quick, new)).remarks == ()
    third = with_cell(quick, replace(old, dagster="1.15.0"))
    assert last_change(both, third).remarks == (("Dagster", "1.14.0", "1.15.0"),)


def test_another_certainty_is_named(quick: Findings) -> None:
    change = last_change(quick, with_capacity(quick, confidence=0.95))
    assert change.relation == "compared"
    assert change.remarks == (("certainty", "80%", "95%"),)


def test_the_newest_older_campaign_of_the_kind_is_the_one_before(quick: Findings) -> None:
    io, cpu = (with_cell(quick, quick.cells[n]) for n in (0, 1))
    assert last_change(io, io, cpu, io).against == "b"


def test_another_method_is_not_compared(quick: Findings) -> None:
    change = last_change(quick, replace(quick, method=3))
    assert (change.relation, change.against) == ("not_comparable", "a")
    assert change.differences == (("method", "2", "3"),)
    assert (change.capacity, change.answers, change.figures) == (None, None, ())


def test_another_host_is_named(quick: Findings) -> None:
    host = {**quick.environment["host"], "cpus": 8, "load1": 3.0}
    elsewhere = replace(quick, environment={**quick.environment, "host": host})
    ((what, before, now),) = last_change(quick, elsewhere).differences
    assert (what, before[:7], now[:7]) == ("host", "2 CPUs,", "8 CPUs,")
    nowhere = replace(quick, environment={})
    assert last_change(quick, nowhere).differences[0][2] == "unknown"


def test_other_objectives_are_not_compared(quick: Findings) -> None:
    campaign = {**quick.campaign, "slos": {**quick.campaign["slos"], "launch_s_p95": 20.0}}
    change = last_change(quick, replace(quick, campaign=campaign))
    assert change.differences == (("launch_s_p95", "10", "20"),)
    campaign["slos"]["launch_s_p95"] = None
    off = last_change(quick, replace(quick, campaign=campaign))
    assert off.differences == (("launch_s_p95", "10", "-"),)


def test_unenforced_limits_are_not_compared(quick: Findings) -> None:
    loose = with_cell(quick, replace(quick.cells[IO], limits_enforced=False))
    assert last_change(quick, loose).differences == (("limits", "enforced", "unenforced"),)


def test_a_relative_of_another_kind_is_named_and_not_compared(quick: Findings) -> None:
    cell = quick.cells[IO]
    other = with_cell(quick, replace(cell, target="process", max_workers=20))
    change = last_change(quick, other)
    assert change.relation == "not_comparable"
    assert change.differences == (("target", "compose", "process"), ("workers", "6", "20"))


@pytest.mark.parametrize(
    ("params", "difference"),
    [({"requests": 8, "wait_s": 2.5, "parallel": 1}, ("params.wait_s", "1", "2.5")),
     ({"requests": 8, "wait_s": 1.0}, ("params.parallel", "1", "-"))],
)  # fmt: skip
def test_other_parameters_of_the_runs_make_another_kind(
    quick: Findings, params: dict[str, float], difference: tuple[str, str, str]
) -> None:
    assert last_change(quick, with_workload(quick, params=params)).differences == (difference,)


def test_how_a_number_is_written_and_which_loads_were_tried_make_no_other_kind(
    quick: Findings,
) -> None:
    same = with_workload(
        quick, params={"parallel": 1.0, "requests": 8, "wait_s": 1}, concurrencies=[1, 2]
    )
    assert last_change(quick, same).relation == "compared"


def test_both_answers_are_kept_for_those_who_put_them_in_words(quick: Findings) -> None:
    change = last_change(quick, with_capacity(quick, concurrency=5))
    assert change.answers is not None
    assert [type(each) for each in change.answers] == [Capacity, Capacity]
    assert [each.concurrency for each in change.answers] == [4, 5]
