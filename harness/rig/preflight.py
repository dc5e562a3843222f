"""Fail before measuring: everything that can be known to go wrong is asked first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import psutil

from harness.campaign.host_fit import HostSize, fit_problems
from harness.campaign.plan import CellPlan, TargetKind
from harness.errors import EnvironmentProblem
from harness.rig.engine_place import reach
from harness.rig.target import engine

FREE_DISK_BYTES = 500 * 2**20


def host_size() -> HostSize:
    """CPUs this process may use and memory that is free now."""
    return HostSize(
        cpus=float(len(os.sched_getaffinity(0))),
        memory_available_bytes=psutil.virtual_memory().available,
    )


def size_for(target: TargetKind) -> HostSize:
    """What the servers of such a target can have: of this host, or of an engine's elsewhere.

    An engine that does not answer is told by whoever is about to use it.
    """
    if target in ("process", "external"):
        return host_size()
    state = engine.probe()
    if not state.remote or state.problem:
        return host_size()
    return size_of_engine(state)


def size_of_engine(state: engine.EngineState) -> HostSize:
    """What an engine's host has. What is free on it the engine does not tell: its memory is taken
    for free.
    """
    return HostSize(
        cpus=float(state.info.get("NCPU") or 0),
        memory_available_bytes=int(state.info.get("MemTotal") or 0),
        name=f"the engine's host {state.place.host if state.place else ''}".strip(),
        beside="database, webserver and daemon",
    )


def check_engine_is_free() -> None:
    """Nobody else measures on an engine elsewhere: the lock on campaigns is this machine's alone.

    Raises:
        EnvironmentProblem: containers of ours run there, or it does not answer.
    """
    place = reach.here().place
    busy = engine.busy_with() if place.remote else ()
    if busy:
        raise EnvironmentProblem(
            f"Another campaign runs on the engine at {place.words}, or was left there.",
            evidence=", ".join(busy),
            hint="Wait for it, or stop it. What a crash left is removed by `harness down` on the "
            "machine that began it.",
        )


def refuse_elsewhere(what: str) -> None:
    """Refuse an engine on another host.

    Args:
        what: what needs one here, as the beginning of a sentence.

    Raises:
        EnvironmentProblem: the engine the environment names is elsewhere.
    """
    place = reach.here().place
    if place.remote:
        raise EnvironmentProblem(
            f"{what} needs an engine on this machine.",
            evidence=f"The engine is on {place.words} ({place.said_by}).",
            hint="Run it on that machine, or: env -u DOCKER_HOST DOCKER_CONTEXT=default harness …",
        )


def check_fit(
    cells: Sequence[CellPlan], *, allow_overcommit: bool, target: TargetKind = "process"
) -> bool:
    """Whether the cells overcommit the host their servers are to run on.

    Raises:
        EnvironmentProblem: they do, and nobody said it may be so.
    """
    problems = fit_problems(cells, size_for(target))
    if problems and not allow_overcommit:
        raise EnvironmentProblem(
            "This machine cannot honour every profile of the campaign.",
            evidence="\n".join(problems),
            hint="Choose smaller profiles (--set profiles=[…]), or --allow-overcommit, which "
            "marks every result.",
        )
    return bool(problems)


def check_results_root(root: Path) -> None:
    """The results folder can be written and the disk has room.

    Raises:
        EnvironmentProblem: it cannot, or less than 500 MiB are free.
    """
    probe = root / f".writable-{os.getpid()}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        probe.write_text("x", encoding="utf-8")
        probe.unlink()
    except OSError as error:
        raise EnvironmentProblem(
            "The results folder cannot be written.",
            evidence=f"{root}: {error.strerror}",
            hint="Name another one: --results FOLDER",
        ) from error
    free = shutil.disk_usage(root).free
    if free < FREE_DISK_BYTES:
        raise EnvironmentProblem(
            "The disk is nearly full.",
            evidence=f"{root}: {free // 2**20} MiB free, {FREE_DISK_BYTES // 2**20} MiB needed",
            hint="Make room, or name another folder: --results FOLDER",
        )
