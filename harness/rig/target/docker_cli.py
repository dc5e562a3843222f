"""Running the `docker` command: argument lists only, captured, with errors people can act on."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import EnvironmentProblem, TargetFailed
from harness.masking import masked
from harness.rig.engine_place import reach


def docker(
    arguments: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_s: float = 120,
    log: Path | None = None,
) -> str:
    """Run `docker …`; return its standard output.

    Args:
        arguments: everything after `docker`.
        env: variables to add to ours.
        cwd: working folder.
        timeout_s: after this many seconds the command is killed.
        log: also append what it said to this file.

    Raises:
        EnvironmentProblem: no `docker` command on this machine, or no way to the engine's host.
        TargetFailed: it exited non-zero or took too long; the evidence is its last lines.
    """
    command = ["docker", *arguments]
    environment = {**reach.here().environment(), **(env or {})}
    try:
        # A session of its own: Ctrl-C reaches the harness alone, which then stops in order.
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, cwd=cwd,
            env=environment, stdin=subprocess.DEVNULL, start_new_session=True, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise EnvironmentProblem(
            "There is no `docker` command on this machine.",
            hint="Install Docker Engine, or use --target process.",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise TargetFailed(
            f"`{_short(command)}` did not finish in {timeout_s:.0f} s.",
            hint="See whether the engine is busy: docker info",
        ) from error
    if log is not None:
        with log.open("a", encoding="utf-8") as stream:
            stream.write(masked(f"$ {_short(command)}\n{done.stdout}{done.stderr}"))
    if done.returncode != 0:
        raise TargetFailed(
            f"`{_short(command)}` failed with exit code {done.returncode}.",
            evidence=masked(last_lines(done.stderr or done.stdout, 12)),
            hint=f"Full log: {log}" if log is not None else "",
        )
    return done.stdout


def last_lines(text: str, count: int) -> str:
    """The last `count` non-empty lines."""
    return "\n".join([line for line in text.splitlines() if line.strip()][-count:])


def _short(command: Sequence[str]) -> str:
    shown = " ".join(command)
    return shown if len(shown) <= 160 else shown[:157] + "…"
