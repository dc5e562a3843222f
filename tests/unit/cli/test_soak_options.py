"""`harness soak` as it is typed: what a fault may be called, and what is refused at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest
import typer

from harness.analysis.soaking.types import Answer
from harness.campaign.faults import FAULT_KINDS
from harness.cli.app import main
from harness.cli.soak import CODES, parse_fault
from harness.errors import ExitCode

pytestmark = pytest.mark.unit

Harness = Callable[..., int]


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Harness:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")

    def run(*words: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["soak", *words])
        return int(ended.value.code or 0)

    return run


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("network-cut", ("network-cut", None, None)),
        ("network-cut:20", ("network-cut", None, 20.0)),
        ("network-cut@5", ("network-cut", 5, None)),
        ("network-cut:2.5@7", ("network-cut", 7, 2.5)),
        ("server-kill@3", ("server-kill", 3, None)),
    ],
)
def test_a_fault_is_a_kind_perhaps_its_seconds_and_perhaps_its_segment(
    text: str, fault: tuple[str, int | None, float | None]
) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_every_kind_can_be_named(kind: str) -> None:
    assert parse_fault(f"{kind}:9@4") == (kind, 4, 9.0)


@pytest.mark.parametrize("text", ["", "earthquake", "Network-Cut", "network-cut 20", ":20@5"])
def test_what_is_no_kind_is_refused_with_all_that_are(text: str) -> None:
    with pytest.raises(typer.BadParameter) as refused:
        parse_fault(text)
    assert all(kind in refused.value.message for kind in FAULT_KINDS)


@pytest.mark.parametrize(
    "text",
    [
        "network-cut:soon", "network-cut@last", "network-cut@2.5", "network-cut@3:20",
        "network-cut:0", "network-cut:-1", "network-cut:3601", "network-cut:nan", "network-cut:inf",
        "network-cut@0", "network-cut@-2",
    ],
)  # fmt: skip
def test_what_no_fault_can_be_is_refused_before_anything_is_read(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="KIND"):
        parse_fault(text)


def test_the_help_names_every_kind(harness: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    assert harness("--help") == 0
    said = capsys.readouterr().out
    assert all(kind in said for kind in FAULT_KINDS)
    assert "--judge" in said


def test_every_answer_has_its_exit_code() -> None:
    assert set(CODES) == set(get_args(Answer))
    assert (CODES["steady"], CODES["does not last"], CODES["cannot tell"]) == (
        ExitCode.PASS, ExitCode.BREACH, ExitCode.INCONCLUSIVE,
    )  # fmt: skip


@pytest.mark.parametrize(
    "words", [("--hours", "0"), ("--hours", "169"), ("--share", "1.1"), ("--runs", "0")]
)
def test_amounts_have_bounds(harness: Harness, words: tuple[str, str]) -> None:
    assert harness(*words) == ExitCode.BAD_INPUT
