"""What forbids comparing, what is only remarked, and which kinds of cells belong together."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from factory_comparison import NEW, OLD, make_cell, make_findings, make_step

from harness.analysis.comparison.environment import differences
from harness.analysis.comparison.groups import matching
from harness.analysis.comparison.sources import Source, same_campaign, sources_in
from harness.analysis.findings.types import Findings
from harness.report.json_document import findings_from

pytestmark = pytest.mark.unit

Loader = Callable[[str], Findings]


@pytest.fixture(scope="module")
def stored(repo_root: Path) -> Loader:
    def load(name: str) -> Findings:
        path = repo_root / "results/baselines" / name / "findings.json"
        return findings_from(json.loads(path.read_text(encoding="utf-8")))

    return load


def findings(**changes: Any) -> Findings:
    """One io cell, with a step; `changes` of the cell."""
    return make_findings([make_cell(steps=[make_step(1)], **changes)])


def source(found: Findings, folder: str = "a", dagster: str | None = None) -> Source:
    return Source(
        label="x", folder=folder, dagster=dagster or found.cells[0].dagster, findings=found
    )


def forbidding(one: Findings, other: Findings) -> tuple[tuple[str, str, str], ...]:
    return differences(source(one), source(other, "b"))[0]


def remarked(one: Findings, other: Findings) -> set[str]:
    return {what for what, _, _ in differences(source(one), source(other, "b"))[1]}


def test_equal_campaigns_differ_in_nothing_but_their_folder() -> None:
    assert forbidding(findings(), findings()) == ()
    assert remarked(findings(), findings()) == {"campaign"}


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"target": "process"}, ("target", "compose", "process")),
        ({"feed": "queued"}, ("feed", "direct", "queued")),
        ({"max_workers": 8}, ("workers", "6", "8")),
        ({"replicas": 2}, ("replicas", "1", "2")),
        ({"max_concurrent_runs": 5}, ("max_concurrent_runs", "none", "5")),
        ({"limits_enforced": False}, ("limits", "enforced", "unenforced")),
    ],
)
def test_another_setup_forbids(changes: dict[str, Any], difference: tuple[str, str, str]) -> None:
    assert forbidding(findings(), findings(**changes)) == (difference,)


def test_another_task_size_forbids() -> None:
    size = replace(make_cell().profile, vcpu=2.0, name="2vcpu-2gb")
    assert forbidding(findings(), findings(profile=size)) == (
        ("task size", "1 vCPU, 2048 MiB", "2 vCPU, 2048 MiB"),
    )
    renamed = replace(make_cell().profile, name="small")
    assert forbidding(findings(), findings(profile=renamed)) == ()


@pytest.mark.parametrize(
    ("key", "value", "difference"),
    [
        ("load", {"model": "poisson"}, ("load model", "closed", "poisson")),
        (
            "workloads",
            [{"name": "io", "params": {"wait_s": 2.5}}],
            ("params.wait_s", "1", "2.5"),
        ),
        (
            "slos",
            {"launch_s_p95": 20.0, "slowdown_p95": 2.0},
            ("launch_s_p95", "10", "20"),
        ),
    ],
)
def test_another_plan_forbids(key: str, value: Any, difference: tuple[str, str, str]) -> None:
    one = findings()
    assert forbidding(one, replace(one, campaign={**one.campaign, key: value})) == (difference,)


def test_another_host_method_or_warm_up_cut_forbids() -> None:
    one = findings()
    host = {**one.environment["host"], "cpus": 8}
    elsewhere = replace(one, environment={**one.environment, "host": host})
    ((what, before, now),) = forbidding(one, elsewhere)
    assert (what, before[:6], now[:6]) == ("host", "2 CPUs", "8 CPUs")
    assert forbidding(one, replace(one, method=3)) == (("method", "2", "3"),)
    cut = replace(one, judging=replace(one.judging, warmup=5.0))
    assert forbidding(one, cut) == (("warm-up cut", "auto", "5"),)


def test_one_version_on_other_dependencies_is_another_version() -> None:
    one = findings(software={"lock": "a" * 64})
    other = findings(software={"lock": "b" * 64})
    assert forbidding(one, other) == (("dependencies (lock)", "a" * 12, "b" * 12),)
    newer = findings(dagster=NEW, software={"lock": "b" * 64})
    assert forbidding(one, newer) == ()
    unknown = findings(software={})
    assert forbidding(one, unknown) == ()


def test_versions_and_what_is_around_them_are_remarked() -> None:
    one, newer = findings(), findings(dagster=NEW, software={"database": "postgres:18"})
    other = replace(
        newer,
        environment={
            **newer.environment,
            "harness": {"version": "0.2.0", "commit": "def"},
            "host": {**newer.environment["host"], "kernel": "6.9"},
            "python": "3.12.1",
        },
        campaign={**newer.campaign, "step": {"hold_s": 60.0}},
    )
    assert forbidding(one, other) == ()
    assert {"Dagster", "database", "harness", "harness commit", "kernel", "Python",
            "step.hold_s"} <= remarked(one, other)  # fmt: skip


def test_a_build_is_told_with_what_it_stands_for() -> None:
    cells = [
        make_cell("mine", software={"dagster": "1.13.28"}),
        make_cell(OLD, software={"dagster": OLD}),
    ]
    both = make_findings(cells, builds={"mine": "../checkout"})
    _, remarks = differences(source(both, dagster=OLD), source(both, dagster="mine"))
    assert remarks == (("Dagster", OLD, "mine (../checkout, says 1.13.28)"),)


def test_containers_and_processes_are_not_compared(stored: Loader) -> None:
    one, other = (sources_in(name, stored(name))[0] for name in ("quick-compose", "quick-process"))
    assert differences(one, other)[0] == (("target", "compose", "process"),)
    pairs = matching(one, other).pairs
    assert [pair.baseline.workload for pair in pairs] == ["io", "cpu", "mixed"]


def test_versions_are_sources_the_baseline_first() -> None:
    cells = [make_cell(version) for version in (OLD, NEW, "mine")]
    found = make_findings(cells, dagster=[OLD, NEW, "mine", "1.14.0"], baseline="mine")
    sources = sources_in("folder", found)
    assert [each.label for each in sources] == ["mine", OLD, NEW]
    assert {each.folder for each in sources} == {"folder"}
    assert [cell.dagster for cell in sources[1].cells] == [OLD]


def test_of_software_a_side_tells_what_its_cells_agree_on() -> None:
    cells = [
        make_cell(repetition=1, software={"dagster": OLD, "lock": "a"}),
        make_cell(repetition=2, software={"dagster": OLD, "lock": "b"}),
    ]
    assert source(make_findings(cells)).side.software == {"dagster": OLD}
    assert source(make_findings([make_cell(software={})])).side.software == {}


def test_one_campaign_is_known_by_folder_and_content() -> None:
    one, again, other = findings(), findings(), findings(target="process")
    assert same_campaign(source(one), source(one))
    assert same_campaign(source(one), source(again))
    assert not same_campaign(source(one), source(one, "b"))
    assert not same_campaign(source(one), source(other))


def test_kinds_only_one_side_has_are_named() -> None:
    io, cpu = make_cell(NEW), make_cell(NEW, workload="cpu")
    found = matching(source(findings()), source(make_findings([io, cpu]), "b"))
    assert [pair.baseline.workload for pair in found.pairs] == ["io"]
    assert len(found.unmatched) == 1
    assert found.unmatched[0].startswith("cpu on 1vcpu-2gb (")
    assert found.unmatched[0].endswith("only the contender has it")


def test_where_a_kind_is_common_its_relatives_are_left_alone() -> None:
    cells = [make_cell(max_workers=workers) for workers in (4, 6)]
    other = [make_cell(NEW, max_workers=workers) for workers in (6, 8)]
    found = matching(source(make_findings(cells)), source(make_findings(other), "b"))
    assert [pair.baseline.setup["workers"] for pair in found.pairs] == ["6"]
    assert len(found.unmatched) == 2


def test_of_strangers_the_most_alike_are_paired() -> None:
    one = make_findings([make_cell(max_workers=4)])
    cells = [
        make_cell(NEW, max_workers=8, target="process", feed="queued"),
        make_cell(NEW, max_workers=8),
    ]
    (pair,) = matching(source(one), source(make_findings(cells), "b")).pairs
    assert pair.differences == (("workers", "4", "8"),)
    assert "workers" not in pair.setup
    assert pair.setup["target"] == "compose"
