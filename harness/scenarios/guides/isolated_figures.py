"""What starts in a server and in containers of their own show. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations, Values

MIB = 1024**2
BOX_MIB = 1024
PLACES = {
    "shared": "in a server of 1 vCPU",
    "box": "in a server of 0.25 vCPU and 1 GiB",
    "container": "in a container of 1 vCPU each",
}


def figures(seen: Observations) -> Figures:
    """From stamps of starts, and what the kernel accounts to servers and containers."""
    found: dict[str, Figure] = {}
    for where, words in PLACES.items():
        found |= _start_figures(seen, where, words)
        found |= _killed_figures(seen, where, words)
    found |= {**_room_figures(seen), **_container_figures(seen)}
    return {**found, "break_even_s": _break_even(found)}


def _start_figures(seen: Observations, where: str, words: str) -> Figures:
    found = {}
    sizes = sorted({row["at_once"] for row in seen.of("start", where=where)} - {0})
    for size in sizes or [1]:
        rows = seen.of("start", where=where, at_once=size)
        name = f"{where}_{size}" if size > 1 else where
        of = f"{size} at once, {words}" if size > 1 else f"alone, {words}"
        found[f"start_s_{name}"] = _middle(
            _between(rows, "sent_s", "started_s"), "s", f"from launch to the run's start, {of}"
        )
        found[f"process_s_{name}"] = _middle(
            _between(rows, "sent_s", "process_started_s"), "s",
            f"from launch to the run's process with Dagster imported, {of}",
        )  # fmt: skip
        left = [row for row in rows if not row.get("killed")]
        ended = [row for row in left if row.get("ended_s") and row["status"] == "SUCCESS"]
        found[f"done_{name}"] = Figure(
            value=len(ended) / len(left) if left else None, unit="share", n=len(left),
            meaning=f"runs that ended well, {of}", why="none was launched",
        )  # fmt: skip
    alone = seen.of("start", where=where, at_once=1)
    steps = [row["step_ends"][0] - row["step_starts"][0] for row in alone if row.get("step_ends")]
    found[f"compute_s_{where}"] = _middle(
        steps, "s", f"a step that takes a CPU-second, {words}"
    )  # fmt: skip
    return found


def _killed_figures(seen: Observations, where: str, words: str) -> Figures:
    rows = seen.of("killed", where=where)
    if not rows:
        return {}
    others = sum(row["others"] for row in rows)
    lost = others - sum(row["others_done"] for row in rows)
    return {
        f"lost_beside_{where}": Figure(
            value=lost / others, unit="share", n=others,
            meaning=f"other runs lost when one's container is killed, {words}",
        ),
        f"unnoticed_{where}": Figure(
            value=sum(1 for row in rows if row["status"] == "STARTED") / len(rows),
            unit="share", n=len(rows),
            meaning=f"killed runs that Dagster still calls started, {words}, no run monitoring",
        ),
    }  # fmt: skip


def _room_figures(seen: Observations) -> Figures:
    found = {}
    for row in seen.of("room"):
        name = f"{row['where']}_{row['runs']}"
        of = f"{row['runs']} runs at once, {PLACES[row['where']]}"
        found[f"most_mib_{name}"] = _one(
            _mib(row["peak_bytes"] or row["most_bytes"]), "MiB", f"the kernel's memory peak, {of}"
        )
        found[f"launch_cpu_s_{name}"] = _one(
            row["cpu_s"] / row["runs"], "s", f"CPU time a run of the server's container, {of}"
        )
        grown = None
        if row["most_bytes"] and row["base_bytes"]:
            grown = _mib(row["most_bytes"] - row["base_bytes"]) / row["runs"]
        found[f"run_mib_{name}"] = _one(grown, "MiB", f"memory a run adds to the container, {of}")
        found[f"oom_kills_{name}"] = _one(row["oom_kills"], "kills", f"OOM kills, {of}")
        if row["where"] == "box" and grown:
            found["box_holds"] = Figure(
                value=(BOX_MIB - _mib(row["base_bytes"])) // grown,
                unit="runs",
                predicted=True,
                meaning="light runs that fit into 1 GiB beside the server",
            )
    return found


def _container_figures(seen: Observations) -> Figures:
    rows = seen.of("container")
    if not rows:
        return {}
    words = "a container a run"
    sent = {row.get("run_id"): row for row in seen.of("start", where="container", at_once=1)}
    began = [
        row["began_s"] - sent[row["run_id"]]["sent_s"] for row in rows if row["run_id"] in sent
    ]
    sizes = [_mib(row["most_bytes"]) for row in rows if row.get("most_bytes")]
    used = [row["cpu_s"] for row in rows if row.get("cpu_s") and row["run_id"] not in sent]
    return {
        "container_s": _middle(began, "s", f"from launch to the container's start, {words}"),
        "run_mib_container": _middle(sizes, "MiB", f"most memory of a run, {words}"),
        "launch_cpu_s_container": _middle(used, "s", f"CPU time of a run that sleeps, {words}"),
    }


def _break_even(found: Figures) -> Figure:
    """What the box takes to start a run, less what a run's own container takes once it is there."""
    names = ("start_s_box", "start_s_container", "container_s")
    values = [found[name].value if name in found else None for name in names]
    known = [each for each in values if each is not None]
    value = known[0] - (known[1] - known[2]) if len(known) == len(names) else None
    return Figure(
        value=value, unit="s",
        meaning="so long a container may take to be there before the box of 0.25 vCPU is faster",
        why="a start was not seen",
    )  # fmt: skip


def _between(rows: Sequence[Values], first: str, second: str) -> list[float]:
    stamps = [(row.get(first), row.get(second)) for row in rows]
    return [later - earlier for earlier, later in stamps if earlier and later]


def _middle(values: Sequence[float], unit: str, meaning: str) -> Figure:
    value = float(median(values)) if values else None
    return Figure(
        value=value, unit=unit, meaning=meaning, n=len(values), why="" if values else "not seen"
    )


def _one(value: float | None, unit: str, meaning: str) -> Figure:
    return Figure(value=value, unit=unit, meaning=meaning, why="not seen")


def _mib(size_bytes: float) -> float:
    return size_bytes / MIB
