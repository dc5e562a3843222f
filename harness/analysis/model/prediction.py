"""What other settings would hold, by the model of a measured cell. Always labelled `predicted`.

Four of the objectives can be foreseen: slowdown, launch time, memory and waiting for a worker.
The rest (failures, probes, backlog) are taken to hold as long as these do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.analysis.model.cell_model import CellModel, Figure
from harness.facts.model import Cell

PredictedLimit = Literal["launch_cpu", "run_cpu", "memory", "worker_pool"]

HIGHEST = 500
LEAST = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What to predict for. Limits are of one replica; `None` means not limited.

    `run_s`: what a run takes alone from start to end; `None` means as measured.
    """

    vcpu: float
    memory_bytes: float | None
    max_workers: int | None
    replicas: int = 1
    run_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the model expects of one replica with `runs` in flight; `None` is not known."""

    runs: int
    throughput_per_s: float
    response_s: float
    launch_s: float
    slowdown_p95: float
    launch_s_p95: float
    memory_bytes: float | None
    busy_workers: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The highest concurrency (all replicas) at which every foreseen objective holds.

    `low` and `high`: all costs and tails at the worse or better end of their intervals at once,
    so wider than 95 %; `None` where one of those that matter has no interval. `binding` is what
    breaks first above, `None` when nothing did up to the highest looked at.
    """

    concurrency: int
    low: int | None
    high: int | None
    binding: PredictedLimit | None
    evidence: tuple[str, ...]
    label: Literal["predicted"] = "predicted"


def setting_of(cell: Cell) -> Setting:
    """The cell's own setting."""
    return Setting(
        vcpu=cell.vcpu,
        memory_bytes=cell.memory_bytes if cell.limits_enforced else None,
        max_workers=cell.max_workers,
        replicas=cell.replicas,
    )


def expect(model: CellModel, setting: Setting, runs: int) -> Expected:
    """What `runs` in flight on one replica would go through.

    Raises:
        ValueError: the size has no CPU left beside idling, or `runs` is below one.
    """
    alone = model.at(1, vcpu=setting.vcpu, run_s=setting.run_s)
    at = model.at(runs, vcpu=setting.vcpu, run_s=setting.run_s)
    launch_s, hold_s = model.launch_s(at), model.hold_s(at)
    base, per_run = model.base_bytes, model.bytes_per_run
    return Expected(
        runs=runs,
        throughput_per_s=at.throughput_per_s,
        response_s=at.response_s,
        launch_s=launch_s,
        slowdown_p95=model.tail_response.value * at.response_s / alone.response_s,
        launch_s_p95=model.tail_launch.value * launch_s,
        memory_bytes=base.value + runs * per_run.value if base and per_run else None,
        busy_workers=at.throughput_per_s * hold_s if hold_s is not None else None,
    )


def predict(
    model: CellModel, setting: Setting, slos: Mapping[str, float], *, highest: int = HIGHEST
) -> Prediction | None:
    """The concurrency this setting would hold.

    Replicas are taken to share evenly: k of them hold k times what one holds.

    Args:
        slos: name to limit (docs/method.md); those that cannot be foreseen are not looked at.
        highest: of one replica.

    Returns:
        `None` when none of the objectives can be foreseen.
    """
    relevant = _relevant(model, setting, slos)
    if not any(relevant):
        return None
    holds = _holds(model, setting, slos, highest=highest)
    broken = _broken(model, setting, slos, holds + 1) if holds < highest else ()
    low = high = None
    if all(figure is not None and figure.sure for figure in relevant):
        low = _holds(shifted(model, worse=True), setting, slos, highest=highest)
        high = _holds(shifted(model, worse=False), setting, slos, highest=highest)
    return Prediction(
        concurrency=holds * setting.replicas,
        low=None if low is None else min(low, holds) * setting.replicas,
        high=None if high is None else max(high, holds) * setting.replicas,
        binding=_binding(model, broken),
        evidence=(*_costs(model, setting), *_around(model, setting, slos, holds=holds)),
    )


def most_that_hold(broken: Callable[[int], Sequence[str]], *, highest: int) -> int:
    """The most runs that break nothing, up to `highest`; 0 when one run already does.

    Every foreseen figure grows with the runs in flight, so the boundary is halved to.
    """
    low, high = 0, highest
    while low < high:
        middle = (low + high + 1) // 2
        if broken(middle):
            high = middle - 1
        else:
            low = middle
    return low


def memory_limit(slos: Mapping[str, float]) -> float | None:
    """Part of the limit that may be used: all of it where only OOM kills are ruled out."""
    return slos.get("memory_headroom", 1.0 if "no_oom" in slos else None)


def _foreseen(
    expected: Expected, setting: Setting, slos: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """Objective to (foreseen, limit), hardest first; only what is both set and known."""
    memory, share = expected.memory_bytes, memory_limit(slos)
    found: dict[str, tuple[float, float]] = {}
    if share is not None and memory is not None and setting.memory_bytes:
        found["memory_headroom"] = (memory / setting.memory_bytes, share)
    if "launch_s_p95" in slos:
        found["launch_s_p95"] = (expected.launch_s_p95, slos["launch_s_p95"])
    if "slowdown_p95" in slos:
        found["slowdown_p95"] = (expected.slowdown_p95, slos["slowdown_p95"])
    workers, busy = setting.max_workers, expected.busy_workers
    if "pool_queue" in slos and busy is not None and workers is not None:
        found["pool_queue"] = (busy, float(workers))
    return found


def _relevant(
    model: CellModel, setting: Setting, slos: Mapping[str, float]
) -> tuple[Figure | None, ...]:
    """The figures that decide here; `None` for one that should and is not known."""
    found: list[Figure | None] = []
    if setting.memory_bytes is not None and memory_limit(slos) is not None:
        found.append(model.bytes_per_run)
    if "pool_queue" in slos and setting.max_workers is not None:
        found.append(model.hold_share and model.launch_cpu_s)
    for name, tail in (
        ("launch_s_p95", model.tail_launch),
        ("slowdown_p95", model.tail_response),
    ):
        if name in slos:
            found += [model.launch_cpu_s, model.run_cpu_s, tail]
    return tuple(found)


def _holds(model: CellModel, setting: Setting, slos: Mapping[str, float], *, highest: int) -> int:
    """The most runs on one replica that break nothing; 0 when one run already does."""
    return most_that_hold(lambda runs: _broken(model, setting, slos, runs), highest=highest)


def _broken(
    model: CellModel, setting: Setting, slos: Mapping[str, float], runs: int
) -> tuple[str, ...]:
    """Objectives that would not hold, hardest first. Without CPU, the launch never ends."""
    if model.free_cores(setting.vcpu) <= 0:
        return ("launch_s_p95",)
    foreseen = _foreseen(expect(model, setting, runs), setting, slos)
    return tuple(name for name, (seen, limit) in foreseen.items() if seen > limit)


def _binding(model: CellModel, broken: Sequence[str]) -> PredictedLimit | None:
    if not broken:
        return None
    if broken[0] == "memory_headroom":
        return "memory"
    if broken[0] == "pool_queue":
        return "worker_pool"
    return "launch_cpu" if model.launch_cpu_s.value >= model.run_cpu_s.value else "run_cpu"


def shifted(model: CellModel, *, worse: bool) -> CellModel:
    """All figures at the worse or better end. More CPU of the same response is less waiting.

    The launch time alone was measured and stays. An end at zero is taken as a hundredth of the
    value: a run that costs nothing has no balance.
    """

    def end(figure: Figure, *, upper: bool) -> Figure:
        found = figure.high if upper else figure.low
        if found is None:
            return figure
        return replace(figure, value=max(found, LEAST * figure.value))

    per_run = model.bytes_per_run
    return replace(
        model,
        bytes_per_run=None if per_run is None else end(per_run, upper=worse),
        launch_cpu_s=end(model.launch_cpu_s, upper=worse),
        run_cpu_s=end(model.run_cpu_s, upper=worse),
        z_s=end(model.z_s, upper=not worse),
        tail_response=end(model.tail_response, upper=worse),
        tail_launch=end(model.tail_launch, upper=worse),
    )


def _costs(model: CellModel, setting: Setting) -> list[str]:
    launch, work = model.launch_cpu_s, model.run_cpu_s
    free = max(0.0, model.free_cores(setting.vcpu))
    said = [
        f"launching takes {launch.value:.2f} CPU-s a run (steps: {launch.n}), its own work "
        f"{work.value:.2f}: {free:.2f} cores do {free / model.cpu_s:.2f} runs/s",
    ]
    response, start = model.tail_response, model.tail_launch
    if response.n and start.n:
        said.append(
            f"p95 ÷ modelled mean: response {response.value:.2f}, launch {start.value:.2f} "
            f"(median, steps: {response.n})"
        )
    else:
        said.append("no step under load was seen: how far p95 lies above the mean is assumed")
    if setting.memory_bytes is not None and model.bytes_per_run is None:
        said.append("memory a run is not known: not looked at")
    if setting.max_workers is not None and model.hold_share is None:
        said.append("how long a launch holds a worker is not known: the pool was not looked at")
    return said


def _around(
    model: CellModel, setting: Setting, slos: Mapping[str, float], *, holds: int
) -> list[str]:
    """What is foreseen at the answer and one above, on each replica."""
    if model.free_cores(setting.vcpu) <= 0:
        return ["the idle server takes all the CPU there is"]
    said = []
    for runs in range(max(1, holds), holds + 2):
        foreseen = _foreseen(expect(model, setting, runs), setting, slos)
        figures = [
            f"{_NAMES[name]} {seen:.2f} (limit {limit:g})"
            for name, (seen, limit) in foreseen.items()
        ]
        said.append(f"at {runs} a replica: {', '.join(figures)}")
    return said


_NAMES = {
    "memory_headroom": "memory_headroom",
    "launch_s_p95": "launch_s_p95",
    "slowdown_p95": "slowdown_p95",
    "pool_queue": "workers busy launching",
}
