"""A deployment that exists: what is said before anything is sent, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeListener
from typer import BadParameter

from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.plan import Campaign
from harness.cli.external_options import Deployed, external_overrides, state_the_load
from harness.cli.generator_options import Generator
from harness.cli.own_code_options import OwnCode
from harness.cli.plans import Wanted, planned, planned_for_own_code
from harness.cli.run import run
from harness.errors import CampaignError
from harness.facts.model import Limits
from harness.rig.code_server_rpc import PingMetrics
from harness.rig.server_word import ServerWord
from harness.scenarios import own_code

pytestmark = pytest.mark.unit

THERE = Deployed(
    webserver="https://dagster.example.org/", location="shop", code_server=["host:4000"], peak=4
)


WANTED = Wanted(None, "", (), "external", (), OwnCode(job=["etl"]), THERE)


def plan(deployed: Deployed = THERE) -> Campaign:
    own = OwnCode(job=["etl"])
    return planned(Wanted(None, "", (), "external", (), own, deployed))


def test_the_campaign_names_the_deployment_and_what_runs_there() -> None:
    found = plan()
    assert found.target == "external"
    assert found.external is not None
    assert found.external.webserver == "https://dagster.example.org"
    (workload,) = found.workloads
    assert [job.name for job in workload.jobs] == ["etl"]
    assert max(found.concurrencies(next(found.cells()))) == 4
    assert found.slos.no_oom is None, "nobody outside sees a kill"
    assert found.slos.pool_queue is None
    assert found.slos.memory_headroom == 0.9


def test_how_much_is_sent_is_said_and_needs_a_word_from_its_owner(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(CampaignError, match="only sent by whoever may") as caught:
        state_the_load(plan(), allowed=False)
    assert "--i-own-this" in caught.value.hint
    assert "at most 4 at once" in capsys.readouterr().err
    state_the_load(plan(), allowed=True)


def test_more_at_once_than_the_peak_is_refused_before_anything_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    changes = ("search={strategy: ladder, concurrencies: [1, 50]}",)
    asked = planned(Wanted(None, "", (), "external", (), OwnCode(job=["etl"]), THERE))
    raised = load_campaign(dump_campaign(asked), source="stored", overrides=changes)
    with pytest.raises(CampaignError, match=r"external\.peak is 4"):
        state_the_load(raised, allowed=True)
    assert capsys.readouterr().err == ""


def test_settings_that_cannot_be_applied_there_are_not_verified() -> None:
    with pytest.raises(CampaignError, match="cannot be tried on a deployment"):
        run(
            target="external", own=OwnCode(job=["etl"]), deployed=THERE, generator=Generator(),
            dry_run=True, verify=True,
        )  # fmt: skip


def test_a_campaign_of_our_own_servers_needs_no_word() -> None:
    own = planned(Wanted(None, "", (), "", (), OwnCode()))
    state_the_load(own, allowed=False)


def test_a_size_that_is_said_is_the_profile_and_stays_with_the_place() -> None:
    found = plan(replace(THERE, server_size="0.5vcpu-1gb"))
    assert found.external is not None
    assert found.external.size == "0.5vcpu-1gb"
    assert [profile.name for profile in found.profiles] == ["0.5vcpu-1gb"]


def test_a_size_nobody_offers_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(CampaignError) as caught:
        plan(replace(THERE, server_size="7vcpu-1gb"))
    assert "7vcpu-1gb" in f"{caught.value.what} {caught.value.evidence}"


class Deployment:
    """What a deployment's server says, and a survey that finds nothing new."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, word: ServerWord) -> None:
        said = PingMetrics(max_workers=9, container=word)
        monkeypatch.setattr(own_code, "ask_server", lambda _: said)
        monkeypatch.setattr(own_code, "deployed_dagster", lambda *_: "1.13.27")
        monkeypatch.setattr(own_code, "surveyed", lambda *_: {})

    def plan(self, *changes: str, size: str = "") -> Campaign:
        deployed = replace(THERE, server_size=size)
        wanted = Wanted(None, "", (), "external", changes, OwnCode(job=["etl"]), deployed)
        return planned_for_own_code(wanted, planned(wanted), FakeListener())


HALF = ServerWord(cgroup="V1", limits=Limits(cpu_cores=0.5, memory_bytes=2**30))


def test_size_and_workers_are_those_the_server_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Deployment(monkeypatch, HALF).plan()
    assert [profile.name for profile in found.profiles] == ["0.5vcpu-1gb"]
    assert found.max_workers == (9,)


def test_a_size_the_user_gives_counts_more(monkeypatch: pytest.MonkeyPatch) -> None:
    there = Deployment(monkeypatch, HALF)
    assert there.plan(size="1vcpu-2gb").profiles[0].name == "1vcpu-2gb"
    assert there.plan("profiles=[2vcpu-4gb]").profiles[0].name == "2vcpu-4gb"
    assert there.plan("max_workers=4").max_workers == (4,)


def test_a_server_without_limits_leaves_the_size_as_it_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Deployment(monkeypatch, ServerWord(cgroup="V1", memory_bytes=1e8)).plan()
    assert found.profiles == planned(WANTED).profiles


@pytest.mark.parametrize(
    ("deployed", "said"),
    [
        (Deployed(location="shop"), "Name the deployment"),
        (Deployed(webserver="https://x"), "Name the code location"),
    ],
)
def test_half_a_place_is_refused(deployed: Deployed, said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        external_overrides(deployed)


def test_the_target_alone_does_not_say_where() -> None:
    with pytest.raises(CampaignError) as caught:
        planned(Wanted(None, "", (), "external", (), OwnCode()))
    assert "external needs the key external" in caught.value.evidence


def test_paths_are_written_down_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    deployed = Deployed(webserver="https://x", location="l", headers_file=Path("h.env"))
    (_, external, *_) = external_overrides(deployed)
    assert str(tmp_path / "h.env") in external
