"""Ending runs until there are none: a launch that was on its way makes one a moment later."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from harness.errors import TargetFailed

TAG = "dagster-load-harness/campaign"
"""Every run sent to a deployment that exists carries it, with a value of its campaign's."""

LOOK_S = 2.0
QUIET_S = 5.0
PATIENCE_S = 60.0
QUIET_LOOKS = 2

EndRuns = Callable[[], Collection[str]]
"""Ends the runs of ours that have not ended; the ids of all it found, the dying ones too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How time passes, in seconds."""

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def end_until_quiet(
    end: EndRuns,
    mark: str,
    *,
    found: Callable[[int], None] = lambda _: None,
    patience_s: float = PATIENCE_S,
    waiting: Waiting | None = None,
) -> frozenset[str]:
    """End runs and look again until two looks in a row, 5 s apart, find none; all ids found.

    Args:
        end: one look.
        mark: the value of their tag, for whoever has to end them by hand.
        found: is told how many there were, once, at the first look that finds any.
        patience_s: how long to go on; a last look is always taken to its end.
        waiting: how time passes.

    Raises:
        TargetFailed: some have not ended by then, or what `end` raises.
    """
    waiting = waiting or Waiting()
    last_s = waiting.clock() + patience_s
    seen: set[str] = set()
    quiet = 0
    while True:
        going = end()
        if going and not seen:
            found(len(going))
        seen.update(going)
        quiet = 0 if going else quiet + 1
        if quiet == QUIET_LOOKS:
            return frozenset(seen)
        if going and waiting.clock() >= last_s:
            count = "1 run" if len(going) == 1 else f"{len(going)} runs"
            raise TargetFailed(
                f"{count} of ours did not end in {patience_s:.0f} s.",
                evidence=", ".join(sorted(going)[:3]),
                hint=f"harness down tries again; by hand: their tag is {TAG}={mark}",
            )
        waiting.sleep(LOOK_S if going else QUIET_S)
