"""Every load model and a mix: the real Locust child against a fake webserver.

The machine may be slow, so nothing is said about how quickly anything was sent: only how many,
in which order, and for which intended moment.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fake_webserver import LOCATION, Behaviour, FakeWebserver, serving

from harness.errors import GeneratorFailed
from harness.facts.model import Phase
from harness.rig.load.arrivals import arrivals
from harness.rig.load.driver import LocustDriver
from harness.rig.orders import JobOrder, LoadOrder, LoadOutcome

pytestmark = pytest.mark.integration

MIX = (
    JobOrder(job="load_io", share=2, run_config={"requests": 1}),
    JobOrder(job="load_cpu", share=1, run_config={"work_units": 3}),
)


def order_for(fake: FakeWebserver, **changes: Any) -> LoadOrder:
    fields: dict[str, Any] = {
        "step": 4,
        "webserver_url": fake.url,
        "location": LOCATION,
        "jobs": (JobOrder(job="load", share=1, run_config={}),),
        "tags": {},
        "concurrency": 3,
        "ramp_s": 0.5,
        "settle_s": 0.0,
        "hold_s": 2.0,
        "drain_s": 20.0,
        "burst": False,
    }
    return LoadOrder(**{**fields, **changes})


def execute(folder: Path, order: LoadOrder) -> LoadOutcome:
    return LocustDriver(folder).execute(order, abort=lambda: "", progress=lambda _: None)


def measure(folder: Path, behaviour: Behaviour, **changes: Any) -> tuple[LoadOrder, LoadOutcome]:
    with serving(behaviour) as fake:
        order = order_for(fake, **changes)
        outcome = execute(folder, order)
        assert {run.run_id for run in outcome.runs} == set(fake.runs)
        for run in outcome.runs:
            assert run.run_id is not None
            assert fake.runs[run.run_id].job == run.job
    return order, outcome


def intended(outcome: LoadOutcome) -> list[float]:
    return sorted(run.intended_s for run in outcome.runs)


def named(outcome: LoadOutcome, name: str) -> Phase:
    return next(phase for phase in outcome.phases if phase.name == name)


@pytest.mark.parametrize("model", ["uniform", "poisson"])
def test_an_open_model_sends_its_whole_schedule_whatever_becomes_of_earlier_runs(
    model: str, tmp_path: Path
) -> None:
    # No run ends before the sending is over, and there are more than the planned concurrency.
    order, outcome = measure(tmp_path, Behaviour(run_s=3.0), model=model, rate_per_s=8.0, seed=3)
    planned = list(arrivals(order, outcome.phases[0].start_s))
    assert len(planned) > 10
    assert intended(outcome) == planned
    assert outcome.dropped_arrivals == 0
    assert all(run.sent_s >= run.intended_s for run in outcome.runs)
    assert [phase.name for phase in outcome.phases] == ["ramp", "hold", "drain"]
    assert {run.status for run in outcome.runs} == {"SUCCESS"}


def test_arrivals_beyond_the_users_are_dropped_and_neither_late_nor_forgotten(
    tmp_path: Path,
) -> None:
    order, outcome = measure(
        tmp_path,
        Behaviour(run_s=60.0),
        model="uniform",
        rate_per_s=40.0,
        ramp_s=0.0,
        drain_s=5.0,
    )
    planned = list(arrivals(order, outcome.phases[0].start_s))
    assert len(outcome.runs) == len({run.user for run in outcome.runs}) == 50
    assert outcome.dropped_arrivals == len(planned) - 50 > 0
    assert intended(outcome) == planned[:50]


def test_a_burst_intends_all_its_runs_for_one_moment_and_none_after(tmp_path: Path) -> None:
    order, outcome = measure(
        tmp_path, Behaviour(run_s=0.3), model="burst", concurrency=200, ramp_s=0.0, hold_s=3.0
    )
    hold = named(outcome, "hold")
    assert intended(outcome) == [hold.start_s] * 200
    assert len({run.user for run in outcome.runs}) == 200
    assert [phase.name for phase in outcome.phases] == ["hold", "drain"]
    # All runs ended long before: windows of equal length are what can be compared.
    assert hold.end_s - hold.start_s >= order.hold_s - 0.001


def test_rejected_arrivals_do_not_keep_their_users_busy(tmp_path: Path) -> None:
    reject = {"__typename": "PipelineNotFoundError", "message": "no such job"}
    with serving(Behaviour(reject=reject)) as fake:
        order = order_for(fake, model="uniform", rate_per_s=100.0, ramp_s=0.0, hold_s=1.0)
        outcome = execute(tmp_path, order)
    assert {run.status for run in outcome.runs} == {"REJECTED"}
    # Users that pause for a second, as in the closed model, could send only their first.
    assert len(outcome.runs) > 60
    assert len(fake.launch_requests_s) == len(outcome.runs)


@pytest.mark.parametrize(
    "changes", [{}, {"model": "uniform", "rate_per_s": 6.0}], ids=["closed", "uniform"]
)
def test_a_mix_launches_each_job_with_its_share_and_config(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    with serving(Behaviour(run_s=0.2)) as fake:
        outcome = execute(tmp_path, order_for(fake, jobs=MIX, hold_s=3.0, **changes))
        launched = {run.job: run.params["runConfigData"] for run in fake.runs.values()}
    assert launched == {"load_io": {"requests": 1}, "load_cpu": {"work_units": 3}}
    had = Counter(run.job for run in outcome.runs)
    assert len(outcome.runs) >= 6
    assert abs(had["load_cpu"] - len(outcome.runs) / 3) < 1


def test_a_poisson_step_in_which_chance_sends_nothing_is_no_failure(tmp_path: Path) -> None:
    with serving(Behaviour()) as fake:
        rare = {"model": "poisson", "rate_per_s": 1e-6, "hold_s": 0.5}
        outcome = execute(tmp_path, order_for(fake, **rare))
    assert outcome.runs == ()
    assert [phase.name for phase in outcome.phases] == ["ramp", "hold", "drain"]


def test_a_location_that_does_not_load_fails_every_model(tmp_path: Path) -> None:
    with (
        serving(Behaviour(load_error="ImportError: no module named pandas")) as fake,
        pytest.raises(GeneratorFailed) as failed,
    ):
        execute(tmp_path, order_for(fake, model="uniform", rate_per_s=1.0))
    assert "no module named pandas" in failed.value.evidence


def test_an_open_model_without_a_rate_starts_no_child(tmp_path: Path) -> None:
    with serving(Behaviour()) as fake, pytest.raises(ValueError, match="rate"):
        execute(tmp_path, order_for(fake, model="poisson"))
    assert list(tmp_path.iterdir()) == []


def test_first_come_is_first_served_by_the_fake_s_workers(tmp_path: Path) -> None:
    with serving(Behaviour(run_s=0.4, workers=2)) as fake:
        execute(tmp_path, order_for(fake, model="burst", concurrency=6, ramp_s=0.0))
        runs = sorted(fake.runs.values(), key=lambda run: run.launched_s)
    starts = [run.starts_s for run in runs]
    assert starts == sorted(starts)
    for run, later in zip(runs, runs[2:], strict=False):
        assert later.starts_s >= run.ends_s
