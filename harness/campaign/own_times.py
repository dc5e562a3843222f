"""Steps and search for runs of which one has been seen: a hold must see several of them end."""

from __future__ import annotations

from typing import Any

from harness.campaign.estimate import DRAIN_SHARE

SHORTEST_RAMP_S, LONGEST_RAMP_S = 6.0, 600.0
SHORTEST_HOLD_S, LONGEST_HOLD_S = 20.0, 1800.0
SHORTEST_DRAIN_S = 60.0
RUNS_A_HOLD = 3
LONGEST_DRAIN_S, LONGEST_SEARCH_MIN = 7200.0, 1440.0
STEPS = 8
"""Steps a search has time for, the unloaded one included."""


def times_for(run_s: float) -> dict[str, Any]:
    """What a campaign sets for runs of which one takes `run_s` seconds alone: `step`, `search`
    and `load` by their keys.

    The ramp spans one run, so that launches do not all land together; the hold three, so that its
    throughput is not that of one lucky run; the drain as many again, for a server that slows.
    """
    ramp_s = min(max(SHORTEST_RAMP_S, run_s + 2), LONGEST_RAMP_S)
    settle_s = max(2.0, 0.25 * ramp_s)
    hold_s = min(max(SHORTEST_HOLD_S, RUNS_A_HOLD * run_s), LONGEST_HOLD_S)
    step_s = ramp_s + settle_s + hold_s + DRAIN_SHARE * run_s
    return {
        "step": {
            "ramp_s": round(ramp_s, 1),
            "settle_s": round(settle_s, 1),
            "hold_s": round(hold_s, 1),
            "drain_s": round(
                min(LONGEST_DRAIN_S, max(SHORTEST_DRAIN_S, RUNS_A_HOLD * run_s + 30)), 1
            ),
        },
        "search.max_minutes": round(min(LONGEST_SEARCH_MIN, max(3.0, STEPS * step_s / 60)), 1),
        "load.run_s": round(max(run_s, 0.1), 2),
    }
