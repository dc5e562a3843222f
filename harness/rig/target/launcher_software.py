"""A release with more of Dagster's own packages beside it: what starts containers, or reads the
configuration of Dagster+.

Each in an image or an environment and a lock of its own, so that what campaigns measure stays what
it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is beside the release. `name`: of the lock. `companions` count as Dagster's integration
    libraries do, `alike` as Dagster itself.
    """

    name: str
    companions: tuple[str, ...]
    alike: tuple[str, ...] = ()

    def requirements(self, version: str) -> tuple[str, ...]:
        """Pins, for a release.

        Raises:
            CampaignError: not a `1.A.B` version.
        """
        companion = companion_version(version)
        return (
            *(f"{package}=={version}" for package in self.alike),
            *(f"{package}=={companion}" for package in self.companions),
        )


LAUNCHER = Beside(name="launcher", companions=("dagster-docker",))
READERS = Beside(name="readers", companions=("dagster-aws",), alike=("dagster-cloud",))


def launcher_software(version: str, *, say: Callable[[str], None] = lambda _: None) -> Software:
    """A release that can start containers; see `software_beside`."""
    return software_beside(LAUNCHER, version, say=say)


def readers_software(version: str, *, say: Callable[[str], None] = lambda _: None) -> Software:
    """A release that reads what Dagster+ and its ECS agent are told; see `software_beside`."""
    return software_beside(READERS, version, say=say)


def software_beside(
    beside: Beside, version: str, *, say: Callable[[str], None] = lambda _: None
) -> Software:
    """A release and what is beside it; its lock is the committed one, the cached one, or made.

    Raises:
        CampaignError: not a release, or the index does not have all of it.
        EnvironmentProblem: the index cannot be read.
    """
    name = f"{beside.name}-{version}.txt"
    cached = cache_dir() / "locks" / name
    for path in (asset("compose/locks") / name, cached):
        if path.is_file():
            return Software(version=version, lock=path)
    say(f"Locking Dagster {version} with {_packages(beside)} (once)")
    cached.parent.mkdir(parents=True, exist_ok=True)
    return Software(version=version, lock=make_lock_beside(beside, version, cached))


def make_lock_beside(beside: Beside, version: str, target: Path) -> Path:
    """Resolve and write the lock; see `locks.make_lock`."""
    wanted = (*requirements(version), *beside.requirements(version))
    day = release_day(version) + timedelta(days=1)
    header = (
        f"# Dagster {version} with {_packages(beside)}, and all they need as of {day}; "
        f"Python {PYTHON}.\n"
    )
    write_lock(target, header + resolve(wanted, until=day))
    return target


def _packages(beside: Beside) -> str:
    return " and ".join((*beside.alike, *beside.companions))
