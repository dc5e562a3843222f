"""Campaigns that went wrong: their page says what is missing, why, and what to do next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from page_tree import Element, Material, Render

from harness.analysis.findings.types import CellFinding, Findings
from harness.analysis.picture.campaign import pictures_of
from harness.analysis.picture.types import CellPicture, Group
from harness.analysis.workers.results import SettingResult
from harness.analysis.workers.rule import WorkerFinding
from harness.scenarios.reporting import judge_stored

pytestmark = pytest.mark.unit

AGAIN = "harness run --target compose --results results --plain"


def void(cell: CellFinding) -> CellFinding:
    """The cell as judged with a fatal doubt about all of its steps."""
    capacity = replace(
        cell.capacity, concurrency=None, high=None, first_failing=None, status="invalid",
        binding=None, broken_slo=None, evidence=("no step could be judged",), probability=None,
        confirmed=False, steps=0,
    )  # fmt: skip
    advice = replace(
        cell.recommendation, max_workers=None, max_concurrent_runs=None, replicas=None,
        why=("No setting: the measurement supports no capacity.",), headroom=None, paste=(),
    )  # fmt: skip
    steps = tuple(replace(step, verdict="invalid") for step in cell.steps)
    return replace(cell, capacity=capacity, binding=None, recommendation=advice, steps=steps)


def ended(made: Material, *, at: int, how: str, sealed: bool = True) -> Material:
    """As if measuring had stopped in that cell, after its first step."""
    records = list(made.context.records[: at + 1])
    records[at] = replace(records[at], ended=how, sealed=sealed)
    cells = list(made.findings.cells[: at + 1])
    cells[at] = replace(cells[at], steps=cells[at].steps[:1])
    return Material(
        findings=replace(made.findings, cells=tuple(cells)),
        pictures=made.pictures[:at],
        context=replace(made.context, records=tuple(records)),
    )


def missing(tree: Element) -> str:
    return tree.one(id="missing").text


def test_a_whole_campaign_misses_nothing(quick: Material, tree_of: Render) -> None:
    tree = tree_of(quick)
    assert tree.all(id="missing") == []
    assert tree.all(class_="void") == []
    assert tree.all("aside") == []


@pytest.mark.parametrize("how", ["interrupted", "failed: the server did not become ready"])
def test_a_campaign_that_broke_off_says_where_and_why_and_how_to_go_on(
    how: str, quick: Material, tree_of: Render
) -> None:
    tree = tree_of(ended(quick, at=1, how=how))
    text = missing(tree)
    assert "not complete" in text
    assert f"cpu : The cell ended before its search did ({how})." in text
    never = "1vcpu-2gb_mixed_1.13.27_w6_r1_direct was planned and never begun"
    assert f"{never}: the one before it ended ({how})." in text
    assert tree.one("pre", id="again").text == AGAIN
    assert len(tree.all("article")) == 2


def test_a_record_that_was_cut_off_says_so(quick: Material, tree_of: Render) -> None:
    text = missing(tree_of(ended(quick, at=0, how="", sealed=False)))
    assert "io : The cell was not finished" in text


def test_what_is_missing_comes_before_the_answers(quick: Material, tree_of: Render) -> None:
    main = tree_of(ended(quick, at=1, how="interrupted")).one("main")
    order = [each.attributes.get("id") or each.attributes.get("class") for each in main.children]
    assert order.index("missing") < order.index("answers")


def test_a_cell_without_steps_says_so_everywhere(quick: Material, tree_of: Render) -> None:
    first = void(quick.findings.cells[0])
    cells = (replace(first, steps=()), *quick.findings.cells[1:])
    made = replace(quick, findings=replace(quick.findings, cells=cells), pictures=())
    tree = tree_of(made)
    assert "io : No step was judged." in missing(tree)
    section = tree.one(id="cell-1")
    assert section.all("figure") == []
    assert "No step was judged." in section.one(id="cell-1-steps").text


def test_an_empty_campaign_is_a_page_too(quick: Material, tree_of: Render) -> None:
    findings = replace(
        quick.findings, cells=(), validity=(), workers=(), campaign={}, environment={}
    )
    context = replace(quick.context, records=(), journal=(), command=(), campaign_text="", links=())
    tree = tree_of(Material(findings=findings, pictures=(), context=context))
    assert tree.one(class_="verdict").text == "Nothing was measured, so there is no answer."
    assert "No cell has left a record" in missing(tree)
    assert tree.one("pre", id="again").text == "harness run results/quick/campaign.yaml"
    assert tree.all("article") == []
    assert "no settings are recommended" in tree.one(id="trials").text
    assert "not recorded" in tree.one(id="environment").text


def test_a_fatal_doubt_voids_the_answer_it_concerns(quick: Material, tree_of: Render) -> None:
    issue = replace(
        quick.findings.validity[0], cell=quick.ids[0], step=None, severity="fatal",
        code="generator_busy", evidence="the generator was busy", remedy="faster CPUs",
    )  # fmt: skip
    cells = (void(quick.findings.cells[0]), *quick.findings.cells[1:])
    findings = replace(quick.findings, cells=cells, validity=(issue, *quick.findings.validity))
    tree = tree_of(replace(quick, findings=findings))
    answer = tree.all("article")[0]
    assert answer._has({"class_": "void"})
    assert answer.one(class_="stamp").text == "void"
    assert answer.one("s").text == f"held at {quick.findings.cells[0].capacity.low}"
    assert answer.one(class_="holds").all("a", href="#doubts")
    doubts = tree.one(id="doubts")
    assert "io , all steps: the generator was busy generator_busy faster CPUs" in doubts.text
    assert "There is no valid answer for io." in tree.one(class_="verdict").text
    section = tree.one(id="cell-1")
    assert "the generator was busy" in section.children[1].text
    rows = section.one("table", class_="steps").one("tbody").all("tr")
    assert all(row._has({"class_": "void"}) for row in rows)


def test_warnings_are_folded_and_counted(quick: Material, tree_of: Render) -> None:
    doubts = tree_of(quick).one(id="doubts")
    (folded,) = doubts.all("details")
    assert "open" not in folded.attributes
    assert folded.one("summary").text == "1 warning about this measurement, voiding nothing"
    assert quick.findings.validity[0].remedy in folded.text


def test_doubts_of_one_code_are_told_together(quick: Material, tree_of: Render) -> None:
    first = quick.findings.validity[0]
    alike = tuple(replace(first, cell=cell) for cell in quick.ids)
    tree = tree_of(replace(quick, findings=replace(quick.findings, validity=alike)))
    doubts = tree.one(id="doubts")
    assert f"{first.code} , 3 times:" in doubts.text
    assert doubts.text.count(first.remedy) == 1


def test_unenforced_limits_are_said_above_the_answers(quick: Material, tree_of: Render) -> None:
    cells = tuple(replace(cell, limits_enforced=False) for cell in quick.findings.cells)
    tree = tree_of(replace(quick, findings=replace(quick.findings, cells=cells)))
    note = tree.one("aside", aria_label="Limits")
    assert "No cell ran under the limits of its task size." in note.text
    some = (cells[0], *quick.findings.cells[1:])
    tree = tree_of(replace(quick, findings=replace(quick.findings, cells=some)))
    assert "io ran without limits" in tree.one("aside", aria_label="Limits").text


def test_other_objectives_than_measured_with_are_said(quick: Material, tree_of: Render) -> None:
    judging = replace(
        quick.findings.judging, slos={"launch_s_p95": 20.0, "pool_queue": None}, warmup="none"
    )
    tree = tree_of(replace(quick, findings=replace(quick.findings, judging=judging)))
    text = tree.one("aside", aria_label="Judging").text
    assert "launch time p95 20 s, requests waiting for a worker off" in text
    assert "Warm-up cut: none" in text


def test_a_chart_without_lines_says_why(quick: Material, tree_of: Render) -> None:
    def without(picture: CellPicture) -> CellPicture:
        return replace(
            picture, queues=Group(lines=(), missing="The device pool was switched off."), runs=(),
            missing=("The device ping failed.",),
        )  # fmt: skip

    tree = tree_of(replace(quick, pictures=tuple(map(without, quick.pictures))))
    assert tree.all(id="chart-1-queues") == []
    assert "Queues: The device pool was switched off." in tree.one(id="cell-1-time").text
    assert "Runs of one step: No run was recorded." in tree.one(id="cell-1-runs").text
    assert "What is missing here The device ping failed." in tree.one(id="cell-1").text
    assert tree.all(id="missing") == []


def test_without_pictures_the_findings_are_all_there(quick: Material, tree_of: Render) -> None:
    tree = tree_of(replace(quick, pictures=()))
    kinds = {figure.attributes["data-chart"] for figure in tree.all("figure")}
    assert kinds == {"curve", "phases"}
    assert len(tree.all("article")) == 3


def test_what_was_not_measured_is_a_dash_and_never_zero(quick: Material, tree_of: Render) -> None:
    cell = quick.findings.cells[0]
    steps = tuple(
        replace(step, throughput_runs_per_s=None, cpu_cores=None, memory_peak_ratio=None)
        for step in cell.steps
    )
    bare = replace(
        cell, steps=steps, model=None, predicted=None, run_s=None, throughput_runs_per_s=None,
        memory=replace(cell.memory, per_run_mib=None, per_run_mib_ci=None, base_mib=None),
        cpu=replace(cell.cpu, launch_cpu_s=None, launch_cpu_s_ci=None, idle_cores=None),
    )  # fmt: skip
    tree = tree_of(replace(quick, findings=replace(quick.findings, cells=(bare,))))
    assert "too little is known" in tree.one(id="cell-1-model").text
    row = [
        cell.text for cell in tree.one("table", class_="steps").one("tbody").all("tr")[0].children
    ]
    assert (row[5], row[9], row[10]) == ("–", "–", "–")


def test_trials_tell_what_came_of_the_settings(quick: Material, tree_of: Render) -> None:
    rows = tuple(
        {"cell": quick.ids[0], "passed": passed, "sentence": f"It was {passed}.", "evidence": ["9"]}
        for passed in (True, False, None)
    )
    tree = tree_of(replace(quick, context=replace(quick.context, verify=rows, guard=())))
    words = [item.all("b")[0].text for item in tree.all(class_="trials")[0].children]
    assert words == ["held", "did not hold", "not shown"]


def test_without_trials_the_page_says_how_to_make_them(quick: Material, tree_of: Render) -> None:
    tree = tree_of(quick)
    assert tree.one("pre", id="try-verify").text == "harness verify results/quick"
    assert tree.one("pre", id="try-guard").text == "harness verify results/quick --guard"


def test_every_kind_of_answer_has_a_page(
    everything: Findings, quick: Material, tree_of: Render
) -> None:
    context = replace(quick.context, records=(), planned=(), journal=())
    tree = tree_of(Material(findings=everything, pictures=(), context=context))
    figures = [each.text for each in tree.all(class_="big")]
    assert [figure.split()[0] for figure in figures] == ["4", "≥", "<", "void", "void", "void"]
    assert len(tree.all("section", class_="cell")) == len(everything.cells)


def test_settings_compared_are_a_table_with_what_is_safe(quick: Material, tree_of: Render) -> None:
    results = tuple(
        SettingResult(
            value=value, verdict=verdict, broken=("no_oom",) if verdict == "fail" else (),
            repetitions=1, launch_rate_per_s=0.5, launch_hold_s=4.0, launch_p95_s=9.0,
            probe_p99_s=0.1, pool_busy=2.0, pool_queue=0.0, memory_peak_mib=900.0,
            memory_peak_ratio=0.4, storm_mib=800.0, oom_kills=0, deaths=0, start_deadlines=0,
            safe=safe, why="" if safe else "OOM kills: 2",
        )
        for value, verdict, safe in ((4, "pass", True), (20, "fail", False))
    )  # fmt: skip
    finding = WorkerFinding(
        setting="max_workers", cells=quick.ids, profile="1vcpu-2gb", workload="io",
        dagster="1.13.27", concurrency=7, results=results, smallest=4, largest_safe=4, fit=None,
        evidence=("4 workers held every objective.",),
    )  # fmt: skip
    tree = tree_of(replace(quick, findings=replace(quick.findings, workers=(finding,))))
    section = tree.one(id="workers")
    assert "max_workers of io on 1vcpu-2gb at 7 runs" in section.text
    rows = [[cell.text for cell in row.children] for row in section.one("tbody").all("tr")]
    assert [row[:3] for row in rows] == [
        ["4", "pass", "safe"], ["20", "fail no_oom", "not safe OOM kills: 2"],
    ]  # fmt: skip
    assert tree.one("nav").all("a", href="#workers")


def test_what_a_kill_cost_is_told_beside_what_binds(repo_root: Path, tree_of: Render) -> None:
    (folder,) = (repo_root / "tests/data/results").glob("*-out-of-memory")
    judged = judge_stored(folder)
    made = Material(
        findings=judged.findings,
        pictures=pictures_of(judged.stored.cells, judged.findings),
        context=judged.context,
    )
    tree = tree_of(made)
    section = tree.one(id="cell-1-curve")
    assert "What running out of memory cost" in section.text
    for blast in judged.findings.cells[0].blasts:
        assert f"{blast.runs_lost} of {blast.runs_offered} runs lost" in section.text
    events = tree.one(id="cell-1-time").all("details")[-1]
    assert "oom_kill" in [cell.text for row in events.all("tr") for cell in row.children]
