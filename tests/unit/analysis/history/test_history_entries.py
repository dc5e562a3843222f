"""A campaign in the index: the figures a comparison would take, over its rounds."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from factory_history import OUTLINES, cell, outline, step

from harness.analysis.comparison.values import cell_values
from harness.analysis.history.entries import entry_of
from harness.analysis.history.outline import Outline
from harness.analysis.history.types import Entry, Figure
from harness.report.json_document import findings_from

pytestmark = pytest.mark.unit

BASELINES = ("quick-compose", "quick-process", "sizing-check")


def entry(findings: Outline) -> Entry:
    return entry_of("20260101T020000Z-nightly", "1-1", 0.0, findings)


def figures(findings: Outline, key: str = "launch_cpu_s", **wanted: Any) -> list[Figure]:
    found = [figure for figure in entry(findings).figures if figure.key == key]
    return [f for f in found if all(getattr(f, name) == value for name, value in wanted.items())]


def only(findings: Outline, key: str = "launch_cpu_s", **wanted: Any) -> Figure:
    (figure,) = figures(findings, key, **wanted)
    return figure


def compared(pairs: list[tuple[float | None, float | None]], **changes: Any) -> Outline:
    """Launch CPU of baseline and subject, round by round."""
    cells = [
        cell(value, dagster=version, repetition=number, **changes)
        for number, pair in enumerate(pairs, start=1)
        for version, value in zip(("1.12.22", "1.13.28"), pair, strict=True)
    ]
    return outline(cells, dagster=["1.12.22", "1.13.28"])


@pytest.mark.parametrize("name", BASELINES)
def test_an_outline_says_the_same_as_the_whole_findings(repo_root: Path, name: str) -> None:
    text = (repo_root / "results/baselines" / name / "findings.json").read_bytes()
    whole = entry_of("f", "s", 1.0, findings_from(json.loads(text)))
    assert entry_of("f", "s", 1.0, OUTLINES.validate_json(text)) == whole
    assert whole.figures


def test_a_figure_is_the_value_a_comparison_takes(repo_root: Path) -> None:
    text = (repo_root / "results/baselines/quick-compose/findings.json").read_bytes()
    findings = findings_from(json.loads(text))
    made = {(f.kind.split()[0], f.key): f.value for f in entry_of("f", "s", 1.0, findings).figures}
    for measured in findings.cells:
        for (key, load), known in cell_values(measured).items():
            if load not in (None, 1):
                continue  # what a search chose is another load every time
            name = key if load is None else f"{key}@{load}"
            if known.value:
                assert made[measured.workload, name] == pytest.approx(known.value, rel=1e-8)
            else:
                assert (measured.workload, name) not in made


def test_it_says_where_when_and_what_with() -> None:
    told = entry(outline([cell()]))
    assert (told.campaign, told.subject, told.baseline) == ("nightly", "1.13.27", "")
    assert (told.host, told.harness, told.method) == (
        "2 CPUs, AMD EPYC, x86_64",
        "0.1.0 (0123456)",
        2,
    )
    assert told.valid


def test_a_campaign_without_cells_has_no_figures() -> None:
    told = entry(outline([]))
    assert not told.valid
    assert told.subject == ""


def test_a_value_is_the_geometric_mean_of_its_rounds() -> None:
    cells = [cell(value, repetition=number) for number, value in enumerate((2.0, 8.0), start=1)]
    figure = only(outline(cells))
    assert (figure.value, figure.rounds, figure.form) == (4.0, 2, "value")


def test_one_cell_says_nothing_of_how_equal_ones_scatter() -> None:
    figure = only(outline([cell()]))
    assert (figure.value, figure.rounds, figure.sd, figure.free) == (2.0, 1, None, 0)


def test_a_ratio_is_paired_by_round() -> None:
    # The machine was twice as slow in the second round: that cancels.
    figure = only(compared([(2.0, 3.0), (4.0, 6.0)]), form="ratio")
    assert (figure.value, figure.rounds, figure.role) == (1.5, 2, "subject")
    assert figure.sd == pytest.approx(0, abs=1e-9)
    assert figure.free == 1


def test_a_round_without_its_baseline_counts_for_no_ratio() -> None:
    findings = compared([(2.0, 3.0), (None, 9.0), (2.0, 3.0)])
    assert only(findings, form="ratio").rounds == 2
    assert only(findings, form="ratio").value == 1.5
    assert only(findings, form="value", role="subject").rounds == 3


def test_both_versions_share_how_equal_cells_scatter_without_their_rounds() -> None:
    apart = math.exp(0.02)
    findings = compared([(2.0, 3.0), (4.0, 6.0 * apart)])
    # 0.02 between two rounds' ratios is 0.02 / √2 around their mean, and / √2 of that a cell.
    assert [figure.sd for figure in figures(findings)] == pytest.approx([0.01] * 3, rel=1e-6)


def test_the_baseline_is_the_one_the_campaign_names() -> None:
    findings = compared([(2.0, 3.0)])
    findings.campaign["baseline"] = "1.13.28"
    assert only(findings, form="ratio").value == pytest.approx(2 / 3, rel=1e-8)
    assert (entry(findings).subject, entry(findings).baseline) == ("1.12.22", "1.13.28")


def test_a_baseline_that_was_never_measured_leaves_plain_values() -> None:
    findings = outline([cell(dagster="1.13.28")], dagster=["1.12.22", "1.13.28"])
    assert [figure.form for figure in figures(findings)] == ["value"]
    assert (entry(findings).subject, entry(findings).baseline) == ("1.13.28", "")


def test_several_versions_under_test_are_told_by_their_place() -> None:
    versions = ["1.12.22", "1.13.27", "1.13.28"]
    cells = [cell(value, dagster=v) for v, value in zip(versions, (2.0, 3.0, 4.0), strict=True)]
    findings = outline(cells, dagster=versions)
    ratios = {f.kind.rpartition(", ")[2]: f.value for f in figures(findings, form="ratio")}
    assert ratios == {"6 workers": 1.5, "version 2": 2.0}
    assert entry(findings).subject == "1.13.27 + 1.13.28"
    assert len(figures(findings, role="baseline")) == 1


def test_a_version_that_was_not_measured_leaves_its_place_empty() -> None:
    """Else the next one would be held against its series."""
    versions = ["1.12.22", "1.13.27", "1.13.28"]
    cells = [cell(value, dagster=v) for v, value in zip(versions, (2.0, 3.0, 4.0), strict=True)]
    findings = outline([cells[0], cells[2]], dagster=versions)
    (ratio,) = figures(findings, form="ratio")
    assert ratio.kind.endswith(", version 2")


def test_a_build_is_told_with_the_version_its_server_says() -> None:
    cells = [cell(dagster="mine", software={"dagster": "1!0+dev"}),
             cell(dagster="1.13.28", software={"dagster": "1.13.28"})]  # fmt: skip
    told = entry(outline(cells, dagster=["1.13.28", "mine"]))
    assert (told.subject, told.baseline) == ("mine (1!0+dev)", "1.13.28")


def test_only_loads_that_most_cells_went_to_are_followed() -> None:
    cells = [
        cell(repetition=number, steps=[step(1), step(3), step(boundary)])
        for number, boundary in enumerate((5, 6, 7), start=1)
    ]
    loads = {f.key.partition("@")[2] for f in entry(outline(cells)).figures if "@" in f.key}
    assert loads == {"1", "3"}


def test_loads_that_a_search_chose_are_not_followed_even_where_most_cells_went_there() -> None:
    """They lie where the server happened to do well that night."""
    search = {"strategy": "adaptive", "always": [1, 3]}
    cells = [cell(repetition=n, steps=[step(1), step(3), step(5)]) for n in (1, 2, 3)]
    found = entry(outline(cells, search=search)).figures
    assert {f.key.partition("@")[2] for f in found if "@" in f.key} == {"1", "3"}


def test_runs_counted_alike_in_all_rounds_still_scatter_by_half_a_run() -> None:
    cells = [cell(repetition=n, steps=[step(1)]) for n in (1, 2, 3)]
    figure = only(outline(cells), key="throughput_runs_per_s@1")
    runs = 0.5 * 24.0
    assert figure.sd == pytest.approx(1 / runs / math.sqrt(12), rel=1e-6)


@pytest.mark.parametrize("value", [None, 0.0])
def test_what_is_not_known_or_nothing_has_no_figure(value: float | None) -> None:
    assert figures(outline([cell(value)])) == []


@pytest.mark.parametrize(
    ("capacity", "values"),
    [
        ({"concurrency": 4, "status": "bracketed"}, [4.0]),
        ({"concurrency": 20, "status": "above_max"}, [20.0]),
        ({"concurrency": 0, "status": "below_min"}, []),
        ({"concurrency": 4, "status": "invalid"}, []),
        ({"concurrency": None, "status": "invalid"}, []),
    ],
)
def test_a_capacity_is_followed_where_there_is_one(
    capacity: dict[str, Any], values: list[float]
) -> None:
    found = figures(outline([cell(capacity=capacity)]), "capacity")
    assert [figure.value for figure in found] == values


def test_a_kind_says_what_makes_cells_equal_and_nothing_usual() -> None:
    kind = only(outline([cell()])).kind
    assert kind == "io (requests 4) on 1 vCPU / 2 GiB, compose, direct feed, 6 workers"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"replicas": 2}, "2 replicas"),
        ({"limits_enforced": False}, "limits unenforced"),
        ({"max_concurrent_runs": 10}, "at most 10 runs"),
        ({"target": "process"}, "process"),
    ],
)
def test_cells_that_differ_are_of_another_kind(changes: dict[str, Any], told: str) -> None:
    usual, other = only(outline([cell()])).kind, only(outline([cell(**changes)])).kind
    assert told in other.split(", ")
    assert other != usual


def test_a_kind_tells_what_its_runs_do_and_not_the_version() -> None:
    workload = {"name": "io", "params": {"requests": 9}, "executor": "multiprocess", "steps": 1}
    more = only(outline([cell(dagster="1.5.0")], workloads=[workload], dagster=["1.5.0"])).kind
    assert more.startswith("io (requests 9, executor multiprocess) on ")
    assert "1.5.0" not in more
