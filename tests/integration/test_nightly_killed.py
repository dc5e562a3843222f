"""A night killed at any moment leaves nothing half done, and the next one starts clean."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

SUMMARIES = sorted(
    name for form in ("json", "md", "xml") for name in (f"nightly-nightly.{form}",
                                                        f"nightly.{form}")
)  # fmt: skip


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """A night for each moment it was killed at, and the one after; the last outlived them all."""
    script, tests = Path(__file__).with_name("nights_killed.py"), Path(__file__).parents[1]
    modules = os.pathsep.join(map(str, (tests, tests / "unit/scenarios")))
    base = tmp_path_factory.mktemp("killed")
    done = subprocess.run(
        [sys.executable, str(script), str(base)], capture_output=True, text=True, timeout=250,
        check=False, env={**os.environ, "PYTHONPATH": modules},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    seen: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return seen


def test_every_moment_of_a_night_was_tried(nights: list[dict[str, Any]]) -> None:
    assert len(nights) > 60
    assert {night["ended"] for night in nights[:-1]} == {-signal.SIGKILL}
    assert nights[-1]["ended"] == 0
    assert nights[-1]["before"] == SUMMARIES


def test_the_next_night_is_whole_whenever_the_one_before_was_killed(
    nights: list[dict[str, Any]],
) -> None:
    for number, night in enumerate(nights, start=1):
        assert (night["code"], night["closed"], night["failures"]) == (0, True, []), number
        assert set(SUMMARIES) <= set(night["summaries"]), number
        assert night["half"] == [], number


def test_what_the_killed_night_left_is_told_and_gone_on_with(nights: list[dict[str, Any]]) -> None:
    told = [night for night in nights if any("was cut short" in each for each in night["left"])]
    resumed = [night for night in nights if night["resumed"]]
    assert len(told) > 40
    assert len(resumed) > 30
    assert all(night in told for night in resumed)
    assert nights[-1]["left"] == []
