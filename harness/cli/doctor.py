"""`harness doctor`: what this machine can measure, what is missing, and how to mend it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.campaign.host_fit import HostSize
from harness.errors import ExitCode
from harness.rig.cgroup import create
from harness.rig.cgroup.locate import version_here
from harness.rig.preflight import FREE_DISK_BYTES, host_size, size_of_engine
from harness.rig.target import engine
from harness.rig.telemetry.py_spy import find_command
from harness.units import show_bytes

Row = tuple[bool, str, str, str]


def doctor(
    devices: Annotated[
        bool, typer.Option("--devices", help="List the telemetry devices and what each costs.")
    ] = False,
    results: Annotated[Path, typer.Option(help="Where results folders go.")] = Path("results"),
) -> int:
    """Check this machine: engine, limits, room. Exit code 3 when nothing can be measured."""
    console = Console()
    if devices:
        _show_devices(console)
        return 0
    state = engine.probe()
    docker_ok, rows = not state.problem, _engine_rows(state)
    box_problem = create.available()
    rows.append((not box_problem, "process target",
                 "limits enforced by a cgroup of its own" if not box_problem
                 else f"runs, but limits are not enforced: {box_problem}",
                 "run as root, or with a systemd user session" if box_problem else ""))  # fmt: skip
    elsewhere = docker_ok and state.remote
    size_rows = _size_rows(state) if elsewhere else _size_rows_here()
    host_rows = [*size_rows, _disk_row(results)]
    rows += [(True, "cgroups", version_here() or "none", ""), *host_rows]
    rows.append(_py_spy_row())
    table = Table("", "what", "seen", "to mend it", box=None)
    for ok, what, seen, mend in rows:
        # Plain text: `[stacks]` is an extra to install, no style.
        mark = Text("✓", style="green") if ok else Text("✗", style="yellow")
        table.add_row(mark, what, Text(seen), Text(mend))
    console.print(table)
    console.print(f"`harness run` would use: {_choice(state)}")
    return 0 if all(ok for ok, *_ in host_rows) else int(ExitCode.ENVIRONMENT)


def _engine_rows(state: engine.EngineState) -> list[Row]:
    place = state.place
    what = f"Docker engine, {place.words}" if place and place.remote else "Docker engine"
    if state.problem:
        return [(False, what, state.problem, state.hint)]
    seen = f"engine {state.version}, Compose {state.compose}, cgroup {state.cgroup}"
    rows: list[Row] = [(True, what, seen, "")]
    if place is not None and state.remote:
        rows.append((True, "named by", f"{place.said_by}: {place.url}", ""))
    return rows


def _choice(state: engine.EngineState) -> str:
    if not state.problem:
        return f"compose, {state.place.words}" if state.place and state.remote else "compose"
    return "nothing: the engine it was told to use does not answer" if state.named else "process"


def _py_spy_row() -> Row:
    """Never in the way: binding limits are named without stacks too, with less behind them."""
    command = find_command()
    if command:
        return (True, "py-spy (optional)", command, "")
    return (False, "py-spy (optional)", "not there: nobody sees what the server's threads do",
            "pip install 'dagster-load-harness[stacks]'")  # fmt: skip


def _size_rows_here() -> list[Row]:
    size = host_size()
    return [_cpu_row("CPUs", size), _memory_row("memory", size, "available")]


def _size_rows(state: engine.EngineState) -> list[Row]:
    """The engine's host carries the server; this one the generator, which a core is enough for."""
    size, here = size_of_engine(state), host_size()
    return [
        _cpu_row("CPUs there", size),
        _memory_row("memory there", size, "in all"),
        (True, "CPUs here", f"{here.cpus:g}, for the load generator", ""),
    ]


def _cpu_row(what: str, size: HostSize) -> Row:
    enough = size.cpus >= 2
    return (enough, what, f"{size.cpus:g}; profiles up to {max(size.cpus - 1, 0):g} vCPU",
            "" if enough else "two are needed: one for the server, one for the rest")  # fmt: skip


def _memory_row(what: str, size: HostSize, word: str) -> Row:
    enough = size.memory_available_bytes > 3 * 2**30
    seen = f"{show_bytes(size.memory_available_bytes // 2**20 * 2**20)} {word}"
    return enough, what, seen, "" if enough else "1vcpu-2gb needs 3 GiB"


def _disk_row(results: Path) -> Row:
    existing = next(p for p in [results.absolute(), *results.absolute().parents] if p.exists())
    free = shutil.disk_usage(existing).free
    enough = free > FREE_DISK_BYTES
    return (enough, "disk", f"{show_bytes(free)} free at {existing}",
            "" if enough else "make room, or --results elsewhere")  # fmt: skip


def _show_devices(console: Console) -> None:
    # Imports the clients of everything that can be read; only this list needs them.
    from harness.rig.telemetry.registry import DEVICES

    table = Table("device", "reads", "rate", "cost", box=None)
    for device in DEVICES:
        table.add_row(device.name, device.reads, f"{device.rate_hz:g} Hz", device.cost)
    console.print(table)
    console.print(
        "Choose some: harness run --set devices=[cgroup,probe]; none: --set devices=[]",
        markup=False,
    )
