"""Runs simulated nights and kills each with SIGKILL at its n-th moment; prints what was seen.

A program of its own, because it forks: once for each moment, from one process that has imported
everything already.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from factory_nightly import World

from harness.facts import durable
from harness.scenarios.nightly.mark import mark_path

SMALL = ("workloads=[io]", "repetitions=1")


def killing(world: World, patch: pytest.MonkeyPatch, moment: int) -> None:
    """Kill this process at the n-th moment: before a part is asked, around every write."""
    left = [moment]

    def tick() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def ticking(work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            tick()
            result = work(*args, **kwargs)
            tick()
            return result

        return call

    for part in World.PARTS:
        if part not in ("now_s", "host", "free_bytes"):
            world.fail[part] = tick
    patch.setattr(durable.os, "fsync", ticking(durable.os.fsync))
    patch.setattr(durable, "_sync_folder", ticking(durable._sync_folder))


def child(root: Path, moment: int) -> int:
    """One night in a child; how it ended: a signal as its negative, else 0."""
    pid = os.fork()
    if pid == 0:
        patch = pytest.MonkeyPatch()
        world = World(root=root).install(patch)
        killing(world, patch, moment)
        world.night(*SMALL)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def whole(root: Path) -> dict[str, bool]:
    """Which summaries there are, each read: half a one raises."""
    found = {}
    for path in [*root.glob("nightly-*"), *root.glob("*/nightly.*")]:
        text = path.read_text(encoding="utf-8")
        assert text.endswith("\n"), path
        if path.suffix == ".json":
            json.loads(text)
        found[path.name] = True
    return found


def after(root: Path) -> dict[str, Any]:
    """The night after the killed one, undisturbed."""
    patch = pytest.MonkeyPatch()
    world = World(root=root).install(patch)
    world.now += 3600
    summary = world.night(*SMALL)
    patch.undo()
    mark = json.loads(mark_path(root, "nightly").read_text(encoding="utf-8"))
    return {
        "code": summary.exit_code, "resumed": summary.resumed, "left": list(summary.left),
        "failures": list(summary.failures), "closed": mark["ended"],
        "summaries": sorted(whole(root)),
        "half": sorted(p.name for p in root.rglob(".*nightly*.tmp")),
    }  # fmt: skip


def main(base: Path) -> None:
    """Moment after moment, until a night outlives them."""
    seen = []
    for moment in range(1, 500):
        root = base / str(moment) / "results"
        ended = child(root, moment)
        seen.append({"ended": ended, "before": sorted(whole(root)), **after(root)})
        if ended == 0:
            break
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
