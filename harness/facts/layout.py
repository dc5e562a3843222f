"""The names inside a results folder, and which of them are there (DESIGN section 8)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_LATER = re.compile(r"environment-(\d+)\.json")
_NAME = re.compile(r"^(?P<time>\d{8}T\d{6}Z)-(?P<campaign>.+?)(?:\+\d+)?$")


@dataclass(frozen=True, slots=True)
class CellFolder:
    """One cell. While it is measured, runs and samples collect in `parts`, step by step."""

    path: Path

    @property
    def results(self) -> Path:
        """The results folder it belongs to."""
        return self.path.parent.parent

    @property
    def cell_json(self) -> Path:
        """The `Cell`, with the schema number."""
        return self.path / "cell.json"

    @property
    def steps_jsonl(self) -> Path:
        """One `Step` a line. A step counts as recorded when its line is here, whole."""
        return self.path / "steps.jsonl"

    @property
    def events_jsonl(self) -> Path:
        """One `Event` a line."""
        return self.path / "events.jsonl"

    @property
    def runs_parquet(self) -> Path:
        """All runs, once sealed."""
        return self.path / "runs.parquet"

    @property
    def samples_parquet(self) -> Path:
        """All samples, once sealed."""
        return self.path / "samples.parquet"

    @property
    def logs(self) -> Path:
        """Logs of the server and of what feeds it."""
        return self.path / "logs"

    @property
    def parts(self) -> Path:
        """Runs and samples not merged yet."""
        return self.path / "parts"

    def runs_part(self, step: int) -> Path:
        """The runs of one step."""
        return self.parts / f"runs-{step:04d}.parquet"

    def samples_part(self, step: int) -> Path:
        """The samples taken in one step."""
        return self.parts / f"samples-{step:04d}.parquet"

    def events_mark(self, step: int) -> Path:
        """How long `events_jsonl` was before the events of one step; see `facts.lost_events`."""
        return self.parts / f"events-{step:04d}.mark"

    def loose_part(self, number: int) -> Path:
        """Samples taken between steps; `number` counts from 0."""
        return self.parts / f"samples-loose-{number:04d}.parquet"

    def loose_parts(self) -> list[Path]:
        """The loose parts there are, in order."""
        return sorted(self.parts.glob("samples-loose-*.parquet"))


@dataclass(frozen=True, slots=True)
class ResultsFolder:
    """One campaign's results."""

    path: Path

    @property
    def campaign_yaml(self) -> Path:
        """The campaign as it was asked for."""
        return self.path / "campaign.yaml"

    @property
    def environment_json(self) -> Path:
        """The machine and the versions, with the schema number."""
        return self.path / "environment.json"

    def environments(self) -> list[Path]:
        """The environments there are, in order: the first, then one for each time it went on."""
        return [path for _, path in self._environments()]

    def next_environment(self) -> Path:
        """Where the next one goes: `environment.json`, then `environment-2.json` …"""
        last = max((number for number, _ in self._environments()), default=0)
        return self.path / f"environment-{last + 1}.json" if last else self.environment_json

    def _environments(self) -> list[tuple[int, Path]]:
        later = [
            (int(found[1]), path)
            for path in self.path.glob("environment-*.json")
            if (found := _LATER.fullmatch(path.name))
        ]
        first = [(1, self.environment_json)] if self.environment_json.exists() else []
        return first + sorted(later)

    @property
    def journal_jsonl(self) -> Path:
        """Why each step was chosen, one object a line."""
        return self.path / "journal.jsonl"

    @property
    def findings_json(self) -> Path:
        """Derived, replaceable: what analysis made of the facts."""
        return self.path / "findings.json"

    @property
    def report_html(self) -> Path:
        """Derived, replaceable."""
        return self.path / "report.html"

    @property
    def report_md(self) -> Path:
        """Derived, replaceable."""
        return self.path / "report.md"

    @property
    def junit_xml(self) -> Path:
        """Derived, replaceable."""
        return self.path / "junit.xml"

    @property
    def cells(self) -> Path:
        """The folder of the cells' folders."""
        return self.path / "cells"

    @property
    def superseded(self) -> Path:
        """The folder of cells that were measured anew, as they were before; read by nobody."""
        return self.path / "superseded"

    def superseded_cell(self, cell_id: str) -> Path:
        """Where the next superseded record of a cell goes: `<cell>+1`, `<cell>+2` …"""
        count = 1
        while (path := self.superseded / f"{cell_id}+{count}").exists():
            count += 1
        return path

    def cell(self, cell_id: str) -> CellFolder:
        """The folder of one cell (`CellPlan.id`, `Cell.id`)."""
        return CellFolder(self.cells / cell_id)

    def cell_folders(self) -> list[CellFolder]:
        """The cells there are, by id; one counts from its first `cell.json` on."""
        return [CellFolder(path.parent) for path in sorted(self.cells.glob("*/cell.json"))]


def index_html(root: Path) -> Path:
    """The page of all campaigns in `root`; derived, replaceable."""
    return root / "index.html"


def trends_html(root: Path) -> Path:
    """The page of all figures over time in `root`; derived, replaceable."""
    return root / "trends.html"


TRIAL_MARK = "guides.json"
"""What a folder of `harness guides run` has, and no campaign's."""


def is_results(path: Path) -> bool:
    """Whether a folder looks like a campaign's results, whatever it is called."""
    folder = ResultsFolder(path)
    return folder.campaign_yaml.is_file() and folder.environment_json.is_file()


def new_results_path(root: Path, campaign_name: str, now_utc: datetime) -> Path:
    """`<root>/20250131T101502Z-<campaign>`, with `+2`, `+3` … where that exists already.

    Raises:
        ValueError: `now_utc` carries no time zone.
    """
    if now_utc.tzinfo is None:
        raise ValueError("now_utc needs a time zone")
    name = f"{now_utc.astimezone(UTC).strftime(_TIME_FORMAT)}-{campaign_name}"
    path, count = root / name, 1
    while path.exists():
        count += 1
        path = root / f"{name}+{count}"
    return path


def parse_results_name(name: str) -> tuple[datetime, str] | None:
    """(start, campaign name) of a results folder's name; `None` when it is none of ours."""
    match = _NAME.match(name)
    if match is None:
        return None
    try:
        started = datetime.strptime(match["time"], _TIME_FORMAT)
    except ValueError:
        return None
    return started.replace(tzinfo=UTC), match["campaign"]
