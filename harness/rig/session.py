"""One campaign on this machine: look first, lock, prepare, then cell after cell."""

from __future__ import annotations

import datetime
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.campaign.estimate import estimate_cell_s, estimate_step_s, longest_cell_s
from harness.campaign.loading import dump_campaign
from harness.campaign.plan import Campaign, CellPlan
from harness.errors import Interrupted
from harness.facts.layout import ResultsFolder, new_results_path
from harness.facts.store import ResultsWriter
from harness.rig.assets import state_dir
from harness.rig.cell_session import CellSession, Search
from harness.rig.environment import engine_record, record_environment
from harness.rig.external_guard import check_load_is_allowed, overcommits
from harness.rig.hosting import Hosting, Kind, choose, prepare
from harness.rig.ledger import Ledger
from harness.rig.lock import campaign_lock
from harness.rig.preflight import check_engine_is_free, check_results_root
from harness.rig.protocols import Expectation, Listener


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How to measure, beside what. `at_work`: whoever asks holds the machine already. `owned`: they
    may put load on a deployment that exists.
    """

    results_root: Path
    allow_overcommit: bool = False
    at_work: bool = False
    owned: bool = False
    command: list[str] = field(default_factory=list)


def measure(
    campaign: Campaign, search: Search, *, options: SessionOptions, listener: Listener
) -> ResultsFolder:
    """Measure a whole campaign; returns where the facts are.

    Nothing is left running, whichever way this ends.

    Raises:
        EnvironmentProblem: this machine is not ready; nothing was started.
        TargetFailed, GeneratorFailed: a cell could not be measured; the others' facts stay.
        Interrupted: Ctrl-C or SIGTERM; what was measured stays.
        CampaignError: as `check_load_is_allowed`.
    """
    check_load_is_allowed(campaign, owned=options.owned)
    cells = list(campaign.cells())
    overcommitted = overcommits(campaign, cells, allow_overcommit=options.allow_overcommit)
    check_results_root(options.results_root)
    with nullcontext() if options.at_work else at_work(campaign.name):
        listener.campaign_started(campaign.name, [expect(campaign, cell) for cell in cells])
        # Before the results folder is made: what cannot be prepared leaves nothing behind.
        kind = choose(campaign.target, listener.say)
        hosting = host(campaign, kind, listener)
        started = datetime.datetime.now(datetime.UTC)
        folder = ResultsFolder(new_results_path(options.results_root, campaign.name, started))
        writer = ResultsWriter(folder)
        writer.write_campaign(dump_campaign(campaign))
        writer.write_environment(record_environment(options.command) | engine_record(hosting.kind))
        with interruptible(folder):
            for number, cell in enumerate(cells, start=1):
                listener.cell_started(cell.id, number, len(cells))
                session = CellSession(campaign, cell, hosting, writer, overcommitted)
                ended = session.measure(search, listener)
                listener.cell_done(cell.id, ended)
        return folder


def host(campaign: Campaign, kind: Kind, listener: Listener) -> Hosting:
    """What hosts the servers of a campaign, with all that takes long to make.

    Raises:
        CampaignError, EnvironmentProblem, TargetFailed: as `prepare`.
        EnvironmentProblem: somebody measures on that engine.
    """
    if kind == "compose":
        check_engine_is_free()
    hosting = prepare(
        kind, campaign, ledger=Ledger.default(), say=listener.say, log=state_dir() / "images.log"
    )
    devices = campaign.devices
    return replace(hosting, pool_probe=devices is None or "pool" in devices)


def expect(campaign: Campaign, cell: CellPlan, *, kept_steps: int = 0) -> Expectation:
    """How long a cell takes from now on, where so many of its steps are measured already."""
    spent_s = kept_steps * estimate_step_s(campaign)
    least_s = estimate_step_s(campaign)
    return Expectation(
        cell_id=cell.id,
        expected_s=max(estimate_cell_s(campaign, cell) - spent_s, least_s),
        longest_s=max(longest_cell_s(campaign, cell) - spent_s, least_s),
    )


@contextmanager
def at_work(campaign: str) -> Iterator[None]:
    """The machine is this campaign's alone, and asking it to stop ends it in order.

    Raises:
        EnvironmentProblem: another living process measures.
    """
    with campaign_lock(state_dir() / "campaign.lock", holder=campaign), _terminable():
        yield


@contextmanager
def interruptible(folder: ResultsFolder) -> Iterator[None]:
    """Say of an interrupted measurement where its facts are and how to go on.

    Raises:
        Interrupted: in place of the KeyboardInterrupt.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(
            "Interrupted; everything was taken down.",
            evidence=f"What was measured is in {folder.path}",
            hint=f"Go on where it stopped: {resume_command(folder.path)}",
        ) from error


def resume_command(folder: Path) -> str:
    """What to type to go on with a results folder."""
    return f"harness resume {shlex.quote(str(folder))}"


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends a campaign the way Ctrl-C does: in order, and only once.

    SIGINT too is set by hand: a shell starts background jobs with it ignored.
    """
    signals = (signal.SIGINT, signal.SIGTERM)

    def interrupt(_signal: int, _frame: object) -> None:
        for each in signals:  # a second one must not cut the taking down short
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


__all__ = [
    "Search", "SessionOptions", "at_work", "expect", "host", "interruptible", "measure",
    "resume_command",
]  # fmt: skip
