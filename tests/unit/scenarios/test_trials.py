from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from factory_bursts import (
    CELL_ID,
    burst_step,
    campaign_of,
    cell_of,
    filled,
    findings_of_bursts,
    settings_of,
)

from harness.analysis.findings.types import Findings, SloFinding
from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.plan import Campaign, Slos
from harness.errors import ExitCode, StoredDataError, TargetFailed
from harness.scenarios import trials
from harness.scenarios.trials import GUARD, VERIFY, run_trial, trial_exit_code, trial_json
from harness.scenarios.verification import VerifyVerdict, judge_verify, verify_campaign

pytestmark = pytest.mark.unit

CAMPAIGN = verify_campaign(campaign_of(), cell_of())
NOTHING = settings_of(max_workers=None, max_concurrent_runs=None, replicas=None, why=("No.",))


def judged(**burst: Any) -> VerifyVerdict:
    return judge_verify(findings_of_bursts(CAMPAIGN, burst_step(**burst)), CELL_ID)


def objectives(campaign: Campaign) -> dict[str, float]:
    every = campaign.slos.model_dump()
    return {name: limit for name, limit in every.items() if limit is not None}


def test_one_cell_at_the_recommended_settings_under_three_times_the_runs() -> None:
    (cell,) = CAMPAIGN.cells()
    assert (cell.max_workers, cell.max_concurrent_runs) == (5, 6)
    assert CAMPAIGN.concurrencies(cell) == (18,)
    assert CAMPAIGN.load.model == "burst"
    assert CAMPAIGN.name == "quick-verify"


def test_one_version_of_a_comparison_is_tried_alone_and_once() -> None:
    several = campaign_of().model_copy(
        update={
            "dagster": ("1.8.13", "mine", "1.13.27"),
            "builds": {"mine": "../dagster", "1-13": "1.13.26"},
            "baseline": "1.8.13",
            "repetitions": 4,
        }
    )
    tried = verify_campaign(several, cell_of(dagster="mine"))
    assert (tried.dagster, tried.builds) == (("mine",), {"mine": "../dagster"})
    assert (tried.baseline, len(list(tried.cells()))) == (None, 1)
    assert load_campaign(dump_campaign(tried), source="again") == tried


def test_unknown_workers_stay_the_measured_ones() -> None:
    made = verify_campaign(campaign_of(), cell_of(recommendation=settings_of(max_workers=None)))
    assert made.max_workers == (6,)


def test_what_waiting_breaks_by_design_is_left_out_and_said() -> None:
    assert objectives(CAMPAIGN) == {
        "no_oom": 0,
        "failed_runs": 0.01,
        "memory_headroom": 0.8,
        "probe_s_p99": 5.0,
    }
    assert set(judged().left_out) == set(Slos.model_fields) - set(objectives(CAMPAIGN))


def test_oom_and_failures_cannot_be_switched_off_the_others_can() -> None:
    slos = Slos(no_oom=None, failed_runs=None, memory_headroom=None, probe_s_p99=None)
    made = verify_campaign(campaign_of(slos=slos), cell_of())
    assert objectives(made) == {"no_oom": 0, "failed_runs": 0.01}


def test_the_campaigns_own_limits_are_kept() -> None:
    slos = Slos(no_oom=1, failed_runs=0.2, memory_headroom=0.5, probe_s_p99=9)
    made = verify_campaign(campaign_of(slos=slos), cell_of())
    assert objectives(made) == {
        "no_oom": 1,
        "failed_runs": 0.2,
        "memory_headroom": 0.5,
        "probe_s_p99": 9,
    }


def test_settings_under_which_every_run_comes_through_are_verified() -> None:
    found = judged()
    assert found.passed is True
    assert found.sentence == "Verified: 18 runs at once with max_concurrent_runs 6 all passed."
    assert (found.cell, found.max_workers, found.max_concurrent_runs) == (CELL_ID, 5, 6)
    assert found.runs == 18


def test_a_failed_run_within_the_objective_is_tolerated() -> None:
    assert judged(failed=1).passed is True


def test_settings_that_break_an_objective_do_not_hold() -> None:
    found = judged(verdict="fail", broken=("memory_headroom", "probe_s_p99"), oom_kills=1)
    assert found.passed is False
    assert "do not hold" in found.sentence
    assert "memory_headroom, probe_s_p99; OOM kills: 1" in found.sentence


@pytest.mark.parametrize(
    ("burst", "why"),
    [
        ({"verdict": "invalid"}, "in doubt"),
        ({"verdict": "inconclusive"}, "could not be decided"),
        ({"completed": 15, "unfinished": 3}, "only 15 were seen to end"),
        ({"run_queue_max": 0.0}, "none ever waited"),
    ],
)
def test_a_doubt_is_neither_a_pass_nor_a_failure(burst: dict[str, Any], why: str) -> None:
    found = judged(**burst)
    assert found.passed is None
    assert found.sentence.startswith("Not verified")
    assert why in found.sentence


def test_a_failure_stays_one_although_nothing_waited() -> None:
    assert judged(verdict="fail", broken=("no_oom",), run_queue_max=0.0).passed is False


def test_a_queue_nobody_looked_at_is_no_doubt() -> None:
    found = judged(run_queue_max=None)
    assert found.passed is True
    assert "most in the queue: not known" in found.evidence[0]


def test_a_burst_that_was_not_measured_verifies_nothing() -> None:
    found = judge_verify(findings_of_bursts(CAMPAIGN, None), CELL_ID)
    assert found.passed is None
    assert found.runs is None
    assert "not measured" in found.sentence
    none_at_all = replace(findings_of_bursts(CAMPAIGN, None), cells=())
    assert judge_verify(none_at_all, CELL_ID).passed is None


def test_the_evidence_has_every_objective_with_its_number() -> None:
    slo = {
        "no_oom": SloFinding(observed=0.0, limit=0.0, ok=True, n=1, note="", margin=None),
        "probe_s_p99": SloFinding(
            observed=None, limit=5.0, ok=False, n=3, note="3 lost", margin=None
        ),
    }
    assert judged(slo=slo).evidence == (
        "18 of 18 runs ended, 0 failed, 0 lost, 0 still going; most in the queue: 12",
        "no_oom: 0, limit 0",
        "probe_s_p99: not known, limit 5 (3 lost)",
    )


@pytest.mark.parametrize(
    ("passed", "code"),
    [
        ((True, True), ExitCode.PASS),
        ((True, None), ExitCode.INCONCLUSIVE),
        ((None, False), ExitCode.BREACH),
        ((), ExitCode.INCONCLUSIVE),
    ],
)
def test_the_exit_code_is_that_of_the_worst(passed: tuple[bool | None, ...], code: int) -> None:
    verdicts = [replace(judged(), passed=each) for each in passed]
    assert trial_exit_code(verdicts) == code


class Told:
    """A listener that only remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


class Bench:
    """Stands for the rig: answers each campaign with the next step, or raises it."""

    def __init__(self, root: Path, *answers: Any) -> None:
        self.root = root
        self.answers = list(answers)
        self.campaigns: list[Campaign] = []

    def __call__(self, campaign: Campaign, _options: Any, _listener: Any) -> tuple[Findings, Path]:
        self.campaigns.append(campaign)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        folder = self.root / f"folder-{len(self.campaigns)}"
        steps = answer if isinstance(answer, tuple) else (answer,)
        return findings_of_bursts(campaign, *steps), folder


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results folder with a cell that has settings, one that has none, and one more."""
    cells = (
        cell_of(),
        cell_of(id="nothing", recommendation=NOTHING),
        cell_of(id="cpu", workload="cpu"),
    )
    findings = filled(
        Findings, schema=1, campaign=campaign_of().model_dump(mode="json"), cells=cells
    )
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setattr(trials, "read_findings", lambda _path: findings)
    return folder


def verified(results: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[VerifyVerdict]:
    monkeypatch.setattr(trials, "_measure", bench)
    options: Any = None
    listener: Any = Told()
    return list(run_trial(VERIFY, results, options=options, listener=listener))


def stored(results: Path) -> list[dict[str, Any]]:
    document = json.loads((results / VERIFY.file).read_text(encoding="utf-8"))
    assert document["schema"] == 1
    cells: list[dict[str, Any]] = document["cells"]
    return cells


def test_every_cell_with_settings_is_measured_and_every_cell_has_a_verdict(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(results, burst_step(), burst_step(verdict="fail", broken=("no_oom",)))
    verdicts = verified(results, bench, monkeypatch)
    assert [(each.cell, each.passed) for each in verdicts] == [
        (CELL_ID, True),
        ("nothing", None),
        ("cpu", False),
    ]
    assert [campaign.workloads[0].name for campaign in bench.campaigns] == ["io", "cpu"]
    assert [each.results for each in verdicts] == ["folder-1", "", "folder-2"]
    assert "No limit is recommended" in verdicts[1].sentence
    assert verdicts[1].evidence == ("No.",)


def test_the_guard_is_tried_with_both_bursts_in_one_campaign(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harmed = burst_step(verdict="fail", oom_kills=1)
    bench = Bench(results, (burst_step(), harmed), (burst_step(), burst_step()))
    monkeypatch.setattr(trials, "_measure", bench)
    options: Any = None
    listener: Any = Told()
    verdicts = run_trial(GUARD, results, options=options, listener=listener)
    assert [(each.cell, each.passed) for each in verdicts] == [
        (CELL_ID, True),
        ("nothing", None),
        ("cpu", None),
    ]
    assert [each.results for each in verdicts] == ["folder-1", "", "folder-2"]
    assert "No limit is recommended" in verdicts[1].sentence
    told = json.loads((results / GUARD.file).read_text(encoding="utf-8"))["cells"]
    assert told[0]["without_limit"]["oom_kills"] == 1
    assert trial_exit_code(verdicts) == ExitCode.INCONCLUSIVE


def test_the_verdicts_are_stored_beside_the_findings(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = verified(results, Bench(results, burst_step(), burst_step()), monkeypatch)
    assert stored(results) == json.loads(trial_json(verdicts))["cells"]
    assert stored(results)[0]["passed"] is True


def test_a_rig_that_fails_leaves_the_verdicts_so_far(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(results, burst_step(), TargetFailed("gone"))
    with pytest.raises(TargetFailed):
        verified(results, bench, monkeypatch)
    assert [each["cell"] for each in stored(results)] == [CELL_ID, "nothing"]


def test_the_person_watching_is_told_which_cell_it_is(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    monkeypatch.setattr(trials, "_measure", Bench(results, burst_step(), burst_step()))
    options: Any = None
    listener: Any = told
    run_trial(VERIFY, results, options=options, listener=listener)
    assert told.said == [f"Verifying the settings of {CELL_ID}", "Verifying the settings of cpu"]


def test_findings_of_a_campaign_that_cannot_be_repeated_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = filled(Findings, campaign={"name": "x"}, cells=(cell_of(),))
    monkeypatch.setattr(trials, "read_findings", lambda _path: odd)
    with pytest.raises(StoredDataError, match="none that this version can repeat"):
        verified(tmp_path, Bench(tmp_path), monkeypatch)


@pytest.mark.parametrize("text", [None, "{not json"])
def test_a_folder_without_readable_findings_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "findings.json").write_text(text, encoding="utf-8")
    with pytest.raises(StoredDataError, match="cannot be read") as refused:
        trials.read_findings(tmp_path)
    assert "harness analyse" in refused.value.hint
