"""Settings with which Dagster starts a container for every run, and labels to find them by.

They are locked down as the lab's own containers are, live in its network, see its home and its
scratch volume, and carry the labels by which a lab removes what is its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.rig.lab.documents import HOME, SOCKET
from harness.rig.target.engine import LABEL

STARTED_LABEL = f"{LABEL}.started"
"""Whatever Dagster started: runs, and steps where the executor makes a container for each."""

RUN_LABEL = "dagster/run_id"
"""What `DockerRunLauncher` writes on the container of a run, and nothing on those of steps."""


def docker_runs(*, memory_mib: int, cpu_cores: float) -> dict[str, Any]:
    """`LabSpec.instance` for a container a run, of this size; needs `LabSpec.docker_socket`.

    A location may want another size: `sized` as an argument of its server.
    """
    config = {
        "image": "{image}",
        "network": "{network}",
        "env_vars": ["DAGSTER_HOME", "DATABASE_URL"],
        "container_kwargs": {**_sandbox(), **limits(memory_mib=memory_mib, cpu_cores=cpu_cores)},
    }
    launcher = {"module": "dagster_docker", "class": "DockerRunLauncher", "config": config}
    return {"run_launcher": launcher}


def sized(
    *, memory_mib: int, cpu_cores: float, environment: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """`ServerSpec.arguments` of a location whose runs are of another size than the instance says,
    and have more variables.
    """
    docker = {
        "env_vars": [f"{name}={value}" for name, value in (environment or {}).items()],
        "container_kwargs": limits(memory_mib=memory_mib, cpu_cores=cpu_cores),
    }
    return (f"--container-context={json.dumps({'docker': docker})}",)


def limits(*, memory_mib: int, cpu_cores: float) -> dict[str, Any]:
    """A container's limits as `container_kwargs` has them."""
    memory = f"{memory_mib}m"
    return {
        "mem_limit": memory,
        "memswap_limit": memory,
        "nano_cpus": int(cpu_cores * 1_000_000_000),
    }


def _sandbox() -> dict[str, Any]:
    return {
        "labels": {
            "com.docker.compose.project": "{project}",
            LABEL: "1",
            STARTED_LABEL: "1",
        },
        "volumes": [
            f"{{home}}:{HOME}:ro",
            "{project}_scratch:/scratch",
            f"{SOCKET}:{SOCKET}",
        ],
        "group_add": ["{socket_group}"],
        "tmpfs": {"/tmp": "mode=1777"},
        "init": True,
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": 4096,
    }
