"""Runs held resident at once, and the memory of their server before and meanwhile."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.rig.lab.lab import Lab
from harness.rig.lab.records import RunRow
from harness.rig.lab.servers import LabServer
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench

START_LIMIT_S = 180.0
END_LIMIT_S = 90.0
STILL_LIMIT_S = 20.0
STILL_BYTES = 2 * 1024**2
"""Memory that moves by no more than this between two looks stands still."""

LOOK_S = 0.75
STILL_LOOKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """So many runs of a job at once; they must last until they are cancelled."""

    job: str
    runs: int
    server: str = "server"
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def orders(self) -> list[Order]:
        """The launches."""
        return [Order(job=self.job, location=self.server, config=self.config)] * self.runs


def hold(bench: Bench, lab: Lab, burst: Burst, **about: Any) -> list[RunRow]:
    """Launch a burst, note what the server holds once memory stands still, and cancel it.

    Notes one `held`: `server job runs`, what `about` says, `working` (runs whose step has begun)
    and `idle_*` (before) and the same without `idle_` (meanwhile) of `pss_bytes` and the keys of
    `LabServer.look`; `peak_bytes` is the kernel's, since before the burst.

    Returns:
        What Dagster says of the runs in the end.
    """
    bench.say(f"{burst.runs} runs of {burst.job} on {burst.server}")
    server = lab.server(burst.server)
    emptied(bench, server)
    still(bench, server)
    server.reset_peak()
    idle = {f"idle_{key}": value for key, value in _look(server).items()}
    launches = lab.web.launch_all(burst.orders)
    ids = [each.run_id for each in launches if each.run_id]
    working = _await_work(bench, lab, ids)
    still(bench, server)
    bench.note("held", server=burst.server, job=burst.job, runs=burst.runs, working=working,
               **about, **idle, **_look(server))  # fmt: skip
    end(bench, lab, server, ids)
    return lab.records.runs(ids)


def end(bench: Bench, lab: Lab, server: LabServer, ids: list[str]) -> None:
    """Cancel runs and wait until their processes are gone, or give up after a while."""
    lab.web.cancel(ids)
    lab.web.wait(ids, timeout_s=END_LIMIT_S)
    emptied(bench, server)


def emptied(bench: Bench, server: LabServer) -> None:
    """Wait until no run's process is left, or give up after a while: it outlives its run's end."""
    last_s = time.monotonic() + END_LIMIT_S
    while server.look().get("resident_runs") and time.monotonic() < last_s:
        bench.sleep(LOOK_S)


def still(bench: Bench, server: LabServer) -> None:
    """Wait until anonymous memory stands still, or give up after a while."""
    last_s = time.monotonic() + STILL_LIMIT_S
    seen = [_anon_bytes(server)]
    while time.monotonic() < last_s:
        bench.sleep(LOOK_S)
        seen = [*seen, _anon_bytes(server)][-STILL_LOOKS:]
        if len(seen) == STILL_LOOKS and max(seen) - min(seen) <= STILL_BYTES:
            return


def _await_work(bench: Bench, lab: Lab, ids: list[str]) -> int:
    """Wait until every run's step has begun, or give up; how many did."""
    last_s = time.monotonic() + START_LIMIT_S
    while True:
        rows = lab.records.runs(ids)
        working = sum(1 for row in rows if row.step_starts)
        if working >= len(ids) or time.monotonic() >= last_s:
            return working
        bench.sleep(LOOK_S)


def _anon_bytes(server: LabServer) -> int:
    stats = server.stats()
    return stats.anon_bytes if stats and stats.anon_bytes is not None else 0


def _look(server: LabServer) -> dict[str, float]:
    return {**server.look(), "pss_bytes": float(server.pss_bytes())}
