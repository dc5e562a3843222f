"""Configurations by kind: how each is recognised, and what of it counts here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from harness.campaign.promises import queues, servers
from harness.campaign.promises.quantities import ecs_memory_mib, ecs_vcpu
from harness.campaign.promises.servers import ECS_CPU, ECS_MEMORY, Found
from harness.campaign.promises.tree import Remarks, Tree
from harness.campaign.promises.types import Configuration, QueuePromise, ServerPromise
from harness.errors import CampaignError

UNDERSTOOD = (
    "dagster_cloud.yaml, container_context.yaml, dagster.yaml, the settings of a Dagster+ "
    "deployment, an ECS task definition, Helm values"
)
DAGSTER_PLUS = QueuePromise(
    limit=10,
    said={
        "limit": "as many as open-source Dagster; Dagster+ lets one non-isolated run through "
        "unless the deployment's max_concurrent_non_isolated_runs says more (--limit says another)"
    },
)
"""Where no settings of the deployment are there: one run at a time would be no test."""

OWN_PROCESS = ("DefaultRunLauncher",)
"""Launchers whose runs live in the code server."""


def read_configuration(text: str, *, source: str) -> Configuration:
    """What a file says, by what it is; keys we do not know are passed over.

    Args:
        text: YAML or JSON.
        source: what to call it in messages.

    Raises:
        CampaignError: it cannot be read, is none we know, or holds wrong types; its evidence has a
            line for each.
    """
    data = _parsed(text, source)
    remarks = Remarks()
    problems = remarks.problems
    for kind, (is_one, reader) in KINDS.items():
        if is_one(data):
            found = reader(Tree(data, "", remarks), source, kind)
            if problems:
                raise CampaignError(
                    f"{source} ({kind}) has {len(problems)} wrong "
                    f"{'value' if len(problems) == 1 else 'values'}.",
                    evidence="\n".join(problems),
                )
            return replace(found, notes=(*found.notes, *remarks.notes))
    raise CampaignError(
        f"{source} is no configuration that is understood.",
        evidence=f"At its top: {', '.join(map(str, data)) or 'nothing'}",
        hint=f"Understood are {UNDERSTOOD}.",
    )


def _parsed(text: str, source: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else _yaml(text)
    except (ValueError, YAMLError) as error:
        raise CampaignError(
            f"{source} cannot be read.",
            evidence=str(error),
            hint="It must be YAML or JSON; templates are to be filled in first.",
        ) from error
    if not isinstance(data, Mapping):
        raise CampaignError(f"{source} is no mapping.", hint=f"Understood are {UNDERSTOOD}.")
    return data


def _yaml(text: str) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True
    return yaml.load(text)


def _cloud(root: Tree, source: str, kind: str) -> Configuration:
    found = tuple(_location(each) for each in root.at("locations").items())
    return Configuration(source=source, kind=kind, servers=found, unsaid=DAGSTER_PLUS)


def _location(location: Tree) -> ServerPromise:
    found = Found(location.at("location_name").text() or location.place)
    image = location.at("image")
    found.put("image", image.text(), image)
    servers.of_code_source(location, found)
    servers.of_context(location.at("container_context"), found)
    return found.promise()


def _context(root: Tree, source: str, kind: str) -> Configuration:
    found = Found("the code location")
    servers.of_context(root, found)
    return Configuration(source=source, kind=kind, servers=(found.promise(),))


def _task(root: Tree, source: str, kind: str) -> Configuration:
    task = root.first("taskDefinition") or root
    found = Found(task.at("family").text() or "the task")
    containers = list(task.at("containerDefinitions").items())
    code = next((each for each in containers if _serves(each)), None)
    code = code or (containers[0] if containers else task)
    # A container's own limits bind first; the task's are for all its containers together.
    for place in (code, task):
        cpu, memory = place.at("cpu"), place.at("memory")
        if cpu.value not in (0, "0"):
            found.put("vcpu", cpu.read(ecs_vcpu, ECS_CPU), cpu)
        found.put("memory_mib", memory.read(ecs_memory_mib, ECS_MEMORY), memory)
    image = code.at("image")
    found.put("image", image.text(), image)
    servers.of_command(code.at("command"), found)
    servers.of_entries(code.at("environment"), found)
    others = [each.at("name").text() or each.place for each in containers if each is not code]
    notes = (f"{', '.join(others)} share the task's limits with it",) if others else ()
    return Configuration(source=source, kind=kind, servers=(found.promise(),), notes=notes)


def _serves(container: Tree) -> bool:
    words = [str(word.value) for word in container.at("command").items()]
    return "grpc" in words or "code-server" in words


def _helm(root: Tree, source: str, kind: str) -> Configuration:
    user = root.first("dagster-user-deployments") or root
    found = tuple(_deployment(each) for each in user.at("deployments").items())
    queued = queues.of_chart(root, source)
    launcher = root.at("runLauncher", "type").text() or "K8sRunLauncher"
    notes = () if launcher == "CustomRunLauncher" else (_elsewhere(launcher),)
    return Configuration(
        source=source, kind=kind, servers=found, queue=queued.queue, unsaid=queued.unsaid,
        bare=queued.bare, notes=notes,
    )  # fmt: skip


def _deployment(deployment: Tree) -> ServerPromise:
    found = Found(deployment.at("name").text() or deployment.place)
    repository = deployment.at("image", "repository").text()
    if repository:
        tag = deployment.at("image", "tag").text() or "latest"
        found.put("image", f"{repository}:{tag}", deployment.at("image"))
    servers.of_command(deployment.first("dagsterApiGrpcArgs", "codeServerArgs"), found)
    servers.of_kubernetes(deployment.at("resources"), found)
    servers.of_env(deployment.at("env"), found)
    replicas = deployment.at("replicaCount")
    found.put("replicas", replicas.count(), replicas)
    return found.promise()


def _instance(root: Tree, source: str, kind: str) -> Configuration:
    queued = queues.of_instance(root, source)
    launcher = root.at("run_launcher", "class").text()
    notes = (_elsewhere(launcher),) if launcher and launcher not in OWN_PROCESS else ()
    return Configuration(
        source=source, kind=kind, queue=queued.queue, bare=queued.bare, notes=notes,
    )  # fmt: skip


def _elsewhere(launcher: str) -> str:
    return (
        f"{launcher} gives every run a container of its own: what is tested here is runs inside "
        "the code server"
    )


def _has(*keys: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda data: any(key in data for key in keys)


Reader = Callable[[Tree, str, str], Configuration]
KINDS: Mapping[str, tuple[Callable[[Mapping[str, Any]], bool], Reader]] = {
    "dagster_cloud.yaml": (_has("locations"), _cloud),
    "ECS task definition": (_has("containerDefinitions", "taskDefinition"), _task),
    "Helm values": (
        _has("dagster-user-deployments", "deployments", "dagsterDaemon", "dagsterWebserver"),
        _helm,
    ),
    "container context": (_has("ecs", "k8s", "docker"), _context),
    "dagster.yaml or deployment settings": (
        _has(
            "run_coordinator", "run_queue", "concurrency", "run_launcher", "storage",
            "non_isolated_runs", "telemetry", "sensors", "schedules",
        ),
        _instance,
    ),
}  # fmt: skip
"""In the order in which they are tried."""


def server_named(
    configurations: Sequence[Configuration], name: str
) -> tuple[ServerPromise, Configuration]:
    """The one code server that is meant, and the file it stands in.

    Args:
        configurations: all files.
        name: the location's; empty where there is but one.

    Raises:
        CampaignError: none, or several and no name.
    """
    known = [(server, each) for each in configurations for server in each.servers]
    meant = [pair for pair in known if not name or pair[0].name == name]
    if len(meant) == 1:
        return meant[0]
    names = ", ".join(server.name for server, _ in known) or "none"
    if not known:
        raise CampaignError(
            "None of these files describes a code server.",
            evidence=", ".join(f"{each.source} ({each.kind})" for each in configurations),
            hint="Name the file with its size too: dagster_cloud.yaml, container_context.yaml, a "
            "task definition or Helm values.",
        )
    raise CampaignError(
        f"There is no code location {name!r}." if name else "Several code locations are described.",
        evidence=f"There are: {names}",
        hint="Say which: --location NAME",
    )
