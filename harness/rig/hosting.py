"""Choosing what hosts the servers, and making one target per cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.campaign.external import External
from harness.campaign.faults import FaultKind
from harness.campaign.plan import Campaign, CellPlan, TargetKind
from harness.errors import EnvironmentProblem
from harness.facts.model import Limits
from harness.rig.engine_place import reach as engine_reach
from harness.rig.ledger import Ledger
from harness.rig.load.reach import LOOPBACK, check_master, web_address
from harness.rig.protocols import Target
from harness.rig.target import engine
from harness.rig.target.builds import software_of
from harness.rig.target.code.prepare import CodeImages, code_images
from harness.rig.target.images import (
    BuildOptions,
    Images,
    ca_bundle_from_environment,
    ensure_images,
)
from harness.rig.target.software import Software
from harness.units import show_bytes

Kind = Literal["compose", "process", "external"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """A chosen kind of target, with what all its cells share.

    `software` and `images` by the entries of `Campaign.dagster`; `images` and `code` (the user's
    own) for Compose only; `external`: where that target is; `faults`: what will be broken;
    `web_address`: the address of this host at which load workers reach the webserver.
    """

    kind: Kind
    ledger: Ledger
    images: dict[str, Images]
    say: Callable[[str], None]
    pool_probe: bool = True
    software: dict[str, Software] = field(default_factory=dict)
    code: CodeImages = field(default_factory=dict)
    external: External | None = None
    faults: frozenset[FaultKind] = frozenset()
    web_address: str = LOOPBACK

    def target(self, cell: CellPlan, folder: Path) -> Target:
        """A target for one cell, not yet started."""
        limits = limits_of(cell)
        if self.external is not None:
            from harness.rig.load.cancelling import cancel_runs
            from harness.rig.load.web_date import look_at_date
            from harness.rig.target.external import ExternalOptions, ExternalTarget

            return ExternalTarget(
                self.external, ledger=self.ledger,
                options=ExternalOptions(
                    cancel=cancel_runs, compare=look_at_date, say=self.say
                ),
            )  # fmt: skip
        if self.kind == "compose":
            from harness.rig.target.compose import ComposeOptions, ComposeTarget

            options = ComposeOptions(
                images=self.images[cell.dagster],
                software=self.software[cell.dagster],
                limits=limits,
                code=self.code.get((cell.workload.name, cell.dagster)),
                faults=self.faults,
                pool_probe=self.pool_probe,
                web_address=self.web_address,
                say=self.say,
            )
            return ComposeTarget(cell, folder, options=options, ledger=self.ledger)
        from harness.rig.target.process import ProcessOptions, ProcessTarget

        return ProcessTarget(
            cell, folder, limits=limits, ledger=self.ledger,
            options=ProcessOptions(
                software=self.software[cell.dagster], pool_probe=self.pool_probe,
                web_address=self.web_address, say=self.say,
            ),
        )  # fmt: skip


def limits_of(cell: CellPlan) -> Limits:
    """The limits a cell asks for: its task size, and no swap, as on Fargate."""
    memory_bytes = cell.profile.memory_bytes
    return Limits(cpu_cores=cell.profile.vcpu, memory_bytes=memory_bytes, pids=4096, swap_bytes=0)


def choose(kind: TargetKind, say: Callable[[str], None]) -> Kind:
    """`auto` takes Compose where an engine answers, and says so where none does; an engine on
    another host that was asked for and does not answer is never replaced by this host.

    Raises:
        EnvironmentProblem: `compose` was asked for and cannot be had.
    """
    if kind in ("process", "external"):
        return kind
    state = engine.probe()
    if not state.problem:
        for line in engine_words(state):
            say(line)
        return "compose"
    if kind == "compose" or state.named:
        raise EnvironmentProblem(
            "The compose target needs a Docker engine with Compose v2 and buildx.",
            evidence=state.problem,
            hint=state.hint,
        )
    say(f"{state.problem} Using the process target.")
    return "process"


def engine_words(state: engine.EngineState) -> tuple[str, ...]:
    """What a person has to know of an engine on another host; nothing of one here."""
    if state.place is None or not state.remote:
        return ()
    cpus, memory = state.info.get("NCPU", "?"), int(state.info.get("MemTotal") or 0)
    told = f"The server runs on {state.place.words}: {cpus} CPUs, {show_bytes(memory)}"
    if state.place.kind != "tcp":
        return (told,)
    return (
        told,
        f"Over tcp its webserver, its gRPC port and a database with a password are open "
        f"to whoever reaches {state.place.host} while it measures; over ssh they are not",
    )


def prepare(
    kind: Kind, campaign: Campaign, *, ledger: Ledger, say: Callable[[str], None], log: Path
) -> Hosting:
    """Everything that takes long and is the same for all cells: locks, images or environments.

    Raises:
        CampaignError: an entry of `campaign.dagster` is no release and no build.
        EnvironmentProblem, TargetFailed: a lock, a wheel, an image or an environment cannot be
            made, or load workers cannot be waited for where the campaign says.
    """
    faults = frozenset(fault.kind for fault in campaign.faults)
    if faults and kind != "compose":
        raise EnvironmentProblem(
            "Only the parts of the compose target can be broken on purpose.",
            evidence=f"Faults: {', '.join(sorted(faults))}; target {kind}.",
            hint="harness doctor says what is missing, or leave the faults out.",
        )
    address = _web_address(campaign.load.master, say if kind != "external" else None)
    if kind == "compose" and engine_reach.here().place.remote:
        address = LOOPBACK  # that webserver is published on its own host
    if kind == "external":
        return Hosting(kind=kind, ledger=ledger, images={}, say=say, external=campaign.external)
    own = [each.name for each in campaign.workloads if each.code is not None]
    if own and kind != "compose":
        raise EnvironmentProblem(
            "Code of your own is measured in containers, and that needs a Docker engine.",
            evidence=f"Workload {', '.join(own)}; target {kind}.",
            hint="harness doctor says what is missing.",
        )
    software = software_of(campaign, say=say)
    images: dict[str, Images] = {}
    code: CodeImages = {}
    if kind == "compose":
        options = BuildOptions(ca_bundle=ca_bundle_from_environment(), log=log, say=say)
        images = {entry: ensure_images(each, options) for entry, each in software.items()}
        code = code_images(campaign, images, software, options)
    else:
        from harness.rig.target.python_env import ensure_env

        for each in software.values():
            ensure_env(each, progress=say)
    return Hosting(
        kind=kind, ledger=ledger, images=images, say=say, software=software, code=code,
        faults=faults, web_address=address,
    )  # fmt: skip


def _web_address(master: str | None, say: Callable[[str], None] | None) -> str:
    if not master:
        return LOOPBACK
    try:
        check_master(master)
        address = web_address(master)
    except (OSError, OverflowError) as error:
        raise EnvironmentProblem(
            f"Load workers cannot be waited for at {master}.",
            evidence=str(error),
            hint="Give an address of this machine and a free port: --load-master 10.0.0.5:5557.",
        ) from error
    if say is not None and address != LOOPBACK:
        say(f"While a cell runs whoever reaches {address} reaches its webserver, without password.")
    return address
