"""What stands there all day: the servers of a lab, its webserver and its daemon, doing nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType

from harness.errors import TargetFailed
from harness.rig.lab.lab import Lab
from harness.rig.lab.servers import LabServer

DAEMON_TIMEOUT_S = 180.0
POLL_S = 0.5
MIB = 1024**2


class Standing:
    """Use it as a context while the lab runs.

    Args:
        lab: with a webserver and, if its spec says so, a daemon.
        servers: those to count in; all of the lab where left out.
    """

    def __init__(self, lab: Lab, servers: Sequence[LabServer] | None = None) -> None:
        support = ("webserver", "daemon") if lab.spec.daemon else ("webserver",)
        self._support = {name: [lab.support(name)] for name in support}
        all_servers = lab.all_servers() if servers is None else list(servers)
        self._parts = {"servers": all_servers, **self._support}

    def __enter__(self) -> Standing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        for (container,) in self._support.values():
            container.close()

    def memory(self) -> dict[str, float]:
        """Bytes of each part, all its containers added up: `servers_pss_bytes`,
        `webserver_working_set_bytes`, `daemon_anon_bytes` and so on.

        Only PSS adds up over containers: a page they share is counted once. A working set holds
        file pages whole where a container touched them first.
        """
        told: dict[str, float] = {}
        for part, containers in self._parts.items():
            stats = [seen for each in containers if (seen := each.stats()) is not None]
            told |= {
                f"{part}_pss_bytes": float(sum(each.pss_bytes() for each in containers)),
                f"{part}_working_set_bytes": float(sum(each.working_set_bytes for each in stats)),
                f"{part}_anon_bytes": float(sum(each.anon_bytes for each in stats)),
            }
        return told

    def idle(self, seconds: float, sleep: Callable[[float], None]) -> dict[str, float]:
        """CPU-seconds each part uses while `seconds` pass: `servers_cpu_s` and so on, with
        `window_s`, how long it really was.
        """
        began_s, before = time.monotonic(), self._cpu_s()
        sleep(seconds)
        window_s, after = time.monotonic() - began_s, self._cpu_s()
        used = {f"{part}_cpu_s": after[part] - before[part] for part in before}
        return {"window_s": window_s, **used}

    def _cpu_s(self) -> dict[str, float]:
        return {
            part: sum(stats.cpu_s for each in containers if (stats := each.stats()) is not None)
            for part, containers in self._parts.items()
        }


def await_daemon(lab: Lab, sleep: Callable[[float], None]) -> float:
    """Wait for the daemon's first heartbeat: it has loaded all locations then. The seconds.

    Raises:
        TargetFailed: there is none.
    """
    began_s = time.monotonic()
    while time.monotonic() - began_s < DAEMON_TIMEOUT_S:
        if lab.records.ask("SELECT count(*) FROM daemon_heartbeats")[0][0]:
            return time.monotonic() - began_s
        sleep(POLL_S)
    raise TargetFailed(
        f"The daemon did not show a heartbeat in {DAEMON_TIMEOUT_S:.0f} s.",
        hint=f"Its log: {lab.folder / 'daemon-1.log'}",
    )
