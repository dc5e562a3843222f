"""The Locust commands of one step: alone, or a master with workers here or elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.rig.load.arrivals import users_of
from harness.rig.load.children import Spawn, free_port
from harness.rig.load.records import encode_order
from harness.rig.protocols import LoadOrder

LOCUSTFILE = Path(__file__).with_name("locustfile.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Who generates the load. `workers`: processes; one needs no master. `master` (`host:port`):
    where a master waits for workers that somebody else starts, instead of starting them.
    `python`: the interpreter that has Locust.
    """

    workers: int = 1
    master: str = ""
    python: str = sys.executable

    @property
    def is_crew(self) -> bool:
        """Whether there is a master."""
        return self.workers > 1 or bool(self.master)

    def at_work(self, order: LoadOrder) -> int:
        """How many of them a step gives something to do: no more than it has users."""
        return min(self.workers, users_of(order))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Where a step's records and logs go, and what is masked in them."""

    lines: Path
    log: Path
    secrets: Path | None = None


def spawns(order: LoadOrder, staff: Staff, place: Outputs) -> list[Spawn]:
    """Everything to be started for a step, the leader first."""
    base = [staff.python, "-m", "locust", "--locustfile", str(LOCUSTFILE), "--loglevel", "INFO"]
    environment = _environment(place)
    ordered = {**environment, "LOAD_ORDER": encode_order(order), "LOAD_OUT": str(place.lines)}
    leading = [*base, *_arguments(order)]
    if not staff.is_crew:
        return [Spawn(command=leading, environment=ordered, log=place.log)]
    host, _, port = staff.master.rpartition(":")
    host, port = host or "127.0.0.1", port or str(free_port())
    leading += [
        "--master", "--master-bind-host", host, "--master-bind-port", port,
        "--expect-workers", str(staff.workers if staff.master else staff.at_work(order)),
        "--crew", str(staff.at_work(order)),
    ]  # fmt: skip
    leader = Spawn(command=leading, environment=ordered, log=place.log)
    if staff.master:
        return [leader]
    joining = [*base, "--worker", "--master-host", host, "--master-port", port]
    return [leader, *_workers(joining, environment, staff.at_work(order), place)]


def worker_command(master: str) -> str:
    """What to run on another machine, over and over: a worker ends with its step."""
    host, _, port = master.rpartition(":")
    return (
        f"while :; do locust -f harness/rig/load/locustfile.py --worker "
        f"--master-host {host or '127.0.0.1'} --master-port {port}; sleep 1; done"
    )


def _workers(
    command: Sequence[str], environment: dict[str, str], count: int, place: Outputs
) -> list[Spawn]:
    logs = [place.log.with_suffix(f".worker-{number}.log") for number in range(1, count + 1)]
    return [Spawn(command=command, environment=environment, log=log) for log in logs]


def _arguments(order: LoadOrder) -> list[str]:
    """Locust spawns all users at once; the schedule is the locustfile's."""
    users = str(users_of(order))
    return [
        *("--host", order.webserver_url, "--headless"),
        *("--users", users, "--spawn-rate", users, "--stop-timeout", "0"),
        *("--only-summary", "--exit-code-on-error", "0"),
    ]


def _environment(place: Outputs) -> dict[str, str]:
    """Ours without the user's own Locust settings, with where to import from."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    roots = [str(LOCUSTFILE.parents[3]), kept.get("PYTHONPATH", "")]
    masked = {"LOAD_MASKED": str(place.secrets.absolute())} if place.secrets else {}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(root for root in roots if root),
        "PYTHONUNBUFFERED": "1",
        "LOAD_WATCH_STDIN": "1",
        **masked,
    }
