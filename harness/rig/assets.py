"""Where the harness finds what it ships, and where it may keep things between invocations."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from harness.errors import EnvironmentProblem

APPLICATION = "dagster-load-harness"
PACKAGE = Path(__file__).resolve().parents[1]


def asset(name: str, *, package: Path = PACKAGE) -> Path:
    """A shipped file or folder, e.g. `compose/Dockerfile` or `workloads`.

    A wheel carries copies inside the package (`_bundled`); a checkout has the folders beside
    it. The bundle wins, so that an installed harness never picks up a stranger's `compose/`.

    Raises:
        EnvironmentProblem: this installation does not have it.
    """
    for root in (package / "_bundled", package.parent):
        found = root / name
        if found.exists():
            return found
    raise EnvironmentProblem(
        f"This installation of the harness lacks `{name}`.",
        evidence=f"Looked beside and inside {package}.",
        hint="Install the harness from its wheel, or run it from a complete checkout.",
    )


def cache_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """What can be made again: environments. `DAGSTER_LOAD_HARNESS_CACHE` overrides."""
    return _folder(environment, "DAGSTER_LOAD_HARNESS_CACHE", "XDG_CACHE_HOME", ".cache")


def state_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """What must survive a crash: the ledger. `DAGSTER_LOAD_HARNESS_STATE` overrides."""
    return _folder(environment, "DAGSTER_LOAD_HARNESS_STATE", "XDG_STATE_HOME", ".local/state")


def _folder(environment: Mapping[str, str], own: str, xdg: str, below_home: str) -> Path:
    if environment.get(own):
        return Path(environment[own])
    # The XDG specification: a relative path there is invalid and ignored.
    base = Path(environment.get(xdg, ""))
    return (base if base.is_absolute() else Path.home() / below_home) / APPLICATION
