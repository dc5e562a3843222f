"""A Dagster that can start containers: the release with `dagster-docker` beside it.

An image and a lock of its own, so that what campaigns measure stays what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from harness.rig.assets import asset, cache_dir
from harness.rig.target.locks import (
    PYTHON,
    companion_version,
    release_day,
    requirements,
    resolve,
    write_lock,
)
from harness.rig.target.software import Software

PACKAGE = "dagster-docker"


def launcher_software(version: str, *, say: Callable[[str], None] = lambda _: None) -> Software:
    """A release with `dagster-docker`; its lock is the committed one, the cached one, or made.

    Raises:
        CampaignError: not a release, or the index does not have all of it.
        EnvironmentProblem: the index cannot be read.
    """
    name = f"launcher-{version}.txt"
    cached = cache_dir() / "locks" / name
    for path in (asset("compose/locks") / name, cached):
        if path.is_file():
            return Software(version=version, lock=path)
    say(f"Locking Dagster {version} with {PACKAGE} (once)")
    cached.parent.mkdir(parents=True, exist_ok=True)
    return Software(version=version, lock=make_launcher_lock(version, cached))


def make_launcher_lock(version: str, target: Path) -> Path:
    """Resolve and write the lock; see `locks.make_lock`."""
    wanted = (*requirements(version), f"{PACKAGE}=={companion_version(version)}")
    day = release_day(version) + timedelta(days=1)
    header = (
        f"# Dagster {version} and {PACKAGE}, with all they need as of {day}; Python {PYTHON}.\n"
    )
    write_lock(target, header + resolve(wanted, until=day))
    return target
