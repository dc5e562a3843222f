"""What bursts and crashes show of who dies and what is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.oom_blast import SCENARIO
from harness.scenarios.guides.oom_figures import figures
from harness.scenarios.guides.registry import all_claims

pytestmark = pytest.mark.unit

CLAIMS = [claim for claim in all_claims() if claim.scenario == SCENARIO.name]
REAL = Path(__file__).parents[3] / "data" / "guides" / "oom-blast.jsonl"


def told(what: str, **values: Any) -> Observation:
    return Observation(what=what, at_s=0.0, values=values)


def burst(kind: str, *, capped: bool = False, died: bool = False, kills: int = 0) -> Observation:
    return told("burst", kind=kind, capped=capped, died=died, oom_kills=kills,
                run_ids=[f"{kind}-{capped}-{n}" for n in range(4)])  # fmt: skip


def crash(replicas: int, victim: str, **changes: Any) -> Observation:
    """Three sleepers in each replica; a run dies alone, a server with its three."""
    values = {
        "replicas": replicas, "victim": victim, "in_flight": 3 * replicas, "lost": 3, "there": 3,
        "lost_there": 3, "elsewhere": 3 * (replicas - 1), "lost_elsewhere": 0,
        "run_ids": ["a", "b", "c"],
    }  # fmt: skip
    if victim == "run":
        values |= {"in_flight": 3 * replicas + 1, "lost": 1, "lost_there": 0, "run_ids": ["d"]}
    return told("crash", **{**values, **changes})


def run(run_id: str, status: str, group: str = "late") -> Observation:
    return told("run", group=group, run_id=run_id, status=status)


SEEN = (
    burst("light", died=True, kills=1), burst("heavy", kills=2),
    burst("light", capped=True), burst("heavy", capped=True),
    *(run(f"heavy-False-{n}", "SUCCESS", "heavy") for n in (0, 1)),
    *(run(f"{kind}-True-{n}", "SUCCESS", kind) for kind in ("light", "heavy") for n in range(4)),
    *(crash(k, victim) for k in (1, 3) for victim in ("run", "server")),
    run("a", "STARTED"), run("b", "STARTED"), run("c", "FAILURE"), run("d", "FAILURE"),
    told("recovery", replicas=1, serving_s=4.0, loaded_s=0.1),
    told("recovery", replicas=3, serving_s=9.0, loaded_s=0.1),
    told("together", replicas=3, counts=[0, 4, 1]),
    told("launch", group="beside", replicas=1, run_id=None),
    *(told("launch", group="beside", replicas=3, run_id=each) for each in ("x", "y")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("light_task_deaths", 1), ("light_lost", 1), ("light_oom_kills", 1),
        ("heavy_task_deaths", 0), ("heavy_lost", 0.5), ("heavy_oom_kills", 2),
        ("capped_task_deaths", 0), ("capped_lost", 0), ("capped_oom_kills", 0),
        ("one_lost_with_run", 0.25), ("one_lost_with_server", 1), ("two_lost_with_run", None),
        ("three_lost_with_run", 0.1), ("three_lost_with_server", 1 / 3),
        ("lost_there", 1), ("lost_elsewhere", 0), ("three_lost_on_average", 1 / 3),
        ("left_running", 2 / 3), ("recovery_s", 4), ("together_share", 0.8),
        ("one_served_meanwhile", 0), ("three_served_meanwhile", 1),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float | None) -> None:
    value = figures(Observations(SEEN))[name].value
    assert value == (None if expected is None else pytest.approx(expected))


def test_runs_lost_elsewhere_count_twice_in_what_is_lost_on_average() -> None:
    seen = Observations([crash(3, "server", lost_elsewhere=3)])
    assert figures(seen)["three_lost_on_average"].value == pytest.approx(1 / 3 + 2 / 3 * 0.5)


def test_nothing_seen_is_nothing_known() -> None:
    found = figures(Observations())
    assert found
    assert all(figure.value is None and figure.why for figure in found.values())
