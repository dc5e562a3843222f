"""All devices of a cell together: the `Telemetry` the conductor sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence

from harness.facts.model import Event, Sample
from harness.rig.cgroup import CgroupReader
from harness.rig.cgroup.locate import find
from harness.rig.protocols import Endpoints, Vitals
from harness.rig.telemetry import cgroup, told
from harness.rig.telemetry.cgroup import LockedReader, Readers
from harness.rig.telemetry.registry import Shared, build, check_names
from harness.rig.telemetry.sampler import CostLedger, DeviceThread
from harness.rig.telemetry.vitals import FRESH_S, VitalsBoard

_STOP_PATIENCE_S = 1.0
FRESH_LOOKS = 3
"""Looks that may be missing before a server's own word is old."""


class PeakWatch:
    """The highest memory of each replica since a step began.

    By the kernel's own counter where it could be reset; a cgroup that has ended since speaks
    through the last sample taken of that counter. Else by the highest usage sample; of the replicas
    in `telling` that is the server's own word.
    """

    def __init__(
        self,
        readers: dict[str, LockedReader],
        *,
        clock: Callable[[], float],
        telling: Collection[str] = (),
    ) -> None:
        self._readers = readers
        self._clock = clock
        self._telling = telling
        self._reset: dict[str, bool] = {}
        self._seen: dict[tuple[str, str], float] = {}
        self._began_s = clock()

    def begin(self) -> None:
        """Reset what can be reset, forget what was seen."""
        self._reset = {name: _try_reset(reader) for name, reader in self._readers.items()}
        self._seen = {}
        self._began_s = self._clock()

    def notice(self, samples: Sequence[Sample]) -> None:
        """Remember the highest values; a look that began before the step is not its witness."""
        for sample in samples:
            if sample.device == cgroup.COST.name and sample.due_s >= self._began_s:
                place = (sample.source, sample.key)
                self._seen[place] = max(sample.value, self._seen.get(place, 0.0))

    def highest(self) -> tuple[float | None, str]:
        """The maximum over the replicas, and `kernel`, `samples` or `told` for who said so."""
        sources = {*self._readers, *(source for source, _ in self._seen)}
        peaks = [peak for peak in map(self._peak_of, sources) if peak[0] is not None]
        return max(peaks, key=lambda peak: peak[0] or 0.0) if peaks else (None, "")

    def sampled(self) -> float | None:
        """The same by the samples alone: no file is opened, and at most one look is missing."""
        peaks = [
            self._seen.get((source, "peak_bytes" if self._reset.get(source) else "usage_bytes"))
            for source in {source for source, _ in self._seen}
        ]
        return max((peak for peak in peaks if peak is not None), default=None)

    def _peak_of(self, source: str) -> tuple[float | None, str]:
        if self._reset.get(source):
            peak = _kernel_peak(self._readers[source])
            if peak is None:
                peak = self._seen.get((source, "peak_bytes"))
            if peak is not None:
                return peak, "kernel"
        usage = self._seen.get((source, "usage_bytes"))
        by = "told" if source in self._telling else "samples"
        return usage, by if usage is not None else ""


class TelemetrySuite:
    """Every device a target offers, or those named; each on a thread of its own.

    Args:
        names: the devices wanted; `None` for all, an empty tuple for none (the memory peak is
            still known then, by the kernel's counter).
        find_reader: finds a process's cgroup.
        clock: epoch seconds.

    Raises:
        CampaignError: a name no device has.
    """

    def __init__(
        self,
        names: Sequence[str] | None = None,
        *,
        find_reader: Callable[[int], CgroupReader | None] = find,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_names(names)
        self._names = names
        self._find = find_reader
        self._clock = clock
        self._lock = threading.Lock()
        self._samples: list[Sample] = []
        self._events: list[Event] = []
        self._ledger = CostLedger()
        self._threads: list[DeviceThread] = []
        self._readers: Readers | None = None
        self._peaks = PeakWatch({}, clock=clock)
        self._board = VitalsBoard()

    def start(self, endpoints: Endpoints) -> None:
        """Begin sampling; ends what an earlier start began. Untaken samples are kept."""
        self.stop()
        readers = self._readers = Readers(self._find)
        found = {r.name: readers.of(r.cgroup_pid) for r in endpoints.replicas}
        telling = {replica.name for replica in endpoints.replicas if replica.tells}
        peaks = PeakWatch(
            {name: reader for name, reader in found.items() if reader is not None},
            clock=self._clock,
            telling=telling,
        )
        devices = build(endpoints, self._names, shared=Shared(ledger=self._ledger, readers=readers))
        offered = [device.cost.name for device in devices]
        with self._lock:
            self._peaks = peaks
            peaks.begin()
            self._board.begin(
                (replica.limits for replica in endpoints.replicas),
                fresh_s=FRESH_LOOKS * told.EVERY_S if telling else FRESH_S,
            )
            absences = self._absences(offered)
            self._board.notice((), absences)
            self._events += absences
        self._threads = [
            DeviceThread(device, sink=self._keep, ledger=self._ledger) for device in devices
        ]

    def begin_step(self) -> None:
        """Start the memory peak anew."""
        with self._lock:
            self._peaks.begin()

    def peak_bytes(self) -> tuple[float | None, str]:
        """Highest memory of any replica since `begin_step`, and `kernel`, `samples` or `told`."""
        with self._lock:
            return self._peaks.highest()

    def take(self) -> tuple[list[Sample], list[Event]]:
        """Everything since the last `take`, oldest first. Any thread may call it."""
        with self._lock:
            samples, self._samples = self._samples, []
            events, self._events = self._events, []
        samples.sort(key=lambda sample: sample.taken_s)
        events.sort(key=lambda event: event.at_s)
        return samples, events

    def vitals(self) -> Vitals:
        """The latest readings, without a new look at anything. Any thread may call it."""
        with self._lock:
            return self._board.read(self._clock(), peak_bytes=self._peaks.sampled())

    def stop(self) -> None:
        """End all devices, side by side. Safe to call twice; samples can still be taken."""
        threads, self._threads = self._threads, []
        for thread in threads:
            thread.ask_to_stop()
        for thread in threads:
            thread.finish(patience_s=_STOP_PATIENCE_S)
        if self._readers is not None:
            self._readers.close()
            self._readers = None

    def _keep(self, samples: Sequence[Sample], events: Sequence[Event]) -> None:
        with self._lock:
            self._samples += samples
            self._events += events
            self._peaks.notice(samples)
            self._board.notice(samples, events)

    def _absences(self, offered: Sequence[str]) -> list[Event]:
        """A device asked for by name that this target cannot offer is worth a remark."""
        return [
            Event(at_s=self._clock(), kind="device_not_offered", source=name)
            for name in self._names or ()
            if name not in offered
        ]


def _try_reset(reader: LockedReader) -> bool:
    try:
        return reader.reset_peak()
    except OSError:
        return False


def _kernel_peak(reader: LockedReader) -> float | None:
    try:
        stats = reader.read()
    except (OSError, ValueError):
        return None
    return None if stats is None or stats.peak_bytes is None else float(stats.peak_bytes)
