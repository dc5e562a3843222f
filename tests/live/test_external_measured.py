"""A real deployment that others started: measured through its webserver, left without a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from live.rigs import measure_steps
from rich.console import Console

from harness.analysis.judging import judge_cell
from harness.campaign.external import External
from harness.cli.external_options import Deployed
from harness.cli.own_code_options import OwnCode
from harness.cli.plans import Wanted, planned, planned_for_own_code
from harness.facts.model import Limits
from harness.facts.table import CellFacts
from harness.rig.lab.lab import Lab, LabParts
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.ledger import Ledger
from harness.rig.load import cancelling
from harness.rig.load import dagster_graphql as graphql
from harness.rig.load.web_date import look_at_date
from harness.rig.target.external import ExternalOptions, ExternalTarget
from harness.rig.target.images import (
    BuildOptions,
    Images,
    ca_bundle_from_environment,
    ensure_images,
)
from harness.rig.target.locks import known_versions
from harness.rig.target.quiet import TAG
from harness.rig.target.software import release
from harness.watch.plain import PlainListener

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(900)]


SWITCH = "DAGSTER_ENABLE_SERVER_METRICS"
SIZE = Limits(cpu_cores=1.0, memory_bytes=1024 * 2**20)


@pytest.fixture
def deployment(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A server and its webserver, started by somebody else; with metrics or without."""
    environment = {SWITCH: "1" if getattr(request, "param", False) else "0"}
    spec = LabSpec(servers=(ServerSpec(memory_mib=1024, environment=environment),))
    options = BuildOptions(ca_bundle=ca_bundle_from_environment(), log=tmp_path / "log")

    def images(*, launcher: bool) -> Images:
        assert not launcher
        return ensure_images(release(known_versions()[-1]), options)

    with Lab(spec, tmp_path / "lab", LabParts(images=images, ledger=Ledger())) as lab:
        lab.web.await_locations(["server"], timeout_s=120)
        yield lab


def measured(deployment: Lab, tmp_path: Path, *, hold_s: int) -> CellFacts:
    """Two runs at once, for so long."""
    deployed = Deployed(
        webserver=deployment.web.url, location="server",
        code_server=[deployment.server().address], peak=3,
    )  # fmt: skip
    run_config = tmp_path / "run.yaml"
    run_config.write_text("seconds: 1.0\n", encoding="utf-8")
    own = OwnCode(job=["sleep"], run_config=[str(run_config)])
    changes = (
        f"step={{ramp_s: 1, settle_s: 0, hold_s: {hold_s}}}", "idle_s=0", "warmup_runs=0",
    )  # fmt: skip
    wanted = Wanted(None, "", (), "external", changes, own, deployed)
    plan = planned_for_own_code(wanted, planned(wanted), PlainListener(Console(stderr=True)))
    return measure_steps(plan, [2], tmp_path / "results")


@pytest.mark.parametrize("deployment", [True], indirect=True)
def test_a_server_with_metrics_tells_its_memory_cpu_and_limits(
    deployment: Lab, tmp_path: Path
) -> None:
    facts = measured(deployment, tmp_path, hold_s=22)
    cell = facts.cell
    assert (cell.effective_limits, cell.limits_enforced) == (SIZE, True)
    assert (cell.vcpu, cell.memory_bytes) == (SIZE.cpu_cores, SIZE.memory_bytes)
    assert cell.max_workers == 8
    (name,) = facts.samples.sources("cgroup", "usage_bytes")
    times, used = facts.samples.series("cgroup", "usage_bytes", source=name)
    assert len(times) >= 4
    assert 50 * 2**20 < used.max() < 1024 * 2**20
    _, cpu_s = facts.samples.series("cgroup", "cpu_s", source=name)
    assert (cpu_s[1:] >= cpu_s[:-1]).all()
    (step,) = facts.steps
    assert (step.kernel_peak_bytes, step.peak_source) == (used.max(), "told")
    server = judge_cell(facts).steps[-1].summary.server
    assert server.cpu_cores is not None
    assert 0 < server.cpu_cores <= 1.1
    assert server.memory_peak_ratio is not None
    assert any(event.kind == "fallback" for event in facts.events)


def test_it_is_measured_from_outside_and_what_cannot_be_known_is_not_told(
    deployment: Lab, tmp_path: Path
) -> None:
    facts = measured(deployment, tmp_path, hold_s=8)
    assert {run.status for run in facts.runs} == {"SUCCESS"}
    cell = facts.cell
    assert (cell.target, cell.limits_enforced, cell.effective_limits) == ("external", False, None)
    assert cell.dagster == known_versions()[-1]
    devices = set(facts.samples.frame["device"].unique())
    assert "probe" in devices
    assert not devices & {"cgroup", "processes", "pool", "run_queue", "support"}
    assert facts.steps[0].kernel_peak_bytes is None
    assert SWITCH in cell.unavailable("cgroup")
    by_name = {slo.name: slo for slo in judge_cell(facts).steps[-1].slos}
    assert by_name["memory_headroom"].ok is None
    assert SWITCH in by_name["memory_headroom"].note
    # One host, one clock: what its dates allow holds that, and nothing is moved.
    clock = cell.detail["clock"]
    assert (clock["measured"], clock["offset_s"]) == (True, 0.0)
    assert 0 < clock["uncertainty_s"] < 2.5
    mark = cell.detail["tag"].removeprefix(f"{TAG}=")
    ours = deployment.records.ask(
        "SELECT count(*) FROM run_tags WHERE key = %s AND value = %s", (TAG, mark)
    )
    assert ours[0][0] == len(facts.runs)


def test_runs_of_ours_are_ended_page_by_page_until_none_is_there(
    deployment: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "PAGE", 2)
    place = External(webserver=deployment.web.url, location="server")
    options = ExternalOptions(cancel=cancelling.cancel_runs, compare=look_at_date)
    found = ExternalTarget(place, options=options, ledger=Ledger(tmp_path / "ledger.jsonl"))
    endpoints = found.start()
    post = graphql.connect(deployment.web.url)
    answer = post(graphql.location_status())
    repository = graphql.parse_location_status(answer, "server").repository
    assert repository is not None
    selector = graphql.JobSelector(location="server", repository=repository, job="sleep")
    for tags in [dict(endpoints.tags)] * 5 + [{TAG: "theirs"}]:
        launched = post(graphql.launch_run(selector, {"seconds": 120.0}, tags))
        assert graphql.parse_launch(launched).run_id is not None
    found.stop()
    query = (
        "SELECT r.status, count(*) FROM runs r JOIN run_tags t ON t.run_id = r.run_id "
        "WHERE t.key = %s AND t.value = %s GROUP BY 1"
    )
    ours = dict(deployment.records.ask(query, (TAG, endpoints.tags[TAG])))
    assert sum(ours.values()) == 5
    assert not {"STARTED", "STARTING", "QUEUED", "NOT_STARTED", "CANCELING"} & ours.keys()
    theirs = dict(deployment.records.ask(query, (TAG, "theirs")))
    assert set(theirs) <= {"STARTING", "STARTED"}
    assert Ledger(tmp_path / "ledger.jsonl").entries() == ()
