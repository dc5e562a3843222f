"""One round of a bisection on this machine: prepare, measure, read the metric."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.analysis.bisecting.types import Round
from harness.analysis.comparison.environment import differences
from harness.analysis.comparison.sources import Source
from harness.analysis.comparison.values import cell_values
from harness.analysis.findings.types import CellFinding, Findings
from harness.errors import (
    CampaignError,
    EnvironmentProblem,
    GeneratorFailed,
    StoredDataError,
    TargetFailed,
)
from harness.facts.layout import ResultsFolder
from harness.facts.store import read_cell_json
from harness.rig.protocols import Listener
from harness.scenarios import trials
from harness.scenarios.bisecting import ReleaseFailedError
from harness.scenarios.bisecting_plan import BisectPlan

if TYPE_CHECKING:  # the whole rig hangs on it
    from harness.rig.session import SessionOptions


class RigRounds:
    """Measures rounds, each in a results folder of its own.

    Args:
        options: how to measure.
        listener: who is told.
        first: name of the results folder that the others must be comparable with; `None` takes
            the first one measured here.
        clock: seconds that never jump.
    """

    def __init__(
        self,
        options: SessionOptions,
        listener: Listener,
        *,
        first: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._listener = listener
        self._clock = clock
        self._first = self._findings_in(first) if first else None

    def ready(self, releases: Sequence[str]) -> Collection[str]:
        """Those with a lock: their image or environment is there, or soon made."""
        from harness.rig.assets import cache_dir
        from harness.rig.target.locks import lock_name, lock_path

        cached = cache_dir() / "locks"
        return {
            each
            for each in releases
            if lock_path(each).is_file() or (cached / lock_name(each)).is_file()
        }

    def measure(self, plan: BisectPlan, number: int, between: Sequence[str]) -> Round:
        """See `Rounds.measure`."""
        from harness.scenarios import threshold

        for release in between:
            self._prepare(plan, release)
        campaign, begun = plan.campaign(number, between), list[Path]()
        begun_s = self._clock()
        try:
            folder = threshold.run(
                campaign, options=self._options, listener=self._listener, begun=begun.append
            )
        except (TargetFailed, GeneratorFailed) as error:
            failed = _failed_in(begun) & set(between)
            if not failed:
                raise
            raise ReleaseFailedError(failed.pop(), error) from error
        took_s = self._clock() - begun_s
        findings = trials.read_findings(folder.path)
        self._check_comparable(plan, findings, folder.path.name)
        values, why = values_in(findings, plan, campaign.dagster)
        return Round(
            number=number, folder=folder.path.name, releases=campaign.dagster, values=values,
            why=why, took_s=took_s,
        )  # fmt: skip

    def _prepare(self, plan: BisectPlan, release: str) -> None:
        """By itself, so that what goes wrong is known to be this release's."""
        from harness.rig.assets import state_dir
        from harness.rig.hosting import choose, prepare
        from harness.rig.ledger import Ledger

        alone = plan.template.model_copy(update={"dagster": (release,)})
        kind = choose(alone.target, lambda _: None)
        try:
            prepare(
                kind, alone, ledger=Ledger.default(), say=self._listener.say,
                log=state_dir() / "images.log",
            )  # fmt: skip
        except (CampaignError, EnvironmentProblem, TargetFailed) as error:
            raise ReleaseFailedError(release, error) from error

    def _findings_in(self, folder: str) -> Findings | None:
        """Findings of an earlier round; `None` where its folder is gone."""
        try:
            return trials.read_findings(self._options.results_root / folder)
        except StoredDataError:
            return None

    def _check_comparable(self, plan: BisectPlan, findings: Findings, folder: str) -> None:
        """Values of two machines, or of two targets, say nothing of releases.

        Raises:
            StoredDataError: this round differs from the first one in what matters.
        """
        if self._first is None:
            self._first = findings
            return
        good = plan.question.good
        before, now = (
            Source(label=label, folder=label, dagster=good, findings=each)
            for label, each in (("before", self._first), (folder, findings))
        )
        forbidding, _ = differences(before, now)
        if forbidding:
            raise StoredDataError(
                "This round cannot be compared with those before it.",
                evidence="\n".join(f"{what}: {was} before, {now} now"
                                   for what, was, now in forbidding),
                hint=f"Begin anew: remove {plan.record_name}, or name another --results folder.",
            )  # fmt: skip


def values_in(
    findings: Findings, plan: BisectPlan, releases: Iterable[str]
) -> tuple[dict[str, float], dict[str, str]]:
    """The metric by release, and of those without a value why.

    A cell whose measurement is in fatal doubt as a whole has none, nor has a 0: no ratio can be
    taken of it.
    """
    cells = {cell.dagster: cell for cell in findings.cells}
    doubts = {
        issue.cell: issue.evidence
        for issue in findings.validity
        if issue.step is None and issue.severity == "fatal"
    }
    values: dict[str, float] = {}
    why: dict[str, str] = {}
    for release in releases:
        value, reason = _value(cells.get(release), plan, doubts)
        if value is None:
            why[release] = reason
        else:
            values[release] = value
    return values, why


def _value(
    cell: CellFinding | None, plan: BisectPlan, doubts: dict[str, str]
) -> tuple[float | None, str]:
    if cell is None:
        return None, "it was not measured"
    if cell.id in doubts:
        return None, doubts[cell.id]
    known = cell_values(cell).get((plan.question.metric.key, plan.load))
    if known is None:
        return None, f"no step at {plan.load}"
    if known.value is not None and known.value <= 0:
        return None, f"it is {known.value:g}, of which no ratio can be taken"
    return known.value, known.why


def _failed_in(begun: Sequence[Path]) -> set[str]:
    """Releases whose cell broke off in a results folder."""
    cells = [
        read_cell_json(folder) for path in begun for folder in ResultsFolder(path).cell_folders()
    ]
    return {cell.dagster for cell in cells if cell.ended.startswith("failed")}
