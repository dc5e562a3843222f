"""A real deployment that others started: measured through its webserver, left without a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from live.rigs import measure_steps
from rich.console import Console

from harness.cli.external_options import Deployed
from harness.cli.own_code_options import OwnCode
from harness.cli.plans import Wanted, planned, planned_for_own_code
from harness.rig.lab.lab import Lab, LabParts
from harness.rig.lab.spec import LabSpec
from harness.rig.ledger import Ledger
from harness.rig.target.external import TAG
from harness.rig.target.images import (
    BuildOptions,
    Images,
    ca_bundle_from_environment,
    ensure_images,
)
from harness.rig.target.locks import known_versions
from harness.rig.target.software import release
from harness.watch.plain import PlainListener

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(900)]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Lab]:
    """A server and its webserver, started by somebody else."""
    options = BuildOptions(ca_bundle=ca_bundle_from_environment(), log=tmp_path / "log")

    def images(*, launcher: bool) -> Images:
        assert not launcher
        return ensure_images(release(known_versions()[-1]), options)

    with Lab(LabSpec(), tmp_path / "lab", LabParts(images=images, ledger=Ledger())) as lab:
        lab.web.await_locations(["server"], timeout_s=120)
        yield lab


def test_it_is_measured_from_outside_and_what_cannot_be_known_is_not_told(
    deployment: Lab, tmp_path: Path
) -> None:
    deployed = Deployed(
        webserver=deployment.web.url, location="server",
        code_server=[deployment.server().address], peak=3,
    )  # fmt: skip
    run_config = tmp_path / "run.yaml"
    run_config.write_text("seconds: 1.0\n", encoding="utf-8")
    own = OwnCode(job=["sleep"], run_config=[str(run_config)])
    changes = ("step={ramp_s: 1, settle_s: 0, hold_s: 8}", "idle_s=0", "warmup_runs=0")
    wanted = Wanted(None, "", (), "external", changes, own, deployed)
    plan = planned_for_own_code(wanted, planned(wanted), PlainListener(Console(stderr=True)))
    facts = measure_steps(plan, [2], tmp_path / "results")
    assert {run.status for run in facts.runs} == {"SUCCESS"}
    cell = facts.cell
    assert (cell.target, cell.limits_enforced, cell.effective_limits) == ("external", False, None)
    assert cell.dagster == known_versions()[-1]
    devices = set(facts.samples.frame["device"].unique())
    assert "probe" in devices
    assert not devices & {"cgroup", "processes", "pool", "run_queue", "support"}
    assert facts.steps[0].kernel_peak_bytes is None
    mark = cell.detail["tag"].removeprefix(f"{TAG}=")
    ours = deployment.records.ask(
        "SELECT count(*) FROM run_tags WHERE key = %s AND value = %s", (TAG, mark)
    )
    assert ours[0][0] == len(facts.runs)
