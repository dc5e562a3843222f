"""The Locust commands of one step: alone, or a master with workers here or elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.rig.load.arrivals import users_of
from harness.rig.load.children import Spawn, free_port
from harness.rig.load.records import encode_order
from harness.rig.orders import Access, LoadOrder

ANY_ADDRESS = "0.0.0.0"
OWN_WAIT_S = 45
"""For workers we start ourselves: as long as a Locust may take to come up on a busy machine."""

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
PACKAGE_ROOT = LOCUSTFILE.parents[3]
"""The folder that holds this package: what to import it from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Who generates the load. `workers`: processes; one needs no master. `master` (`host:port`):
    where a master waits for workers that somebody else starts, instead of starting them.
    `python`: the interpreter that has Locust. `wait_s`: how long they may take to come.
    """

    workers: int = 1
    master: str = ""
    python: str = sys.executable
    wait_s: int = 120

    @property
    def is_crew(self) -> bool:
        """Whether there is a master."""
        return self.workers > 1 or bool(self.master)

    @property
    def patience_s(self) -> float:
        """How much longer than its order a step may take, since workers have to come."""
        return float(self.wait_s) if self.master else 0.0

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
    base = _locust(staff.python)
    environment = _environment(place)
    told = replace(order, access=_carried(order.access)) if staff.is_crew else order
    ordered = {**environment, "LOAD_ORDER": encode_order(told), "LOAD_OUT": str(place.lines)}
    leading = [*base, *_arguments(order)]
    if not staff.is_crew:
        return [Spawn(command=leading, environment=ordered, log=place.log)]
    host, _, port = staff.master.rpartition(":")
    host, port = host or "127.0.0.1", port or str(free_port())
    leading += [
        "--master", "--master-bind-host", host, "--master-bind-port", port,
        "--expect-workers", str(staff.workers if staff.master else staff.at_work(order)),
        "--expect-workers-max-wait", str(staff.wait_s if staff.master else OWN_WAIT_S),
        "--crew", str(staff.at_work(order)),
    ]  # fmt: skip
    leader = Spawn(command=leading, environment=ordered, log=place.log)
    if staff.master:
        return [leader]
    command = joining(staff.python, f"{host}:{port}")
    return [leader, *_workers(command, environment, staff.at_work(order), place)]


def joining(python: str, master: str) -> list[str]:
    """The command of a worker that joins a master (`host:port`) for one step."""
    host, _, port = master.rpartition(":")
    return [*_locust(python), "--worker", "--master-host", host or "127.0.0.1",
            "--master-port", port]  # fmt: skip


def worker_command(master: str, host: str = "HOST") -> str:
    """What to run on another host, whose master listens at `master`; `host` is this one's name."""
    bound, _, port = master.rpartition(":")
    return f"python -m harness.rig.load.worker {host if bound == ANY_ADDRESS else bound}:{port}"


def _locust(python: str) -> list[str]:
    return [python, "-m", "locust", "--locustfile", str(LOCUSTFILE), "--loglevel", "INFO"]


def _carried(access: Access) -> Access:
    """With the certificates themselves: a worker on another host has no such file."""
    if access.ca_file is None:
        return access
    try:
        return replace(
            access, ca_file=None, ca_pem=Path(access.ca_file).read_text(encoding="utf-8")
        )
    except OSError:
        return access  # whoever connects says what is wrong with it


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
    roots = [str(PACKAGE_ROOT), kept.get("PYTHONPATH", "")]
    masked = {"LOAD_MASKED": str(place.secrets.absolute())} if place.secrets else {}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(root for root in roots if root),
        "PYTHONUNBUFFERED": "1",
        "LOAD_WATCH_STDIN": "1",
        **masked,
    }
