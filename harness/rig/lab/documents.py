"""A lab as files: its Compose document, its `dagster.yaml`, its workspace. Pure.

Services are made from those of `compose/compose.yaml`, so that a lab's containers are locked down
exactly as a campaign's are.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.rig.lab.spec import LabSpec, ServerSpec

Document = dict[str, Any]

HOME = "/opt/lab-home"
SOCKET = "/var/run/docker.sock"
LOCATIONS = "/opt/locations"
PORT = 4000
PROBE_PATH = "/opt/probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a lab lives: the host folder that is its Dagster home, and the group of the engine's
    socket.
    """

    home: str
    socket_group: int | None = None


def compose_document(base: Mapping[str, Any], spec: LabSpec, place: Place) -> Document:
    """The Compose file of a lab.

    Args:
        base: `compose/compose.yaml`, parsed.
        spec: what the lab is made of.
        place: where it lives.
    """
    given = base["services"]
    services = {name: copy.deepcopy(given[name]) for name in ("postgres", "upstream")}
    services["webserver"] = _client(given["webserver"], spec, place)
    if spec.daemon:
        services["daemon"] = _client(given["daemon"], spec, place)
    for server in spec.servers:
        services[server.name] = _server(given["code-server"], server, spec, place)
    for service in services.values():
        service.pop("depends_on", None)
        service.pop("profiles", None)
    return {"services": services, "volumes": base["volumes"], "networks": base["networks"]}


def instance_document(direct: Mapping[str, Any], spec: LabSpec) -> Document:
    """The lab's `dagster.yaml`: the feed `direct` with what the spec puts in its place."""
    merged = {**copy.deepcopy(dict(direct)), **copy.deepcopy(dict(spec.instance))}
    return {key: value for key, value in merged.items() if value is not None}


def workspace_document(spec: LabSpec, project: str = "") -> Document:
    """The lab's `workspace.yaml`. `project`: its Compose project, which names replicas."""
    hosts = [(each.name, each.name) for each in spec.servers]
    hosts += [
        (f"{project}-{each.name}-{number}", f"{each.name}-{number}")
        for each in spec.servers
        if each.replicas_named
        for number in range(1, each.replicas + 1)
    ]
    servers = [
        {"grpc_server": {"host": host, "port": PORT, "location_name": name}} for host, name in hosts
    ]
    modules = [
        {"python_module": {
            "module_name": module, "location_name": name, "working_directory": LOCATIONS,
        }}
        for name, module in spec.modules.items()
    ]  # fmt: skip
    return {"load_from": [*servers, *modules]}


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """A document with what only a started lab knows put in: `{network}` in a text becomes the
    value of `network`. Any other brace stays, so that JSON in a text does too.
    """
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, Mapping):
        return {key: filled(each, names) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled(each, names) for each in value]
    return value


def _client(given: Mapping[str, Any], spec: LabSpec, place: Place) -> Document:
    service = _at_home(given, spec, place)
    service["environment"] |= _plain(spec.environment)
    service["command"] = [
        f"--workspace={HOME}/workspace.yaml" if part.startswith("--workspace=") else part
        for part in service["command"]
    ]
    return service


def _server(given: Mapping[str, Any], server: ServerSpec, spec: LabSpec, place: Place) -> Document:
    service = _at_home(given, spec, place)
    service.pop("env_file", None)
    workers = [] if server.max_workers is None else [f"--max-workers={server.max_workers}"]
    service["command"] = [
        *server.command, "--host=0.0.0.0", f"--port={PORT}",
        f"--module-name={server.module}", f"--working-directory={LOCATIONS}",
        f"--location-name={server.name}", *workers, *server.arguments,
    ]  # fmt: skip
    environment = {**spec.server_environment, **server.environment}
    service["environment"] |= {
        "POOL_PROBE": "stderr" if server.probe else "",
        "PYTHONPATH": PROBE_PATH if server.probe else "",
        "WORKLOAD_EXECUTOR": "in_process",
        "WORKLOAD_STEPS": "1",
        **_plain(environment),
    }
    memory_bytes = server.memory_mib * 1024**2
    service |= {
        "cpus": server.cpu_cores,
        "mem_limit": memory_bytes,
        "memswap_limit": memory_bytes,
        "pids_limit": 4096,
        "stop_grace_period": f"{server.grace_s}s",
    }
    return service


def _at_home(given: Mapping[str, Any], spec: LabSpec, place: Place) -> Document:
    """A Dagster service that reads the lab's home, and has the socket where the spec says so."""
    service = copy.deepcopy(dict(given))
    service["environment"]["DAGSTER_HOME"] = HOME
    service["volumes"] = [*service.get("volumes", ()), f"{place.home}:{HOME}:ro"]
    if spec.docker_socket:
        service["volumes"].append(f"{SOCKET}:{SOCKET}")
        if place.socket_group is not None:
            service["group_add"] = [str(place.socket_group)]
    return service


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    """Values as they are: Compose would put the shell's variables in."""
    return {name: value.replace("$", "$$") for name, value in environment.items()}
