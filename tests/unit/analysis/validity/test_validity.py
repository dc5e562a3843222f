from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from factory import MIB, Rung, make_facts

from harness.analysis.judging import judge_cell
from harness.analysis.validity import Issue
from harness.facts.model import Limits
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit

Make = Callable[..., CellFacts]
DIED = {"outcome": "aborted", "outcome_detail": "code-server-1 exited", "oom_kills": 1}
BROKE_OFF = {"outcome": "aborted", "outcome_detail": "the database went away"}


def all_issues(facts: CellFacts) -> list[Issue]:
    judged = judge_cell(facts)
    return [*judged.issues, *(issue for step in judged.steps for issue in step.issues)]


def test_a_sound_measurement_raises_no_doubt(healthy: CellFacts) -> None:
    assert all_issues(healthy) == []


@pytest.mark.parametrize(
    ("code", "severity", "truth"),
    [
        ("generator_busy", "fatal", {"step": {"generator_cpu_cores": 0.8}}),
        ("generator_late", "fatal", {"send_lag_s": 1.1}),
        ("support_busy", "warning", {"support_cores": 0.95}),
        ("host_steal", "warning", {"steal": 0.06}),
        ("samples_missing", "warning", {"sample_share": 0.5}),
        ("samples_missing", "warning", {"silent": ("cgroup",)}),
        ("step_aborted", "warning", {"step": DIED}),
        ("step_aborted", "fatal", {"step": BROKE_OFF}),
    ],
)
def test_a_doubt_about_a_step_names_that_step(
    code: str, severity: str, truth: dict[str, Any], with_last: Make
) -> None:
    facts = with_last(**truth)
    (issue,) = [issue for issue in all_issues(facts) if issue.code == code]
    assert issue.severity == severity
    assert issue.step == facts.steps[-1].index
    assert issue.evidence
    assert issue.remedy


@pytest.mark.parametrize("truth", [{"step": {"generator_cpu_cores": 0.9}}, {"send_lag_s": 2.0}])
def test_a_step_the_generator_could_not_drive_is_void(
    truth: dict[str, Any], with_last: Make
) -> None:
    verdicts = [step.verdict for step in judge_cell(with_last(**truth)).steps]
    assert verdicts == ["pass", "pass", "invalid"]


def test_the_death_of_the_server_is_a_result_and_not_a_doubt(with_last: Make) -> None:
    assert judge_cell(with_last(step=DIED)).steps[-1].verdict == "fail"
    assert judge_cell(with_last(step=BROKE_OFF)).steps[-1].verdict == "invalid"


@pytest.mark.parametrize(
    ("code", "severity", "cell"),
    [
        ("limits_unenforced", "warning", {"limits_enforced": False, "effective_limits": None}),
        ("overcommitted", "warning", {"overcommitted": True}),
        (
            "effective_limits_differ",
            "fatal",
            {"effective_limits": Limits(cpu_cores=2.0, memory_bytes=2048 * MIB)},
        ),
        (
            "effective_limits_differ",
            "fatal",
            {"effective_limits": Limits(cpu_cores=1.0, memory_bytes=None)},
        ),
        ("effective_limits_differ", "fatal", {"effective_limits": None}),
    ],
)
def test_a_doubt_about_the_cell_names_no_step(
    code: str, severity: str, cell: dict[str, Any], with_last: Make
) -> None:
    (issue,) = [issue for issue in all_issues(with_last(cell)) if issue.code == code]
    assert (issue.severity, issue.step) == (severity, None)


def test_other_limits_than_asked_for_void_every_step(with_last: Make) -> None:
    wrong = {"effective_limits": Limits(cpu_cores=2.0, memory_bytes=2048 * MIB)}
    assert {step.verdict for step in judge_cell(with_last(wrong)).steps} == {"invalid"}


def test_rounding_of_a_limit_is_no_difference(with_last: Make) -> None:
    rounded = Limits(cpu_cores=1.0, memory_bytes=2048 * MIB - 4096)
    assert all_issues(with_last({"effective_limits": rounded})) == []


def test_a_cell_without_an_unloaded_step_is_told() -> None:
    issues = all_issues(make_facts([Rung(concurrency=4)]))
    assert [issue.code for issue in issues] == ["no_unloaded_step"]


def test_late_samples_are_the_observers_fault_only_where_it_reads_locally(
    healthy: CellFacts,
) -> None:
    def late(device: str) -> CellFacts:
        frame = healthy.samples.frame
        moved = frame["taken_s"] + (frame["device"] == device).cast(float) * 0.7
        table = SamplesTable(frame.with_columns(taken_s=moved))
        return type(healthy)(
            cell=healthy.cell,
            steps=healthy.steps,
            runs=healthy.runs,
            samples=table,
            events=[],
        )

    assert "samples_late" in {issue.code for issue in all_issues(late("cgroup"))}
    assert "samples_late" not in {issue.code for issue in all_issues(late("probe"))}


def test_statistics_of_the_engine_are_expected_at_their_own_rate() -> None:
    rungs = [Rung(concurrency=1, kind="unloaded", sample_share=0.2)]
    facts = make_facts(rungs, idle_start_s=None, idle_end_s=None)
    frame = facts.samples.frame
    thin = SamplesTable(frame.filter(frame["due_s"] >= facts.steps[0].phases[0].start_s))
    facts = type(facts)(
        cell=facts.cell, steps=facts.steps, runs=facts.runs, samples=thin, events=[]
    )
    assert "samples_missing" not in {issue.code for issue in all_issues(facts)}


def test_a_window_that_is_not_steady_breaks_littles_law(with_last: Make) -> None:
    facts = with_last()
    last = facts.steps[-1]
    hold = last.phase("hold")
    assert hold is not None
    # Half of the users' runs vanish from the record after they were sent.
    ghosts = [
        run if run.step != last.index or run.user % 2 else _endless(run) for run in facts.runs
    ]
    facts = type(facts)(
        cell=facts.cell, steps=facts.steps, runs=ghosts, samples=facts.samples, events=[]
    )
    assert "littles_law" in {issue.code for issue in all_issues(facts)}


def _endless(run: Any) -> Any:
    from dataclasses import replace

    return replace(run, ended_s=None, status="UNFINISHED")
