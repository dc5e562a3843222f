"""uv and pip, as this machine has them configured: the only callers of either."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from uv import find_uv_bin

from harness.errors import EnvironmentProblem


def uv_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for `uv`: ours, plus the index and CA that only pip was told about.

    `uv` does not read pip's settings. The order: uv's own variables, `PIP_INDEX_URL`, pip's
    configuration file, and else uv's default.
    """
    merged = dict(environment)
    if not any(environment.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")):
        index = environment.get("PIP_INDEX_URL") or _pip_setting("global.index-url", environment)
        if index:
            merged["UV_DEFAULT_INDEX"] = index
    bundle = environment.get("PIP_CERT")
    if bundle and not environment.get("SSL_CERT_FILE"):
        merged["SSL_CERT_FILE"] = bundle
    return merged


def run_uv(arguments: Sequence[str], *, what: str, stdin: str = "", timeout_s: float) -> str:
    """Run uv; return its standard output.

    Raises:
        EnvironmentProblem: it failed or took too long; the evidence is what it said last.
    """
    return _run("uv", [_uv(what), *arguments], what=what, stdin=stdin, timeout_s=timeout_s)


def run_pip(arguments: Sequence[str], *, what: str, timeout_s: float) -> str:
    """Run pip with its own settings; return its standard output.

    Where this Python has no pip (an environment made by uv), uv lends one.

    Raises:
        EnvironmentProblem: as `run_uv`.
    """
    has_pip = importlib.util.find_spec("pip") is not None
    borrowed = [] if has_pip else [_uv(what), "tool", "run", "--quiet", "pip"]
    command = borrowed or [sys.executable, "-m", "pip"]
    return _run("pip", [*command, *arguments], what=what, stdin="", timeout_s=timeout_s)


def _uv(what: str) -> str:
    try:
        return find_uv_bin()
    except FileNotFoundError as error:
        raise EnvironmentProblem(
            f"{what}: uv is missing.", evidence=str(error), hint="Reinstall the harness."
        ) from error


def _run(tool: str, command: Sequence[str], *, what: str, stdin: str, timeout_s: float) -> str:
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True,
            timeout=timeout_s, check=False, env=uv_environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EnvironmentProblem(
            f"{what}: {tool} did not finish in {timeout_s:.0f} s.",
            hint="Check that this machine reaches its package index.",
        ) from error
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise EnvironmentProblem(
            f"{what}: {tool} failed with exit code {done.returncode}.",
            evidence="\n".join(said[-12:]),
        )
    return done.stdout


def _pip_setting(key: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", key],
        capture_output=True, text=True, check=False, timeout=30, env=dict(environment),
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else ""
