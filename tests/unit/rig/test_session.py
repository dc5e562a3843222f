"""What a session tells whoever watches, before and around its cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes import FakeListener

from harness.campaign.estimate import estimate_cell_s, longest_cell_s
from harness.campaign.loading import load_campaign, preset_text
from harness.campaign.plan import Campaign
from harness.errors import CampaignError, EnvironmentProblem
from harness.rig import external_guard, session
from harness.rig.hosting import Hosting
from harness.rig.ledger import Ledger
from harness.rig.session import SessionOptions, measure

pytestmark = pytest.mark.unit

QUICK = load_campaign(preset_text("quick"), source="preset quick")


class Watching(FakeListener):
    """Remembers the cells too."""

    def campaign_started(self, name: str, cells: Any) -> None:
        super().campaign_started(name, cells)
        self.news.append(f"campaign {name}")

    def cell_started(self, cell_id: str, number: int, total: int) -> None:
        self.news.append(f"cell {number} of {total}")

    def cell_done(self, cell_id: str, ended: str) -> None:
        self.news.append(ended)


@pytest.fixture(autouse=True)
def no_rig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is started: each cell is over at once."""
    ledger = Ledger(tmp_path / "ledger.jsonl")

    def prepare(*_: object, say: Any, **__: object) -> Hosting:
        say("prepared")
        return Hosting(kind="process", ledger=ledger, images={}, say=say)

    monkeypatch.setattr(session, "state_dir", lambda: tmp_path)
    monkeypatch.setattr(session, "choose", lambda *_: "process")
    monkeypatch.setattr(session, "prepare", prepare)
    monkeypatch.setattr(external_guard, "check_fit", lambda *_, **__: False)
    monkeypatch.setattr(session.CellSession, "measure", lambda *_: "over at once")


def measured(results: Path) -> Watching:
    listener = Watching()
    search: Any = None
    measure(QUICK, search, options=SessionOptions(results_root=results), listener=listener)
    return listener


def test_what_is_expected_of_each_cell_is_told_before_anything_is_prepared(tmp_path: Path) -> None:
    listener = measured(tmp_path)
    assert listener.news == [
        "campaign quick", "prepared",
        "cell 1 of 3", "over at once", "cell 2 of 3", "over at once", "cell 3 of 3", "over at once",
    ]  # fmt: skip
    cells = list(QUICK.cells())
    assert [each.cell_id for each in listener.expected] == [cell.id for cell in cells]
    for cell, expected in zip(cells, listener.expected, strict=True):
        assert expected.expected_s == estimate_cell_s(QUICK, cell)
        assert expected.longest_s == longest_cell_s(QUICK, cell)


def test_a_campaign_that_does_not_fit_is_not_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object, **__: object) -> bool:
        raise EnvironmentProblem("Too large.")

    monkeypatch.setattr(external_guard, "check_fit", too_large)
    listener = Watching()
    search: Any = None
    with pytest.raises(EnvironmentProblem):
        measure(QUICK, search, options=SessionOptions(results_root=tmp_path), listener=listener)
    assert listener.news == []


def deployed(**changes: Any) -> Campaign:
    """The quick preset on a deployment that may be given 5 runs at once."""
    external = {"webserver": "https://dagster.example.org", "location": "shop", "peak": 5}
    workload = {"name": "shop", "code": {"deployed": True, "jobs": [{"name": "etl"}]}}
    return Campaign.model_validate(
        {
            **QUICK.model_dump(), "target": "external", "external": external,
            "workloads": [workload], "search": {"highest": 5}, **changes,
        }
    )  # fmt: skip


def test_load_on_a_deployment_that_exists_needs_a_word_from_its_owner(tmp_path: Path) -> None:
    plan = deployed()
    search: Any = None
    with pytest.raises(CampaignError, match="only sent by whoever may"):
        measure(plan, search, options=SessionOptions(results_root=tmp_path), listener=Watching())
    owned = SessionOptions(results_root=tmp_path, owned=True)
    assert measure(plan, search, options=owned, listener=Watching()).path.is_dir()


def test_its_owner_too_gives_it_no_more_than_its_peak(tmp_path: Path) -> None:
    plan = deployed(search={"strategy": "ladder", "concurrencies": [1, 50]})
    search: Any = None
    owned = SessionOptions(results_root=tmp_path, owned=True)
    with pytest.raises(CampaignError, match=r"external\.peak is 5") as caught:
        measure(plan, search, options=owned, listener=Watching())
    assert caught.value.evidence == "search.concurrencies: 50"
    assert not list(tmp_path.glob("*Z-*"))


def test_servers_on_no_host_of_ours_are_not_held_against_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object, **__: object) -> bool:
        raise EnvironmentProblem("Too large.")

    monkeypatch.setattr(external_guard, "check_fit", too_large)
    search: Any = None
    owned = SessionOptions(results_root=tmp_path, owned=True)
    assert measure(deployed(), search, options=owned, listener=Watching()).path.is_dir()
