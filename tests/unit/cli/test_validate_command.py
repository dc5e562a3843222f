"""`harness validate` says what is promised, and answers with an exit code for a pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.validation import Burst, Validation
from harness.campaign.plan import Campaign
from harness.campaign.promises.types import Promise
from harness.cli.app import main
from harness.scenarios import validating
from harness.scenarios.validating import Validated

pytestmark = pytest.mark.unit

CONTEXT = "ecs:\n  server_resources: {cpu: '1024', memory: '2048'}\n"
BROKE = Validation(
    answer="does not hold", why="A burst of 30 runs broke no_oom.",
    bursts=(Burst(runs=10, passed=True, sentence="10 of 10 runs ended"),
            Burst(runs=30, passed=False, sentence="28 of 30 runs ended")),
    first=("no_oom: 2, limit 0",), binding="memory", mend=("memory of at least 3,000 MiB",),
)  # fmt: skip


@pytest.fixture
def context(tmp_path: Path) -> Path:
    path = tmp_path / "container_context.yaml"
    path.write_text(CONTEXT, encoding="utf-8")
    return path


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["validate", *map(str, words)])
    return int(ended.value.code or 0)


def answered(monkeypatch: pytest.MonkeyPatch, answer: Validation) -> list[Campaign]:
    seen: list[Campaign] = []

    def validate(promise: Promise, campaign: Campaign, **_: Any) -> Validated:
        seen.append(campaign)
        return Validated(promise=promise, validation=answer, results=None)

    monkeypatch.setattr(validating, "validate", validate)
    return seen


def test_a_dry_run_says_what_is_promised_and_where_it_stands(
    context: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validating, "refusal", lambda _: "")
    assert run(context, "--limit", 4, "--dry-run") == 0
    said = capsys.readouterr().err
    assert "size         1 vCPU, 2,048 MiB   (container_context.yaml: ecs.server_resources" in said
    assert "runs at once 4   (on the command line)" in said
    assert "launches     one at a time   (open-source Dagster's own" in said
    assert "queue        looked at every 5 s   (open-source Dagster's own" in said
    assert "bursts of 4 and 12 runs" in said
    assert said.rstrip().endswith("Nothing was started.")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("holds", 0), ("does not hold", 1), ("limit never filled", 5), ("cannot be tested here", 5),
    ],
)  # fmt: skip
def test_each_answer_has_its_exit_code(
    context: Path, monkeypatch: pytest.MonkeyPatch, answer: Any, code: int
) -> None:
    answered(monkeypatch, Validation(answer=answer, why="So it is."))
    assert run(context, "--plain") == code


def test_what_breaks_first_and_what_would_mend_it_are_said(
    context: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(monkeypatch, BROKE)
    run(context, "--plain")
    assert capsys.readouterr().out.splitlines() == [
        "does not hold: A burst of 30 runs broke no_oom.",
        "  10 at once: passed (10 of 10 runs ended)",
        "  30 at once: broke (28 of 30 runs ended)",
        "  first to give: no_oom: 2, limit 0",
        "  binding limit: memory",
        "What would mend it:",
        "  memory of at least 3,000 MiB",
    ]


def test_what_an_unfilled_limit_means_is_said(
    context: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unfilled = Validation(
        answer="limit never filled", why="At most 4 of 10.", meaning=("Too short.",)
    )
    answered(monkeypatch, unfilled)
    run(context, "--plain")
    assert capsys.readouterr().out.splitlines() == [
        "limit never filled: At most 4 of 10.", "  Too short.",
    ]  # fmt: skip


def test_how_long_runs_last_is_said_and_a_limit_nothing_here_fills_too(
    context: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(validating, "refusal", lambda _: "")
    run(context, "--limit", 6, "--dry-run")
    assert "6 and 18 runs of 18 s" in capsys.readouterr().err
    run(context, "--limit", 160, "--dry-run")
    assert "The limit is not expected to be filled" in capsys.readouterr().err


def test_a_second_attempt_is_told(
    context: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def validate(promise: Promise, _: Campaign, **__: Any) -> Validated:
        again = "at most 4 of 10 runs were inside at once"
        return Validated(promise=promise, validation=BROKE, results=None, again=again)

    monkeypatch.setattr(validating, "validate", validate)
    run(context, "--plain")
    assert "Measured twice: at first at most 4 of 10" in capsys.readouterr().err


def test_programs_get_the_document(
    context: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(monkeypatch, BROKE)
    run(context, "--plain", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["validation"]["answer"] == "does not hold"
    assert document["promise"]["memory_mib"] == 2048


def test_the_workload_named_is_what_runs(context: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answered(monkeypatch, BROKE)
    run(context, "--plain", "--workload", "cpu")
    assert [each.name for each in seen[0].workloads] == ["cpu"]


@pytest.mark.parametrize(
    ("text", "release"),
    [("run_queue: {max_concurrent_runs: -1}", ""), ("telemetry: {enabled: false}", "1.9.13")],
)
def test_where_nothing_limits_runs_a_limit_is_asked_for(
    context: Path, text: str, release: str, capsys: pytest.CaptureFixture[str]
) -> None:
    instance = context.with_name("dagster.yaml")
    instance.write_text(text, encoding="utf-8")
    version = ("--dagster", release) if release else ()
    assert run(context, instance, *version, "--dry-run") == 2
    said = capsys.readouterr().err
    assert "Nothing limits how many runs" in said
    assert "--limit N" in said


def test_a_file_that_is_not_there_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "none.yaml") == 2
    assert "cannot be read" in capsys.readouterr().err
