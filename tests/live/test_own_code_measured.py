"""The user's own code on a real engine: built, looked into, measured; its secrets nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from live.rigs import campaign, measure_steps
from rich.console import Console

from harness.cli.own_code_options import OwnCode
from harness.cli.plans import Wanted, planned, planned_for_own_code
from harness.errors import CampaignError, TargetFailed
from harness.masking import hiding
from harness.rig.protocols import Listener
from harness.watch.plain import PlainListener

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(900)]

EXAMPLES = Path(__file__).parents[2] / "workloads" / "examples"
TOKEN = "a-secret-that-must-not-be-found-4711"


@pytest.fixture
def listener() -> Listener:
    return PlainListener(Console(stderr=True))


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    path = tmp_path / "shop.env"
    path.write_text(f'SHOP_API_TOKEN="{TOKEN}"\nORDERS_PER_DAY=2000\n', encoding="utf-8")
    return path


def wanted(own: OwnCode, *changes: str) -> Wanted:
    return Wanted(None, "", (), "compose", changes, own)


def test_a_project_is_measured_and_its_secret_is_in_no_file(
    tmp_path: Path, secrets: Path, listener: Listener
) -> None:
    own = OwnCode(project=EXAMPLES / "warehouse", job=["nightly_etl"], env_file=secrets)
    asked = wanted(own, "step={ramp_s: 2, settle_s: 0, hold_s: 10}", "idle_s=0", "warmup_runs=0")
    with hiding({}):
        plan = planned_for_own_code(asked, planned(asked), listener)
        (job,) = plan.workloads[0].jobs
        assert job.partitions == ("2026-02-28",)  # the newest
        facts = measure_steps(plan, [2], tmp_path / "results")
    assert {run.status for run in facts.runs} == {"SUCCESS"}
    assert facts.steps[0].outcome == "completed"
    written = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    assert written
    leaked = [path for path in written if TOKEN.encode() in path.read_bytes()]
    assert leaked == []
    log = next(path for path in written if path.name == "code-server-1.log")
    assert "[SHOP_API_TOKEN]" in log.read_text(encoding="utf-8")


def test_a_job_that_fails_alone_is_no_load_and_its_error_is_said(
    tmp_path: Path, listener: Listener
) -> None:
    own = OwnCode(project=EXAMPLES / "warehouse", job=["nightly_etl"])
    asked = wanted(own)
    with pytest.raises(TargetFailed, match="fails even alone") as caught:
        planned_for_own_code(asked, planned(asked), listener)
    assert "SHOP_API_TOKEN" in caught.value.evidence


def test_of_several_jobs_one_must_be_named_and_all_are_shown(listener: Listener) -> None:
    asked = wanted(OwnCode(project=EXAMPLES / "models"))
    with pytest.raises(CampaignError, match="2 jobs and 100 assets") as caught:
        planned_for_own_code(asked, planned(asked), listener)
    assert "--job build" in caught.value.evidence


def test_a_campaign_names_own_code_and_its_jobs(tmp_path: Path) -> None:
    plan = campaign(
        f"""
        name: live
        target: compose
        profiles: [1vcpu-2gb]
        workloads:
          - name: models
            code: {{project: {EXAMPLES / "models"}, jobs: [{{name: marts}}]}}
        warmup_runs: 0
        idle_s: 0
        step: {{ramp_s: 1, settle_s: 0, hold_s: 8, drain_s: 60}}
        """
    )
    facts = measure_steps(plan, [1], tmp_path)
    assert {(run.job, run.status) for run in facts.runs} == {("marts", "SUCCESS")}
