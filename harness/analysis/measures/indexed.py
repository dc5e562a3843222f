"""Stored samples with an index, because judging a step asks dozens of times for the same series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.analysis.measures.windows import FloatArray, Samples


class Indexed:
    """Samples looked up once a series instead of once a question, which judging asks in dozens."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._sources: dict[tuple[str, str], Sequence[str]] = {}
        self._series: dict[tuple[str, str, str | None], tuple[FloatArray, FloatArray]] = {}
        self._lateness: dict[str, FloatArray] = {}

    def series(
        self,
        device: str,
        key: str,
        /,
        *,
        source: str | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Times taken (ascending) and values, of `[start_s, end_s)`; not to be written to."""
        place = (device, key, source)
        if place not in self._series:
            self._series[place] = self._samples.series(device, key, source=source)
        times, values = self._series[place]
        first = 0 if start_s is None else int(np.searchsorted(times, start_s))
        last = len(times) if end_s is None else int(np.searchsorted(times, end_s))
        return times[first:last], values[first:last]

    def sources(self, device: str, key: str, /) -> Sequence[str]:
        """What was read under this key."""
        place = (device, key)
        if place not in self._sources:
            self._sources[place] = self._samples.sources(device, key)
        return self._sources[place]

    def lateness_s(self, device: str, /) -> FloatArray:
        """Taken − due of every look of a device, in seconds."""
        if device not in self._lateness:
            self._lateness[device] = self._samples.lateness_s(device)
        return self._lateness[device]
