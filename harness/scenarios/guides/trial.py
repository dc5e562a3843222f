"""A measured trial judged: stored observations in, verdicts out, as often as one likes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.analysis.guides.types import Claim, ScenarioFinding, TrialFinding
from harness.analysis.guides.verdicts import judge
from harness.errors import StoredDataError
from harness.facts.durable import write_text
from harness.facts.layout import TRIAL_MARK
from harness.facts.observations import DONE, ScenarioFolder
from harness.report.guides.document import trial_json
from harness.report.guides.markdown import trial_markdown
from harness.scenarios.guides.registry import all_claims, all_scenarios
from harness.scenarios.guides.scenario import Scenario

SCHEMA = 1


class TrialFolder:
    """Where a trial is stored."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def about(self) -> Path:
        """What it is: written first."""
        return self.path / TRIAL_MARK

    @property
    def environment(self) -> Path:
        """The machine."""
        return self.path / "environment.json"

    @property
    def verdicts(self) -> Path:
        """Derived, replaceable."""
        return self.path / "verdicts.json"

    @property
    def report_md(self) -> Path:
        """Derived, replaceable."""
        return self.path / "guides.md"

    def scenario(self, name: str) -> ScenarioFolder:
        """The folder of one scenario."""
        return ScenarioFolder(self.path / "scenarios" / name)


def is_trial(path: Path) -> bool:
    """Whether a folder holds a trial."""
    return TrialFolder(path).about.is_file()


def judged(path: Path, *, claims: Sequence[Claim] | None = None) -> TrialFinding:
    """A trial's verdicts, from what is stored.

    Args:
        path: its results folder.
        claims: of the registry; default: all of them.

    Raises:
        StoredDataError: it is no trial, or damaged.
    """
    folder = TrialFolder(path)
    about = _json(folder.about)
    scenarios = tuple(_found(folder, scenario) for scenario in all_scenarios())
    figures = {each.name: each.figures for each in scenarios if each.figures is not None}
    return TrialFinding(
        schema=SCHEMA,
        dagster=about["dagster"],
        started_s=about["started_s"],
        environment=_json(folder.environment),
        scenarios=scenarios,
        verdicts=judge(all_claims() if claims is None else claims, figures),
    )


def keep(path: Path, finding: TrialFinding) -> None:
    """Write what is derived of a trial beside its facts: `verdicts.json` and `guides.md`."""
    folder = TrialFolder(path)
    write_text(folder.verdicts, trial_json(finding))
    write_text(folder.report_md, trial_markdown(finding))


def _found(folder: TrialFolder, scenario: Scenario) -> ScenarioFinding:
    own = folder.scenario(scenario.name)
    record = own.read_record()
    if record is None:
        return ScenarioFinding(name=scenario.name, question=scenario.question)
    readable = record.ended == DONE and record.version == scenario.version
    return ScenarioFinding(
        name=scenario.name, question=scenario.question, ended=record.ended, quick=record.quick,
        started_s=record.started_s, took_s=record.took_s,
        figures=scenario.figures(own.read()) if readable else None,
    )  # fmt: skip


def _json(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoredDataError(
            f"{path.parent} is no trial of the guides.", evidence=str(error),
            hint="Measure one: harness guides run",
        ) from error  # fmt: skip
    return dict(loaded)
