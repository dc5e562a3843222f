"""The harness measured: what watching costs."""

from __future__ import annotations

import psutil

from harness.rig.protocols import DeviceCost, Reading
from harness.rig.telemetry.sampler import OBSERVER, CostLedger

COST = DeviceCost(
    name="observer",
    reads="CPU and memory of the harness process, and CPU of every device's thread",
    rate_hz=1.0,
    cost="under 1 ms of CPU a look in the harness, nothing in the server",
)


class ObserverDevice:
    """Source `observer`: `cpu_s` (this process so far) and `rss_bytes`.

    Source = a device's name: `device_cpu_s`, what its thread has used so far.
    """

    cost = COST

    def __init__(self, ledger: CostLedger) -> None:
        self._ledger = ledger
        self._process = psutil.Process()

    def read(self) -> Reading:
        """Look once."""
        with self._process.oneshot():
            times = self._process.cpu_times()
            rss_bytes = self._process.memory_info().rss
        reading = Reading()
        reading.values[OBSERVER, "cpu_s"] = times.user + times.system
        reading.values[OBSERVER, "rss_bytes"] = float(rss_bytes)
        for device, cpu_s in self._ledger.totals().items():
            reading.values[device, "device_cpu_s"] = cpu_s
        return reading

    def close(self) -> None:
        """Nothing to let go of."""
