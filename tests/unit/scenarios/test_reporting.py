"""Reports of real results folders: finished, half-finished, failed, never begun, unwritable."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.errors import EnvironmentProblem, ExitCode, StoredDataError
from harness.facts.layout import ResultsFolder
from harness.facts.store import CellWriter, read_results
from harness.report.json_document import findings_from
from harness.scenarios import threshold
from harness.scenarios.page_context import as_typed, verdict_of
from harness.scenarios.reporting import TEXTS, Judged, judge_stored, keep, write_reports

pytestmark = pytest.mark.unit

BASELINE = "results/baselines/quick-compose"
IO = "1vcpu-2gb_io_1.13.27_w6_r1_direct"
Copy = Callable[[str], Path]


@pytest.fixture
def baseline(repo_root: Path, tmp_path: Path) -> Path:
    """The quick campaign as if it had been measured here, without its findings."""
    path = tmp_path / "results" / "20260101T000000Z-quick"
    shutil.copytree(repo_root / BASELINE, path, ignore=shutil.ignore_patterns("findings.json"))
    return path


@pytest.fixture
def gone_wrong(repo_root: Path, tmp_path: Path) -> Copy:
    """A copy of one of the real results that went wrong, by the end of its name."""

    def copy(ending: str) -> Path:
        (found,) = (repo_root / "tests/data/results").glob(f"*-{ending}")
        return Path(shutil.copytree(found, tmp_path / "results" / found.name))

    return copy


def cut_off(path: Path, *, steps: int) -> None:
    """Make the io cell what a kill would have left of it: `steps` recorded, never sealed."""
    (facts,) = (each for each in read_results(path).cells if each.cell.id == IO)
    folder = ResultsFolder(path).cell(IO)
    shutil.rmtree(folder.path)
    writer = CellWriter(folder)
    writer.write_cell(replace(facts.cell, sealed=False, ended=""))
    samples = list(facts.samples)
    for step in facts.steps[:steps]:
        start_s, end_s = step.phases[0].start_s, step.phases[-1].end_s
        own = [each for each in samples if start_s <= each.taken_s < end_s]
        writer.append_step(step, facts.runs_of(step), own, [])


def test_all_reports_lie_beside_the_facts_and_say_the_same(baseline: Path) -> None:
    written = write_reports(baseline)
    folder = ResultsFolder(baseline)
    assert (written.report_html, written.report_md) == (folder.report_html, folder.report_md)
    assert written.index == baseline.parent / "index.html"
    findings = findings_from(json.loads(folder.findings_json.read_text(encoding="utf-8")))
    assert [cell.capacity.concurrency for cell in findings.cells] == [4, 1, 3]
    markdown = folder.report_md.read_text(encoding="utf-8")
    assert "**4 (80 %: 4 to 5)**" in markdown
    assert ET.fromstring(folder.junit_xml.read_text(encoding="utf-8")).get("failures") == "0"
    assert folder.report_html.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_facts_are_not_touched(baseline: Path) -> None:
    def content() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in baseline.rglob("*") if p.is_file()}

    before = content()
    write_reports(baseline)
    assert {path: content()[path] for path in before} == before


def test_reports_are_replaced_as_a_whole(baseline: Path) -> None:
    write_reports(baseline)
    first = ResultsFolder(baseline).report_md.read_bytes()
    write_reports(baseline)
    assert ResultsFolder(baseline).report_md.read_bytes() == first
    assert not list(baseline.glob(".*"))


def test_findings_that_are_known_are_not_judged_again(
    baseline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = judge_stored(baseline).findings
    monkeypatch.setattr(
        "harness.scenarios.reporting.findings_of", lambda *_, **__: pytest.fail("judged again")
    )
    write_reports(baseline, findings=findings)
    assert ResultsFolder(baseline).findings_json.exists()


def test_reports_of_a_folder_that_lies_in_no_root_make_no_index(
    repo_root: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(repo_root / BASELINE, tmp_path / "quick-compose"))
    assert write_reports(path).index is None
    assert not (tmp_path / "index.html").exists()


def test_reports_can_be_kept_elsewhere(baseline: Path, tmp_path: Path) -> None:
    written = keep(judge_stored(baseline), into=tmp_path / "new" / "place")
    assert written.report_html.parent == tmp_path / "new" / "place"
    assert written.index is None
    assert not ResultsFolder(baseline).report_html.exists()


def test_what_cannot_be_written_is_an_error_with_a_way_out(baseline: Path, tmp_path: Path) -> None:
    judged = judge_stored(baseline)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match="cannot be written") as caught:
        keep(judged, into=tmp_path / "file" / "below")
    assert caught.value.hint


def tells(judged: Judged, *words: str) -> None:
    """Every report for people says these words."""
    for name in ("markdown", "html", "junit"):
        text = TEXTS[name](judged)
        assert [word for word in words if word not in text] == [], name


def test_the_context_tells_whose_record_it_is(baseline: Path) -> None:
    context = judge_stored(baseline).context
    assert (context.title, context.started_utc) == ("quick", "2026-01-01T00:00:00+00:00")
    assert context.command[:2] == ("harness", "run")
    assert context.planned == tuple(record.cell for record in context.records)
    notes = dict(context.records[0].notes)
    assert notes["limits enforced"] == "1 vCPU, 2 GiB, 4096 processes"
    assert notes["images dagster name"].startswith("dagster-load-harness/dagster:")
    assert "cells/" in context.records[0].links[0].path
    assert "../index.html" in [link.path for link in context.links]
    assert len(context.journal) > 5
    assert (context.verify, context.guard) == (None, None)


def test_every_file_the_context_links_is_there(baseline: Path) -> None:
    write_reports(baseline)
    context = judge_stored(baseline).context
    links = [*context.links, *(link for record in context.records for link in record.links)]
    assert [link.path for link in links if not (baseline / link.path).exists()] == []


def test_trials_are_told_where_they_are(baseline: Path) -> None:
    trial = {"schema": 1, "cells": [{"cell": IO, "passed": True, "sentence": "It held."}]}
    (baseline / "verify.json").write_text(json.dumps(trial), encoding="utf-8")
    (baseline / "guard.json").write_text("{", encoding="utf-8")
    context = judge_stored(baseline).context
    assert context.verify == tuple(trial["cells"])  # type: ignore[arg-type]
    assert context.guard is None


def test_no_path_of_this_machine_gets_into_a_report(
    baseline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = judge_stored(baseline)
    for text in (render(judged) for render in TEXTS.values()):
        assert str(tmp_path) not in text
    assert as_typed(baseline) == baseline.name
    monkeypatch.chdir(tmp_path)
    assert as_typed(baseline) == f"results/{baseline.name}"
    assert as_typed(Path("results") / baseline.name) == f"results/{baseline.name}"


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_cell_that_a_kill_cut_off_is_judged_as_far_as_it_got(baseline: Path, steps: int) -> None:
    cut_off(baseline, steps=steps)
    assert threshold.judge(baseline, write=False).cells
    judged = judge_stored(baseline)
    (cell,) = (each for each in judged.findings.cells if each.id == IO)
    assert len(cell.steps) == max(0, steps - 1)  # the warm-up is not among them
    assert verdict_of(judged.findings, judged.context) == ExitCode.INCONCLUSIVE
    tells(judged, IO)
    assert "cut off, or still being measured" in TEXTS["markdown"](judged)


def test_a_campaign_without_a_single_cell_says_so(baseline: Path) -> None:
    shutil.rmtree(baseline / "cells")
    judged = judge_stored(baseline)
    assert judged.findings.cells == ()
    assert TEXTS["markdown"](judged).count("not measured") == 3
    assert ET.fromstring(TEXTS["junit"](judged)).get("errors") == "3"
    assert "No cell has left a record" in TEXTS["html"](judged)
    assert verdict_of(judged.findings, judged.context) == ExitCode.INCONCLUSIVE
    write_reports(baseline)


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("half-finished", ("mixed",)),
        ("failed", ("postgres-1 exited with 137", "mixed")),
        ("never-ready", ("The code server did not become ready",)),
        ("invalid", ("drain_too_short",)),
    ],
)
def test_a_campaign_that_went_wrong_says_what_is_missing(
    gone_wrong: Copy, ending: str, words: tuple[str, ...]
) -> None:
    path = gone_wrong(ending)
    judged = judge_stored(path)
    tells(judged, *words)
    assert verdict_of(judged.findings, judged.context) == ExitCode.INCONCLUSIVE
    assert write_reports(path).report_html.exists()


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoredDataError, match="not a results folder"):
        write_reports(tmp_path)
