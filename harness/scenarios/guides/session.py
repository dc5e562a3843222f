"""Measuring a trial: scenario after scenario, each sealed when it is done, none measured twice."""

from __future__ import annotations

import dataclasses
import datetime
import json
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.analysis.findings.types import CellFinding
from harness.campaign.plan import Campaign
from harness.errors import CampaignError, HarnessError, Interrupted, TargetFailed
from harness.facts.durable import make_folder, write_text
from harness.facts.layout import new_results_path
from harness.facts.observations import DONE, ScenarioRecord
from harness.rig.assets import state_dir
from harness.rig.environment import record_environment
from harness.rig.hosting import choose
from harness.rig.lab.lab import LabParts
from harness.rig.ledger import Ledger
from harness.rig.preflight import check_results_root, refuse_elsewhere
from harness.rig.protocols import Listener
from harness.rig.session import SessionOptions, at_work
from harness.rig.target.images import (
    BuildOptions,
    Images,
    ca_bundle_from_environment,
    ensure_images,
)
from harness.rig.target.launcher_software import launcher_software
from harness.rig.target.software import release
from harness.scenarios import threshold
from harness.scenarios.guides.bench import Bench, Where
from harness.scenarios.guides.scenario import Scenario
from harness.scenarios.guides.trial import SCHEMA, TrialFolder

NAME = "guides"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOptions:
    """How to measure. `folder`: go on with this one; `None`: a new one below `root`."""

    root: Path
    dagster: str
    quick: bool = False
    folder: Path | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of the scenarios: names measured now, found done, and why others failed."""

    path: Path
    measured: tuple[str, ...]
    kept: tuple[str, ...]
    failed: Mapping[str, HarnessError]


def measure_trial(
    scenarios: Sequence[Scenario], *, options: TrialOptions, listener: Listener
) -> Ended:
    """Measure scenarios that are not done yet; one that fails does not keep the others from it.

    Nothing is left running, whichever way this ends.

    Raises:
        EnvironmentProblem: this machine is not ready; nothing was started.
        CampaignError: the folder's trial is of another Dagster, or quick where this is not.
        Interrupted: Ctrl-C or SIGTERM; what was measured stays.
    """
    check_results_root(options.root)
    with at_work(NAME):
        refuse_elsewhere("The guides' lab reads its containers' processes and cgroups: it")
        choose("compose", listener.say)
        workshop = _Workshop(options, listener)
        folder = _folder(options)
        measured, kept, failed = [], [], dict[str, HarnessError]()
        for number, scenario in enumerate(scenarios, start=1):
            if _is_done(folder, scenario, options):
                kept.append(scenario.name)
                continue
            listener.say(f"[{number}/{len(scenarios)}] {scenario.name}: {scenario.question}")
            try:
                _measure(scenario, folder, workshop)
                measured.append(scenario.name)
            except HarnessError as error:
                failed[scenario.name] = error
                listener.say(f"  {scenario.name} broke off: {error.what}")
            except KeyboardInterrupt as error:
                raise Interrupted(
                    "Interrupted; everything was taken down.",
                    evidence=f"Done: {', '.join([*kept, *measured]) or 'nothing yet'}.",
                    hint=f"Go on: harness guides run --resume {folder.path}",
                ) from error
    return Ended(path=folder.path, measured=tuple(measured), kept=tuple(kept), failed=failed)


class _Workshop:
    """What all scenarios of a trial share; images are made when the first one needs them."""

    def __init__(self, options: TrialOptions, listener: Listener) -> None:
        self.options = options
        self.listener = listener
        self._made: dict[bool, Images] = {}

    def where(self, folder: Path) -> Where:
        """The bench of one scenario."""
        return Where(
            folder=folder,
            dagster=self.options.dagster,
            quick=self.options.quick,
            parts=LabParts(images=self.images, ledger=Ledger.default(), say=self._say),
            campaigns=self._campaign,
        )

    def _say(self, text: str) -> None:
        self.listener.say(f"  {text}")

    def images(self, *, launcher: bool) -> Images:
        """Images of the Dagster on trial; with `launcher` those that can start containers too."""
        if launcher not in self._made:
            say = self.listener.say
            make = launcher_software if launcher else release
            options = BuildOptions(
                ca_bundle=ca_bundle_from_environment(), log=state_dir() / "images.log", say=say
            )
            self._made[launcher] = ensure_images(make(self.options.dagster, say=say), options)
        return self._made[launcher]

    def _campaign(
        self, settings: Mapping[str, Any], folder: Path
    ) -> list[tuple[str, dict[str, Any]]]:
        campaign = Campaign.model_validate({"target": "compose", **settings})
        root = folder / "campaigns"
        make_folder(root)
        options = SessionOptions(
            results_root=root, command=list(self.options.command), at_work=True
        )
        results = threshold.run(campaign, options=options, listener=self.listener)
        findings = threshold.judge(results.path)
        return [each for cell in findings.cells for each in _told(cell)]


def _told(cell: CellFinding) -> list[tuple[str, dict[str, Any]]]:
    """A judged cell as observations: itself without its steps, then each step."""
    whole = json.loads(json.dumps(dataclasses.asdict(cell)))
    steps = whole.pop("steps")
    about = {"cell": cell.id, "workload": cell.workload}
    return [("cell", {**whole, "cell": cell.id}), *(("step", {**step, **about}) for step in steps)]


def _folder(options: TrialOptions) -> TrialFolder:
    if options.folder is not None:
        folder = TrialFolder(options.folder)
        about = json.loads(folder.about.read_text(encoding="utf-8"))
        if about["dagster"] != options.dagster:
            raise CampaignError(
                f"{options.folder} is a trial of Dagster {about['dagster']}.",
                hint=f"Go on with --dagster {about['dagster']}, or begin a new one.",
            )
        return folder
    now = datetime.datetime.now(datetime.UTC)
    folder = TrialFolder(new_results_path(options.root, NAME, now))
    make_folder(folder.path)
    about = {"schema": SCHEMA, "dagster": options.dagster, "started_s": now.timestamp()}
    write_text(folder.about, json.dumps(about, indent=1) + "\n")
    environment = record_environment(list(options.command))
    write_text(folder.environment, json.dumps(environment, indent=1) + "\n")
    return folder


def _is_done(folder: TrialFolder, scenario: Scenario, options: TrialOptions) -> bool:
    """Whether it is there already, with as much as is asked for now."""
    record = folder.scenario(scenario.name).read_record()
    if record is None or record.ended != DONE or record.version != scenario.version:
        return False
    return options.quick or not record.quick


def _measure(scenario: Scenario, folder: TrialFolder, workshop: _Workshop) -> None:
    own = folder.scenario(scenario.name)
    own.record.unlink(missing_ok=True)
    bench = Bench(workshop.where(own.path), note=own.writer())
    started_s = time.time()
    ended = "interrupted"
    try:
        scenario.measure(bench)
        ended = DONE
    except HarnessError as error:
        ended = error.what
        raise
    except Exception as error:  # whatever a part says that was being broken on purpose
        ended = f"{type(error).__name__}: {error}"[:300]
        raise TargetFailed(
            f"{scenario.name} ran into what it does not expect: {type(error).__name__}.",
            evidence=traceback.format_exc(limit=-4),
        ) from error
    finally:
        own.seal(
            ScenarioRecord(
                name=scenario.name, version=scenario.version, quick=workshop.options.quick,
                dagster=workshop.options.dagster, started_s=started_s,
                took_s=time.time() - started_s, ended=ended,
            )
        )  # fmt: skip
