"""Nights with everything real but the servers: real facts are judged, indexed, compared and told.

The facts are those of a committed baseline, once for each round and version; from a night on the
launches of one version take longer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fakes import FakeListener
from jsonschema import Draft202012Validator
from unit.rounds_folder import BASELINE, CONTENDER, make_rounds

from harness.campaign.plan import Campaign
from harness.errors import ExitCode, TargetFailed
from harness.facts.layout import new_results_path
from harness.report.nightly.summary import Summary
from harness.rig.session import SessionOptions
from harness.scenarios.nightly import joints
from harness.scenarios.nightly.book import Order
from harness.scenarios.nightly.mark import plan_in
from harness.scenarios.nightly.night import night

pytestmark = pytest.mark.integration

BEGAN_S = datetime(2026, 11, 25, 2, 0, tzinfo=UTC).timestamp()
DAY_S = 86400.0


@dataclass
class Nights:
    """One night after the other; `slower`: by how much the newer version's launches are."""

    root: Path
    source: Path
    campaign: Campaign
    now_s: float = BEGAN_S
    slower: float = 1.0
    fails: bool = False

    def measure(
        self, campaign: Campaign, options: Any, listener: Any, begun: Callable[[Path], None]
    ) -> Path:
        at = datetime.fromtimestamp(self.now_s, UTC)
        folder = new_results_path(self.root, campaign.name, at)
        make_rounds(self.source, folder, workloads=("io",), slower=self.slower)
        begun(folder)
        self.now_s += 1800
        if self.fails:
            raise TargetFailed("The engine is gone.")
        return folder

    def tonight(self, **changes: Any) -> Summary:
        self.now_s = BEGAN_S + DAY_S * round((self.now_s - BEGAN_S) / DAY_S + 0.5)
        options = SessionOptions(results_root=self.root, command=["harness", "nightly"])
        order = Order(campaign=self.campaign, options=options, **changes)
        summary, written = night(order, listener=FakeListener())
        assert written
        return summary


@pytest.fixture
def nights(repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    source = repo_root / "results/baselines/quick-compose"
    made = make_rounds(source, tmp_path / "like", workloads=("io",))
    campaign = plan_in(made.path)
    assert campaign
    wishes = campaign.nightly.model_copy(update={"retries": 0, "min_free_gib": 0})
    found = Nights(
        root=tmp_path / "results", source=source,
        campaign=campaign.model_copy(update={"nightly": wishes}),
    )  # fmt: skip
    monkeypatch.setenv("DAGSTER_LOAD_HARNESS_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(joints, "measure", found.measure)
    monkeypatch.setattr(joints, "now_s", lambda: found.now_s)
    return found


def test_equal_nights_stay_green_and_a_slower_release_turns_red_and_stays_so(
    nights: Nights, repo_root: Path
) -> None:
    first, second = nights.tonight(), nights.tonight()
    assert [each.exit_code for each in (first, second)] == [ExitCode.PASS, ExitCode.PASS]
    assert (first.nights, second.nights) == (0, 1)
    assert {each.alarm.verdict for each in second.series} <= {"same", "cannot_tell"}

    nights.slower = 1.2
    third = nights.tonight()
    assert (third.status, third.exit_code) == ("red", ExitCode.BREACH)
    red = [each for each in third.series if each.alarm.red]
    assert {each.alarm.key.key.split("@")[0] for each in red} == {"launch_s"}
    assert all(each.since and each.since.folder == third.folder for each in red)
    assert f"--good {BASELINE} --bad {CONTENDER} --metric launch_s@" in red[0].bisect
    assert nights.tonight().exit_code == ExitCode.BREACH
    keeps_its_word(nights, repo_root)


def keeps_its_word(nights: Nights, repo_root: Path) -> None:
    """Every file that a night promises is there, and says what it should."""
    folder = sorted(nights.root.glob("*-compare"))[2]
    for name in ("nightly.json", "nightly.md", "nightly.xml", "comparison.json", "report.html"):
        assert (folder / name).is_file()
    for name in ("index.html", "trends.html", "history.jsonl", "nightly-compare.json"):
        assert (nights.root / name).is_file()
    schema = json.loads((repo_root / "results/nightly.schema.json").read_text(encoding="utf-8"))
    document = json.loads((folder / "nightly.json").read_text(encoding="utf-8"))
    assert [e.message for e in Draft202012Validator(schema).iter_errors(document)] == []
    root = ET.parse(folder / "nightly.xml").getroot()
    assert int(root.get("failures", "0")) == sum(
        each["alarm"]["red"] for each in document["series"]
    )
    newest = json.loads((nights.root / "nightly-compare.json").read_text(encoding="utf-8"))
    assert newest["folder"] == sorted(nights.root.glob("*-compare"))[-1].name


def test_a_night_stands_beside_pinned_results_and_is_reported_when_it_breaks_off(
    nights: Nights,
) -> None:
    pinned = nights.tonight().folder
    assert pinned
    beside = nights.tonight(pinned=nights.root / pinned).comparisons
    assert [each.with_what for each in beside] == ["within the night", pinned, pinned]
    assert (sorted(nights.root.glob("*-compare"))[-1] / "pinned/comparison.md").is_file()

    nights.fails = True
    broken = nights.tonight()
    assert (broken.exit_code, broken.headline) == (ExitCode.TARGET, "GREY: The engine is gone.")
    assert broken.folder
    assert (nights.root / broken.folder / "report.md").is_file()
