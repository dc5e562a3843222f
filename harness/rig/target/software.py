"""What the processes of one campaign entry run: a lock, and the wheels no index has."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.facts.dagster_versions import unavailable
from harness.rig.target.locks import ensure_lock

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """A Dagster with everything it needs, ready to be installed.

    `version` is Dagster's own, as the lock pins it. `lock` has the hash of every file, of `wheels`
    too, so that it identifies the content. `wheels` lie in one folder.
    """

    version: str
    lock: Path
    wheels: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The version as an image tag and a folder can have it; not unique."""
        return _UNSAFE.sub("-", self.version)[:60]

    @property
    def sha256(self) -> str:
        """Of the lock: what identifies the software."""
        return hashlib.sha256(self.lock.read_bytes()).hexdigest()


def release(version: str, *, say: Callable[[str], None] = lambda _: None) -> Software:
    """A released version; its lock is made if there is none.

    Raises:
        CampaignError: not a release, or the index does not have all of it.
        EnvironmentProblem: the index cannot be read.
    """
    return Software(version=version, lock=ensure_lock(version, say=say))


def describe_software(software: Software, reported: str | None) -> dict[str, Any]:
    """What a cell's record holds of its software.

    Args:
        software: what was installed.
        reported: the Dagster version the running environment says it is; `None`: not asked.
    """
    told: dict[str, Any] = {
        "dagster_version": reported,
        "lock": {"name": software.lock.name, "sha256": software.sha256},
        "unavailable": unavailable(reported or software.version),
    }
    if software.wheels:
        told["wheels"] = [wheel.name for wheel in software.wheels]
    return told
