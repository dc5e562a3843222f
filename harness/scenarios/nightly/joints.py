"""Where a night is joined to everything else: one function for each thing it asks of others.

Imported late, because statistics take seconds, and in one place, so that a night can be tried out
on simulated parts.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from harness.analysis.comparison.types import ComparisonDocument
    from harness.analysis.findings.types import Findings
    from harness.analysis.history.types import Alarm, Entry, History
    from harness.campaign.plan import Campaign
    from harness.rig.protocols import Listener
    from harness.rig.session import SessionOptions
    from harness.scenarios.nightly.webhook import Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """This machine as the night finds it."""

    cpus: int
    load1: float
    memory_available_bytes: int


def now_s() -> float:
    """Epoch seconds."""
    return time.time()


def host() -> Host:
    """How busy this machine is now."""
    return Host(
        cpus=len(os.sched_getaffinity(0)),
        load1=os.getloadavg()[0],
        memory_available_bytes=psutil.virtual_memory().available,
    )


def free_bytes(root: Path) -> int:
    """Room where results go; of a folder that is not there yet, where it will be."""
    folder = root.absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def lock(holder: str) -> AbstractContextManager[None]:
    """Hold this machine's lock of nights. It is the kernel's: it goes with its process.

    Raises:
        EnvironmentProblem: another night holds it.
    """
    from harness.rig.assets import state_dir
    from harness.rig.lock import campaign_lock

    return campaign_lock(state_dir() / "nightly.lock", holder=holder)


def check_root(root: Path) -> None:
    """Make the results folder if need be.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    from harness.rig.preflight import check_results_root

    check_results_root(root)


def remove_abandoned() -> tuple[str, ...]:
    """Take down what a crash left running, nothing that a living process uses; what there was.

    Raises:
        EnvironmentProblem: something is still there, and would be measured with the server.
    """
    from harness.rig.ledger import Ledger
    from harness.rig.leftovers import refuse_leftovers, remove_leftovers, told

    removed = remove_leftovers(Ledger.default())
    refuse_leftovers(removed)
    return tuple(told(each) for each in removed)


def pin(campaign: Campaign, say: Callable[[str], None]) -> Campaign:
    """`latest` replaced by its number.

    Raises:
        EnvironmentProblem: nothing tells which release that is.
    """
    from harness.rig.versions import pinned

    return pinned(campaign, say=say)


def measure(
    campaign: Campaign,
    options: SessionOptions,
    listener: Listener,
    begun: Callable[[Path], None],
) -> Path:
    """Measure a whole campaign; as `threshold.run`."""
    from harness.scenarios import threshold

    return threshold.run(campaign, options=options, listener=listener, begun=begun).path


def resume(
    folder: Path, options: SessionOptions, listener: Listener, again: Collection[str] = ()
) -> None:
    """Complete a campaign that was cut off, and measure the cells `again` anew."""
    from harness.scenarios import resuming

    resuming.resume(folder, options=options, listener=listener, again=again)


def judge(folder: Path) -> Findings:
    """Judge stored facts; `findings.json` is there then."""
    from harness.scenarios.threshold import judge as judge_folder

    return judge_folder(folder)


def findings_in(folder: Path) -> Findings:
    """`findings.json` of an earlier night.

    Raises:
        StoredDataError: it is not there, or not readable.
    """
    from harness.scenarios.trials import read_findings

    return read_findings(folder)


def compare(
    one: Path, other: Path | None = None, *, versions: tuple[str, str] | None = None
) -> ComparisonDocument:
    """Two results folders, one version of each, or all versions within one.

    Raises:
        HarnessError: they must not be compared.
    """
    from harness.scenarios.comparing import compare_folders

    baseline, contender = versions or (None, None)
    return compare_folders(one, other, baseline=baseline, contender=contender)


def versions_in(folder: Path) -> tuple[str, tuple[str, ...]]:
    """(Baseline, the versions under test) of a results folder; no baseline where it has one.

    Raises:
        StoredDataError: it cannot be read.
    """
    from harness.analysis.comparison.sources import sources_in
    from harness.scenarios.comparing import findings_in as judged_in

    first, *others = [each.dagster for each in sources_in(folder.name, judged_in(folder))] or [""]
    return (first, tuple(others)) if others else ("", (first,))


def keep_comparison(document: ComparisonDocument, folder: Path) -> None:
    """Write a comparison in every format."""
    from harness.scenarios import comparing

    comparing.keep_comparison(document, folder)


def entries(root: Path) -> tuple[Entry, ...]:
    """Every campaign in the index, ascending in time; the index is brought up to date."""
    from harness.scenarios.history import refresh_history

    return refresh_history(root)


def alarms(found: Sequence[Entry], *, gates: Collection[str], nights: int) -> tuple[Alarm, ...]:
    """What every gating series says of the last entry."""
    from harness.analysis.history.alarm import alarms_of

    return alarms_of(found, gates=gates, nights=nights)


def gating(gates: Collection[str]) -> tuple[str, ...]:
    """The metrics that may turn a night red: those that do by default, and `gates`."""
    from harness.analysis.history.alarm_series import gating as gating_with

    return gating_with(gates)


def history(found: Sequence[Entry]) -> History:
    """Trends and what changed beside them."""
    from harness.analysis.history.series import history_of

    return history_of(found)


def prunable(
    root: Path, *, now_s: float, keep_days: float, kept: Collection[str]
) -> tuple[Path, ...]:
    """The folders that `prune` would take raw facts from."""
    from harness.scenarios.history import prunable as prunable_in

    return prunable_in(root, now_s=now_s, keep_days=keep_days, kept=kept)


def prune(root: Path, *, now_s: float, keep_days: float, kept: Collection[str]) -> tuple[Path, ...]:
    """Remove raw facts that are older, but for the folders `kept`; which they were."""
    from harness.scenarios.history import prune_facts

    return prune_facts(root, now_s=now_s, keep_days=keep_days, kept=kept)


def write_reports(folder: Path, findings: Findings) -> None:
    """All reports of the folder, and the index of all campaigns."""
    from harness.scenarios import reporting

    reporting.write_reports(folder, findings=findings)


def post(webhook: Webhook, payload: Mapping[str, Any]) -> str:
    """Tell the webhook; what went wrong, empty where nothing did."""
    from harness.scenarios.nightly import webhook as telling

    return telling.post(webhook, payload)


def write_trends(root: Path) -> None:
    """The page of trends."""
    from harness.scenarios.history import write_trends as write

    write(root)
