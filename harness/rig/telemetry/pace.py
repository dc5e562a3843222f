"""How much CPU the same small work takes right now: what a CPU-second of this machine is worth.

On a shared machine, a launch that costs 1.3 CPU-seconds now costs 1.5 a minute later: other guests
take cache and memory bandwidth, a sibling thread its share of a core. A bare Python that starts and
imports a few modules of the standard library does the same work every time, of the kind a launch
is made of, so what it took tells what the moment did to both.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from harness.rig.protocols import DeviceCost, Endpoints, Reading
from harness.rig.telemetry.sampler import CostLedger

COST = DeviceCost(
    name="pace",
    reads="CPU of a bare Python start, always the same work: what slows the whole machine shows",
    rate_hz=1.0,
    cost="about 25 ms of CPU a look on the host, nothing in the server",
)
SOURCE = "host"
PROGRAM = "import json, decimal, argparse, dataclasses"
ARGUMENTS = (sys.executable, "-I", "-S", "-c", PROGRAM)


def start_once() -> float:
    """CPU seconds of one bare start, by the kernel's account of the child.

    Raises:
        OSError: it could not be started, or did not end well.
    """
    pid = os.posix_spawn(ARGUMENTS[0], ARGUMENTS, {})
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise OSError(f"a bare Python ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


class PaceDevice:
    """Source `host`: `start_cpu_s`, CPU seconds of one start.

    Args:
        ledger: charged with what the starts take; they are children, which no thread's own
            account shows.
    """

    cost = COST

    def __init__(self, ledger: CostLedger, *, start: Callable[[], float] = start_once) -> None:
        self._ledger = ledger
        self._start = start

    def read(self) -> Reading:
        """Start it once."""
        used_s = self._start()
        self._ledger.add(COST.name, used_s)
        return Reading(values={(SOURCE, "start_cpu_s"): used_s})

    def close(self) -> None:
        """Nothing to let go of."""


def offer(endpoints: Endpoints, ledger: CostLedger) -> PaceDevice | None:
    """For whatever server on this machine: it is about the CPUs they share."""
    return None if endpoints.elsewhere else PaceDevice(ledger)
