"""Jobs of several steps, for how a run and its steps share the work.

    gate_docker                  {"seconds": 600.0, "gate": "/scratch/release"}
                                 five independent steps that wait until the file `gate` exists, at
                                 most so many seconds
    one_docker, one_in_process   {} one step that does nothing
    branches_in_process, branches_multi, branches_docker
                                 {"fault": "raise", "seconds": 5.0}
                                 a step that fails, and independent of it one that waits and is
                                 followed by another; `fault` `exit` ends the process instead

`…_docker` have a container per step, and are there only where `dagster-docker` is.

Environment, for imports that are not free:
    STEPS_IMPORT_MIB   MiB that importing this module leaves resident; default 0
    STEPS_IMPORT_S     CPU seconds importing it takes; default 0
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster import (
    ConfigMapping,
    Definitions,
    DependencyDefinition,
    ExecutorDefinition,
    Field,
    GraphDefinition,
    In,
    JobDefinition,
    Nothing,
    OpDefinition,
    Out,
    in_process_executor,
    multiprocess_executor,
    op,
)

from workloads.common import ballast, burn, setting

INDEPENDENT = 5
STEP_LIMITS = {"mem_limit": "1g", "memswap_limit": "1g", "nano_cpus": 1_000_000_000}
"""Of a step's container: not those of its run's."""

LOOK_S = 0.2
EXIT_CODE = 13

HELD = ballast(int(setting("STEPS_IMPORT_MIB", 0)))
burn(setting("STEPS_IMPORT_S", 0.0))

_GATE = {
    "seconds": Field(float, default_value=600.0),
    "gate": Field(str, default_value="/scratch/release"),
}
_BRANCHES = {"seconds": Field(float, default_value=5.0), "fault": Field(str, default_value="raise")}


class StepFault(RuntimeError):
    """Raised on purpose."""


def wait_for_gate(config: Mapping[str, Any]) -> None:
    """Wait until there is the file `gate`, at most `seconds`."""
    end_s = time.monotonic() + config["seconds"]
    while time.monotonic() < end_s and not Path(config["gate"]).exists():
        time.sleep(LOOK_S)


def fail(config: Mapping[str, Any]) -> None:
    """Raise, or end this process at once.

    Raises:
        StepFault: always, where the process is left.
    """
    if config["fault"] == "exit":
        os._exit(EXIT_CODE)
    raise StepFault("a step that fails on purpose")


def wait(config: Mapping[str, Any]) -> None:
    """Wait `seconds`."""
    time.sleep(config["seconds"])


def nothing(_: Mapping[str, Any]) -> None:
    """Do nothing."""


def jobs() -> list[JobDefinition]:
    """All of them."""
    executors = _executors()
    made = [_branches(suffix, executor) for suffix, executor in executors.items()]
    made.append(_one("in_process", in_process_executor))
    if "docker" in executors:
        made += [_one("docker", executors["docker"]), _gate("docker", executors["docker"])]
    return made


def _executors() -> dict[str, ExecutorDefinition]:
    executors = {"in_process": in_process_executor, "multi": multiprocess_executor}
    if importlib.util.find_spec("dagster_docker"):
        docker = importlib.import_module("dagster_docker").docker_executor
        executors["docker"] = docker.configured({"container_kwargs": STEP_LIMITS}, name="docker")
    return executors


def _one(suffix: str, executor: ExecutorDefinition) -> JobDefinition:
    graph = GraphDefinition(f"one_{suffix}", node_defs=[_op(f"one_{suffix}_step", nothing, {})])
    return graph.to_job(executor_def=executor)


def _gate(suffix: str, executor: ExecutorDefinition) -> JobDefinition:
    name = f"gate_{suffix}"
    ops = [_op(f"{name}_{number}", wait_for_gate, _GATE) for number in range(1, INDEPENDENT + 1)]
    graph = GraphDefinition(name, node_defs=ops)
    return graph.to_job(executor_def=executor, config=_flat([each.name for each in ops], _GATE))


def _branches(suffix: str, executor: ExecutorDefinition) -> JobDefinition:
    """Steps are named so that the one that fails comes first where they come one by one."""
    name = f"branches_{suffix}"
    fails = _op(f"{name}_a_fails", fail, _BRANCHES)
    works = _op(f"{name}_b_works", wait, _BRANCHES)
    follows = _op(f"{name}_c_follows", nothing, _BRANCHES, after=True)
    graph = GraphDefinition(
        name,
        node_defs=[fails, works, follows],
        dependencies={follows.name: {"after": DependencyDefinition(works.name)}},
    )
    names = [each.name for each in (fails, works, follows)]
    return graph.to_job(executor_def=executor, config=_flat(names, _BRANCHES))


def _flat(ops: list[str], schema: Mapping[str, Field]) -> ConfigMapping:
    def to_ops(params: Mapping[str, Any]) -> dict[str, Any]:
        return {"ops": {name: {"config": dict(params)} for name in ops}}

    return ConfigMapping(config_fn=to_ops, config_schema=dict(schema))


def _op(name: str, work: Any, schema: Mapping[str, Field], *, after: bool = False) -> OpDefinition:
    ins = {"after": In(Nothing)} if after else {}

    # Dagster refuses an annotation of `context` that `from __future__` has turned into a string.
    @op(name=name, config_schema=dict(schema) or None, ins=ins, out=Out(Nothing))
    def perform(context):  # type: ignore[no-untyped-def]
        work(context.op_config or {})

    return perform


defs = Definitions(jobs=jobs())
