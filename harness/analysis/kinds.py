"""What makes a kind of cell, and under which conditions it was measured and judged; in words.

Cells of one kind differ in the Dagster version alone. Where conditions differ figures do not
compare, whatever they say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from harness.analysis.findings.types import CellFinding, Findings
from harness.facts.server_host import server_host

Difference = tuple[str, str, str]
"""What differs, how it was before, how it is now; in words."""

HOST_KEYS = ("cpus", "cpu_model", "machine")
"""What of `environment.json` makes two hosts two."""

NOT_DEFINING = ("name", "concurrencies")
"""What of a workload's definition does not change what a run does."""


def setup_of(cell: CellFinding, campaign: Mapping[str, Any]) -> dict[str, str]:
    """What makes its kind but for task size, workload and Dagster version, by name."""
    return {
        "target": cell.target,
        "feed": cell.feed,
        "workers": str(cell.max_workers),
        "replicas": str(cell.replicas),
        "max_concurrent_runs": str(cell.max_concurrent_runs or "none"),
        "load model": str((campaign.get("load") or {}).get("model", "closed")),
    }


def definition_of(workload: str, campaign: Mapping[str, Any]) -> dict[str, str]:
    """What the campaign says a run of this workload does, key by key."""
    workloads: Iterable[Mapping[str, Any]] = campaign.get("workloads") or ()
    alike = (each for each in workloads if each.get("name") == workload)
    found: Mapping[str, Any] = next(alike, {})
    params = {f"params.{key}": value for key, value in (found.get("params") or {}).items()}
    rest = {key: value for key, value in found.items() if key not in ("params", *NOT_DEFINING)}
    return {key: text(value) for key, value in (params | rest).items()}


def limits_of(cell: CellFinding) -> str:
    """Whether its server was held to its task size."""
    return "enforced" if cell.limits_enforced else "unenforced"


def conditions_of(findings: Findings) -> dict[str, str]:
    """How a campaign was measured and judged: method, host, warm-up cut, objectives."""
    return {
        "method": str(findings.method),
        "host": _host(findings.environment),
        "warm-up cut": text(findings.judging.warmup),
        **_objectives(findings),
    }


def unequal(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[Difference, ...]:
    """What differs, by name; what one side does not have is a dash."""
    pairs = ((name, before.get(name, "-"), now.get(name, "-")) for name in {**before, **now})
    return tuple(each for each in pairs if each[1] != each[2])


def text(value: Any) -> str:
    """Equal for equal values; 1.0 is 1, and a word needs no quotes."""
    whole = _whole(value)
    return whole if isinstance(whole, str) else json.dumps(whole, sort_keys=True, default=str)


def _objectives(findings: Findings) -> dict[str, str]:
    """The limits it was judged by; those that were switched off are not there."""
    planned: Mapping[str, float | None] = findings.campaign.get("slos") or {}
    limits = {**planned, **(findings.judging.slos or {})}
    return {name: f"{limit:g}" for name, limit in limits.items() if limit is not None}


def _host(environment: Mapping[str, Any]) -> str:
    host = server_host(environment)
    if not host:
        return "unknown"
    cpus, model, machine = (host.get(key) or "unknown" for key in HOST_KEYS)
    return f"{cpus} CPUs, {model}, {machine}"


def _whole(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
