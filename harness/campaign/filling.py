"""How long runs have to last, so that a limit on runs at once is ever reached.

A limit only binds where runs come faster than they end. Dagster's daemon launches one at a time
unless told otherwise, so short runs are gone before the limit is full, and a burst that passes has
shown nothing of it. The workloads of the harness's own have a parameter for how long they take;
a user's runs take what they take.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.campaign.plan import Workload

LAUNCH_CPU_S = 2.0
"""CPU a launch takes: between 1.3 and 2.7 on the machines of the committed baselines."""

LAUNCH_S = 1.5
"""What a launch takes at least, with CPU to spare: an answer to the daemon, and its next look."""

SPARE = 1.5
"""How much longer than filling takes a run lasts: launches slow down as the server fills."""

LEAST_RUN_S = 8.0
LONGEST_RUN_S = 300.0
LONGEST_WORK_CPU_S = 120.0
MIXED_WAIT_S = 30.0
"""The longest its upstream server lets `mixed` wait."""

SECONDS_BY: Mapping[str, tuple[str, float]] = {
    "io": ("requests", 1.0),
    "long": ("minutes", 1 / 60),
    "memory": ("hold_s", 1.0),
    "mixed": ("wait_s", 1.0),
    "heavy-import": ("wait_s", 1.0),
    "sensor": ("wait_s", 1.0),
    "synthetic": ("wait_s", 1.0),
}
"""Which parameter of a workload says how long it waits, and how much of it is a second."""

WHOLE = ("requests",)
UNITS_A_CPU_S = 10.0
"""Of `work_units` of the workload `cpu`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is to be filled: runs at once in all, cores and launches at a time of all replicas.

    `pace_s`: from one launch to the next, where it was measured. `look_s`: from one look of the
    daemon at its queue to the next.
    """

    limit: int
    cores: float
    threads: int = 1
    pace_s: float | None = None
    look_s: float = 5.0

    @property
    def launch_s(self) -> float:
        """From one launch to the next."""
        if self.pace_s is not None:
            return self.pace_s
        return max(LAUNCH_CPU_S / self.cores, LAUNCH_S / self.threads)

    @property
    def filling_s(self) -> float:
        """Until the last of `limit` runs is launched."""
        return self.limit * self.launch_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """Runs that should fill a limit: what one takes, and the parameters that make it so.

    `short`: why they are expected not to; empty where they should.
    """

    run_s: float
    params: Mapping[str, int | float]
    short: str = ""


def filling_of(need: Need, workload: Workload) -> Filling | None:
    """How long the runs of one of our own workloads have to last.

    Returns:
        `None` where nobody can say: a user's runs, or a mix.
    """
    if workload.code is not None or workload.mix:
        return None
    name = (workload.module or workload.name).replace("_", "-")
    if name == "cpu":
        return _computing(need)
    if name not in SECONDS_BY:
        return None
    most_s = MIXED_WAIT_S if name == "mixed" else LONGEST_RUN_S
    wanted_s = max(LEAST_RUN_S, SPARE * need.filling_s)
    run_s = float(math.ceil(min(most_s, wanted_s)))
    parameter, a_second = SECONDS_BY[name]
    value = run_s * a_second
    return Filling(
        run_s=run_s,
        params={parameter: int(value) if parameter in WHOLE else round(value, 4)},
        short=_short(need, run_s) if wanted_s > most_s else "",
    )


def filled_workload(workload: Workload, filling: Filling) -> Workload:
    """The same workload, with runs of that length; what the user set otherwise stays."""
    return workload.model_copy(update={"params": {**workload.params, **filling.params}})


def _computing(need: Need) -> Filling:
    """Runs that compute share the CPU with the launches: while one more is launched, each does as
    much work as the launch takes.
    """
    wanted_s = SPARE * LAUNCH_CPU_S * need.limit
    work_s = min(LONGEST_WORK_CPU_S, wanted_s)
    alone_s = work_s * max(1.0, need.limit / need.cores)
    return Filling(
        run_s=float(math.ceil(alone_s)),
        params={"work_units": math.ceil(work_s * UNITS_A_CPU_S)},
        short=_short(need, work_s) if wanted_s > LONGEST_WORK_CPU_S else "",
    )


def _short(need: Need, run_s: float) -> str:
    return (
        f"launching {need.limit} runs takes about {need.filling_s:.0f} s, and runs of more than "
        f"{run_s:.0f} s are not made here"
    )
