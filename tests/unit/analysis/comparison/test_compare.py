"""Two sources in, one comparison out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factory_comparison import (
    NEW,
    OLD,
    RUNS,
    Truth,
    make_cell,
    make_findings,
    make_step,
    simulate,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.comparison.compare import Source, compare, compare_all, sources_in
from harness.analysis.comparison.types import Comparison, MetricComparison, Rules
from harness.analysis.findings.types import CellFinding, Findings
from harness.report.json_document import findings_from

pytestmark = pytest.mark.unit

Loader = Callable[[str], Findings]
MIRROR = {"better": "worse", "worse": "better", "same": "same", "cannot_tell": "cannot_tell"}
SLOW = {"launch_cpu_s": 1.3, "launch_s": 1.3, "run_rss_mib": 0.8}


@pytest.fixture(scope="module")
def stored(repo_root: Path) -> Loader:
    def load(name: str) -> Findings:
        path = repo_root / "results/baselines" / name / "findings.json"
        return findings_from(json.loads(path.read_text(encoding="utf-8")))

    return load


def compared(findings: Findings, baseline: str = OLD, contender: str = NEW) -> Comparison:
    by_name = {source.dagster: source for source in sources_in("a", findings)}
    return compare(by_name[baseline], by_name[contender])


def apart(findings: Findings, other: Findings) -> Comparison:
    """The first version of each, as two campaigns."""
    return compare(sources_in("a", findings)[0], sources_in("b", other)[0])


def metrics(comparison: Comparison) -> dict[tuple[str, str], MetricComparison]:
    return {
        (group.workload, entry.key): entry for group in comparison.groups for entry in group.metrics
    }


def test_a_campaign_of_two_versions() -> None:
    found = compared(simulate(Truth(effects={NEW: SLOW}), 1))
    assert (found.baseline.dagster, found.contender.dagster) == (OLD, NEW)
    assert (found.differences, found.unmatched, found.forced) == ((), (), False)
    assert [what for what, _, _ in found.remarks] == ["Dagster"]
    assert [group.workload for group in found.groups] == ["io", "cpu"]
    entry = metrics(found)["io", "launch_cpu_s"]
    assert entry.effect.ratio == pytest.approx(1.3, rel=0.08)
    assert (entry.effect.n, entry.effect.paired, entry.verdict) == (4, True, "worse")
    assert (entry.baseline.n, entry.noise.source, entry.noise.pairs) == (4, "campaign", 12)
    assert [value.round for value in entry.contender.values] == [1, 2, 3, 4]
    assert [value.order for value in entry.contender.values] == [1, 4, 9, 12]
    assert metrics(found)["cpu", "run_rss_mib@3"].verdict == "better"
    assert found.verdict == "worse"
    assert "launch CPU of io on 1vcpu-2gb +" in found.why


def test_the_setup_is_what_both_have_in_common() -> None:
    (group, _) = compared(simulate(Truth(), 1)).groups
    assert group.profile == "1vcpu-2gb"
    assert group.setup["workers"] == "6"
    assert group.setup["limits"] == "enforced"


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.7, 0.9, 1.0, 1.1, 1.4]))
def test_the_other_way_round_everything_is_mirrored(seed: int, ratio: float) -> None:
    effects = {NEW: {"launch_s": ratio, "throughput_runs_per_s": ratio}}
    findings = simulate(Truth(workloads=("io",), loads=(1, 3), rounds=3, effects=effects), seed)
    there, back = compared(findings), compared(findings, NEW, OLD)
    for key, entry in metrics(there).items():
        other = metrics(back)[key]
        assert entry.effect.ratio is not None
        assert other.effect.ratio == pytest.approx(1 / entry.effect.ratio)
        assert other.p_adjusted == pytest.approx(entry.p_adjusted)
        assert other.verdict == MIRROR[entry.verdict]
    assert back.groups[0].capacity.lower == pytest.approx(there.groups[0].capacity.higher)


def test_a_version_beside_itself_has_no_difference() -> None:
    (source, _) = sources_in("a", simulate(Truth(), 1))
    for entry in metrics(compare(source, source)).values():
        assert entry.effect.ratio == pytest.approx(1.0)
        assert entry.verdict in ("same", "cannot_tell")


def test_noise_comes_from_all_versions_of_the_campaign() -> None:
    two, four = (
        metrics(compared(simulate(Truth(versions=versions, workloads=("io",)), 3)))
        for versions in ((OLD, NEW), ("1.8.0", OLD, "1.13.0", NEW))
    )
    assert two["io", "launch_cpu_s"].noise.free == 3
    assert four["io", "launch_cpu_s"].noise.free == 9
    assert (two["io", "launch_s@3"].noise.free, four["io", "launch_s@3"].noise.free) == (6, 18)


def test_labels_of_one_release_are_equal_cells() -> None:
    truth = Truth(versions=(NEW, "again"), workloads=("io",), builds={"again": NEW})
    entry = metrics(compared(simulate(truth, 1), NEW, "again"))["io", "base_mib"]
    assert (entry.noise.free, entry.noise.pairs) == (4, 28)


def test_a_capacity_that_fell_is_worse_whatever_the_metrics_say() -> None:
    found = compared(simulate(Truth(loads=(1, 3, 4, 5, 6), holds={OLD: 5.5, NEW: 3.5}), 1))
    assert [group.capacity.verdict for group in found.groups] == ["worse", "worse"]
    assert found.verdict == "worse"
    assert found.why.startswith("worse: capacity of io on 1vcpu-2gb 5 to 3 runs")


def test_better_is_said_where_nothing_is_worse() -> None:
    found = compared(simulate(Truth(effects={NEW: {"launch_cpu_s": 0.7}}), 1))
    assert found.verdict == "better"


def test_steady_versions_are_the_same() -> None:
    found = compared(simulate(Truth(noise=0.005), 1))
    assert found.verdict == "same"
    assert "metrics that count are the same" in found.why


def test_few_runs_cannot_show_a_throughput_within_5_percent() -> None:
    """Ten runs in a hold: one more or less is 10 %, however equal the cells are."""
    found = compared(simulate(Truth(noise=0.005, hold_s=24.0), 1))
    assert metrics(found)["io", "launch_cpu_s"].verdict == "same"
    throughput = metrics(found)["io", "throughput_runs_per_s@3"]
    assert throughput.noise.cell_sd == pytest.approx(0.1 / 12**0.5, rel=0.1)
    assert (throughput.verdict, found.verdict) == ("cannot_tell", "cannot_tell")


def test_noisy_versions_cannot_be_told_apart() -> None:
    found = compared(simulate(Truth(noise=0.1), 1))
    assert found.verdict == "cannot_tell"
    assert found.why.startswith("cannot tell of ")


def test_cells_and_rounds_may_be_missing() -> None:
    findings = simulate(Truth(effects={NEW: SLOW}), 1)
    left = [cell for n, cell in enumerate(findings.cells) if n not in (1, 4)]
    entry = metrics(compared(replace(findings, cells=tuple(left))))["io", "launch_cpu_s"]
    assert (entry.effect.n, entry.baseline.n, entry.contender.n) == (2, 2, 2)
    assert entry.effect.ratio == pytest.approx(1.3, rel=0.08)


def test_a_figure_an_old_version_lacks_is_undefined_and_never_0() -> None:
    old = [make_cell(OLD, [make_step(1, import_s=None)], repetition=n) for n in (1, 2)]
    new = [make_cell(NEW, [make_step(1)], repetition=n) for n in (1, 2)]
    found = metrics(compared(make_findings([*old, *new])))
    entry = found["io", "import_s@1"]
    assert (entry.baseline.middle, entry.effect.ratio) == (None, None)
    assert (entry.p, entry.verdict) == (None, "cannot_tell")
    assert entry.why == entry.effect.why
    assert entry.why.startswith("undefined: the baseline is not known: the event log")
    assert ("io", "queue_s@1") not in found


def test_a_baseline_of_0_is_undefined() -> None:
    old, new = (
        make_cell(OLD, [make_step(1, throughput_runs_per_s=0.0)]),
        make_cell(NEW, [make_step(1)]),
    )
    found = metrics(compared(make_findings([old, new])))
    assert found["io", "throughput_runs_per_s@1"].why == "undefined: the baseline is 0"
    back = metrics(compared(make_findings([old, new]), NEW, OLD))
    assert back["io", "throughput_runs_per_s@1"].effect.ratio == 0.0
    assert back["io", "throughput_runs_per_s@1"].verdict == "cannot_tell"


def test_loads_both_sides_went_to_are_compared() -> None:
    old = [make_cell(OLD, [make_step(n) for n in (1, 3, 5)], repetition=r) for r in (1, 2)]
    new = [
        make_cell(NEW, [make_step(n) for n in loads], repetition=r)
        for r, loads in ((1, (1, 3, 5)), (2, (1, 3, 6)), (3, (1, 3, 7)))
    ]
    found = metrics(compared(make_findings([*old, *new])))
    assert {key for workload, key in found if key.startswith("launch_s")} == {
        "launch_s@1", "launch_s@3",
    }  # fmt: skip


def in_rounds(version: str, *cells: dict[int, dict[str, Any]], **truth: Any) -> list[CellFinding]:
    """A cell a round, with what differs from the usual by load."""
    return [
        make_cell(version, [make_step(n, **figures) for n, figures in loads.items()],
                  repetition=number, **truth)
        for number, loads in enumerate(cells, start=1)
    ]  # fmt: skip


def test_a_load_a_cell_did_not_go_to_is_said() -> None:
    old = in_rounds(OLD, *[{1: {}, 3: {}}] * 3)
    new = in_rounds(NEW, {1: {}, 3: {}}, {1: {}}, {1: {}, 3: {}})
    entry = metrics(compared(make_findings([*old, *new])))["io", "launch_s@3"]
    assert entry.contender.values[1].why == "3 runs at once were not tried"
    assert (entry.effect.n, entry.contender.n) == (2, 2)


def test_a_load_with_hardly_a_common_round_is_left_out() -> None:
    """Rounds 1 and 2 here, 2 and 3 there: one pair, which nothing can decide."""
    old = in_rounds(OLD, {1: {}, 4: {}}, {1: {}, 4: {}}, {1: {}}, {1: {}})
    new = in_rounds(NEW, {1: {}}, {1: {}, 4: {}}, {1: {}, 4: {}}, {1: {}})
    assert ("io", "launch_s@4") not in metrics(compared(make_findings([*old, *new])))


def test_the_values_told_are_those_the_difference_is_made_of() -> None:
    """Else 1.41 → 1.1 would be told as +10 %."""
    old = in_rounds(OLD, *({3: {"launch_s": each}} for each in (1.0, 1.0, 2.0, 2.0)))
    new = in_rounds(NEW, {3: {"launch_s": 1.1}}, {3: {"launch_s": 1.1}}, {1: {}}, {1: {}})
    entry = metrics(compared(make_findings([*old, *new])))["io", "launch_s@3"]
    assert (entry.baseline.middle, entry.contender.middle) == pytest.approx((1.0, 1.1))
    assert entry.effect.ratio == pytest.approx(1.1)
    assert (entry.baseline.n, len(entry.baseline.values)) == (2, 4)


LOST: dict[str, Any] = {"launch_s": None, "runs": RUNS}


def test_runs_that_never_get_there_are_worse_than_any_figure() -> None:
    old, new = in_rounds(OLD, *[{8: {}}] * 4), in_rounds(NEW, *[{8: LOST}] * 4)
    entry = metrics(compared(make_findings([*old, *new])))["io", "launch_s@8"]
    assert (entry.verdict, entry.effect.ratio) == ("worse", None)
    assert "0 of 4 cells of the baseline, 4 of 4 of the contender" in entry.why
    back = metrics(compared(make_findings([*old, *new]), NEW, OLD))["io", "launch_s@8"]
    assert back.verdict == "better"


def test_a_collapse_in_some_rounds_is_never_called_better() -> None:
    fast = {8: {"launch_s": 0.7}}
    old, new = in_rounds(OLD, *[{8: {}}] * 4), in_rounds(NEW, {8: LOST}, {8: LOST}, fast, fast)
    entry = metrics(compared(make_findings([*old, *new])))["io", "launch_s@8"]
    assert entry.verdict == "cannot_tell"
    assert "2 of 4 of the contender" in entry.why


def test_a_throughput_that_stopped_is_worse_and_one_zero_is_told_as_such() -> None:
    def at_8(*rates: float) -> list[dict[int, dict[str, Any]]]:
        return [{8: {"throughput_runs_per_s": rate}} for rate in rates]

    old = in_rounds(OLD, *at_8(1, 1, 1, 1))
    stopped = compared(make_findings([*old, *in_rounds(NEW, *at_8(0, 0, 0, 0))]))
    entry = metrics(stopped)["io", "throughput_runs_per_s@8"]
    assert (entry.verdict, stopped.verdict) == ("worse", "worse")
    once = compared(make_findings([*old, *in_rounds(NEW, *at_8(1, 1, 1, 0))]))
    entry = metrics(once)["io", "throughput_runs_per_s@8"]
    assert (entry.verdict, entry.effect.ratio, entry.contender.middle) == (
        "cannot_tell",
        None,
        None,
    )
    assert entry.why == "undefined: the contender is 0 in 1 of 4 cells"


def test_a_kind_one_version_lacks_leaves_nothing_the_same() -> None:
    whole = simulate(Truth(noise=0.001, loads=(1,)), 1)
    assert compared(whole).verdict == "same"
    cells = tuple(c for c in whole.cells if (c.dagster, c.workload) != (NEW, "cpu"))
    found = compared(replace(whole, cells=cells))
    assert found.verdict == "cannot_tell"
    assert found.why.startswith("not measured on both sides: cpu")


def test_kinds_are_told_apart_by_what_differs() -> None:
    def cells(version: str) -> list[CellFinding]:
        return [
            make_cell(version, [make_step(1)], repetition=1, max_workers=workers, workload=name)
            for name, workers in (("io", 6), ("io", 12), ("cpu", 6))
        ]

    found = compared(make_findings([*cells(OLD), *cells(NEW)]))
    assert [group.name for group in found.groups] == [
        "io on 1vcpu-2gb, workers 6", "io on 1vcpu-2gb, workers 12", "cpu on 1vcpu-2gb",
    ]  # fmt: skip


def test_noise_of_a_busy_load_is_not_that_of_a_calm_one() -> None:
    """RSS of a run alone on a server is known to 0.1 %; among three it is not."""
    rng = np.random.default_rng(3)

    def rounds(version: str, shift: float) -> list[CellFinding]:
        return in_rounds(
            version,
            *(
                {1: {"run_rss_mib": 100 * shift * math.exp(0.001 * rng.standard_normal())},
                 3: {"run_rss_mib": 100 * math.exp(0.05 * rng.standard_normal())}}
                for _ in range(4)
            ),
        )  # fmt: skip

    found = metrics(compared(make_findings([*rounds(OLD, 1.0), *rounds(NEW, 0.94)])))
    assert found["io", "run_rss_mib@1"].verdict == "better"
    assert found["io", "run_rss_mib@3"].verdict == "cannot_tell"


def test_two_campaigns_are_not_paired() -> None:
    one, other = (
        simulate(Truth(versions=(version,), effects={NEW: SLOW}), seed)
        for seed, version in ((1, OLD), (2, NEW))
    )
    found = apart(one, other)
    entry = metrics(found)["io", "launch_cpu_s"]
    assert (entry.effect.paired, entry.effect.n, entry.noise.free) == (False, 4, 12)
    assert entry.verdict == "worse"
    assert "different times" in entry.why
    assert ("campaign", "a", "b") in found.remarks


def test_single_campaigns_have_a_ratio_and_no_verdict(stored: Loader) -> None:
    found = apart(stored("quick-compose"), stored("quick-compose"))
    assert (found.differences, found.verdict) == ((), "cannot_tell")
    entry = metrics(found)["cpu", "launch_cpu_s"]
    assert (entry.effect.ratio, entry.effect.low, entry.noise.source) == (1.0, None, "none")


def test_containers_beside_processes_are_forced(stored: Loader) -> None:
    found = apart(stored("quick-compose"), stored("quick-process"))
    assert found.forced
    assert found.differences == (("target", "compose", "process"),)
    assert [group.workload for group in found.groups] == ["io", "cpu", "mixed"]
    assert "target" not in found.groups[0].setup
    entry = metrics(found)["io", "launch_cpu_s"]
    assert entry.effect.ratio == pytest.approx(1.105, abs=0.001)


def test_without_a_common_kind_nothing_is_said() -> None:
    one = make_findings([make_cell(OLD, workload="io")])
    other = make_findings([make_cell(NEW, workload="cpu")])
    found = apart(one, other)
    assert (found.groups, found.verdict) == ((), "cannot_tell")
    assert found.why == "no kind of cell is on both sides"
    assert len(found.unmatched) == 2


def test_every_version_beside_one_baseline() -> None:
    rules = Rules(alpha=0.01)
    findings = simulate(Truth(versions=("1.8.0", OLD, NEW), workloads=("io",), rounds=2), 1)
    baseline, *others = sources_in("a", findings)
    document = compare_all(baseline, others, rules=rules)
    assert (document.baseline.dagster, document.method, document.schema) == ("1.8.0", 2, 1)
    assert [each.contender.dagster for each in document.comparisons] == [OLD, NEW]
    assert [each.baseline for each in document.comparisons] == [document.baseline] * 2
    assert document.rules == rules
    assert document.comparisons[1] == compare(baseline, others[1], rules=rules)


def test_campaigns_are_found_different_by_content_not_by_name() -> None:
    one, other = simulate(Truth(versions=(OLD,)), 1), simulate(Truth(versions=(NEW,)), 2)
    sources = [
        Source(label=f.cells[0].dagster, folder="x", dagster=f.cells[0].dagster, findings=f)
        for f in (one, other)
    ]
    entry = metrics(compare(*sources))["io", "launch_cpu_s"]
    assert not entry.effect.paired
