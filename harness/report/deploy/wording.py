"""What several files say alike: sizes in each system's units, variables, warnings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from harness.analysis.sizing.types import Shipping
from harness.facts.dagster_versions import STEPS_VARIABLE, workers_variable
from harness.units import MIB, show_bytes, show_cores

CODE_PACKAGE = "your_package"
"""Stands where only the reader knows the Python package with the definitions."""

PUT_YOURS = "put yours here"

ISOLATION_TAG = ("dagster/isolation", "disabled")
"""A Dagster+ run with this tag runs inside the code server."""

WORKERS_WHY = "for launches, sensors, health checks; a started run needs none"
STEPS_WHY = "steps of one run; unset, the machine's CPU count"

NOT_DRAINED = (
    "A redeploy ends the old servers without waiting for their runs: deploy when few are running."
)


class Variable(NamedTuple):
    """An environment variable, and why it is set."""

    name: str
    value: str
    why: str


def variables(shipping: Shipping) -> tuple[Variable, ...]:
    """The environment of the code server, workers first; empty where neither is to be set."""
    found = []
    if shipping.max_workers is not None:
        name = workers_variable(shipping.dagster)
        found.append(Variable(name, str(shipping.max_workers), WORKERS_WHY))
    return (*found, *step_variables(shipping))


def step_variables(shipping: Shipping) -> tuple[Variable, ...]:
    """The environment of a code server that is told its workers on the command line."""
    if shipping.steps_at_once is None:
        return ()
    return (Variable(STEPS_VARIABLE, str(shipping.steps_at_once), STEPS_WHY),)


def heading(shipping: Shipping, because: Sequence[str]) -> tuple[str, ...]:
    """What was sized, and what that rests on, a line each."""
    each = f"{show_cores(shipping.vcpu)} / {show_memory(shipping)}"
    servers = each if shipping.replicas == 1 else f"{shipping.replicas} replicas of {each}"
    return (
        f"Sized for Dagster {shipping.dagster}: {servers}, "
        f"at most {shipping.max_concurrent_runs} runs at a time in all.",
        *because,
    )


def show_memory(shipping: Shipping) -> str:
    """`2 GiB`."""
    return show_bytes(shipping.memory_mib * MIB)


def ecs_cpu(shipping: Shipping) -> str:
    """CPU in ECS units: 1024 are one vCPU."""
    return str(round(shipping.vcpu * 1024))


def kubernetes_cpu(shipping: Shipping) -> str:
    """`1`, `250m`: thousandths where it is no whole number."""
    thousandths = round(shipping.vcpu * 1000)
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def kubernetes_memory(shipping: Shipping) -> str:
    """`2048Mi`."""
    return f"{shipping.memory_mib}Mi"


def dns_label(name: str) -> str:
    """The name as Kubernetes takes it for a service: small letters, digits, hyphens, 63 at most."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not label or not label[0].isalpha():
        label = f"code-{label}".rstrip("-")
    return label[:63].rstrip("-")


def workers_notes(shipping: Shipping) -> tuple[str, ...]:
    """What happens where no workers are set."""
    if shipping.max_workers is not None:
        return ()
    return (
        "No number of workers was found better than another: left alone, Dagster takes "
        "min(32, CPUs it sees + 4).",
    )


def replica_notes(shipping: Shipping) -> tuple[str, ...]:
    """What more than one replica behind one name costs; empty for one."""
    k = shipping.replicas
    if k == 1:
        return ()
    return (
        f"Requests are split between the {k} replicas at random, whatever each already holds: one "
        "can get more than its share, and no setting limits a single one.",
        f"A request to cancel a run reaches an arbitrary replica: expect about 1 in {k} to find "
        "it.",
    )


def fargate_notes(shipping: Shipping) -> tuple[str, ...]:
    """That Fargate would refuse this size, where it would."""
    if shipping.fargate:
        return ()
    return (
        f"Fargate does not offer {show_cores(shipping.vcpu)} with {show_memory(shipping)}: this "
        "size needs ECS on EC2.",
    )
