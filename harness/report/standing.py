"""Whose record it is and how far it got: what every report says beside the findings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.findings.types import CellFinding
from harness.errors import ExitCode
from harness.facts.model import broke_off
from harness.facts.server_host import is_elsewhere, server_host
from harness.report.context import CellRecord, PageContext
from harness.report.phrases import UNKNOWN, plain
from harness.units import MIB, mib, show_bytes, show_cores

_ROUND = re.compile(r"_n\d+$")

VERDICTS: Mapping[ExitCode, tuple[str, str]] = {
    ExitCode.PASS: ("pass", "Every measured cell has a capacity, as sure as was asked for."),
    ExitCode.BREACH: ("SLO breach", "A server does not hold even the lowest load it was given."),
    ExitCode.INCONCLUSIVE: (
        "inconclusive",
        "A capacity is missing, or less sure than was asked for.",
    ),
}
"""What the exit code of `harness report` says: in a word, and in a sentence."""


def verdict_word(code: ExitCode) -> str:
    """`pass`, `SLO breach` or `inconclusive`."""
    return VERDICTS[code][0]


def gaps_by_cell(context: PageContext) -> dict[str, str]:
    """What the campaign planned and did not get, by cell; empty where it got all."""
    records = {record.cell: record for record in context.records}
    gaps = {cell: _gap(records.get(cell)) for cell in (*context.planned, *records)}
    return {cell: gap for cell, gap in gaps.items() if gap}


def kind_of(cell: str) -> str:
    """The id of a cell without its round: that of the cell which stands for all of them."""
    return _ROUND.sub("", cell)


def gaps_by_kind(context: PageContext) -> dict[str, str]:
    """The same by `kind_of`: what its rounds lack."""
    kinds: dict[str, list[str]] = {}
    for cell, gap in gaps_by_cell(context).items():
        kind = kind_of(cell)
        kinds.setdefault(kind, []).append(gap if kind == cell else f"{cell}: {gap}")
    return {kind: "; ".join(gaps) for kind, gaps in kinds.items()}


def gaps_of(context: PageContext) -> tuple[str, ...]:
    """The same, one sentence a cell."""
    return tuple(f"{cell}: {gap}" for cell, gap in gaps_by_cell(context).items())


def _gap(record: CellRecord | None) -> str:
    if record is None:
        return "not measured"
    if not record.sealed:
        return "cut off, or still being measured; judged by the steps that were recorded"
    if broke_off(record.ended):
        return record.ended
    return ""


def command_line(command: Sequence[str]) -> str:
    """The command as it would be typed; empty where none was recorded."""
    return shlex.join(command)


def harness_phrase(environment: Mapping[str, Any]) -> str:
    """Which harness measured: version and commit."""
    harness = _part(environment, "harness")
    commit = f" (commit {harness['commit']})" if harness.get("commit") else ""
    return f"harness {plain(harness.get('version'))}{commit}"


def host_phrase(environment: Mapping[str, Any]) -> str:
    """On what machine: CPUs, memory, system, kernel, cgroup; a dash where nothing is known."""
    host = server_host(environment)
    memory = host.get("memory_bytes")
    parts = (
        f"{host['cpus']} CPUs" if host.get("cpus") else "",
        host.get("cpu_model"),
        f"{mib(memory) / 1024:.1f} GiB" if isinstance(memory, int | float) else "",
        host.get("system"),
        f"kernel {host['kernel']}" if host.get("kernel") else "",
        f"cgroup {host['cgroup']}" if host.get("cgroup") else "",
    )
    told = ", ".join(str(part) for part in parts if part) or UNKNOWN
    if not is_elsewhere(environment):
        return told
    engine = _part(environment, "engine")
    return f"{told}, by {engine['place']} from another machine, which generated the load"


def _part(environment: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = environment.get(name)
    return part if isinstance(part, Mapping) else {}


def profile_phrase(cell: CellFinding) -> str:
    """`1vcpu-2gb (1 vCPU, 2 GiB)`."""
    size = f"{show_cores(cell.profile.vcpu)}, {show_bytes(cell.profile.memory_mib * MIB)}"
    return f"{cell.profile.name} ({size})"


def traits_of(cell: CellFinding) -> dict[str, str]:
    """What makes a cell, by name, in the order of saying; of each a few words."""
    queue = cell.max_concurrent_runs
    return {
        "workload": cell.workload,
        "profile": profile_phrase(cell),
        "dagster": f"Dagster {cell.dagster}",
        "workers": f"{cell.max_workers} workers",
        "replicas": f"{cell.replicas} replicas" if cell.replicas > 1 else "",
        "feed": f"{cell.feed} feed" + (f" (limit {queue})" if queue is not None else ""),
        "target": cell.target,
        "round": f"round {cell.repetition}" if cell.repetition is not None else "",
    }


def shared_traits(cells: Sequence[CellFinding]) -> dict[str, str]:
    """What all cells have in common, their workload left out."""
    traits = [traits_of(cell) for cell in cells]
    first = traits[0] if traits else {}
    return {
        name: text
        for name, text in first.items()
        if name != "workload" and text and all(each[name] == text for each in traits)
    }


def own_traits(cell: CellFinding, shared: Mapping[str, str]) -> str:
    """What tells this cell from its neighbours; the workload always."""
    own = (text for name, text in traits_of(cell).items() if name not in shared)
    return ", ".join(text for text in own if text)
