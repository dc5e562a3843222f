"""One campaign at a time on a machine: two would measure each other.

The lock belongs to the open file, so the kernel lets go of it however its holder dies; what the
file says is only for the message.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from harness.errors import EnvironmentProblem


@contextlib.contextmanager
def campaign_lock(path: Path, *, holder: str) -> Iterator[None]:
    """Hold the machine-wide lock.

    Args:
        path: the lock file; made if missing, never removed.
        holder: what to tell others who come while it is held.

    Raises:
        EnvironmentProblem: another living process holds it, or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(
            "The lock file cannot be written.",
            evidence=f"{path}: {error.strerror}",
            hint="Set DAGSTER_LOAD_HARNESS_STATE to a folder you may write.",
        ) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EnvironmentProblem(
                "Another campaign is measuring on this machine.",
                evidence=_holder(path),
                hint="Wait for it, or stop it; two at once would measure each other.",
            ) from error
        stream.truncate(0)
        stream.write(json.dumps({"pid": os.getpid(), "campaign": holder}))
        stream.flush()
        yield


def _holder(path: Path) -> str:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return f"process {told['pid']}: {told['campaign']}"
    except (OSError, ValueError, KeyError):
        return "its holder left no name"
