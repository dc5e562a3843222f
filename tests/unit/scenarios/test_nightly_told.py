"""How a night is told: the webhook, the summary on disk, its schema."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from factory_nightly import (
    FOLDER,
    KIND,
    NEWEST,
    SECRET,
    World,
    alarm_of,
    findings_of,
    raising,
    stored,
)
from jsonschema import Draft202012Validator

from harness.errors import (
    EnvironmentProblem,
    ExitCode,
)
from harness.report.nightly.summary import nightly_document
from harness.scenarios.nightly.mark import read_mark
from harness.scenarios.nightly.night import night
from harness.scenarios.nightly.webhook import Webhook

pytestmark = pytest.mark.unit

SCHEMA = Path(__file__).parents[3] / "results/nightly.schema.json"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(root=tmp_path / "results").install(monkeypatch)


def test_a_webhook_that_fails_is_a_remark(world: World) -> None:
    world.problem = "it answered HTTP 500"
    summary = world.night(webhook=Webhook(url=SECRET))
    assert summary.exit_code == ExitCode.PASS
    said = "The webhook could not be told: it answered HTTP 500."
    assert stored(world)["remarks"] == [said]


def test_what_a_webhook_is_sent(world: World) -> None:
    world.said = (alarm_of(1.2),)
    summary = world.night(webhook=Webhook(url=SECRET))
    (payload,) = world.posted
    assert set(payload) == {"text", "status", "campaign", "folder", "summary"}
    assert (payload["status"], payload["campaign"], payload["folder"]) == (
        "red", "nightly", FOLDER
    )  # fmt: skip
    assert str(payload["text"]).startswith("*Night nightly* RED: launch CPU, io on")
    assert payload["summary"] == nightly_document(summary)


def test_the_address_of_the_webhook_is_nowhere(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.problem = "it cannot be reached (gaierror)"
    summary = world.night(webhook=Webhook(url=SECRET))
    written = [p for p in world.root.rglob("*") if p.is_file()]
    order = world.order(webhook=Webhook(url=SECRET))
    texts = [path.read_text(errors="replace") for path in written]
    said = " ".join([*world.listener.news, repr(summary), repr(order), *texts])
    said += " ".join(capsys.readouterr())
    assert len(written) > 6
    assert "hooks.example.org" not in said
    assert "hush" not in said


def test_a_summary_that_cannot_be_written_does_not_count_as_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise EnvironmentProblem(f"There is no room left to write {path}.")

    monkeypatch.setattr("harness.scenarios.nightly.telling.write_text", full)
    summary, written = night(world.order(), listener=world.listener)
    assert (summary.exit_code, written) == (ExitCode.PASS, False)
    assert any("nightly.json could not be written" in failure for failure in summary.failures)
    mark = read_mark(world.root, "nightly")
    assert mark
    assert not mark.ended


def test_a_format_that_fails_does_not_take_the_others_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> str:
        raise IndexError("of a table")

    from harness.scenarios.nightly import telling

    forms = tuple((form, broken if form == "md" else render) for form, render in telling.FORMS)
    monkeypatch.setattr(telling, "FORMS", forms)
    assert world.night().exit_code == ExitCode.PASS
    assert "nightly.md could not be written" in stored(world)["failures"][0]


@pytest.mark.parametrize("kind", ["green", "red", "grey", "rich"])
def test_the_summary_keeps_its_contract(world: World, kind: str) -> None:
    if kind == "red":
        world.said = (alarm_of(1.2),)
    if kind == "grey":
        world.fail["pin"] = raising(EnvironmentProblem("No index.", evidence="x", hint="y"))
    if kind == "rich":
        world.judged = findings_of(world.plan(), broke={(NEWEST, 3): "no_oom"})
        world.said = (alarm_of(1.2), alarm_of(None, key="base_mib"))
        world.invalid = [[next(world.plan().cells()).id], []]
    world.night(budget_s=1200.0 if kind == "rich" else 3600.0)
    document = stored(world)
    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(document)] == []
    for key in document:
        broken = {name: value for name, value in document.items() if name != key}
        assert not validator.is_valid(broken)
    assert not validator.is_valid(document | {"status": "blue"})
    assert not validator.is_valid(document | {"exit_code": 4 if kind != "grey" else 0})


def test_every_key_of_the_summary_is_in_the_schema(world: World) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert set(nightly_document(world.night())) == set(schema["properties"])


def test_kinds_with_one_short_name_are_told_in_full(world: World) -> None:
    other = KIND.replace("6 workers", "8 workers")
    key = replace(alarm_of().key, kind=other)
    world.said = (alarm_of(1.2), alarm_of(1.3, key="launch_s@3"))
    world.said = (world.said[0], replace(world.said[1], key=replace(world.said[1].key, kind=other)))
    assert key.kind != KIND
    assert f"launch time p50 at 3 runs, {other}: +30 %" in world.night().headline
