"""What a night notes of itself, so that the next one knows how it ended, if it ended.

A hidden file beside the results, because the results folder itself is made late and never edited.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.campaign.estimate import estimate_cell_s
from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign
from harness.errors import CampaignError, StoredDataError
from harness.facts.durable import write_text
from harness.facts.layout import ResultsFolder, parse_results_name
from harness.facts.model import broke_off
from harness.facts.store import read_cell_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One night.

    `started_s`: epoch seconds. `ended`: its summary was written and it was whole. `folder`: name of
    the results folder it made; empty before it made one.
    """

    campaign: str
    started_s: float
    pid: int
    ended: bool = False
    folder: str = ""


def mark_path(root: Path, campaign: str) -> Path:
    """Where the newest night of a campaign leaves its mark."""
    return root / f".nightly-{campaign}.json"


def write_mark(root: Path, mark: Mark) -> None:
    """Replace the campaign's mark.

    Raises:
        EnvironmentProblem: it cannot be written there.
    """
    write_text(mark_path(root, mark.campaign), json.dumps(asdict(mark)) + "\n")


def read_mark(root: Path, campaign: str) -> Mark | None:
    """The mark of the night before; `None` where there is none, or none that can be read."""
    try:
        told = json.loads(mark_path(root, campaign).read_text(encoding="utf-8"))
        return Mark(
            campaign=str(told["campaign"]),
            started_s=float(told["started_s"]),
            pid=int(told["pid"]),
            ended=bool(told["ended"]),
            folder=str(told.get("folder", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def begun_folder(root: Path, mark: Mark) -> Path | None:
    """The results folder that night made; `None` where it made none, or it is gone.

    Only by its name: a campaign of the same name that somebody ran since is not that night.
    """
    named = parse_results_name(mark.folder)
    path = root / mark.folder
    return path if named is not None and path.is_dir() else None


def plan_in(folder: Path) -> Campaign | None:
    """The campaign that a results folder was begun with; `None` where that cannot be read."""
    source = ResultsFolder(folder).campaign_yaml
    try:
        return load_campaign(source.read_text(encoding="utf-8"), source=str(source))
    except (OSError, UnicodeDecodeError, CampaignError):
        return None


def remaining_s(plan: Campaign, folder: Path) -> float:
    """How long what is missing of a begun campaign is expected to take, in seconds.

    A cell that was cut off counts in full, although some of its steps may be kept.
    """
    missing = (cell for cell in plan.cells() if not _is_whole(folder, cell.id))
    return sum(estimate_cell_s(plan, cell) for cell in missing)


def _is_whole(folder: Path, cell_id: str) -> bool:
    try:
        cell = read_cell_json(ResultsFolder(folder).cell(cell_id))
    except StoredDataError:
        return False
    return cell.sealed and not broke_off(cell.ended)
