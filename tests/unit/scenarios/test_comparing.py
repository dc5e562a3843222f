"""Comparing results folders: which versions are meant, what is refused, what is kept."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.comparison.chosen import NOT_ASKED, check_keys, chosen
from harness.analysis.comparison.types import ComparisonDocument, MetricComparison, Rules
from harness.errors import CampaignError, ExitCode, StoredDataError
from harness.facts.layout import ResultsFolder
from harness.report.comparison.json_document import comparison_from
from harness.scenarios import comparing
from harness.scenarios.comparing import (
    compare_folders,
    exit_code_of,
    findings_in,
    keep_comparison,
    own_comparison,
)
from harness.scenarios.overview import write_index

sys.path.append(str(Path(__file__).parents[1]))

from rounds_folder import BASELINE, CONTENDER, NAME, make_rounds

pytestmark = pytest.mark.unit

Copy = Callable[..., Path]


@pytest.fixture(scope="session")
def slower(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four rounds of two versions; launches of the second take 15 % longer. Judged."""
    folder = tmp_path_factory.mktemp("rounds") / NAME
    make_rounds(repo_root / "results/baselines/quick-process", folder, slower=1.15)
    findings_in(folder)
    return folder


@pytest.fixture
def copy(slower: Path, tmp_path: Path) -> Copy:
    """That folder's findings and plan under another name, changed; without facts."""

    def made(name: str = NAME, edit: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        document = json.loads((slower / "findings.json").read_bytes())
        edit(document)
        (folder / "findings.json").write_text(json.dumps(document), encoding="utf-8")
        return folder

    return made


def only(*versions: str) -> Callable[[dict[str, Any]], None]:
    """As if these versions alone had been measured."""

    def edit(document: dict[str, Any]) -> None:
        document["campaign"]["dagster"] = list(versions)
        document["cells"] = [each for each in document["cells"] if each["dagster"] in versions]

    return edit


def entry(document: ComparisonDocument, key: str, workload: str = "io") -> MetricComparison:
    (group,) = (g for g in document.comparisons[0].groups if g.workload == workload)
    (found,) = (metric for metric in group.metrics if metric.key == key)
    return found


def sides(document: ComparisonDocument) -> list[tuple[str, str]]:
    return [(each.baseline.label, each.contender.label) for each in document.comparisons]


class TestWithin:
    def test_the_versions_of_one_folder_are_compared_with_its_baseline(self, slower: Path) -> None:
        document = compare_folders(slower)
        assert sides(document) == [(BASELINE, CONTENDER)]
        launch = entry(document, "launch_s@3")
        assert launch.verdict == "worse"
        assert launch.effect.ratio == pytest.approx(1.15, abs=0.03)
        assert entry(document, "base_mib").verdict == "same"
        assert exit_code_of(document) == ExitCode.BREACH

    def test_another_baseline_turns_it_round(self, slower: Path) -> None:
        document = compare_folders(slower, baseline=CONTENDER)
        assert sides(document) == [(CONTENDER, BASELINE)]
        assert entry(document, "launch_s@3").verdict == "better"
        assert exit_code_of(document) == ExitCode.PASS

    def test_a_version_that_was_not_measured_is_refused_with_those_there_are(
        self, slower: Path
    ) -> None:
        for wrong in ({"baseline": "1.0.0"}, {"contender": "1.0.0"}):
            with pytest.raises(CampaignError, match=r"1\.0\.0 has no cell") as caught:
                compare_folders(slower, **wrong)
            assert CONTENDER in caught.value.evidence

    def test_a_baseline_that_was_not_measured_is_no_other_version(self, copy: Copy) -> None:
        def lost(document: dict[str, Any]) -> None:
            document["campaign"] |= {"dagster": ["1.0.0", BASELINE, CONTENDER], "baseline": "1.0.0"}

        folder = copy("lost", lost)
        with pytest.raises(CampaignError, match=r"1\.0\.0 has no cell"):
            compare_folders(folder)
        assert sides(compare_folders(folder, baseline=BASELINE))[0] == (BASELINE, CONTENDER)

    def test_a_version_that_was_planned_and_not_measured_is_told(self, copy: Copy) -> None:
        def lost(document: dict[str, Any]) -> None:
            document["campaign"]["dagster"] = [BASELINE, CONTENDER, "1.99.0"]

        document = compare_folders(copy("lost", lost), rules=Rules(tolerance=0.9))
        assert sides(document)[-1] == (BASELINE, "1.99.0")
        assert document.comparisons[-1].verdict == "cannot_tell"
        assert exit_code_of(document) != ExitCode.PASS

    def test_one_version_alone_is_nothing_to_compare(self, repo_root: Path) -> None:
        with pytest.raises(CampaignError, match="nothing to compare") as caught:
            compare_folders(repo_root / "results/baselines/quick-process")
        assert "--dagster" in caught.value.hint

    def test_rules_are_in_the_document_and_decide(self, slower: Path) -> None:
        rules = Rules(tolerance=0.9)
        document = compare_folders(slower, rules=rules)
        assert document.rules == rules
        assert entry(document, "launch_s@3").verdict == "same"


class TestAcross:
    def test_two_folders_of_one_version_each(self, copy: Copy) -> None:
        a, b = copy("a", only(BASELINE)), copy("b", only(CONTENDER))
        document = compare_folders(a, b)
        assert sides(document) == [(BASELINE, CONTENDER)]
        assert document.comparisons[0].contender.folder == "b"

    def test_the_same_version_is_called_by_its_folder(self, copy: Copy) -> None:
        a, b = copy("a", only(BASELINE)), copy("b", only(BASELINE))
        assert sides(compare_folders(a, b)) == [("a", "b")]

    def test_folders_of_one_name_are_called_by_their_places(
        self, copy: Copy, tmp_path: Path
    ) -> None:
        a = copy("a", only(BASELINE))
        b = Path(shutil.copytree(a, tmp_path / "other" / "a"))
        assert sides(compare_folders(a, b)) == [(a.as_posix(), b.as_posix())]

    def test_a_folder_beside_itself_is_refused(self, copy: Copy) -> None:
        a = copy("a", only(BASELINE))
        with pytest.raises(CampaignError, match="the same folder"):
            compare_folders(a, a.parent / "." / a.name)

    def test_the_same_versions_in_both_are_each_compared_with_themselves(self, copy: Copy) -> None:
        document = compare_folders(copy("a"), copy("b"))
        assert [
            (each.baseline.dagster, each.contender.dagster, each.baseline.folder)
            for each in document.comparisons
        ] == [(BASELINE, BASELINE, "a"), (CONTENDER, CONTENDER, "a")]
        assert "worse" not in {each.verdict for each in document.comparisons}

    def test_what_is_not_clear_is_asked(self, copy: Copy) -> None:
        a, b = copy("a"), copy("b", only(CONTENDER))
        with pytest.raises(CampaignError, match="which one") as caught:
            compare_folders(a, b)
        assert caught.value.hint == f"Say so: --baseline {BASELINE}"
        with pytest.raises(CampaignError) as caught:
            compare_folders(b, a)
        assert caught.value.hint == f"Say so: --contender {BASELINE}"

    def test_what_is_said_is_taken(self, copy: Copy) -> None:
        a, b = copy("a"), copy("b")
        document = compare_folders(a, b, baseline=BASELINE, contender=CONTENDER)
        assert sides(document) == [(BASELINE, CONTENDER)]

    def test_a_folder_without_cells_is_refused(self, copy: Copy) -> None:
        with pytest.raises(CampaignError, match="no cell to compare"):
            compare_folders(copy("a", only()), copy("b"))


class TestRefusal:
    @pytest.fixture
    def moved(self, copy: Copy) -> tuple[Path, Path]:
        """The same on another host, judged by another objective."""

        def other(document: dict[str, Any]) -> None:
            only(CONTENDER)(document)
            document["environment"]["host"]["cpu_model"] = "Other CPU"
            document["campaign"]["slos"]["launch_s_p95"] = 20.0

        return copy("a", only(BASELINE)), copy("b", other)

    def test_what_was_not_measured_alike_is_refused_and_every_difference_is_told(
        self, moved: tuple[Path, Path]
    ) -> None:
        with pytest.raises(CampaignError) as caught:
            compare_folders(*moved)
        assert caught.value.exit_code == ExitCode.BAD_INPUT
        told = caught.value.evidence.splitlines()
        assert any(line.startswith("host: ") and "→ 2 CPUs, Other CPU" in line for line in told)
        assert "launch_s_p95: 10 → 20" in told
        assert "--force marks the output" in caught.value.hint

    def test_who_insists_gets_it_marked(self, moved: tuple[Path, Path]) -> None:
        document = compare_folders(*moved, force=True)
        assert document.comparisons[0].forced
        assert exit_code_of(document) == ExitCode.INCONCLUSIVE
        assert document.comparisons[0].groups

    def test_nothing_in_common_cannot_be_told(self, copy: Copy) -> None:
        def cpu(document: dict[str, Any]) -> None:
            only(CONTENDER)(document)
            document["cells"] = [c for c in document["cells"] if c["workload"] == "cpu"]

        def io(document: dict[str, Any]) -> None:
            only(BASELINE)(document)
            document["cells"] = [c for c in document["cells"] if c["workload"] == "io"]

        document = compare_folders(copy("a", io), copy("b", cpu))
        assert len(document.comparisons[0].unmatched) == 2
        assert exit_code_of(document) == ExitCode.INCONCLUSIVE


class TestFindings:
    def test_they_are_made_and_kept_where_they_are_missing(
        self, repo_root: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / NAME
        made = make_rounds(
            repo_root / "results/baselines/quick-process", folder, rounds=1, workloads=("cpu",)
        )
        assert not made.findings_json.exists()
        assert len(compare_folders(folder).comparisons) == 1
        assert made.findings_json.exists()

    def test_stored_ones_are_read_and_stay_as_they_are(self, copy: Copy) -> None:
        folder = copy()
        before = (folder / "findings.json").read_bytes()
        compare_folders(folder)
        assert [path.name for path in folder.iterdir()] == ["findings.json"]
        assert (folder / "findings.json").read_bytes() == before

    def test_those_of_an_older_method_are_made_anew_in_memory(
        self, slower: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        judged: list[bool] = []
        real = comparing.judge

        def judge(path: Path, *, write: bool = True) -> Any:
            judged.append(write)
            return real(path, write=write)

        monkeypatch.setattr(comparing, "judge", judge)
        folder = Path(shutil.copytree(slower, tmp_path / NAME))
        document = json.loads((folder / "findings.json").read_bytes()) | {"method": 1}
        (folder / "findings.json").write_text(json.dumps(document), encoding="utf-8")
        assert findings_in(folder).method > 1
        assert judged == [False]
        assert json.loads((folder / "findings.json").read_bytes())["method"] == 1

    def test_without_facts_the_old_ones_are_what_there_is(self, copy: Copy) -> None:
        folder = copy(edit=lambda document: document.update(method=1))
        assert findings_in(folder).method == 1

    def test_a_folder_with_neither_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(StoredDataError):
            findings_in(tmp_path)


class TestChosen:
    def test_the_verdict_rests_on_what_was_chosen_alone(self, slower: Path) -> None:
        document = compare_folders(slower)
        for key, code in (
            ("base_mib", ExitCode.PASS), ("launch_s", ExitCode.BREACH),
            ("launch_s@3", ExitCode.BREACH), ("throughput_runs_per_s@4", ExitCode.INCONCLUSIVE),
            ("import_s@3", ExitCode.PASS),
        ):  # fmt: skip
            found = chosen(document, [key])
            assert exit_code_of(found) == code, key
            assert {m.metric.key for c in found.comparisons for g in c.groups
                    for m in g.metrics} == {key.split("@")[0]}  # fmt: skip
            assert all(m.metric.gates for c in found.comparisons for g in c.groups
                       for m in g.metrics)  # fmt: skip
            assert {g.capacity.why for g in found.comparisons[0].groups} == {NOT_ASKED}

    def test_capacity_can_be_chosen(self, slower: Path) -> None:
        document = compare_folders(slower)
        found = chosen(document, ["capacity"])
        assert [g.capacity for g in found.comparisons[0].groups] == [
            g.capacity for g in document.comparisons[0].groups
        ]
        assert found.comparisons[0].verdict == "worse"  # the io cells

    def test_nothing_chosen_is_everything(self, slower: Path) -> None:
        document = compare_folders(slower)
        assert chosen(document, []) is document

    @pytest.mark.parametrize("key", ["latency", "launch_cpu_s@3", "launch_s@0", "launch_s@x"])
    def test_a_key_of_nothing_is_refused(self, key: str) -> None:
        with pytest.raises(CampaignError):
            check_keys(["capacity", "launch_s", key])


def test_everything_is_kept_beside_the_facts_and_found_from_the_index(
    slower: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(slower, tmp_path / "results" / NAME))
    document = compare_folders(folder)
    files = keep_comparison(document, folder)
    assert all(path.exists() for path in files.all)
    assert comparison_from(json.loads(files.json.read_bytes())) == document
    index = write_index(folder.parent).read_text(encoding="utf-8")
    assert f'href="{NAME}/comparison.html"' in index
    assert own_comparison(folder)


def test_another_folder_is_made(slower: Path, tmp_path: Path) -> None:
    files = keep_comparison(compare_folders(slower), tmp_path / "new" / "folder")
    assert files.html.exists()
    assert not ResultsFolder(tmp_path / "new" / "folder").findings_json.exists()
