"""Figures of `memory_ladder`: lines through memory at several numbers of runs."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations, Values
from harness.scenarios.guides.lines import Line, line

MIB = 1024**2
FEW = "too few sizes were held"


def figures(seen: Observations) -> Figures:
    """Costs of a run and of a server by location and executor; see each figure's meaning."""
    found: dict[str, Figure] = {}
    model = seen.first("idle", server="eager")
    if model is not None:
        found["model_mib"] = _mib(model["model_mib"] * MIB, "size of the model that is loaded")
    for read in (_light, _heavy, _idle, _starts, _wall):
        found |= read(seen)
    return found


def _rows(seen: Observations, server: str, executor: str) -> list[Values]:
    """Bursts in which every run came to work."""
    rows = seen.of("held", server=server, executor=executor)
    return [row for row in rows if row["working"] == row["runs"]]


def _line(rows: Sequence[Values], key: str, *, idle_key: str = "") -> Line | None:
    """Memory in MiB on runs; with `idle_key` the idle server before the first is a point too."""
    points = [(row["runs"], row[key] / MIB) for row in rows if row.get(key) is not None]
    if idle_key and rows:
        points.insert(0, (0, rows[0][idle_key] / MIB))
    return line(points)


def _light(seen: Observations) -> Figures:
    rows = _rows(seen, "light", "in_process")
    peak = _line(rows, "peak_bytes", idle_key="idle_usage_bytes")
    pss = _line(rows, "pss_bytes", idle_key="idle_pss_bytes")
    multi = _line(_rows(seen, "light", "multiprocess"), "peak_bytes", idle_key="idle_usage_bytes")
    bursts = _line(rows, "peak_bytes")
    found = {
        "peak_per_run_mib": _slope(peak, "what a run adds to the kernel's peak, in process"),
        "peak_fit_r2": _fit(peak, "R² of the kernel's peak on runs, the idle server among them"),
        "pss_per_run_mib": _slope(pss, "what a run adds to PSS, in process"),
        "pss_fit_r2": _fit(pss, "R² of PSS on runs, the idle server among them"),
        "multi_per_run_mib": _slope(
            multi, "what a run of one step adds to the kernel's peak with the multiprocess executor"
        ),
        "most_runs": Figure(
            value=max((row["runs"] for row in rows), default=None), unit="runs", why=FEW,
            meaning="most runs of the light location at once",
        ),
    }  # fmt: skip
    missed = (
        "how far the line through the bursts alone, at no run, is from the idle server, in runs"
    )
    if bursts is None or peak is None or peak.slope <= 0:
        return {
            **found,
            "base_error_runs": Figure(value=None, unit="runs", meaning=missed, why=FEW),
        }
    idle_mib = rows[0]["idle_usage_bytes"] / MIB
    found["base_from_bursts_mib"] = _mib(
        bursts.at_zero * MIB, "the kernel's peak of no run, by the line through the bursts alone"
    )
    found["idle_usage_mib"] = _mib(idle_mib * MIB, "the light server before the first burst")
    off = abs(bursts.at_zero - idle_mib) / peak.slope
    return {**found, "base_error_runs": Figure(value=off, unit="runs", meaning=missed, n=bursts.n)}


def _heavy(seen: Observations) -> Figures:
    """Costs of a run where the location, or the op, loads a model."""
    found: dict[str, Figure] = {}
    slopes: dict[str, Line | None] = {}
    for server in ("light", "eager", "lazy"):
        for executor, infix in (("in_process", ""), ("multiprocess", "multi_")):
            rows = _rows(seen, server, executor)
            slopes[server + infix] = _line(rows, "pss_bytes", idle_key="idle_pss_bytes")
    for server, where in (("eager", "at the top of the module"), ("lazy", "inside the op")):
        for infix, how in (("", "in process"), ("multi_", "in a process per step")):
            meaning = f"PSS of a run whose model is loaded {where}, {how}"
            found[f"{server}_{infix}per_run_mib"] = _slope(slopes[server + infix], meaning)
    for infix, how in (("", "in process"), ("multi_", "in a process per step")):
        with_model, without = slopes["eager" + infix], slopes["light" + infix]
        found[f"extra_{infix}per_run_mib"] = Figure(
            value=with_model.slope - without.slope if with_model and without else None,
            unit="MiB", n=with_model.n if with_model else 0, why=FEW,
            meaning=f"what a model at the top of the module adds to the PSS of a run, {how}",
        )  # fmt: skip
    return found


def _idle(seen: Observations) -> Figures:
    found = {}
    for server, what in (
        ("light", "without a model"), ("eager", "that loads its model at the top of the module"),
        ("lazy", "that loads its model inside the op"),
    ):  # fmt: skip
        row = seen.first("idle", server=server)
        if row is not None:
            meaning = f"PSS of an idle server {what}"
            found[f"{server}_idle_mib"] = _mib(row["pss_bytes"], meaning)
    return found


def _starts(seen: Observations) -> Figures:
    found = {}
    for server in ("light", "eager", "lazy"):
        rows = seen.of("run", group="alone", server=server, turn="again")
        times = [
            (row["started_s"] - row["created_s"], row["ended_s"] - row["created_s"])
            for row in rows
            if row.get("started_s") and row.get("ended_s")
        ]
        for name, values, what in (
            ("start_s", [start for start, _ in times], "to the start of its run"),
            ("whole_s", [whole for _, whole in times], "to its end, doing no more than loading"),
        ):
            found[f"{server}_{name}"] = Figure(
                value=median(values) if values else None, unit="s", n=len(values),
                meaning=f"a run alone on the {server} location, from its creation {what}",
                why="no run came to its end",
            )  # fmt: skip
    return found


def _wall(seen: Observations) -> Figures:
    row = seen.first("wall")
    if row is None:
        return {}
    kills = max(row["oom_kills"] or 0.0, float(row["oom_killed"]))
    ample = seen.of("held", server="light", executor="in_process")
    lost = [each["runs"] - each.get("resident_runs", 0) for each in ample]
    size = f"a server of {row['limit_mib']} MiB given {row['runs']} runs at once"
    return {
        "wall_oom_kills": Figure(value=kills, unit="kills", meaning=f"OOM kills in {size}"),
        "wall_lost": Figure(
            value=row["runs"] - row["resident"], unit="runs",
            meaning=f"runs that were not kept by {size}",
        ),
        "wall_most_resident": Figure(
            value=row["most_resident"], unit="runs", meaning=f"most runs seen alive in {size}",
            why="none was seen",
        ),
        "wall_server_lives": Figure(
            value=float(row["running"]), unit="1", meaning="whether that server lived on: 1 or 0"
        ),
        "lost_with_memory": Figure(
            value=sum(lost) if lost else None, unit="runs", n=len(lost), why=FEW,
            meaning="runs that were not kept by a server with as little CPU and enough memory",
        ),
    }  # fmt: skip


def _slope(found: Line | None, meaning: str) -> Figure:
    value, n = (None, 0) if found is None else (found.slope, found.n)
    return Figure(value=value, unit="MiB", meaning=meaning, n=n, why=FEW)


def _fit(found: Line | None, meaning: str) -> Figure:
    value, n = (None, 0) if found is None else (found.r2, found.n)
    return Figure(value=value, unit="1", meaning=meaning, n=n, why=FEW)


def _mib(size_bytes: float, meaning: str) -> Figure:
    return Figure(value=size_bytes / MIB, unit="MiB", meaning=meaning)
