"""What was built into the known answers, and whether the findings say so. Pure functions.

A number that is not known is never a pass: its row is not ok.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean

from harness.analysis.findings.types import CellFinding, Findings, IssueFinding
from harness.analysis.model.hold_out import WITHIN_RATIO, WITHIN_RUNS, HeldOut
from harness.analysis.workers.results import SettingResult
from harness.analysis.workers.rule import WorkerFinding

BAR = 0.10
"""How far a number may lie from what was built in, as a share of it."""

FULL_CPU = 0.9
"""Of the limit: from here on more load cannot bring more throughput."""

PAIRS = (("io-1a", "io-1b"), ("io-2a", "io-2b"), ("io-3a", "io-3b"))
WORK_UNITS = (20, 30)
TURNS = "abcd"
BALLAST_MIB = (60, 160)
SIZES = ("0.5vcpu-1gb", "1vcpu-2gb")
WORKERS = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that was built in. `deviation` = found ÷ expected − 1, `None` where it has none.

    `ok` is `None` for what is only shown, because nobody knows what it must be.
    """

    what: str
    expected: str
    found: str
    deviation: float | None = None
    bar: str = ""
    ok: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All findings of one experiment; `held` are its sizes, each foretold from the others."""

    cells: tuple[CellFinding, ...]
    issues: tuple[IssueFinding, ...] = ()
    workers: tuple[WorkerFinding, ...] = ()
    held: tuple[HeldOut, ...] = ()


Check = Callable[[Evidence], tuple[Row, ...]]


def evidence_of(findings: Iterable[Findings], *, held: Iterable[HeldOut] = ()) -> Evidence:
    """The findings of an experiment's campaigns, together and in their order."""
    every = tuple(findings)
    return Evidence(
        cells=tuple(cell for each in every for cell in each.cells),
        issues=tuple(issue for each in every for issue in each.validity),
        workers=tuple(worker for each in every for worker in each.workers),
        held=tuple(held),
    )


def passed(rows: Sequence[Row]) -> bool:
    """Whether something was judged, and all of it is as it was built in."""
    judged = [row.ok for row in rows if row.ok is not None]
    return bool(judged) and all(judged)


def same_twice(evidence: Evidence) -> tuple[Row, ...]:
    """Of each pair, both capacities lie in the other's interval."""
    return tuple(_same(evidence, *pair) for pair in PAIRS)


def more_work(evidence: Evidence) -> tuple[Row, ...]:
    """CPU seconds of the runs' own work are in proportion to their work units.

    Each side is the mean of its cells; one that is missing leaves the ratio unknown. How far the
    cells of a side lie apart is shown: it is what one cell alone could have been off by.
    """
    sides = [_own_cpus(evidence, units) for units in WORK_UNITS]
    less, more = map(_mean_of_all, sides)
    return (
        _near(
            f"run_cpu_s of {WORK_UNITS[1]} units ÷ that of {WORK_UNITS[0]}",
            expected=WORK_UNITS[1] / WORK_UNITS[0],
            found=_ratio(more, less),
        ),
        *(_apart(units, each) for units, each in zip(WORK_UNITS, sides, strict=True)),
    )


def half_cpu(evidence: Evidence) -> tuple[Row, ...]:
    """With the CPU full, throughputs are as the CPU that idling leaves to the runs."""
    small, large = (_cell(evidence, "io", profile=name) for name in SIZES)
    return (
        _near(
            f"throughput on {SIZES[0]} ÷ that on {SIZES[1]}, CPU full",
            expected=_ratio(_cores_left(small), _cores_left(large)),
            found=_ratio(full_throughput(small), full_throughput(large)),
        ),
    )


def more_memory(evidence: Evidence) -> tuple[Row, ...]:
    """A run takes as many MiB more as its ballast is larger."""
    less, more = BALLAST_MIB
    sizes = [_run_mib(_cell(evidence, f"memory-{mib}")) for mib in (less, more)]
    known = sizes[0] is not None and sizes[1] is not None
    return (
        _near(
            f"per_run_mib of {more} MiB of ballast − that of {less}",
            expected=float(more - less),
            found=(sizes[1] or 0.0) - (sizes[0] or 0.0) if known else None,
        ),
    )


def binds(limit: str) -> Check:
    """The check that this limit is what was found to bind."""
    return partial(_binds, limit)


def control_plane_binds(evidence: Evidence) -> tuple[Row, ...]:
    """What feeds the server binds, and no capacity of the server is claimed from it."""
    return *_binds("control_plane", evidence), *map(partial(_disclaimed, evidence), evidence.cells)


def sizes(evidence: Evidence) -> tuple[Row, ...]:
    """Each size left out holds what the others foretell. Without sizes a row that is not ok."""
    if not evidence.held:
        return (_missing("sizes, each foretold from the others"),)
    return tuple(_foretold(each) for each in evidence.held)


def workers(evidence: Evidence) -> tuple[Row, ...]:
    """The servers were compared; what each number of workers led to is shown."""
    finding = next((each for each in evidence.workers if each.setting == "max_workers"), None)
    if finding is None:
        return (_missing("servers that differ in workers"),)
    return (
        _alike(
            "numbers of workers compared",
            expected=", ".join(map(str, WORKERS)),
            found=", ".join(str(each.value) for each in finding.results),
        ),
        *(_shown(finding.concurrency, each) for each in finding.results),
        Row(
            what="workers: smallest that holds, largest that is safe",
            expected="",
            found=f"{_whole(finding.smallest)}, {_whole(finding.largest_safe)}",
            ok=None,
        ),
    )


def full_throughput(cell: CellFinding | None) -> float | None:
    """The highest throughput (1/s) of the valid steps in which the CPU was full, if any."""
    steps = cell.steps if cell else ()
    return max(
        (
            step.throughput_runs_per_s
            for step in steps
            if step.throughput_runs_per_s is not None
            and step.cpu_ratio is not None
            and step.cpu_ratio >= FULL_CPU
            and step.verdict != "invalid"
        ),
        default=None,
    )


def _same(evidence: Evidence, first: str, second: str) -> Row:
    what = f"capacities of {first} and {second}"
    cells = [_cell(evidence, name) for name in (first, second)]
    one, other = (cell.capacity if cell else None for cell in cells)
    if one is None or other is None or one.concurrency is None or other.concurrency is None:
        found = " and ".join(_capacity_words(cell) for cell in cells)
        return Row(what=what, expected="a number each", found=found, ok=False)
    ok = all(
        mine.low is not None
        and mine.low <= (its.concurrency or 0)
        and (mine.high is None or (its.concurrency or 0) <= mine.high)
        for mine, its in ((one, other), (other, one))
    )
    return Row(
        what=what,
        expected=_capacity_words(cells[0]),
        found=_capacity_words(cells[1]),
        deviation=other.concurrency / one.concurrency - 1 if one.concurrency else None,
        bar="in the other's interval",
        ok=ok,
    )


def _capacity_words(cell: CellFinding | None) -> str:
    if cell is None:
        return "not measured"
    capacity = cell.capacity
    if capacity.concurrency is None:
        return capacity.status
    return f"{capacity.concurrency} ({_whole(capacity.low)}..{_whole(capacity.high)})"


def _binds(limit: str, evidence: Evidence) -> tuple[Row, ...]:
    what = "the limit that binds"
    if not evidence.cells:
        return (_missing(what),)
    return tuple(
        _alike(f"{what}, {cell.workload}", expected=limit,
               found=cell.capacity.binding or f"none ({cell.capacity.status})")
        for cell in evidence.cells
    )  # fmt: skip


def _disclaimed(evidence: Evidence, cell: CellFinding) -> Row:
    said = any(each.cell == cell.id and each.code == "queue_limited" for each in evidence.issues)
    found = _capacity_words(cell) + (", queue_limited" if said else "")
    return Row(
        what="capacity of the server",
        expected="invalid, or queue_limited",
        found=found,
        ok=said or cell.capacity.status == "invalid",
    )


def _foretold(row: HeldOut) -> Row:
    why = f": {row.reason}" if row.reason else ""
    return Row(
        what=f"{row.workload} on {row.profile}, from {', '.join(row.fitted_on) or 'nothing'}",
        expected=_whole(row.measured),
        found=f"{_whole(row.predicted)} ({_whole(row.low)}..{_whole(row.high)}){why}",
        deviation=row.error_ratio,
        bar=f"{WITHIN_RUNS} run or {WITHIN_RATIO:.0%}",
        ok=row.within is True,
    )


def _shown(concurrency: int | None, result: SettingResult) -> Row:
    safe = {True: "safe", False: f"not safe, {result.why}", None: f"safety unknown, {result.why}"}
    return Row(
        what=f"max_workers {result.value}, {_whole(concurrency)} at once",
        expected="",
        found=(
            f"{result.verdict}; launches {_number(result.launch_rate_per_s)}/s, "
            f"p95 {_number(result.launch_p95_s)} s; probe p99 {_number(result.probe_p99_s)} s; "
            f"waiting {_number(result.pool_queue)}; peak {_number(result.memory_peak_mib)} MiB; "
            f"{safe[result.safe]}"
        ),
        ok=None,
    )


def _near(what: str, *, expected: float | None, found: float | None) -> Row:
    deviation = None if expected is None or found is None else found / expected - 1
    return Row(
        what=what,
        expected=_number(expected),
        found=_number(found),
        deviation=deviation,
        bar=f"{BAR:.0%}",
        ok=deviation is not None and abs(deviation) <= BAR,
    )


def _alike(what: str, *, expected: str, found: str) -> Row:
    return Row(what=what, expected=expected, found=found, bar="the same", ok=found == expected)


def _missing(what: str) -> Row:
    return Row(what=what, expected="measured", found="not measured", ok=False)


def _cell(evidence: Evidence, workload: str, *, profile: str | None = None) -> CellFinding | None:
    return next(
        (
            cell
            for cell in evidence.cells
            if cell.workload == workload and profile in (None, cell.profile.name)
        ),
        None,
    )


def _own_cpus(evidence: Evidence, units: int) -> list[float | None]:
    cells = [_cell(evidence, f"cpu-{units}{turn}") for turn in TURNS]
    return [cell.cpu.run_cpu_s if cell else None for cell in cells]


def _mean_of_all(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if len(known) == len(values) else None


def _apart(units: int, costs: Sequence[float | None]) -> Row:
    found = ", ".join(_number(each) for each in costs)
    return Row(what=f"run_cpu_s of {units} units, cell by cell", expected="", found=found, ok=None)


def _run_mib(cell: CellFinding | None) -> float | None:
    return cell.memory.per_run_mib if cell else None


def _cores_left(cell: CellFinding | None) -> float | None:
    if cell is None or cell.cpu.idle_cores is None:
        return None
    return cell.profile.vcpu - cell.cpu.idle_cores


def _ratio(upper: float | None, lower: float | None) -> float | None:
    return None if upper is None or not lower else upper / lower


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3g}"


def _whole(value: int | None) -> str:
    return "?" if value is None else str(value)
