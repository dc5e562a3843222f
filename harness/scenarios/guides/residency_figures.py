"""Figures of `residency_ladder`: what was held on 1 vCPU, and what other sizes would hold."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from harness.analysis.guides.types import Figure, Figures
from harness.analysis.model.cell_model import CellModel
from harness.facts.observations import Observations, Values
from harness.scenarios.guides.cell_models import MIB, Size, at, models

KINDS = {
    "io": "I/O-bound runs",
    "cpu": "CPU-bound runs",
    "mixed": "mixed runs",
    "long": "long runs that wait",
}
SIZES = (Size(vcpu=2, memory_gib=4), Size(vcpu=4, memory_gib=16), Size(vcpu=8, memory_gib=32))
"""The guide's; of its 4 to 8 GB for 2 vCPU the smaller one."""

COMMON = SIZES[1]
LENGTHS = {"1s": 1.0, "45s": 45.0}
"""A short run, and the guide's own example of one."""

NEAR, NEAR_RUNS = 0.5, 2
"""A capacity is found, not only bracketed, where its upper end is no more than this part, or these
runs, above what held."""

LONG_S = 300.0
"""From here on the guide calls a run long."""


NO_MODEL = "there is no cell of it to predict from, or what it measured was not the server"


def figures(seen: Observations) -> Figures:
    """`{kind}_1vcpu` was measured; `{kind}_{vcpu}vcpu`, `{kind}_1s_{vcpu}vcpu` and
    `{kind}_45s_{vcpu}vcpu` are predicted (`cell_models.at`) for runs as they were, of 1 s and of
    45 s; `long_{vcpu}vcpu` for runs of 5 min. Where no `long` cell was measured (quick), those
    follow from the `io` cell, whose runs wait as well.
    """
    found: dict[str, Figure] = {}
    for cell in seen.of("cell"):
        found |= _measured(cell)
    known = models(seen)
    for kind in ("io", "cpu", "mixed"):
        found |= _predicted(kind, known.get(kind))
    waiting = known.get("long", known.get("io"))
    for size in SIZES:
        words = f"runs of {LONG_S / 60:g} min that wait"
        found[f"long_{size.vcpu}vcpu"] = _at(waiting, size, words, run_s=LONG_S)
    return {**found, **_costs(known), **_server(seen)}


def _measured(cell: Values) -> Figures:
    """What the small server held, and the limit that gave first."""
    kind, capacity = str(cell["workload"]), cell["capacity"]
    words, n = KINDS.get(kind, kind), capacity["steps"]
    found = {f"{kind}_1vcpu": _held(cell, words)}
    for end, which in (("low", "lower"), ("high", "upper")):
        found[f"{kind}_1vcpu_{end}"] = Figure(
            value=capacity[end], unit="runs", n=n, why="nothing bounds it",
            meaning=f"{which} end of what 1 vCPU / 2 GiB holds: {words}",
        )  # fmt: skip
    limit = (cell["binding"] or {}).get("limit")
    found[f"{kind}_launch_binds"] = Figure(
        value=None if limit is None else float(limit == "launch_cpu"), unit="1", n=n,
        meaning=f"whether CPU for launches gave first: 1 or 0 (it was {limit}): {words}",
        why="nothing broke, so nothing bound",
    )  # fmt: skip
    return found


def _held(cell: Values, words: str) -> Figure:
    """What held; where the search ended while that was still wide open, the model's word within
    the interval.
    """
    capacity = cell["capacity"]
    held, high = capacity["concurrency"], capacity["high"]
    meaning = f"{words} at once that 1 vCPU / 2 GiB holds"
    why = "; ".join(capacity["evidence"]) or "no capacity was found"
    foreseen = (cell["predicted"] or {}).get("concurrency")
    near = held is not None and high is not None and high - held <= max(NEAR_RUNS, NEAR * held)
    if held is None or near or foreseen is None:
        return Figure(value=held, unit="runs", meaning=meaning, n=capacity["steps"], why=why)
    seen = f"{held} held, " + ("nothing broke" if high is None else f"it is {high} at most")
    return Figure(
        value=max(held, foreseen if high is None else min(foreseen, high)), unit="runs",
        n=capacity["steps"], predicted=True, meaning=f"{meaning} ({seen}; between by the model)",
    )  # fmt: skip


def _predicted(kind: str, model: CellModel | None) -> Figures:
    """A kind on the guide's sizes, as long as it was, and shorter and longer where it waits."""
    found = {}
    for size in SIZES:
        found[f"{kind}_{size.vcpu}vcpu"] = _at(model, size, f"{KINDS[kind]}, as measured,")
        for name, run_s in LENGTHS.items() if kind != "cpu" else ():
            words = f"{KINDS[kind]} of {run_s:g} s"
            found[f"{kind}_{name}_{size.vcpu}vcpu"] = _at(model, size, words, run_s=run_s)
    return found


def _at(model: CellModel | None, size: Size, words: str, *, run_s: float | None = None) -> Figure:
    found = None if model is None else at(model, size, run_s=run_s)
    meaning = f"{words} at once that {size.vcpu} vCPU / {size.memory_gib} GiB would hold"
    if model is None or found is None:
        return Figure(value=None, unit="runs", meaning=meaning, why=NO_MODEL, predicted=True)
    spread = "" if found.low is None or found.high is None else f"{found.low} to {found.high}; "
    return Figure(
        value=found.concurrency, unit="runs", n=model.launch_cpu_s.n, predicted=True,
        meaning=f"{meaning} ({spread}{found.binding or 'nothing'} gives first)",
    )  # fmt: skip


def _costs(known: Mapping[str, CellModel]) -> Figures:
    """Medians over the kinds."""
    if not known:
        return {}
    per_run = [m.bytes_per_run.value / MIB for m in known.values() if m.bytes_per_run]
    base = [m.base_bytes.value / MIB for m in known.values() if m.base_bytes]
    run_mib = median(per_run) if per_run else None
    fifteen = None if run_mib is None or not base else median(base) + 15 * run_mib
    return {
        "launch_cpu_s": Figure(
            value=median(m.launch_cpu_s.value for m in known.values()), unit="CPU-s",
            n=len(known), meaning="CPU to launch a run",
        ),
        "per_run_mib": Figure(
            value=run_mib, unit="MiB", n=len(per_run), why="it did not grow with the runs",
            meaning="what a run adds to the kernel's peak",
        ),
        "fifteen_share": Figure(
            value=None if fifteen is None else fifteen / (COMMON.memory_gib * 1024), unit="1",
            why="memory of a run is not known", predicted=True,
            meaning=f"share of {COMMON.memory_gib} GiB that 15 such runs and their server take",
        ),
    }  # fmt: skip


def _server(seen: Observations) -> Figures:
    """Launches by the server's own process: its one interpreter is what no vCPU makes faster.

    `gil_vcpu` = CPU of a launch in all ÷ CPU of it in that process: with so many vCPU it would be
    busy with launches all the time, and more would not launch faster. What it does beside the
    launches is counted to them, so it is that many or more.
    """
    row = seen.first("server_cpu")
    if row is None:
        return {}
    own_s, all_s, launches = row["own_cpu_s"], row["all_cpu_s"], row["launches"]
    return {
        "server_cpu_s": Figure(
            value=own_s / launches, unit="CPU-s", n=launches,
            meaning="CPU of a launch in the server's own process, which has one interpreter, at "
            "most",
        ),
        "gil_vcpu": Figure(
            value=all_s / own_s if own_s and all_s is not None else None, unit="vCPU", n=launches,
            meaning="size from which on that process alone would limit launches, at least",
            predicted=True, why="the CPU of the server or of its process could not be read",
        ),
    }  # fmt: skip
