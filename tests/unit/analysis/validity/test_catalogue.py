"""Every code a doubt can have: it fires, it is documented, and real measurements are free of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from factory import Rung, make_facts
from factory_validity import (
    UNLOADED,
    cell_doubts,
    doubts,
    moved_clock,
    sound,
    with_readings,
    with_runs,
    with_step,
)

from harness.analysis.judging import judge_cell
from harness.analysis.validity import Code, Issue, cell_issues
from harness.facts.store import read_results
from harness.facts.table import CellFacts

pytestmark = pytest.mark.unit

CODES = set(get_args(Code))
Bad = Callable[[], CellFacts]


def rejected(why: str) -> CellFacts:
    return with_runs(
        sound(), lambda _, run: replace(run, status="REJECTED", error_class=why), every=8
    )


def queued() -> CellFacts:
    return with_readings(sound({"feed": "queued"}), "run_queue", "postgres", "queued", [3.0] * 40)


def late_look() -> CellFacts:
    facts = sound(silent=("host",))
    return moved_clock(facts, "processes", by_s=0.4, after_s=20.5)


def wandering(field: str, by_s: float) -> CellFacts:
    return with_runs(
        sound(), lambda _, run: replace(run, **{field: getattr(run, field) + by_s}), every=2
    )


def overlapping() -> CellFacts:
    facts = sound()
    ramp, *rest = facts.steps[-1].phases
    return with_step(facts, phases=(replace(ramp, end_s=ramp.end_s + 2), *rest))


def late_samples() -> CellFacts:
    return moved_samples(sound())


def moved_samples(facts: CellFacts) -> CellFacts:
    frame = facts.samples.frame
    late = frame["taken_s"] + (frame["device"] == "cgroup").cast(float) * 0.7
    table = type(facts.samples)(frame.with_columns(taken_s=late))
    return replace(facts, samples=table)


def slowed() -> CellFacts:
    facts = sound()
    only = replace(facts, steps=facts.steps[:1])
    frame = with_readings(only, "host", "host", "freq_mhz", [3000.0] * 40).samples
    return with_readings(replace(facts, samples=frame), "host", "host", "freq_mhz", [2000.0] * 40)


def inflated() -> CellFacts:
    facts = sound()
    first = facts.steps[0].index
    runs = [replace(run, work_cpu_s=1.0 if run.step == first else 2.0) for run in facts.runs]
    return replace(facts, runs=runs)


def broke_off() -> CellFacts:
    return with_step(sound(), outcome="aborted", outcome_detail="the database went away")


CATALOGUE: dict[str, tuple[str, Bad]] = {
    "generator_busy": ("fatal", lambda: sound(step={"generator_cpu_cores": 0.95})),
    "generator_late": ("fatal", lambda: sound(send_lag_s=2.0)),
    "arrivals_dropped": ("fatal", lambda: with_step(sound(), dropped_arrivals=40)),
    "arrival_rate_off": (
        "fatal",
        lambda: with_step(sound(), load_model="uniform", rate_per_s=5.0),
    ),
    "load_not_offered": ("fatal", lambda: with_step(sound(), concurrency=16)),
    "support_busy": ("warning", lambda: sound(support_cores=0.95)),
    "support_throttled": (
        "warning",
        lambda: with_readings(sound(), "support", "daemon", "throttled_periods", [0.0, 200.0]),
    ),
    "webserver_slow": (
        "fatal",
        lambda: with_runs(sound(), lambda _, r: replace(r, accepted_s=r.sent_s + 3.0)),
    ),
    "webserver_unreachable": ("fatal", lambda: rejected("unreachable")),
    "database_full": (
        "fatal",
        lambda: with_runs(sound(), lambda _, r: replace(r, error="too many clients already")),
    ),
    "queue_limited": ("fatal", queued),
    "host_steal": ("warning", lambda: sound(steal=0.1)),
    "host_full": ("warning", lambda: sound(host_cores=2.0)),
    "host_slowed": ("warning", slowed),
    "clock_unsure": ("warning", lambda: sound({"target": "external"})),
    "clock_disorder": ("fatal", lambda: wandering("ended_s", -10.0)),
    "clock_jump": ("fatal", late_look),
    "phases_overlap": ("fatal", overlapping),
    "samples_late": ("warning", late_samples),
    "samples_missing": ("warning", lambda: sound(silent=("cgroup",))),
    "device_errors": (
        "warning",
        lambda: with_readings(sound(), "pool", "observer", "errors", [1.0]),
    ),
    "observer_busy": ("warning", lambda: sound(step={"observer_cpu_cores": 0.6})),
    "littles_law": (
        "warning",
        lambda: with_runs(
            sound(), lambda _, r: replace(r, ended_s=None, status="UNFINISHED"), every=2
        ),
    ),
    "drain_too_short": ("fatal", lambda: sound(late_status="UNFINISHED", late_every=5)),
    "launch_timeouts": ("fatal", lambda: rejected("timeout")),
    "limits_unenforced": ("warning", lambda: sound({"limits_enforced": False})),
    "effective_limits_differ": ("fatal", lambda: sound({"effective_limits": None})),
    "overcommitted": ("warning", lambda: sound({"overcommitted": True})),
    "server_replaced": ("warning", lambda: with_step(sound(), server=1)),
    "replicas_uneven": (
        "warning",
        lambda: with_runs(sound({"replicas": 2}), lambda _, r: replace(r, replica="code-server-1")),
    ),
    "peak_sampled": ("warning", lambda: with_step(sound(), peak_source="samples")),
    "step_aborted": ("fatal", broke_off),
    "no_unloaded_step": ("warning", lambda: make_facts([Rung(concurrency=4)])),
    "work_inflated": ("warning", inflated),
}
OF_THE_CELL = {
    "host_full", "host_slowed", "samples_late", "limits_unenforced", "effective_limits_differ",
    "overcommitted", "server_replaced", "peak_sampled", "no_unloaded_step", "work_inflated",
    "clock_unsure",
}  # fmt: skip


def everything(facts: CellFacts) -> list[Issue]:
    return [*cell_doubts(facts, host_cpus=2), *doubts(facts)]


def test_a_sound_cell_raises_no_doubt() -> None:
    facts = make_facts([UNLOADED, *(Rung(concurrency=n) for n in (2, 4, 8))])
    judged = judge_cell(facts)
    assert cell_doubts(facts, host_cpus=2) == []
    assert [step.issues for step in judged.steps] == [(), (), (), ()]


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_doubt_has_a_case_that_raises_it(code: str) -> None:
    severity, bad = CATALOGUE[code]
    facts = bad()
    (issue,) = [issue for issue in everything(facts) if issue.code == code]
    assert issue.severity == severity
    assert issue.step == (None if code in OF_THE_CELL else facts.steps[-1].index)
    assert re.search(r"\w", issue.evidence)
    assert issue.remedy.endswith(".") or issue.remedy.endswith(").")


def test_no_code_goes_without_a_case() -> None:
    assert set(CATALOGUE) == CODES


def test_every_code_is_documented_with_its_severity(repo_root: Path) -> None:
    text = (repo_root / "docs" / "validity.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\w ,]+) \|", text, re.MULTILINE))
    assert set(rows) == CODES
    for code, (severity, _) in CATALOGUE.items():
        assert severity in rows[code]
        assert ("cell" in rows[code]) is (code in OF_THE_CELL | {"phases_overlap"})


@pytest.mark.parametrize("name", ["quick-compose", "quick-process"])
def test_real_measurements_raise_none_but_what_was_so(repo_root: Path, name: str) -> None:
    stored = read_results(repo_root / "results" / "baselines" / name)
    assert len(stored.cells) == 3
    cpus = float(stored.environment["host"]["cpus"])
    for facts in stored.cells:
        judged = judge_cell(facts)
        raised: list[Any] = [issue for step in judged.steps for issue in step.issues]
        raised += cell_issues(
            facts.cell,
            [step.summary for step in judged.steps],
            samples=facts.samples,
            unloaded_s=judged.unloaded_s,
            host_cpus=cpus,
            runs=facts.runs,
        )
        # Two runs at once on one shared core do pollute each other's caches.
        assert {issue.code for issue in raised} <= {"work_inflated"}
