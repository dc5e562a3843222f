"""The latest value of every metric, handed to whoever scrapes.

Built on `prometheus_client`'s custom collectors rather than its gauges: those have a value from the
start, and what is not known must not be there at all.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import Metric as Family
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from harness.watch.openmetrics_names import METRICS, Metric


@dataclass(frozen=True, slots=True)
class _Value:
    value: float
    expires_s: float


class Board(Collector):
    """Gauges, counters and one info, readable from any thread while another one writes.

    Args:
        clock: monotonic seconds; says when a gauge has expired.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._values: dict[Metric, dict[tuple[str, ...], _Value]] = {}
        self._info: dict[Metric, dict[str, str]] = {}

    def show(
        self, metric: Metric, value: float | None, *labels: str, for_s: float = math.inf
    ) -> None:
        """Set a gauge, for so long; `None` (and NaN) is not known and takes it away."""
        with self._lock:
            series = self._values.setdefault(metric, {})
            if value is None or math.isnan(value):
                series.pop(labels, None)
            else:
                series[labels] = _Value(float(value), self._clock() + for_s)

    def count(self, metric: Metric, more: float, *labels: str) -> None:
        """Add to a counter; 0 makes it appear.

        Raises:
            ValueError: `more` is negative.
        """
        if more < 0:
            raise ValueError(f"{metric.series} cannot fall by {-more}")
        with self._lock:
            series = self._values.setdefault(metric, {})
            before = series.get(labels)
            series[labels] = _Value((before.value if before else 0.0) + more, math.inf)

    def tell(self, metric: Metric, **facts: str) -> None:
        """Set an info; a fact that is empty is left out."""
        with self._lock:
            self._info[metric] = {name: text for name, text in facts.items() if text}

    def forget(self, metrics: Iterable[Metric]) -> None:
        """Take these metrics away, whatever their labels."""
        with self._lock:
            for metric in metrics:
                self._values.pop(metric, None)

    def collect(self) -> list[Family]:
        """Everything known at this moment; a metric without a value is not there."""
        with self._lock:
            now_s = self._clock()
            families = [self._family(metric, now_s) for metric in METRICS]
        return [family for family in families if family.samples]

    def _family(self, metric: Metric, now_s: float) -> Family:
        if metric.kind == "info":
            info = InfoMetricFamily(metric.name, metric.meaning)
            if metric in self._info:
                info.add_metric([], self._info[metric])
            return info
        values = self._values.get(metric, {})
        known = {labels: v.value for labels, v in values.items() if now_s < v.expires_s}
        return _filled(metric, known)


def _filled(metric: Metric, known: Mapping[tuple[str, ...], float]) -> Family:
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = make(metric.name, metric.meaning, labels=metric.labels, unit=metric.unit)
    for labels, value in known.items():
        family.add_metric(labels, value)
    return family


class Climb:
    """How much a number has grown beyond the highest it had before.

    It makes counters out of numbers that are told again and again, by several witnesses.
    """

    def __init__(self) -> None:
        self._highest = 0.0

    def to(self, value: float) -> float:
        """The growth; 0 for a number already seen."""
        grown = max(0.0, value - self._highest)
        self._highest += grown
        return grown
