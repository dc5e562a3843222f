"""The runs of a demand as one load: measured costs, adapted to durations, weighted by shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from harness.analysis.model.cell_model import CellModel, Figure
from harness.analysis.model.closed_system import Shared
from harness.analysis.model.prediction import shifted
from harness.analysis.sizing.demand import Z95
from harness.analysis.sizing.known import Known
from harness.analysis.sizing.types import Demand
from harness.units import mib, show_seconds

CPU_BOUND = 0.5
"""From this part of its execution on that is CPU of its own, a longer run is one that computes
longer; below, one that waits longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """One kind of run, its model at the wanted duration, and in words how that came about."""

    workload: str
    share: float
    model: CellModel
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """All kinds of runs together, as one replica sees them; `ingredients` sorted by name.

    Means are weighted by shares, which is exact for a product-form network of several kinds of
    runs. Idle server: the greediest of them.
    """

    ingredients: tuple[Ingredient, ...]

    @property
    def launch_cpu_s(self) -> float:
        """CPU seconds to start a run."""
        return self._mean(lambda model: model.launch_cpu_s.value)

    @property
    def run_cpu_s(self) -> float:
        """CPU seconds of a run's own work."""
        return self._mean(lambda model: model.run_cpu_s.value)

    @property
    def cpu_s(self) -> float:
        """CPU seconds of a run in all."""
        return self.launch_cpu_s + self.run_cpu_s

    @property
    def idle_cores(self) -> float:
        """CPU of the idle server."""
        return max(each.model.idle_cores for each in self.ingredients)

    def shared(self, vcpu: float) -> Shared:
        """What a run asks for and what one replica of this size has left for runs."""
        return Shared(
            demand_s=self.cpu_s,
            think_s=self._mean(lambda model: model.z_s.value),
            cores=vcpu - self.idle_cores,
        )

    def hold_s(self, stretch: float) -> float | None:
        """Mean time a launch holds a gRPC worker, when a CPU second takes `stretch` seconds."""
        holds = [
            (each.share, each.model.hold_share.value, launch_s(each.model, stretch))
            for each in self.ingredients
            if each.model.hold_share is not None
        ]
        if len(holds) < len(self.ingredients):
            return None
        return math.fsum(share * held * launch for share, held, launch in holds)

    def memory_bytes(self, runs: float) -> float | None:
        """Kernel peak of one replica with so many runs in flight.

        base + n · mean + 1.645 · √n · spread between the kinds: which kinds the n runs are is
        chance, and this many bytes are not exceeded in 19 of 20 cases.
        """
        sizes = [each.model.bytes_per_run for each in self.ingredients]
        bases = [each.model.base_bytes for each in self.ingredients]
        known = [(e.share, s.value) for e, s in zip(self.ingredients, sizes, strict=True) if s]
        if len(known) < len(sizes) or None in bases:
            return None
        mean = math.fsum(share * size for share, size in known)
        spread = math.sqrt(math.fsum(share * (size - mean) ** 2 for share, size in known))
        base = max(figure.value for figure in bases if figure)
        return base + runs * mean + Z95 * math.sqrt(runs) * spread

    def end(self, *, worse: bool) -> Blend:
        """Every cost and tail at the worse, or better, end of its interval at once."""
        return replace(
            self,
            ingredients=tuple(
                replace(each, model=shifted(each.model, worse=worse)) for each in self.ingredients
            ),
        )

    def _mean(self, value: Callable[[CellModel], float]) -> float:
        return math.fsum(each.share * value(each.model) for each in self.ingredients)


def launch_s(model: CellModel, stretch: float) -> float:
    """Mean launch time, when a CPU second takes `stretch` seconds."""
    return model.launch_wait_s + model.launch_before_s * stretch


def blend_of(demand: Demand, known: Iterable[Known], per_run_mib: Mapping[str, float]) -> Blend:
    """The load of this demand.

    Args:
        demand: sound (`demand.problems_of`).
        known: of every workload in it, more do no harm.
        per_run_mib: memory a run where it is not to be as measured, by workload.

    Raises:
        KeyError: nothing is known of a workload.
    """
    by_name = {each.workload: each for each in known}
    parts = sorted(demand.parts, key=lambda part: part.workload)
    return Blend(
        ingredients=tuple(
            ingredient(
                by_name[part.workload],
                share=part.share,
                run_s=part.duration.mean_s,
                per_run_mib=per_run_mib.get(part.workload),
            )
            for part in parts
        )
    )


def ingredient(
    known: Known, *, share: float, run_s: float | None = None, per_run_mib: float | None = None
) -> Ingredient:
    """One workload whose runs take `run_s` alone, from start to end; left out, as measured."""
    model, words = known.model, [_as_measured(known)]
    if run_s is not None and not math.isclose(run_s, known.run_s):
        model, how = adapted(known, run_s)
        words.append(how)
    if per_run_mib is not None:
        size = per_run_mib * 1024 * 1024
        model = replace(model, bytes_per_run=Figure(value=size, low=size, high=size))
        words.append(f"{known.workload}: {per_run_mib:g} MiB a run, as given, not measured")
    return Ingredient(workload=known.workload, share=share, model=model, words=tuple(words))


def adapted(known: Known, run_s: float) -> tuple[CellModel, str]:
    """The model of runs that take `run_s` alone, from start to end, and in words what was changed.

    Where most of the execution is CPU of its own, all of it but the launch's share is stretched in
    proportion; elsewhere the CPU stays and the waiting gives. As measured, nothing changes.
    """
    model, name = known.model, known.workload
    spans = f"for {show_seconds(run_s)} instead of the measured {show_seconds(known.run_s)}"
    if model.run_cpu_s.value >= CPU_BOUND * known.run_s:
        after_s = max(0.0, model.launch_cpu_s.value - model.launch_before_s)
        own_s = known.run_s - after_s if known.run_s > after_s else known.run_s
        factor = max(0.0, run_s - (known.run_s - own_s)) / own_s
        return _longer_work(model, factor), (
            f"{name} computes for most of its time: {spans} its CPU is taken {factor:.3g}-fold"
        )
    return _longer_wait(model, run_s - known.run_s), (
        f"{name} waits for most of its time: {spans} its waiting changes, its CPU stays"
    )


def _longer_work(model: CellModel, factor: float) -> CellModel:
    def part(wait_s: float) -> float:
        """What of the waiting lies before the start stays as it is."""
        return model.launch_wait_s + factor * max(0.0, wait_s - model.launch_wait_s)

    return replace(
        model,
        run_cpu_s=_each(model.run_cpu_s, lambda value: factor * value),
        z_s=_each(model.z_s, part),
    )


def _longer_wait(model: CellModel, more_s: float) -> CellModel:
    return replace(
        model, z_s=_each(model.z_s, lambda value: max(model.launch_wait_s, value + more_s))
    )


def _each(figure: Figure, change: Callable[[float], float]) -> Figure:
    """The figure with its value and both ends changed."""
    low, high = figure.low, figure.high
    return replace(
        figure,
        value=change(figure.value),
        low=None if low is None else change(low),
        high=None if high is None else change(high),
    )


def _as_measured(known: Known) -> str:
    model = known.model
    per_run = model.bytes_per_run
    memory = f", {mib(per_run.value):.0f} MiB a run" if per_run else ""
    return (
        f"{known.workload} as measured on {', '.join(model.profiles)}: launching "
        f"{model.launch_cpu_s.value:.2f} CPU-s, its own work {model.run_cpu_s.value:.2f}"
        f"{memory}"
    )
