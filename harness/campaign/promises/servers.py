"""Code servers, as the parts of configurations describe them that go by platform."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from harness.campaign.promises.quantities import (
    docker_memory_mib,
    ecs_memory_mib,
    ecs_vcpu,
    kubernetes_memory_mib,
    kubernetes_vcpu,
)
from harness.campaign.promises.tree import Tree
from harness.campaign.promises.types import ServerPromise

WORKERS = "DAGSTER_GRPC_MAX_WORKERS"
POINTERS: Mapping[str, str] = {
    "module_name": "module",
    "python_file": "python_file",
    "package_name": "package",
    "working_directory": "working_directory",
}
_OPTIONS = {
    "--module-name": "module", "-m": "module", "--python-file": "python_file",
    "-f": "python_file", "--package-name": "package", "--working-directory": "working_directory",
    "-d": "working_directory", "--attribute": "attribute", "-a": "attribute",
}  # fmt: skip

ECS_CPU = "ECS CPU: units of 1/1024 vCPU, or `1 vCPU`"
ECS_MEMORY = "ECS memory: MiB, or `2 GB`"
K8S_CPU = "an amount of CPU: `500m`, `1.5`"
K8S_MEMORY = "an amount of memory: `2Gi`, `512Mi`"


class Found:
    """Fields found so far, each with its place; the first to speak of a field wins."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._fields: dict[str, object] = {}
        self._said: dict[str, str] = {}
        self._faults: list[str] = []

    def fault(self, text: str) -> None:
        """Note what the configuration's own reader would refuse."""
        self._faults.append(text)

    def put(self, field: str, value: object, where: Tree) -> None:
        """Note a field, unless nothing is said or it is known."""
        if value is not None and field not in self._fields:
            self._fields[field] = value
            self._said[field] = where.place

    def promise(self) -> ServerPromise:
        """What was found."""
        return ServerPromise(
            name=self._name,
            said=self._said,
            faults=tuple(self._faults),
            **self._fields,  # type: ignore[arg-type]
        )


def of_context(context: Tree, found: Found) -> None:
    """`container_context`: what each platform's agent takes from it for the code server."""
    ecs, kubernetes, docker = context.at("ecs"), context.at("k8s"), context.at("docker")
    resources = ecs.at("server_resources")
    cpu, memory = resources.at("cpu"), resources.at("memory")
    found.put("vcpu", cpu.read(ecs_vcpu, ECS_CPU), cpu)
    found.put("memory_mib", memory.read(ecs_memory_mib, ECS_MEMORY), memory)
    for size in (cpu, memory):
        if isinstance(size.value, int | float):
            found.fault(f"{size.place}: {size.value} without quotes is refused by the ECS agent")
    replicas = resources.at("replica_count")
    found.put("replicas", replicas.count(), replicas)
    container = kubernetes.at("server_k8s_config", "container_config")
    of_kubernetes(container.at("resources"), found)
    of_kubernetes(kubernetes.at("resources"), found)
    replicas = kubernetes.at("server_replica_count")
    found.put("replicas", replicas.count(), replicas)
    limits = docker.at("container_kwargs")
    memory = limits.at("mem_limit")
    found.put("memory_mib", memory.read(docker_memory_mib, "an amount of memory"), memory)
    nano = limits.at("nano_cpus")
    found.put("vcpu", nano.read(lambda text: int(text) / 1e9, "billionths of a CPU"), nano)
    of_entries(container.at("env"), found)
    for platform in (ecs, kubernetes, docker):
        of_env_vars(platform.at("env_vars"), found)


def of_kubernetes(resources: Tree, found: Found) -> None:
    """`resources` of a container; only limits bind."""
    cpu, memory = resources.at("limits", "cpu"), resources.at("limits", "memory")
    found.put("vcpu", cpu.read(kubernetes_vcpu, K8S_CPU), cpu)
    found.put("memory_mib", memory.read(kubernetes_memory_mib, K8S_MEMORY), memory)


def of_env_vars(variables: Tree, found: Found) -> None:
    """`env_vars`: a list of `NAME=value` (or a bare name, whose value is elsewhere)."""
    for variable in variables.items():
        name, _, value = (variable.text() or "").partition("=")
        if name == WORKERS and value:
            found.put("max_workers", variable.beside(value).count(), variable)


def of_entries(entries: Tree, found: Found) -> None:
    """`env`: a list of name and value."""
    for entry in entries.items():
        if entry.at("name").value == WORKERS:
            value = entry.at("value")
            found.put("max_workers", value.count(), value)


def of_env(env: Tree, found: Found) -> None:
    """`env` of the Helm chart: a list of name and value, or a mapping of them."""
    if isinstance(env.value, dict):
        value = env.at(WORKERS)
        found.put("max_workers", value.count(), value)
    else:
        of_entries(env, found)


def of_command(command: Tree, found: Found) -> None:
    """A command of `dagster api grpc`: its workers, and what it loads."""
    words = _words(command)
    load: dict[str, str] = {}
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        value = value if equals else (words[index + 1] if index + 1 < len(words) else "")
        if name in ("--max-workers", "-n"):
            found.put("max_workers", command.beside(value).count(), command)
        elif name in _OPTIONS and value:
            load.setdefault(_OPTIONS[name], value)
    if load:
        found.put("load", load, command)


def of_code_source(location: Tree, found: Found) -> None:
    """`code_source` (and, as older files have it, the same keys beside it)."""
    source = location.at("code_source")
    load = {
        key: text
        for name, key in POINTERS.items()
        if (text := (source.at(name).text() or location.at(name).text())) is not None
    }
    if load:
        found.put("load", load, source)


def _words(command: Tree) -> Sequence[str]:
    if isinstance(command.value, str):
        try:
            return shlex.split(command.value)
        except ValueError as error:
            command.complain(f"a command ({error})")
            return ()
    return [word for item in command.items() for word in _parts(item)]


def _parts(item: Tree) -> Sequence[str]:
    """The words in one item of a list: several where a shell is handed a whole command."""
    text = item.text() or ""
    if " " not in text:
        return (text,)
    try:
        return shlex.split(text)
    except ValueError as error:
        # No shell need ever see it: as one word of a list it is what it is.
        item.note(f"is taken as one word ({error})")
        return (text,)
