"""From stored results to an answer: which cells are used, and what is said where none is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.analysis.judging import Judging
from harness.analysis.sizing.answer import Wishes
from harness.analysis.sizing.types import Demand, Duration, Part, Price, SizingFinding
from harness.errors import CampaignError, ExitCode, StoredDataError
from harness.scenarios.sizing import NoAnswerError, Where, answer

pytestmark = pytest.mark.unit

PRICE = Price(
    per_vcpu_hour=0.04048, per_gib_hour=0.004445, currency="USD", as_of="2026-06-17", source="test"
)
WISHES = Wishes(price=PRICE)
Stored = Callable[..., Path]


def demand(workload: str = "io", mean_s: float = 45.0) -> Demand:
    part = Part(workload=workload, share=1.0, duration=Duration(mean_s=mean_s))
    return Demand(runs_per_hour=200, parts=(part,), burst=2.5, growth=1.0)


@pytest.fixture
def compose(repo_root: Path) -> Path:
    return repo_root / "results/baselines/quick-compose"


@pytest.fixture
def stored(tmp_path: Path, compose: Path) -> Stored:
    """Copies of the baseline as results of some time, with cells changed or left out."""

    def store(name: str, *, change: dict[str, object] | None = None, only: str = "_") -> Path:
        folder = tmp_path / "results" / name
        shutil.copytree(compose, folder)
        for cell in (folder / "cells").iterdir():
            if only not in cell.name:
                shutil.rmtree(cell)
                continue
            plain = json.loads((cell / "cell.json").read_text())
            (cell / "cell.json").write_text(json.dumps({**plain, **(change or {})}))
        return folder

    return store


def asked(where: Where, workload: str = "io", mean_s: float = 45.0) -> SizingFinding:
    return answer(demand(workload, mean_s), WISHES, where=where)


def test_the_baseline_answers_for_itself(compose: Path) -> None:
    finding = asked(Where(folders=(compose,)))
    assert finding.choice is not None
    assert finding.choice.profile == "1vcpu-2gb"
    assert finding.choice.holds is True
    assert finding.sources[0].startswith("quick-compose: 1vcpu-2gb_io")
    assert not any("stands in" in words for words in finding.why)
    assert "AMD EPYC" in " ".join(finding.unknown)


def test_at_the_measured_duration_the_measured_size_answers(compose: Path) -> None:
    finding = asked(Where(folders=(compose,)), mean_s=8.0)
    measured = [each for each in finding.options if each.basis == "measured"]
    assert [(each.profile, each.replicas, each.capacity) for each in measured] == [
        ("1vcpu-2gb", 1, 4)
    ]


def test_other_objectives_are_judged_anew(compose: Path) -> None:
    strict = answer(
        demand(mean_s=8.0), WISHES, where=Where(folders=(compose,)),
        options=Judging(slos={"launch_s_p95": 2.0}),
    )  # fmt: skip
    assert strict.choice is None
    assert "launch_s_p95 broke with one run already" in strict.why[1]


def test_the_newest_folder_that_has_the_workload_is_used(stored: Stored) -> None:
    stored("20260101T000000Z-old")
    stored("20260201T000000Z-new", only="_cpu_")
    root = stored("20260110T000000Z-middle").parent
    finding = asked(Where(root=root))
    assert finding.sources[0].startswith("20260110T000000Z-middle: ")
    plateau = next(each for each in finding.comparisons if "stop at one" in each.question)
    assert "20260201T000000Z-new" in plateau.source, "the newest cell of cpu"


@pytest.mark.parametrize("file", ["environment.json", "campaign.yaml"])
def test_a_folder_that_cannot_be_read_is_passed_over_and_told(stored: Stored, file: str) -> None:
    broken = stored("20260201T000000Z-broken")
    (broken / file).write_text("{")
    root = stored("20260101T000000Z-good").parent
    finding = asked(Where(root=root))
    assert finding.sources[0].startswith("20260101T000000Z-good: ")
    assert any("20260201T000000Z-broken was passed over" in words for words in finding.why)
    with pytest.raises(StoredDataError):
        asked(Where(folders=(broken,)))


def test_a_committed_baseline_stands_in_where_nothing_is_stored(
    stored: Stored, compose: Path
) -> None:
    root = stored("20260101T000000Z-only-cpu", only="_cpu_").parent
    shutil.copytree(compose, root / "baselines" / "quick-compose")
    finding = asked(Where(root=root))
    assert finding.sources[0].startswith("quick-compose: ")
    assert any("stands in, measured on another machine" in words for words in finding.why)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"limits_enforced": False}, "its limits were not enforced"),
        ({"slos": {}}, "no valid capacity"),
    ],
)
def test_cells_that_cannot_be_used_support_no_answer(
    stored: Stored, change: dict[str, object], words: str
) -> None:
    folder = stored("20260101T000000Z-bad", change=change)
    with pytest.raises(NoAnswerError, match="support no answer for io") as caught:
        asked(Where(folders=(folder,)))
    assert words in caught.value.evidence
    assert caught.value.exit_code == ExitCode.INCONCLUSIVE


def test_without_an_objective_that_can_be_foreseen_there_is_nothing_to_hold(compose: Path) -> None:
    off = dict.fromkeys(("launch_s_p95", "slowdown_p95", "memory_headroom", "no_oom"))
    with pytest.raises(CampaignError, match="nothing to hold"):
        answer(demand(), WISHES, where=Where(folders=(compose,)), options=Judging(slos=off))


def test_a_server_that_never_came_up_is_refused_for_that(repo_root: Path) -> None:
    """Not for limits: nobody could read them back, but it died of one."""
    folder = next((repo_root / "tests/data/results").glob("*-never-ready"))
    with pytest.raises(NoAnswerError) as caught:
        asked(Where(folders=(folder,)))
    assert "no valid capacity" in caught.value.evidence


def test_the_command_that_verifies_can_be_pasted(compose: Path, tmp_path: Path) -> None:
    shutil.copytree(compose, tmp_path / "my results")
    told = " ".join(asked(Where(folders=(tmp_path / "my results",))).unknown)
    assert f"harness run '{tmp_path}/my results/campaign.yaml' --set " in told


def test_an_open_load_is_no_source(stored: Stored) -> None:
    folder = stored("20260101T000000Z-open")
    text = (folder / "campaign.yaml").read_text()
    (folder / "campaign.yaml").write_text(text.replace("model: closed", "model: poisson"))
    with pytest.raises(NoAnswerError) as caught:
        asked(Where(folders=(folder,)))
    assert "its load is poisson, not closed" in caught.value.evidence


def test_a_workload_that_was_never_measured_is_bad_input(compose: Path, tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="frob was not measured") as caught:
        asked(Where(folders=(compose,)), "frob")
    assert caught.value.evidence == "Measured there: cpu, io, mixed."
    with pytest.raises(StoredDataError, match="no results in") as nothing:
        asked(Where(root=tmp_path))
    assert nothing.value.hint.startswith("Measure some: harness run.")


def test_what_cannot_be_pooled_is_left_out_and_told(repo_root: Path) -> None:
    folders = tuple(repo_root / "results/baselines" / n for n in ("quick-process", "quick-compose"))
    finding = asked(Where(folders=folders))
    assert len(finding.sources) == 1
    assert finding.sources[0].startswith("quick-compose: "), "containers are nearer to a task"
    left_out = [words for words in finding.why if "cannot be pooled" in words]
    assert len(left_out) == 1
    assert "quick-process" in left_out[0]


def test_equal_cells_of_two_folders_are_pooled(stored: Stored, compose: Path) -> None:
    other = stored("20260101T000000Z-again")
    finding = asked(Where(folders=(compose, other)))
    assert len(finding.sources) == 2
    assert not any("cannot be pooled" in words for words in finding.why)


def test_another_dagster_than_measured_is_told(compose: Path) -> None:
    wishes = Wishes(price=PRICE, dagster="1.8.0")
    finding = answer(demand(), wishes, where=Where(folders=(compose,)))
    assert finding.shipping is not None
    assert finding.shipping.dagster == "1.8.0"
    assert any("measured with Dagster 1.13.27, not 1.8.0" in words for words in finding.why)
