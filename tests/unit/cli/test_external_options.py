"""A deployment that exists: what is said before anything is sent, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer import BadParameter

from harness.campaign.plan import Campaign
from harness.cli.external_options import Deployed, external_overrides, state_the_load
from harness.cli.own_code_options import OwnCode
from harness.cli.plans import Wanted, planned
from harness.errors import CampaignError

pytestmark = pytest.mark.unit

THERE = Deployed(
    webserver="https://dagster.example.org/", location="shop", code_server=["host:4000"], peak=4
)


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


def test_how_much_is_sent_is_said_and_needs_a_word_from_its_owner(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(CampaignError, match="only sent by whoever may") as caught:
        state_the_load(plan(), allowed=False)
    assert "--i-own-this" in caught.value.hint
    assert "at most 4 at once" in capsys.readouterr().err
    state_the_load(plan(), allowed=True)


def test_a_campaign_of_our_own_servers_needs_no_word() -> None:
    own = planned(Wanted(None, "", (), "", (), OwnCode()))
    state_the_load(own, allowed=False)


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
    (_, external, _) = external_overrides(deployed)
    assert str(tmp_path / "h.env") in external
