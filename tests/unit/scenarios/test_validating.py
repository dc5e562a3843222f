"""What a configuration is put to the test with: exactly itself, and two bursts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeListener
from jsonschema import Draft202012Validator

from harness.analysis.inside import Inside
from harness.analysis.validation import Answer, Burst, Validation
from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.plan import Campaign, Workload
from harness.campaign.promises.types import Promise
from harness.cli.validate import CODES
from harness.errors import CampaignError
from harness.rig.session import SessionOptions
from harness.scenarios import validating
from harness.scenarios.validating import (
    Validated,
    asked_of,
    longer_campaign,
    validation_campaign,
    validation_json,
)

pytestmark = pytest.mark.unit

PROMISE = Promise(
    name="My ETL", vcpu=1.0, memory_mib=2048, max_workers=12, limit=10, replicas=1, image=None,
    load={}, dequeue_threads=None, dequeue_interval_s=5, said={},
)  # fmt: skip


def campaign(promise: Promise = PROMISE, run_s: float | None = None) -> Campaign:
    workload = Workload(name="io", concurrencies=(1, 2))
    return validation_campaign(promise, workload, dagster="1.13.27", run_s=run_s)


def test_the_cell_is_what_was_promised() -> None:
    (cell,) = campaign().cells()
    assert cell.profile.name == "1vcpu-2gb"
    assert (cell.max_workers, cell.replicas, cell.max_concurrent_runs) == (12, 1, 10)
    assert cell.feed == "queued"


def test_a_size_that_fargate_does_not_offer_is_a_free_one() -> None:
    (cell,) = campaign(replace(PROMISE, memory_mib=1900)).cells()
    assert (cell.profile.vcpu, cell.profile.memory_mib) == (1.0, 1900)


@pytest.mark.parametrize(("limit", "bursts"), [(10, (10, 30)), (1, (2, 3))])
def test_it_is_sent_its_own_limit_and_three_times_that_at_once(
    limit: int, bursts: tuple[int, ...]
) -> None:
    plan = campaign(replace(PROMISE, limit=limit))
    assert plan.search.grid == bursts
    assert plan.load.model == "burst"


def test_a_daemon_as_slow_as_configured_is_no_doubt() -> None:
    assert campaign().queue.on_trial


def test_waiting_in_the_queue_is_no_objective() -> None:
    left = {name for name, limit in campaign().slos.model_dump().items() if limit is not None}
    assert left == {"no_oom", "failed_runs", "memory_headroom", "probe_s_p99"}


def test_steps_are_long_enough_for_three_waves_of_long_runs() -> None:
    short, long = campaign(run_s=5), campaign(run_s=100)
    assert long.step.hold_s > 200 > short.step.hold_s, "filled, and filled again"
    assert long.step.hold_s + long.step.drain_s > 3 * 100 + 20


def test_runs_of_ours_last_until_the_limit_is_full() -> None:
    (workload,) = campaign().workloads
    assert workload.params["requests"] == campaign().load.run_s == 30
    assert campaign().step.hold_s > 30 + 20
    assert campaign(run_s=5).workloads[0].params == {}, "what a user's runs take stands"


def test_it_is_tried_again_with_longer_runs_where_launches_were_slower_than_thought() -> None:
    plan = campaign()
    again = longer_campaign(PROMISE, plan, {1: inside(4.0), 2: inside(5.0)})
    assert again is not None
    assert again.load.run_s == 75
    assert again.workloads[0].params["requests"] == 75
    assert again.step.hold_s > plan.step.hold_s


@pytest.mark.parametrize("pace_s", [None, 1.0, 2.2])
def test_it_is_not_tried_again_where_that_would_change_little(pace_s: float | None) -> None:
    assert longer_campaign(PROMISE, campaign(), {1: inside(pace_s)}) is None


@pytest.mark.parametrize(("pace_s", "attempts"), [(5.0, 2), (1.0, 1)])
def test_a_limit_that_stayed_unfilled_is_measured_once_more(
    monkeypatch: pytest.MonkeyPatch, pace_s: float, attempts: int
) -> None:
    measured: list[float | None] = []

    def attempt(promise: Promise, plan: Campaign, *_: object) -> object:
        measured.append(plan.load.run_s)
        unfilled = Validation(answer="limit never filled", why="At most 4 of 10.")
        done = Validated(promise=promise, validation=unfilled, results=None)
        return done, {1: inside(pace_s)}

    monkeypatch.setattr(validating, "_attempt", attempt)
    monkeypatch.setattr(validating, "refusal", lambda _: "")
    options = SessionOptions(results_root=Path("results"), command=["harness"])
    done = validating.validate(PROMISE, campaign(), options=options, listener=FakeListener())
    assert len(measured) == attempts, "never more than twice, however unfilled it stays"
    assert bool(done.again) is (attempts == 2)


def test_what_cannot_be_filled_in_the_longest_run_is_not_tried_again() -> None:
    slow = replace(PROMISE, limit=160)
    assert longer_campaign(slow, campaign(slow), {1: inside(60.0)}) is None


def inside(pace_s: float | None) -> Inside:
    return Inside(most=4, full_s=0.0, by="samples", pace_s=pace_s, run_s=30.0)


def test_it_loads_back_as_it_was_stored() -> None:
    assert load_campaign(dump_campaign(campaign()), source="again") == campaign()


def test_a_limit_no_step_can_send_three_times_is_refused() -> None:
    with pytest.raises(CampaignError, match="more than one step can send") as caught:
        campaign(replace(PROMISE, limit=200))
    assert caught.value.hint.endswith("--limit 166")


def test_the_answer_is_kept_with_what_was_asked() -> None:
    answer = Validation(answer="holds", why="Both passed.")
    document = json.loads(validation_json(PROMISE, answer))
    assert document["promise"]["limit"] == asked_of(PROMISE).limit == 10
    assert document["validation"]["answer"] == "holds"


@pytest.mark.parametrize("answer", list(CODES))
def test_the_answer_is_as_its_schema_says(answer: Answer, repo_root: Path) -> None:
    schema = json.loads((repo_root / "results/validation.schema.json").read_text(encoding="utf-8"))
    burst = Burst(runs=10, passed=None, sentence="", inside=7, full_s=3.0, counted_by="runs")
    found = Validation(answer=answer, why="Because.", bursts=(burst, Burst(
        runs=30, passed=True, sentence="")), meaning=("It means.",))  # fmt: skip
    Draft202012Validator(schema).validate(json.loads(validation_json(PROMISE, found)))
