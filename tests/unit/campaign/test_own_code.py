"""The user's own code in a campaign: what may be said together, and what is launched."""

from __future__ import annotations

import pytest
from campaign_text import load, problems, with_workload
from pydantic import ValidationError

from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.own_code import Code, OwnJob
from harness.campaign.own_times import STEPS, times_for

pytestmark = pytest.mark.unit

OWN = "{name: mine, code: {image: 'reg/mine:1', jobs: [{name: etl, share: 3}, {name: report}]}}"


def test_own_jobs_are_what_is_launched_with_their_shares() -> None:
    (workload,) = load(with_workload(OWN)).workloads
    assert [(job.name, job.share) for job in workload.jobs] == [("etl", 3), ("report", 1)]


def test_run_config_tags_partitions_and_assets_reach_the_job() -> None:
    job = OwnJob(
        name="two", run_config={"ops": {"a": {"config": [1, "x"]}}}, tags={"team": "data"},
        partitions=("2026-01-01",), assets=("a/b",),
    )  # fmt: skip
    text = with_workload("{name: mine, code: {project: ., jobs: [{name: two}]}}")
    found = load(text, f"workloads.0.code.jobs=[{job.model_dump_json()}]").workloads[0].jobs[0]
    assert found.params == {"ops": {"a": {"config": [1, "x"]}}}
    assert (found.tags, found.partitions) == ({"team": "data"}, ("2026-01-01",))
    assert found.assets == ("a/b",)


def test_a_campaign_with_own_code_loads_back_as_it_was_stored() -> None:
    campaign = load(with_workload(OWN))
    assert load_campaign(dump_campaign(campaign), source="again") == campaign


@pytest.mark.parametrize("said", [{}, {"image": "a", "project": "b"}])
def test_it_is_an_image_or_a_project(said: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="either an image or a project"):
        Code(**said)


def test_one_thing_is_loaded() -> None:
    with pytest.raises(ValidationError, match="say one of them"):
        Code(image="a", module="m", python_file="f.py")


@pytest.mark.parametrize("key", ["params: {a: 1}", "steps: 3", "sensors: 2", "mix: {io: 1}"])
def test_what_is_for_our_own_packages_is_refused_beside_code(key: str) -> None:
    told = problems(with_workload(f"{{name: mine, {key}, code: {{image: x}}}}"))
    assert any("belongs to the harness's own workloads" in line for line in told)


def test_a_job_named_twice_is_refused() -> None:
    jobs = "[{name: a}, {name: a}]"
    (told,) = problems(with_workload(f"{{name: mine, code: {{image: x, jobs: {jobs}}}}}"))
    assert "a is named twice" in told


class TestTimes:
    @pytest.mark.parametrize("run_s", [0.0, 1.5, 30.0, 400.0, 20000.0])
    def test_they_make_a_campaign_that_has_time_for_its_search(self, run_s: float) -> None:
        from harness.campaign.estimate import estimate_step_s
        from harness.scenarios.own_code import overrides

        campaign = load(with_workload(OWN), *overrides(times_for(run_s)))
        minutes = campaign.search.max_minutes
        assert minutes is not None
        assert minutes * 60 / estimate_step_s(campaign) >= STEPS - 2

    def test_a_hold_sees_three_runs_end_and_the_drain_waits_for_as_many(self) -> None:
        times = times_for(60.0)["step"]
        assert times["hold_s"] == 180
        assert times["drain_s"] > 180
        assert times["ramp_s"] > 60
