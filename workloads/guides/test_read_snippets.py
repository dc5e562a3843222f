"""Snippets of configuration, read by the real readers of the development environment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workloads.guides.read_snippets import QUESTIONS

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).with_name("read_snippets.py")


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    """What the script prints, by name, run as the harness runs it."""
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT)], capture_output=True, text=True, check=True
    )
    return {each["name"]: each for each in json.loads(done.stdout)}


def test_every_question_is_answered(answers: dict[str, dict[str, Any]]) -> None:
    assert list(answers) == list(QUESTIONS)


def test_numbers_must_be_in_quotes(answers: dict[str, dict[str, Any]]) -> None:
    for name in ("location", "context"):
        assert answers[f"{name}_quoted"]["accepted"]
        assert not answers[f"{name}_unquoted"]["accepted"]
        assert "cpu" in answers[f"{name}_unquoted"]["error"]


def test_server_and_run_get_their_own_sizes(answers: dict[str, dict[str, Any]]) -> None:
    given = answers["location_quoted"]
    assert (given["server_cpu"], given["run_cpu"]) == ("2048", "1024")


def test_only_tags_of_the_op_size_its_step(answers: dict[str, dict[str, Any]]) -> None:
    assert answers["asset_tags"]["asked_cpu"] is None
    assert answers["op_tags"]["asked_cpu"] == "4096"


def test_the_ecs_executor_refuses_any_other_launcher(answers: dict[str, dict[str, Any]]) -> None:
    assert "EcsRunLauncher" in answers["executor_default"]["error"]
    assert answers["executor_ecs"]["taken"]
