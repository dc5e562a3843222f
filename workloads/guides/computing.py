"""Computing side by side: runs that begin to compute at the same moment, and ticks that compute.

Job:
    spin_together   {"gate": 1, "cpu_s": 1.0, "patience_s": 240.0}
                    wait for the gate's file, then until the moment it names, then compute

Sensors: those of `workloads.sensor` (`blocker_1` …, by its environment), and `clutch`, which
computes in a single call into C: it never lets go of the interpreter lock.

Environment, read when the location loads, beside that of `workloads.sensor`:
    CLUTCH_S    seconds of CPU the clutch takes; default 10

A gate is opened by writing the moment to begin, in epoch seconds, into `gate-<number>` in
`WORKLOAD_SCRATCH` (or where the system keeps temporary files). So the launches of many runs, which
take CPU themselves, are over before the first of them computes.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster import Definitions, SensorDefinition, SkipReason, sensor

from workloads.common import Params, burn, job_of, setting
from workloads.sensor.definitions import blockers

DEFAULTS: Mapping[str, Any] = {"gate": 1, "cpu_s": 1.0, "patience_s": 240.0}
JOB = "spin_together"
LOOK_S = 0.05
SAMPLE = 2_000_000
"""So many numbers are added to see how fast this machine adds."""


class GateError(RuntimeError):
    """Nobody opened the gate in time."""


def spin_together(params: Params) -> Mapping[str, float]:
    """Wait until the gate says begin, then compute.

    Raises:
        GateError: it stays shut for longer than `patience_s`.
    """
    begin_s = _opened(params["gate"], params["patience_s"])
    time.sleep(max(0.0, begin_s - time.time()))
    burn(params["cpu_s"])
    return {"begin_s": begin_s}


def _opened(gate: int, patience_s: float) -> float:
    path = Path(os.environ.get("WORKLOAD_SCRATCH") or tempfile.gettempdir()) / f"gate-{gate}"
    end_s = time.monotonic() + patience_s
    while time.monotonic() < end_s:
        if path.is_file() and (text := path.read_text().strip()):
            return float(text)
        time.sleep(LOOK_S)
    raise GateError(f"{path.name} was not opened in {patience_s:g} s")


def add_up(cpu_s: float) -> int:
    """Compute for about so many seconds of CPU in one call that holds the interpreter lock."""
    began_s = time.thread_time()
    sum(range(SAMPLE))
    per_s = SAMPLE / max(1e-6, time.thread_time() - began_s)
    return sum(range(int(per_s * cpu_s)))


def clutch() -> SensorDefinition:
    """The sensor that does so at every tick. It is off until switched on, or ticked by hand."""
    cpu_s = setting("CLUTCH_S", 10.0)

    @sensor(name="clutch", job_name=JOB)
    def tick() -> SkipReason:
        add_up(cpu_s)
        return SkipReason(f"held the interpreter lock for about {cpu_s:g} s of CPU")

    return tick


defs = Definitions(
    jobs=[job_of(spin_together, DEFAULTS, name=JOB, op_prefix="together_")],
    sensors=[*blockers(JOB, default_count=0), clutch()],
)
