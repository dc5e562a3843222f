"""Answers that lie beside the facts they were made from."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.analysis.soaking.types import Growth, PerHour, Reach, Soak
from harness.analysis.validation import Burst, Validation
from harness.report.soak import soak_lines
from harness.scenarios.kept_answers import kept_answers
from harness.scenarios.soaking import soak_json

pytestmark = pytest.mark.unit

GROWS = Growth(
    what="memory",
    of="code-server-1",
    unit="MiB",
    course="grows",
    first=500.0,
    last=520.0,
    per_hour=PerHour(value=20.0, low=15.0, high=25.0, n=12),
    reach=Reach(limit=2048.0, hours=76.0, earliest=61.0, latest=None),
)
SOAK = Soak(
    cell="c",
    concurrency=3,
    hours=1.0,
    segments=12,
    used=11,
    answer="does not last",
    why=("memory of code-server-1 reaches its limit in 76 h",),
    runs={"SUCCESS": 200},
    growth=(GROWS,),
)


def test_a_soak_is_read_back_as_it_was_judged(tmp_path: Path) -> None:
    (tmp_path / "soak.json").write_text(soak_json(SOAK), encoding="utf-8")
    (found,) = kept_answers(tmp_path)
    assert found.kind == "fail"
    assert found.lines == tuple(soak_lines(SOAK))


def test_a_validation_is_read_back(tmp_path: Path) -> None:
    answer = Validation(answer="holds", why="w", bursts=(Burst(runs=6, passed=True, sentence="s"),))
    _write_validation(tmp_path, answer)
    (found,) = kept_answers(tmp_path)
    assert (found.kind, found.lines[0]) == ("pass", "holds: w")


def test_both_may_lie_there_and_nothing_is_nothing(tmp_path: Path) -> None:
    assert list(kept_answers(tmp_path)) == []
    (tmp_path / "soak.json").write_text(soak_json(SOAK), encoding="utf-8")
    _write_validation(tmp_path, Validation(answer="does not hold", why="w"))
    assert [each.kind for each in kept_answers(tmp_path)] == ["fail", "fail"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 1, "answer": 7}'])
def test_what_cannot_be_read_is_no_answer(text: str, tmp_path: Path) -> None:
    for name in ("soak.json", "validation.json"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert list(kept_answers(tmp_path)) == []


def _write_validation(folder: Path, answer: Validation) -> None:
    text = json.dumps({"schema": 1, "promise": {}, "validation": asdict(answer)})
    (folder / "validation.json").write_text(text, encoding="utf-8")
