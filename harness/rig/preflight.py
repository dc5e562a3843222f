"""Fail before measuring: everything that can be known to go wrong is asked first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import psutil

from harness.campaign.host_fit import HostSize, fit_problems
from harness.campaign.plan import CellPlan
from harness.errors import EnvironmentProblem

FREE_DISK_BYTES = 500 * 2**20


def host_size() -> HostSize:
    """CPUs this process may use and memory that is free now."""
    return HostSize(
        cpus=float(len(os.sched_getaffinity(0))),
        memory_available_bytes=psutil.virtual_memory().available,
    )


def check_fit(cells: Sequence[CellPlan], *, allow_overcommit: bool) -> bool:
    """Whether the cells overcommit this host.

    Raises:
        EnvironmentProblem: they do, and nobody said it may be so.
    """
    problems = fit_problems(cells, host_size())
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
