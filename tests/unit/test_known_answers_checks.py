"""The checks of the known answers: each can pass and fail."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.analysis.capacity import Capacity
from harness.analysis.findings.types import CellFinding, Findings, IssueFinding, StepFinding
from harness.analysis.model.hold_out import HeldOut
from harness.analysis.workers.results import SettingResult
from harness.analysis.workers.rule import WorkerFinding
from harness.scenarios import threshold

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "results/baselines/quick-process"


def script(name: str) -> ModuleType:
    """As Python finds it when the script itself is run: beside its neighbours."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


known = script("known_answers")
checks = script("known_answers_checks")


@pytest.fixture(scope="module")
def judged() -> Findings:
    return threshold.judge(BASELINE, write=False)


@pytest.fixture
def base(judged: Findings) -> CellFinding:
    """A cell that was really judged, to be changed where it matters."""
    return judged.cells[0]


def capacity(concurrency: int | None, low: int | None, high: int | None, **more: Any) -> Capacity:
    fields = {"first_failing": None, "status": "bracketed", **more}
    return Capacity(concurrency=concurrency, low=low, high=high, **fields)


def test_nothing_judged_is_no_pass() -> None:
    row = checks.Row(what="x", expected="", found="", ok=None)
    assert not checks.passed([])
    assert not checks.passed([row])
    assert checks.passed([row, replace(row, ok=True)])
    assert not checks.passed([replace(row, ok=True), replace(row, ok=False)])


@pytest.mark.parametrize("name", list(known.EXPERIMENTS))
def test_without_any_finding_no_experiment_passes(name: str) -> None:
    assert not checks.passed(known.EXPERIMENTS[name].check(checks.Evidence(cells=())))


def pair_rows(base: CellFinding, one: Capacity, other: Capacity) -> Any:
    alike = {name: capacity(5, 4, 6) for pair in checks.PAIRS for name in pair}
    alike |= {"io-2a": one, "io-2b": other}
    cells = tuple(replace(base, workload=name, capacity=c) for name, c in alike.items())
    return checks.same_twice(checks.Evidence(cells=cells))


@pytest.mark.parametrize(
    ("one", "other", "ok"),
    [
        (capacity(5, 4, 6), capacity(6, 5, 7), True),
        (capacity(5, 4, 6), capacity(4, 4, 5), True),
        (capacity(5, 4, 5), capacity(6, 5, 7), False),
        (capacity(5, 4, 6), capacity(6, 6, 7), False),
        (capacity(4, 4, 4), capacity(3, 3, 4), False),
        (capacity(9, 7, None), capacity(12, 9, None), True),
        (capacity(0, 0, 1), capacity(1, 0, 1), True),
        (capacity(None, None, None, status="invalid"), capacity(5, 4, 6), False),
    ],
)
def test_each_capacity_of_a_pair_must_lie_in_the_other_s_interval(
    base: CellFinding, one: Capacity, other: Capacity, ok: bool
) -> None:
    for first, second in ((one, other), (other, one)):
        rows = pair_rows(base, first, second)
        assert [row.ok for row in rows] == [True, ok, True]


def test_the_rows_of_a_pair_quote_both_intervals(base: CellFinding) -> None:
    row = pair_rows(base, capacity(4, 4, 6), capacity(5, 4, 6))[1]
    assert (row.expected, row.found) == ("4 (4..6)", "5 (4..6)")
    assert row.deviation == pytest.approx(0.25)


def own_cpu(base: CellFinding, less: float | None, more: float | None) -> Any:
    """The judged row where every cell but one of either side is as the parameters say."""
    costs = {f"cpu-{units}{turn}": 0.1 * units for units in (20, 30) for turn in "abcd"}
    costs |= {"cpu-20b": less, "cpu-30c": more}
    cells = tuple(
        replace(base, workload=name, cpu=replace(base.cpu, run_cpu_s=cost))
        for name, cost in costs.items()
    )
    judged, *shown = checks.more_work(checks.Evidence(cells=cells))
    assert [row.ok for row in shown] == [None, None]
    return judged


@pytest.mark.parametrize(
    ("less", "more", "ok"),
    [
        (2.0, 3.0, True), (2.0, 4.19, True), (2.0, 1.81, True), (2.0, 4.21, False),
        (2.0, 1.79, False), (3.2, 2.8, False), (None, 3.0, False), (2.0, None, False),
    ],
)  # fmt: skip
def test_half_as_much_work_again_costs_half_as_much_again(
    base: CellFinding, less: float | None, more: float | None, ok: bool
) -> None:
    assert own_cpu(base, less, more).ok is ok


def test_what_each_cell_of_a_side_found_is_shown(base: CellFinding) -> None:
    cell = replace(base, workload="cpu-20a", cpu=replace(base.cpu, run_cpu_s=2.0))
    judged, less, more = checks.more_work(checks.Evidence(cells=(cell,)))
    assert (less.found, more.found) == ("2, ?, ?, ?", "?, ?, ?, ?")
    assert not judged.ok


def test_a_deviation_is_found_over_expected_less_one(base: CellFinding) -> None:
    row = own_cpu(base, 2.0, 4.2)
    assert row.deviation == pytest.approx(0.1)
    assert (row.expected, row.found, row.bar) == ("1.5", "1.65", "10%")


def full(base: CellFinding, *steps: tuple[float | None, float | None, str]) -> CellFinding:
    """(throughput, CPU ratio, verdict) of each step."""
    model = base.steps[0]

    def step(throughput: float | None, cpu_ratio: float | None, verdict: Any) -> StepFinding:
        return replace(
            model, throughput_runs_per_s=throughput, cpu_ratio=cpu_ratio, verdict=verdict
        )

    return replace(base, steps=tuple(step(*each) for each in steps))


def test_throughput_is_the_highest_of_the_valid_steps_with_a_full_cpu(base: CellFinding) -> None:
    cell = full(
        base, (0.9, 0.89, "pass"), (0.4, 1.0, "fail"), (0.5, 0.9, "pass"), (0.8, 1.0, "invalid"),
        (None, 1.0, "fail"), (0.7, None, "fail"),
    )  # fmt: skip
    assert checks.full_throughput(cell) == 0.5
    assert checks.full_throughput(full(base, (0.9, 0.5, "pass"))) is None
    assert checks.full_throughput(None) is None


def halved(base: CellFinding, small: float, *, idle: float | None = 0.04) -> Any:
    cpu = replace(base.cpu, idle_cores=idle)
    cells = tuple(
        replace(
            full(base, (throughput, 1.0, "fail")),
            workload="io", cpu=cpu, profile=replace(base.profile, name=name, vcpu=vcpu),
        )
        for name, vcpu, throughput in (("0.5vcpu-1gb", 0.5, small), ("1vcpu-2gb", 1.0, 0.48))
    )  # fmt: skip
    (row,) = checks.half_cpu(checks.Evidence(cells=cells))
    return row


def test_throughput_is_as_the_cpu_that_idling_leaves(base: CellFinding) -> None:
    right = 0.48 * 0.46 / 0.96
    assert halved(base, right).deviation == pytest.approx(0)
    assert halved(base, right * 1.09).ok
    assert not halved(base, right * 1.11).ok
    assert not halved(base, right * 0.89).ok
    assert not halved(base, right, idle=None).ok


def test_of_halved_cpu_both_sizes_must_be_measured(base: CellFinding) -> None:
    (row,) = checks.half_cpu(checks.Evidence(cells=(replace(base, workload="io"),)))
    assert (row.ok, row.found) == (False, "?")


@pytest.mark.parametrize(
    ("less", "more", "ok"),
    [
        (130.0, 230.0, True), (130.0, 239.0, True), (130.0, 241.0, False), (130.0, 219.0, False),
        (None, 100.0, False), (130.0, None, False),
    ],
)  # fmt: skip
def test_a_larger_ballast_shows_as_so_much_more_memory_a_run(
    base: CellFinding, less: float | None, more: float | None, ok: bool
) -> None:
    cells = tuple(
        replace(base, workload=name, memory=replace(base.memory, per_run_mib=mib))
        for name, mib in (("memory-60", less), ("memory-160", more))
    )
    (row,) = checks.more_memory(checks.Evidence(cells=cells))
    assert row.ok is ok
    assert row.expected == "100"


BINDING = {
    "binds-launch-cpu": "launch_cpu",
    "binds-run-cpu": "run_cpu",
    "binds-memory": "memory",
    "binds-worker-pool": "worker_pool",
    "binds-control-plane": "control_plane",
}


@pytest.mark.parametrize(("name", "limit"), BINDING.items())
def test_the_limit_that_was_built_in_must_be_the_one_named(
    base: CellFinding, name: str, limit: str
) -> None:
    for named in (*BINDING.values(), None):
        held = capacity(None, 3, None, status="invalid", binding=named)
        rows = known.EXPERIMENTS[name].check(checks.Evidence(cells=(replace(base, capacity=held),)))
        assert checks.passed(rows) is (named == limit)


def test_no_limit_named_says_what_the_capacity_is(base: CellFinding) -> None:
    held = capacity(8, 8, None, status="above_max")
    (row,) = checks.binds("memory")(checks.Evidence(cells=(replace(base, capacity=held),)))
    assert row.found == "none (above_max)"


def test_behind_the_queue_no_capacity_may_be_claimed_without_a_doubt(base: CellFinding) -> None:
    claimed = replace(base, capacity=capacity(2, 2, 5, binding="control_plane"))
    doubt = IssueFinding(
        cell=base.id, step=3, concurrency=6, code="queue_limited", severity="warning",
        evidence="", remedy="",
    )  # fmt: skip
    others = (replace(doubt, cell="another"), replace(doubt, code="host_steal"))
    for issues, ok in (((), False), (others, False), ((doubt,), True)):
        evidence = checks.Evidence(cells=(claimed,), issues=issues)
        assert checks.passed(checks.control_plane_binds(evidence)) is ok


def held(within: bool | None, **changes: Any) -> HeldOut:
    fields: dict[str, Any] = {
        "cell": "c", "profile": "1vcpu-2gb", "workload": "io", "fitted_on": ("0.5vcpu-1gb",),
        "predicted": 6, "low": 5, "high": 7, "measured": 5, "measured_high": 6, "error_runs": 1,
        "error_ratio": 0.2, "within": within, **changes,
    }  # fmt: skip
    return HeldOut(**fields)


@pytest.mark.parametrize(("within", "ok"), [(True, True), (False, False), (None, False)])
def test_each_size_must_be_foretold_and_no_verdict_is_no_pass(
    within: bool | None, ok: bool
) -> None:
    rows = checks.sizes(checks.Evidence(cells=(), held=(held(True), held(within))))
    assert [row.ok for row in rows] == [True, ok]
    assert (rows[0].expected, rows[0].found, rows[0].deviation) == ("5", "6 (5..7)", 0.2)


def test_a_size_without_a_verdict_says_why() -> None:
    unknown = held(None, measured=None, reason="measured capacity is above_max")
    (row,) = checks.sizes(checks.Evidence(cells=(), held=(unknown,)))
    assert "measured capacity is above_max" in row.found
    assert row.expected == "?"


def compared(*values: int, setting: Any = "max_workers") -> WorkerFinding:
    results = tuple(
        SettingResult(
            value=value, verdict="pass", broken=(), repetitions=1, launch_rate_per_s=0.456,
            launch_hold_s=2.0, launch_p95_s=22.0, probe_p99_s=None, pool_busy=1.0, pool_queue=3.0,
            memory_peak_mib=900.0, memory_peak_ratio=0.44, storm_mib=800.0, oom_kills=0, deaths=0,
            start_deadlines=0, safe=True, why="",
        )
        for value in values
    )  # fmt: skip
    return WorkerFinding(
        setting=setting, cells=(), profile="1vcpu-2gb", workload="io", dagster="1.13.27",
        concurrency=12, results=results, smallest=2, largest_safe=None, fit=None, evidence=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "ok"),
    [
        (compared(1, 2, 4, 8, 16), True),
        (compared(1, 2, 4), False),
        (compared(), False),
        (compared(1, 2, 4, 8, 16, setting="steps_at_once"), False),
    ],
)
def test_all_numbers_of_workers_must_be_compared(finding: WorkerFinding, ok: bool) -> None:
    rows = checks.workers(checks.Evidence(cells=(), workers=(finding,)))
    assert checks.passed(rows) is ok


def test_what_each_number_of_workers_led_to_is_shown_and_not_judged() -> None:
    rows = checks.workers(checks.Evidence(cells=(), workers=(compared(1, 16),)))
    assert [row.ok for row in rows] == [False, None, None, None]
    assert rows[1].what == "max_workers 1, 12 at once"
    assert "launches 0.456/s, p95 22 s; probe p99 ? s" in rows[1].found
    assert rows[3].found == "2, ?"


def test_the_findings_of_all_campaigns_of_an_experiment_count(judged: Findings) -> None:
    evidence = checks.evidence_of([judged, judged], held=[held(True)])
    assert len(evidence.cells) == 2 * len(judged.cells)
    assert len(evidence.issues) == 2 * len(judged.validity)
    assert len(evidence.held) == 1
