"""The latest reading of each thing a person watches, picked out of the samples as they pass.

Nothing is read for it: the board sees what the devices sampled anyway.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from harness.facts.model import Event, Limits, Sample
from harness.rig.protocols import Vitals
from harness.rig.telemetry import cgroup, ping, pool, probe, processes, run_queue

FRESH_S = 5.0
"""A device that looks at least once a second and said nothing for so long no longer knows."""

RATE_WINDOW_S = 1.0
MOST_EVENTS = 100

Place = tuple[str, str]
"""A device and one of its keys."""

USAGE: Place = (cgroup.COST.name, "usage_bytes")
CPU: Place = (cgroup.COST.name, "cpu_s")
PERIODS: Place = (cgroup.COST.name, "periods")
THROTTLED: Place = (cgroup.COST.name, "throttled_periods")
RESIDENT: Place = (processes.COST.name, "resident_runs")
POOL_QUEUE: Place = (pool.COST.name, "pool_queue")
RUN_QUEUE: Place = (run_queue.COST.name, "queued")
STARTING: Place = (run_queue.COST.name, "starting")
PROBE: Place = (probe.COST.name, "probe_s")
PROBE_LOST: Place = (probe.COST.name, "probe_lost")
PING_QUEUED: Place = (ping.COST.name, "ping_queued")
PING_ASKED: Place = (ping.COST.name, "ping_asked_s")

GAUGES = {USAGE, RESIDENT, POOL_QUEUE, RUN_QUEUE, STARTING}
GAUGES |= {PROBE, PROBE_LOST, PING_QUEUED, PING_ASKED}
COUNTERS = {CPU, PERIODS, THROTTLED}


class VitalsBoard:
    """What the devices of a cell last said. Whoever owns it keeps threads apart."""

    def __init__(self) -> None:
        self._limits: tuple[Limits, ...] = ()
        self._fresh_s = FRESH_S
        self._gauges: dict[Place, dict[str, Sample]] = {}
        self._counters: dict[Place, dict[str, deque[Sample]]] = {}
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._probes_lost = 0
        self._oom_kills = 0

    def begin(self, limits: Iterable[Limits], *, fresh_s: float = FRESH_S) -> None:
        """A fresh server under these limits, one a replica: no reading of the old one counts.

        Args:
            limits: of each replica.
            fresh_s: how long its memory and CPU count as known.
        """
        self._limits = tuple(limits)
        self._fresh_s = fresh_s
        self._gauges = {}
        self._counters = {}

    def notice(self, samples: Sequence[Sample], events: Sequence[Event]) -> None:
        """Keep what is of interest."""
        for sample in samples:
            place = (sample.device, sample.key)
            self._probes_lost += place == PROBE_LOST and sample.value > 0
            if place in GAUGES:
                self._gauges.setdefault(place, {})[sample.source] = sample
            elif place in COUNTERS:
                self._count(place, sample)
        for event in events:
            self._events.append(event)
            if event.kind == "oom_kill":
                self._oom_kills += int(event.detail.get("count", 1))

    def read(self, now_s: float, *, peak_bytes: float | None) -> Vitals:
        """Everything known at this epoch second; see `Vitals` for sums and worst-of."""
        asked_s = self._gauge(PING_ASKED, min)
        return Vitals(
            at_s=now_s,
            memory_bytes=self._gauge(USAGE, max, since_s=now_s - self._fresh_s),
            memory_peak_bytes=peak_bytes,
            memory_limit_bytes=_lowest(each.memory_bytes for each in self._limits),
            cpu_cores=self._cpu_cores(now_s - self._fresh_s),
            cpu_limit_cores=_lowest(each.cpu_cores for each in self._limits),
            throttled_ratio=self._throttled_ratio(now_s - FRESH_S),
            run_queue=self._gauge(RUN_QUEUE, sum, since_s=now_s - FRESH_S),
            pool_queue=self._gauge(POOL_QUEUE, sum, since_s=now_s - FRESH_S),
            starting=self._gauge(STARTING, sum, since_s=now_s - FRESH_S),
            ping_queued=self._gauge(PING_QUEUED, sum),
            ping_age_s=None if asked_s is None else now_s - asked_s,
            resident_runs=self._gauge(RESIDENT, sum, since_s=now_s - FRESH_S),
            probe_s=None if self._gauge(PROBE_LOST, max) else self._gauge(PROBE, max),
            probes_lost=self._probes_lost,
            oom_kills=self._oom_kills,
            events=tuple(self._events),
        )

    def _count(self, place: Place, sample: Sample) -> None:
        """Keep the last second of a counter, and always its last two values."""
        kept = self._counters.setdefault(place, {}).setdefault(sample.source, deque())
        kept.append(sample)
        while len(kept) > 2 and kept[1].taken_s <= sample.taken_s - RATE_WINDOW_S:
            kept.popleft()

    def _gauge(
        self, place: Place, join: Callable[[Iterable[float]], float], *, since_s: float = 0.0
    ) -> float | None:
        latest = self._gauges.get(place, {}).values()
        values = [sample.value for sample in latest if sample.taken_s >= since_s]
        return join(values) if values else None

    def _cpu_cores(self, since_s: float) -> float | None:
        found = self._fresh(CPU, since_s).values()
        return _highest(_per(_rise(kept), kept[-1].taken_s - kept[0].taken_s) for kept in found)

    def _throttled_ratio(self, since_s: float) -> float | None:
        periods = self._fresh(PERIODS, since_s)
        ratios = (
            _per(_rise(kept), _rise(periods[source]), idle=0.0)
            for source, kept in self._fresh(THROTTLED, since_s).items()
            if source in periods
        )
        return _highest(ratios)

    def _fresh(self, place: Place, since_s: float) -> dict[str, deque[Sample]]:
        return {
            source: kept
            for source, kept in self._counters.get(place, {}).items()
            if len(kept) > 1 and kept[-1].taken_s >= since_s
        }


def _rise(kept: deque[Sample]) -> float:
    return kept[-1].value - kept[0].value


def _per(rise: float, by: float, *, idle: float | None = None) -> float | None:
    """A ratio of two rises; `None` where a counter fell, so that it counts anew."""
    if rise < 0 or by < 0:
        return None
    return rise / by if by else idle


def _highest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _lowest(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
