"""Reports of a campaign in rounds: a line a kind of cell, not one a round."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from harness.analysis.findings.types import Findings, IssueFinding
from harness.cli.show import print_report, show_measured
from harness.errors import CampaignError, ExitCode
from harness.facts.layout import ResultsFolder
from harness.report.comparison.files import ComparisonFiles
from harness.report.html.page import render_page
from harness.report.standing import gaps_by_kind, kind_of
from harness.report.terminal import render
from harness.scenarios.overview import rows_of
from harness.scenarios.page_context import verdict_of
from harness.scenarios.reporting import Judged, judge_stored, junit_text, keep, markdown_text

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parent / "html"))

from page_tree import Element, parse
from rounds_folder import NAME, make_rounds

pytestmark = pytest.mark.unit

KINDS = [
    f"1vcpu-2gb_{workload}_{version}_w6_r1_direct"
    for workload in ("io", "cpu")
    for version in ("1.12.22", "1.13.28")
]


@pytest.fixture(scope="module")
def folder(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rounds") / NAME
    make_rounds(repo_root / "results/baselines/quick-process", path)
    return path


@pytest.fixture(scope="module")
def judged(folder: Path) -> Judged:
    return judge_stored(folder)


@pytest.fixture(scope="module")
def page(judged: Judged) -> Element:
    text = render_page(judged.findings, (), judged.context, pooled=judged.pooled)
    return parse(re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL))


def printed(judged: Judged, *, short: bool = False) -> str:
    text = io.StringIO()
    print_report(judged, Console(file=text, width=130), short=short)
    return text.getvalue()


def test_the_rounds_of_a_kind_are_one_line_on_a_terminal(judged: Judged) -> None:
    assert len(judged.findings.cells) == 16
    table = printed(judged, short=True)
    assert len(re.findall(r"^ ?(io|cpu) 1vcpu-2gb", table, re.M)) == 4
    assert "round" not in table


def test_a_short_answer_has_neither_reasons_nor_steps(judged: Judged) -> None:
    short, whole = printed(judged, short=True), printed(judged)
    assert "4 rounds together" in whole
    assert "4 rounds together" not in short
    assert len(short.splitlines()) < 40
    assert "ok/bad" not in whole  # sixteen tables of steps would hide the answer


def test_markdown_has_a_row_a_kind(judged: Judged) -> None:
    rows = [line for line in markdown_text(judged).splitlines() if line.startswith("| io, ")]
    assert [row.split("|")[1].strip() for row in rows] == [
        "io, Dagster 1.12.22", "io, Dagster 1.13.28"
    ]  # fmt: skip


def test_junit_has_a_suite_a_kind_and_nothing_is_skipped_for_being_a_round(judged: Judged) -> None:
    root = ET.fromstring(junit_text(judged))
    assert [suite.get("name") for suite in root] == KINDS
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("0", "0", "0")


def test_the_exit_code_judges_rounds_together(judged: Judged) -> None:
    assert verdict_of(judged.findings, judged.context) == ExitCode.PASS


def test_the_page_answers_by_kind_and_keeps_every_round_folded(
    judged: Judged, page: Element
) -> None:
    assert [each.one("h3").text for each in page.all("article")] == [
        "io, Dagster 1.12.22", "io, Dagster 1.13.28", "cpu, Dagster 1.12.22",
        "cpu, Dagster 1.13.28",
    ]  # fmt: skip
    rounds = page.all("details", class_="round")
    assert len(rounds) == 16
    assert all("open" not in each.attributes for each in rounds)
    first = page.one("section", id="kind-1")
    assert [each.children[0].text for each in first.all("details", class_="round")] == [
        f"Round {n} of io, Dagster 1.12.22: every step, every chart" for n in (1, 2, 3, 4)
    ]


def test_the_response_curve_is_of_all_rounds(judged: Judged, page: Element) -> None:
    curve = page.one("section", id="kind-1").one("figure", id="chart-1-curve")
    assert curve.attributes["data-cell"] == KINDS[0]


def test_every_link_inside_the_page_leads_somewhere_once(page: Element) -> None:
    ids = [each.attributes["id"] for each in page.all() if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    links = {each.attributes["href"] for each in page.all("a")}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


def test_a_page_without_rounds_is_what_it_was(repo_root: Path) -> None:
    judged = judge_stored(repo_root / "results/baselines/quick-process")
    whole = render_page(judged.findings, (), judged.context, pooled=judged.pooled)
    assert whole == render_page(judged.findings, (), judged.context)


def test_the_index_has_a_row_a_kind(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "results"
    shutil.copytree(folder, root / NAME)
    keep(judge_stored(root / NAME))
    (row,) = rows_of(root)
    assert [cell.rest.split(",")[0] for cell in row.cells] == ["Dagster 1.12.22",
                                                               "Dagster 1.13.28"] * 2  # fmt: skip
    assert (row.verdict, row.gaps) == ("pass", ())


class TestMissing:
    @pytest.fixture
    def incomplete(self, folder: Path, tmp_path: Path) -> Judged:
        """Without the last round of one kind, and without any of another."""
        path = Path(shutil.copytree(folder, tmp_path / NAME))
        cells = ResultsFolder(path).cells
        shutil.rmtree(cells / f"{KINDS[0]}_n4")
        for number in (1, 2, 3, 4):
            shutil.rmtree(cells / f"{KINDS[3]}_n{number}")
        return judge_stored(path)

    def test_it_is_told_and_leaves_the_answer_open(self, incomplete: Judged) -> None:
        assert verdict_of(incomplete.findings, incomplete.context) == ExitCode.INCONCLUSIVE
        assert f"{KINDS[0]}_n4: not measured" in printed(incomplete, short=True)

    def test_a_kind_that_lacks_a_round_says_so_and_one_that_lacks_all_is_an_error(
        self, incomplete: Judged
    ) -> None:
        assert gaps_by_kind(incomplete.context)[KINDS[0]] == f"{KINDS[0]}_n4: not measured"
        root = ET.fromstring(junit_text(incomplete))
        assert [suite.get("name") for suite in root] == KINDS
        case = root.find(f"testsuite[@name='{KINDS[0]}']/testcase[@name='capacity']/skipped")
        assert case is not None
        assert "_n4: not measured" in case.get("message", "")
        assert root.find(f"testsuite[@name='{KINDS[3]}']/testcase/error") is not None


def test_an_id_is_cut_at_its_round_alone() -> None:
    assert kind_of("a_w6_r1_direct_q4_n12") == "a_w6_r1_direct_q4"
    assert kind_of("a_w6_r1_direct_q4") == "a_w6_r1_direct_q4"


class TestMeasured:
    def test_several_versions_are_shown_with_their_comparison_which_says_the_exit_code(
        self,
        repo_root: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        path = tmp_path / "results" / NAME
        make_rounds(
            repo_root / "results/baselines/quick-process", path, slower=1.15, workloads=("cpu",)
        )
        assert show_measured(path, as_json=False) == ExitCode.BREACH
        out = capsys.readouterr().out
        assert "Dagster 1.13.28 is WORSE than 1.12.22: launch time" in out
        assert out.index("cpu on 1vcpu-2gb, Dagster 1.12.22") < out.index("is WORSE than 1.12.22")
        assert f"Comparison: {path}/comparison.html" in out
        written = {each.name for each in path.iterdir()}
        assert {each.name for each in ComparisonFiles(path).all} <= written
        assert {"findings.json", "report.html"} <= written
        linked = 'href="comparison.html"' in (path / "report.html").read_text(encoding="utf-8")
        assert linked
        index = (path.parent / "index.html").read_text(encoding="utf-8")
        assert f'href="{NAME}/comparison.html"' in index

    def test_nobody_can_tell_of_one_round(
        self, repo_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / NAME
        make_rounds(
            repo_root / "results/baselines/quick-process", path, rounds=1, workloads=("cpu",)
        )
        assert show_measured(path, as_json=True) == ExitCode.INCONCLUSIVE
        captured = capsys.readouterr().out
        assert captured.startswith('{\n  "schema"')
        assert "beside" not in captured

    def test_versions_that_were_not_measured_alike_leave_findings_and_reports(
        self, repo_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Such as where limits could be enforced for one of them only."""
        path = tmp_path / NAME
        made = make_rounds(
            repo_root / "results/baselines/quick-process", path, rounds=1, workloads=("cpu",)
        )
        (cell,) = (each.cell_json for each in made.cell_folders() if "1.13.28" in each.path.name)
        document = json.loads(cell.read_text(encoding="utf-8")) | {"limits_enforced": False}
        cell.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(CampaignError, match="must not be compared"):
            show_measured(path, as_json=False)
        assert "cpu on 1vcpu-2gb, Dagster 1.12.22" in capsys.readouterr().out
        assert made.report_html.exists()

    def test_one_version_is_shown_as_ever(
        self,
        repo_root: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        path = Path(shutil.copytree(repo_root / "results/baselines/quick-process", tmp_path / NAME))
        assert show_measured(path, as_json=False) == ExitCode.PASS
        assert "next in line" in capsys.readouterr().out
        assert not (path / "comparison.html").exists()


def test_of_many_doubts_each_kind_is_told_once(judged: Judged) -> None:
    doubt = IssueFinding(
        cell=KINDS[0], step=3, concurrency=3, code="host_busy", severity="warning", evidence="e",
        remedy="r",
    )  # fmt: skip
    few, many = (replace(judged.pooled, validity=(doubt,) * count) for count in (24, 25))
    assert told(few).count("host_busy") == 24
    assert told(many).count("host_busy") == 1
    assert "and 24 more doubts of this kind" in told(many)


def told(findings: Findings) -> str:
    text = io.StringIO()
    render(findings, Console(file=text, width=130), reasons=False)
    return text.getvalue()
