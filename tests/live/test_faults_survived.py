"""Every fault a soak can have, on a real server: struck, taken back, and the facts intact."""

from __future__ import annotations

from pathlib import Path

import docker
import pytest
from fakes import FakeListener
from live.rigs import campaign

from harness.analysis.soaking.types import FaultOutcome, Soak
from harness.campaign.faults import FAULT_KINDS
from harness.facts.store import read_results
from harness.facts.table import CellFacts
from harness.rig.session import SessionOptions
from harness.scenarios import threshold
from harness.scenarios.soaking import soaked

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(1200)]

SEGMENTS = len(FAULT_KINDS) + 2
PLAN = f"""
name: faults
target: compose
profiles: [1vcpu-2gb]
workloads: [{{name: io, params: {{requests: 2, wait_s: 2}}}}]
warmup_runs: 0
idle_s: 0
step: {{ramp_s: 1, settle_s: 0, hold_s: 20, drain_s: 40}}
search: {{strategy: soak, concurrencies: [2], max_steps: {SEGMENTS}}}
slos: {{slowdown_p95: null, launch_s_p95: null}}
faults:
""" + "".join(
    f"  - {{kind: {kind}, segment: {number}, for_s: 6}}\n"
    for number, kind in enumerate(FAULT_KINDS, start=2)
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Soak, CellFacts]:
    """One soak with every fault there is."""
    root = tmp_path_factory.mktemp("soak")
    options = SessionOptions(results_root=root, command=["pytest"])
    folder = threshold.run(campaign(PLAN), options=options, listener=FakeListener())
    return soaked(Path(folder.path)), read_results(folder.path).cells[0]


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_fault_strikes_and_runs_start_again_after_it(
    kind: str, measured: tuple[Soak, CellFacts]
) -> None:
    outcome = _outcome(measured[0], kind)
    assert outcome.struck, outcome.why
    assert outcome.recovered
    assert outcome.answering_s is not None


def test_the_facts_of_every_segment_are_whole(measured: tuple[Soak, CellFacts]) -> None:
    facts = measured[1]
    assert facts.cell.sealed
    assert [step.kind for step in facts.steps] == ["load", *["fault"] * len(FAULT_KINDS), "load"]
    assert {run.step for run in facts.runs} == set(range(SEGMENTS))
    sent = [run.run_id for run in facts.runs if run.run_id]
    assert len(sent) == len(set(sent))


def test_only_the_killed_server_is_a_death_and_no_oom(measured: tuple[Soak, CellFacts]) -> None:
    deaths = [event for event in measured[1].events if event.kind == "server_died"]
    assert [event.detail["witnesses"] for event in deaths] == [["killed on purpose"]]
    assert _outcome(measured[0], "server-kill").server_died


def test_a_killed_run_is_the_only_one_that_fails_in_its_segment(
    measured: tuple[Soak, CellFacts],
) -> None:
    outcome = _outcome(measured[0], "run-kill")
    # One that only launches, where no other was there, is a launch refused.
    assert outcome.failed + outcome.lost + outcome.refused == 1
    assert outcome.failed_later == 0


def test_segments_without_a_fault_lose_no_run(measured: tuple[Soak, CellFacts]) -> None:
    assert set(measured[0].runs) == {"SUCCESS"}


def test_nothing_is_left_running(measured: tuple[Soak, CellFacts]) -> None:
    project = measured[1].cell.detail["project"]
    client = docker.from_env()
    label = {"label": f"com.docker.compose.project={project}"}
    assert not client.containers.list(all=True, filters=label)
    assert not client.volumes.list(filters=label)


def _outcome(soak: Soak, kind: str) -> FaultOutcome:
    (found,) = [each for each in soak.faults if each.kind == kind]
    return found
