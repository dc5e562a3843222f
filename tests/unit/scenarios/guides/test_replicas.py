"""What replicas behind one name show of launches, cancels and a roll-out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.registry import all_claims
from harness.scenarios.guides.replica_figures import REFUSED, figures
from harness.scenarios.guides.replicas import SCENARIO

pytestmark = pytest.mark.unit

CLAIMS = [claim for claim in all_claims() if claim.scenario == SCENARIO.name]
REAL = Path(__file__).parents[3] / "data" / "guides" / "replicas.jsonl"


def told(what: str, **values: Any) -> Observation:
    return Observation(what=what, at_s=0.0, values=values)


def launch(group: str, error: str | None = None) -> Observation:
    return told("launch", group=group, error=error, run_id=None if error else "x")


def late(run_id: str, status: str, first_step_s: float | None = 100.0) -> Observation:
    return told("run", group="late", run_id=run_id, status=status, first_step_s=first_step_s)


ROLL = (
    # At 102 s one had ended; of the others one fits, one is on the edge, one never began.
    told("stop", grace_s=10, stopped_s=102.0, took_s=10.2,
         run_ids=["over", "fits", "edge", "long", "longer", "unseen"],
         lengths=[1, 5, 12, 60, 60, 60]),
    late("over", "SUCCESS"), late("fits", "SUCCESS"), late("edge", "FAILURE"),
    late("long", "STARTED"), late("longer", "FAILURE"), late("unseen", "STARTED", None),
    told("stop", grace_s=30, stopped_s=200.0, took_s=6.0, run_ids=["brief"], lengths=[5]),
    late("brief", "SUCCESS", 199.0),
    *(launch("draining", error) for error in (None, f"Error: {REFUSED}", "another", None)),
    launch("stopped"),
)  # fmt: skip
SEEN = (
    told("asked", client="fresh", counts=[40, 50, 60]),
    told("asked", client="kept", counts=[150]), told("asked", client="beside", counts=[1, 149]),
    told("held", how="serial", replicas=3, counts=[2, 4, 2]),
    told("held", how="serial", replicas=2, counts=[9, 0]),
    *(told("held", how="together", replicas=3, counts=counts) for counts in ([6, 0, 0], [0, 4, 2])),
    told("cancel", replicas=3, asked=9, accepted=4, going_on=6),
    told("reloads", location="plain", took_s=30.0, reloads=20, looks=60, away=3),
    told("reloads", location="fixed", took_s=30.0, reloads=0, looks=60, away=0),
    *ROLL,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fresh_busiest", 0.4), ("kept_busiest", 1), ("beside_busiest", 149 / 150),
        ("serial_busiest", 0.5), ("together_busiest", 10 / 12),
        ("cancelled_of_three", 1 / 3), ("cancelled_of_two", None),
        ("plain_reloads_per_min", 40), ("fixed_reloads_per_min", 0),
        ("plain_away", 0.05), ("fixed_away", 0),
        ("drained", 1), ("cut_off_left_running", 0.5), ("refused_while_draining", 0.25),
        ("served_when_stopped", 1), ("early_exit_s", 6.0),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float | None) -> None:
    value = figures(Observations(SEEN))[name].value
    assert value == (None if expected is None else pytest.approx(expected))


def test_nothing_seen_is_nothing_known() -> None:
    found = figures(Observations())
    assert found
    assert all(figure.value is None and figure.why for figure in found.values())
