"""What this machine is: recorded with every campaign, because results outlive memories."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from harness import __version__
from harness.rig.cgroup.locate import version_here
from harness.rig.target import engine

LIBRARIES = ("locust", "gevent", "grpcio", "psycopg", "psutil", "docker", "polars")


def engine_record(kind: str) -> dict[str, Any]:
    """Of a target in containers the part `engine` of the record: where the engine is, and its host.

    Args:
        kind: of target; others have none.
    """
    return {"engine": engine.probe().record()} if kind == "compose" else {}


def record_environment(command: list[str]) -> dict[str, Any]:
    """Host, kernel, libraries and the exact command; JSON-ready.

    `host` is this machine, which generates the load; the servers may run on another (`engine`).
    """
    memory = psutil.virtual_memory()
    return {
        "harness": {"version": __version__, "commit": _commit(), "command": command},
        "host": {
            "cpus": os.cpu_count(),
            "cpus_usable": len(os.sched_getaffinity(0)),
            "cpu_model": _cpu_model(),
            "memory_bytes": memory.total,
            "memory_available_bytes": memory.available,
            "swap_bytes": psutil.swap_memory().total,
            "kernel": platform.release(),
            "system": _os_name(),
            "machine": platform.machine(),
            "cgroup": version_here(),
            "load1": os.getloadavg()[0],
        },
        "python": sys.version.split()[0],
        "libraries": {name: _library(name) for name in LIBRARIES},
    }


def _library(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu_model() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or None
    return next((ln.split(":", 1)[1].strip() for ln in lines if ln.startswith("model name")), None)


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


def _commit() -> str | None:
    """The harness's own commit; where the checkout has changes, `+` and a digest of them. `None`
    outside of one.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        dirty = _git(root, "diff", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{head}+{hashlib.sha256(dirty.encode()).hexdigest()[:6]}" if dirty else head


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=10
    ).stdout.strip()
