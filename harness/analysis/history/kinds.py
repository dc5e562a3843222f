"""What a kind of cell is called in a series: `harness.analysis.kinds` in a line of text.

It says only what differs from the usual, so that an index stays readable and a new setting with
its default begins no new series.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from harness.analysis.findings.types import CellFinding
from harness.analysis.history.outline import CellOutline
from harness.analysis.kinds import definition_of, limits_of, setup_of
from harness.units import MIB, show_bytes, show_cores

USUAL = {
    ("executor", "in_process"), ("steps", "1"), ("workers", "1"), ("replicas", "1"),
    ("max_concurrent_runs", "none"), ("load model", "closed"), ("limits", "enforced"),
}  # fmt: skip
NOTHING = ("null", "{}", "[]")
WORDS = {
    "workers": "{} workers", "replicas": "{} replicas", "feed": "{} feed", "target": "{}",
    "max_concurrent_runs": "at most {} runs", "load model": "{} arrivals",
}  # fmt: skip


def kind_of(cell: CellFinding | CellOutline, campaign: Mapping[str, Any], workload: str) -> str:
    """`io (requests 4) on 1 vCPU / 2 GiB, compose, direct feed, 6 workers`.

    Args:
        cell: of any Dagster version.
        campaign: as planned.
        workload: the cell's, from `workload_in`.
    """
    # An outline has everything of a cell that is read here.
    whole = cast("CellFinding", cell)
    size = f"{show_cores(cell.profile.vcpu)} / {show_bytes(cell.profile.memory_mib * MIB)}"
    setup = setup_of(whole, campaign) | {"limits": limits_of(whole)}
    told = (
        WORDS.get(name, f"{name} {{}}").format(value)
        for name, value in setup.items()
        if (name, value) not in USUAL
    )
    return ", ".join([f"{workload} on {size}", *told])


def workload_in(campaign: Mapping[str, Any], name: str) -> str:
    """A workload with what its runs do: `io (requests 4, wait_s 1)`."""
    told = [
        f"{key.removeprefix('params.')} {value}"
        for key, value in definition_of(name, campaign).items()
        if value not in NOTHING and (key, value) not in USUAL
    ]
    return f"{name} ({', '.join(told)})" if told else name
