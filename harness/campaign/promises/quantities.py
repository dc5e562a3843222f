"""Amounts of CPU and memory, as ECS and Kubernetes write them.

ECS: CPU in units of 1/1024 vCPU or as `1 vCPU`, memory in MiB or as `2 GB`, where AWS means GiB.
Kubernetes: `500m`, `1.5`; `2Gi`, `512Mi`, `1G` (decimal), bytes. Docker: `1g`, `512m` (binary).
"""

from __future__ import annotations

import re

from harness.units import MIB

UNITS_A_VCPU = 1024

FEWEST_CPUS_SEEN = 2
"""A Fargate container sees two CPUs at least, whatever it may use of them."""

_NUMBER = r"\s*(\d*\.?\d+)\s*"
_BYTES = {
    "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
_DOCKER_BYTES = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def pool_size(cpus: int) -> int:
    """Threads of a `ThreadPoolExecutor` that is not told how many, where it sees so many CPUs."""
    return min(32, cpus + 4)


def ecs_vcpu(text: str) -> float:
    """vCPU of `1024`, `1 vCPU` or `.5 vcpu`.

    Raises:
        ValueError: none of these.
    """
    if found := re.fullmatch(_NUMBER + r"vcpu\s*", text, re.IGNORECASE):
        return float(found[1])
    return float(text) / UNITS_A_VCPU


def ecs_memory_mib(text: str) -> int:
    """MiB of `2048`, `2GB` or `2 GB`.

    Raises:
        ValueError: none of these.
    """
    if found := re.fullmatch(_NUMBER + r"gb\s*", text, re.IGNORECASE):
        return round(float(found[1]) * 1024)
    return int(text)


def kubernetes_vcpu(text: str) -> float:
    """vCPU of `500m`, `1.5` or `2`.

    Raises:
        ValueError: none of these.
    """
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def kubernetes_memory_mib(text: str) -> int:
    """MiB, rounded down, of `2Gi`, `512Mi`, `1G` or bytes.

    Raises:
        ValueError: none of these.
    """
    found = re.fullmatch(_NUMBER + r"([kKMGT]i?)?\s*", text)
    if found is None or (found[2] or "") not in _BYTES:
        raise ValueError(text)
    return int(float(found[1]) * _BYTES[found[2] or ""] // MIB)


def docker_memory_mib(text: str) -> int:
    """MiB, rounded down, of `1g`, `512m` or bytes.

    Raises:
        ValueError: none of these.
    """
    found = re.fullmatch(_NUMBER + r"([bkmg])?b?\s*", text, re.IGNORECASE)
    if found is None:
        raise ValueError(text)
    return int(float(found[1]) * _DOCKER_BYTES[(found[2] or "b").lower()] // MIB)
