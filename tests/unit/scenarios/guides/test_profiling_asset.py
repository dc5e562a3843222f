"""What a profiled asset says, against what its runs took."""

from __future__ import annotations

from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.profiling_asset import MIB, TOLD, figures

pytestmark = pytest.mark.unit


def seen(what: str, **values: Any) -> Observation:
    return Observation(what=what, at_s=0.0, values=values)


def told(work: str, executor: str, *, turn: str = "again", **changes: Any) -> Observation:
    """Rows of 1 or 50 MiB; tracing nearly doubles what resident memory grows by."""
    mib = {"light": 1, "heavy": 50}[work]
    values = {"rss_delta": 1.8 * mib * MIB, "traced_peak": mib * MIB, "built_s": 0.4}
    return seen(
        "told",
        **{"work": work, "executor": executor, "turn": turn, "profile": True, **values, **changes},
    )


def held(work: str, executor: str, *, runs: int = 2, **changes: Any) -> Observation:
    """Runs of 100 MiB and their rows, and as much again for a process per step."""
    each = {"light": 100, "heavy": 150}[work] + (100 if executor == "multiprocess" else 0)
    values = {
        "work": work, "executor": executor, "runs": runs, "working": runs,
        "idle_pss_bytes": 90 * MIB, "pss_bytes": (90 + runs * each) * MIB,
        "idle_usage_bytes": 95 * MIB, "peak_bytes": (95 + runs * (each + 2)) * MIB,
    }  # fmt: skip
    return seen("held", **{**values, **changes})


SEEN = (
    seen("image", psutil=0),
    told("light", "in_process", turn="first", rss_delta=900 * MIB),
    *(make(work, executor)
      for executor in ("in_process", "multiprocess") for work in ("light", "heavy")
      for make in (told, held)),
    told("heavy", "in_process", profile=False, rss_delta=-1, traced_peak=-1, built_s=0.1),
)  # fmt: skip


def value(name: str, *observed: Observation) -> float | None:
    return figures(Observations(observed or SEEN))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("light_told_mib", 1.8), ("light_real_mib", 100), ("light_peak_mib", 102),
        ("light_ratio", 0.018), ("heavy_told_mib", 90), ("heavy_real_mib", 150),
        ("heavy_ratio", 0.6), ("heavy_multi_ratio", 0.36), ("unseen_mib", 98.2),
        ("unseen_multi_mib", 198.2), ("rss_delta_inflation", 1.8), ("traced_slowdown", 4),
        ("psutil_there", 0),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected)


def test_the_larger_of_the_two_numbers_counts() -> None:
    flat = told("heavy", "in_process", rss_delta=0, traced_peak=48 * MIB)
    assert value("heavy_told_mib", flat) == 48


def test_runs_that_did_not_all_work_say_nothing() -> None:
    assert value("light_ratio", told("light", "in_process"),
                 held("light", "in_process", working=1)) is None  # fmt: skip


def test_nothing_seen_is_nothing_known() -> None:
    assert all(figure.value is None for figure in figures(Observations()).values())


def test_the_line_of_the_asset_is_understood() -> None:
    line = '{"user_message": "profile: rss_delta=-1 traced_peak=4096 built_s=0.0300"}'
    found = TOLD.search(line)
    assert found
    assert found.groups() == ("-1", "4096", "0.0300")
