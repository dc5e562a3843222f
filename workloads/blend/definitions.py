"""The blend: several workloads in one code location, a job for each, sensors beside them.

Environment, read when the location loads, beside what each part reads:
    WORKLOAD_BLEND      the parts, by their packages' names: `io,cpu,mixed` (default)
    WORKLOAD_SENSORS    how many sensors of `workloads.sensor` tick beside them, 0 (default) to 200
"""

from __future__ import annotations

import importlib
import os
import pkgutil

from dagster import Definitions, JobDefinition

import workloads
from workloads.common import JOB_NAME, SettingError, load_job
from workloads.sensor.definitions import blockers

DEFAULT_BLEND = "io,cpu,mixed"
NO_PARTS = ("blend", "guides")
"""Packages that have no job `load` of their own to blend."""


def part_names() -> list[str]:
    """What the environment asks for, as packages are written, in its order.

    Raises:
        SettingError: a part that does not exist, or is named twice.
    """
    text = os.environ.get("WORKLOAD_BLEND", "").strip() or DEFAULT_BLEND
    names = [name.strip().replace("-", "_") for name in text.split(",")]
    known = sorted(
        module.name
        for module in pkgutil.iter_modules(workloads.__path__)
        if module.ispkg and module.name not in NO_PARTS
    )
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SettingError(
            f"WORKLOAD_BLEND names {', '.join(map(repr, unknown))}; there are {', '.join(known)}"
        )
    if len(set(names)) < len(names):
        raise SettingError(f"WORKLOAD_BLEND names a part twice: {text}")
    return names


def part_job(name: str) -> JobDefinition:
    """The job `load_<name>` that does what the package's own job does.

    Raises:
        SettingError: the environment asks the part for something impossible.
    """
    part = importlib.import_module(f"workloads.{name}.definitions")
    # Within a location the ops of different jobs must not share a name.
    return load_job(part.work, part.DEFAULTS, name=f"{JOB_NAME}_{name}", op_prefix=f"{name}_")


def blended() -> Definitions:
    """Jobs in the order of the parts; the sensors belong to the first.

    Raises:
        SettingError: the environment asks for something impossible.
    """
    jobs = [part_job(name) for name in part_names()]
    return Definitions(jobs=jobs, sensors=blockers(jobs[0].name, default_count=0))


defs = blended()
