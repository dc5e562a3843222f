"""Calls a device at its rate and turns what it read into samples.

A beat that a slow read ran over is skipped and counted, never caught up: a burst of late looks
would say nothing new and cost the most when the machine has the least to spare.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.facts.model import Event, Sample
from harness.rig.protocols import Device, Reading

OBSERVER = "observer"
Sink = Callable[[Sequence[Sample], Sequence[Event]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Epoch seconds, a clock that never jumps, and the CPU seconds of the calling thread."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    thread_cpu: Callable[[], float] = time.thread_time


class CostLedger:
    """CPU seconds every device has used so far; written by one thread each, read by another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cpu_s: dict[str, float] = {}

    def add(self, device: str, cpu_s: float) -> None:
        """Charge a device."""
        with self._lock:
            self._cpu_s[device] = self._cpu_s.get(device, 0.0) + cpu_s

    def totals(self) -> dict[str, float]:
        """CPU seconds by device name."""
        with self._lock:
            return dict(self._cpu_s)


class DeviceLoop:
    """The schedule of one device, without a thread: `beat` looks once.

    Besides the device's own samples it writes two running counts under the source `observer`,
    each time they change: `missed` (beats skipped) and `errors` (reads that raised). The first
    error also becomes an event `device_error`. Readings a remote sampler stamped itself keep its
    stamp as both due and taken time.
    """

    def __init__(
        self, device: Device, *, sink: Sink, ledger: CostLedger, clock: Clock | None = None
    ) -> None:
        self._device = device
        self._name = device.cost.name
        self._period_s = 1.0 / device.cost.rate_hz
        self._sink = sink
        self._ledger = ledger
        self._clock = clock or Clock()
        self._first_s = self._clock.monotonic()
        self._beat = 0
        self._missed = 0
        self._errors = 0

    def run(self, stopped: Callable[[float], bool]) -> None:
        """Beat at once, then until `stopped(seconds)`, which waits that long at most, says so."""
        wait_s = self.beat()
        while not stopped(wait_s):
            wait_s = self.beat()

    def beat(self) -> float:
        """Look once, hand the samples on, and return the seconds until the next beat."""
        clock = self._clock
        late_s = clock.monotonic() - (self._first_s + self._beat * self._period_s)
        due_s = clock.wall() - late_s
        before_s = clock.thread_cpu()
        samples: list[Sample] = []
        events: list[Event] = []
        try:
            reading = self._device.read()
        except Exception as error:  # any device may fail in its own way; the others go on
            self._errors += 1
            samples.append(self._count("errors", self._errors, due_s))
            if self._errors == 1:
                events.append(self._error_event(error))
        else:
            samples.extend(self._samples(reading, due_s))
            events.extend(reading.events)
        missed = self._advance()
        if missed:
            self._missed += missed
            samples.append(self._count("missed", self._missed, due_s))
        self._sink(samples, events)
        self._ledger.add(self._name, clock.thread_cpu() - before_s)
        next_s = self._first_s + self._beat * self._period_s
        return max(0.0, next_s - clock.monotonic())

    def _advance(self) -> int:
        """Go to the first beat still ahead; returns how many were passed over."""
        elapsed = (self._clock.monotonic() - self._first_s) / self._period_s
        ahead = max(self._beat + 1, int(elapsed) + 1)
        missed = ahead - self._beat - 1
        self._beat = ahead
        return missed

    def _samples(self, reading: Reading, due_s: float) -> list[Sample]:
        taken_s = self._clock.wall()
        samples = [
            Sample(
                device=self._name, source=source, key=key, due_s=due_s, taken_s=taken_s, value=value
            )
            for (source, key), value in reading.values.items()
        ]
        samples += [
            Sample(device=self._name, source=source, key=key, due_s=at_s, taken_s=at_s, value=value)
            for at_s, source, key, value in reading.stamped
        ]
        return samples

    def _count(self, key: str, value: int, due_s: float) -> Sample:
        return Sample(
            device=self._name,
            source=OBSERVER,
            key=key,
            due_s=due_s,
            taken_s=self._clock.wall(),
            value=float(value),
        )

    def _error_event(self, error: Exception) -> Event:
        return Event(
            at_s=self._clock.wall(),
            kind="device_error",
            source=self._name,
            detail={"error": f"{type(error).__name__}: {error}".splitlines()[0]},
        )


class DeviceThread:
    """Runs a `DeviceLoop` until stopped, and closes its device."""

    def __init__(self, device: Device, *, sink: Sink, ledger: CostLedger) -> None:
        self._device = device
        self._stop = threading.Event()
        loop = DeviceLoop(device, sink=sink, ledger=ledger)
        self._thread = threading.Thread(
            target=loop.run, args=(self._stop.wait,), name=f"device-{device.cost.name}", daemon=True
        )
        self._thread.start()

    def ask_to_stop(self) -> None:
        """No further beat; returns at once, so that many devices stop side by side."""
        self._stop.set()

    def finish(self, *, patience_s: float) -> None:
        """Wait for the last read; one that is stuck is cut off by closing its device."""
        self._stop.set()
        self._thread.join(patience_s)
        self._device.close()
        self._thread.join(patience_s)
