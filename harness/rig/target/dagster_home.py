"""What the embedded Dagster processes read: their home, their workspace, their environment.

The instance is the container target's own (`compose/dagster-home`) with its paths moved, so that
both targets measure the same Dagster.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from harness.campaign.plan import CellPlan
from harness.rig.assets import asset
from harness.rig.target.cell_settings import location_module

_SCRATCH = "/scratch"  # where a container keeps what it writes


def write_home(home: Path, *, instance: str, scratch: Path) -> None:
    """Write an instance's `dagster.yaml` into `home`; what it stores goes below `scratch`."""
    home.mkdir(parents=True, exist_ok=True)
    settings = _load(asset(f"compose/dagster-home/{instance}/dagster.yaml"))
    _dump(_moved(settings, scratch), home / "dagster.yaml")


def write_workspace(home: Path, *, port: int) -> tuple[Path, str]:
    """Write `workspace.yaml` for a server on 127.0.0.1; the file, and its location's name."""
    workspace = _load(asset("compose/dagster-home/workspace.yaml"))
    server = workspace["load_from"][0]["grpc_server"]
    server |= {"host": "127.0.0.1", "port": port}
    _dump(workspace, home / "workspace.yaml")
    return home / "workspace.yaml", str(server["location_name"])


def dagster_environment(
    home: Path, *, python: Path, scratch: Path, database_url: str
) -> dict[str, str]:
    """What a Dagster process is to have but the cell's own; nothing of the user's shell leaks in.

    A proxy variable or a PYTHONPATH from outside would change what is measured.
    """
    return {
        "PATH": os.pathsep.join([str(python.parent), os.defpath]),
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "DAGSTER_HOME": str(home),
        "DATABASE_URL": database_url,
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }


def workload_environment(
    cell: CellPlan, *, scratch: Path, upstream_url: str, pool_path: Path | None
) -> dict[str, str]:
    """What the server has on top: the workload's settings, and its pool probe if wanted.

    The metrics switch goes by variable, since a release without it ignores that.
    """
    environment = {
        "DAGSTER_ENABLE_SERVER_METRICS": "1",
        "UPSTREAM_URL": upstream_url,
        "WORKLOAD_SCRATCH": str(scratch),
        "WORKLOAD_EXECUTOR": cell.workload.executor,
        "WORKLOAD_STEPS": str(cell.workload.steps),
    }
    environment |= cell.workload.server_environment
    if pool_path is not None:
        environment |= {"PYTHONPATH": str(asset("compose/probe")), "POOL_PROBE": str(pool_path)}
    return environment


def server_command(python: Path, cell: CellPlan, *, port: int) -> tuple[str, ...]:
    """`dagster api grpc` with its workers pinned; the flags are the same from 1.5 to 1.13."""
    return (
        str(python), "-m", "dagster", "api", "grpc",
        "--host", "127.0.0.1", "--port", str(port), "--module-name", location_module(cell),
        "--working-directory", str(asset("workloads").parent),
        "--max-workers", str(cell.max_workers),
    )  # fmt: skip


def _moved(value: Any, scratch: Path) -> Any:
    if isinstance(value, Mapping):
        return {key: _moved(inner, scratch) for key, inner in value.items()}
    if isinstance(value, str) and (value == _SCRATCH or value.startswith(f"{_SCRATCH}/")):
        return str(scratch) + value.removeprefix(_SCRATCH)
    return value


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return loaded


def _dump(document: Mapping[str, Any], path: Path) -> None:
    with path.open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump(document, stream)
