"""Waiting for a server: "not yet" is patience, "never" is an error at once.

A server that has exited, or was killed for memory, will not answer in the remaining fifty
seconds; saying so early, with its last words, is the difference between a message and a riddle.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from harness.errors import TargetFailed
from harness.units import show_seconds

POLL_S = 0.1
TAIL_LINES = 12
TAIL_BYTES = 32 * 1024
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Ready:
    """It serves."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """It may still come; `reason` is shown when time runs out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Never:
    """It will not come. `reason` completes "did not become ready: the server …"."""

    reason: str
    evidence: str = ""
    hint: str = ""


Readiness: TypeAlias = Ready | NotYet | Never
READY = Ready()
NOT_YET = NotYet
NEVER = Never


def wait_ready(
    check: Callable[[], Readiness],
    *,
    what: str,
    timeout_s: float,
    log: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> float:
    """Ask `check` ten times a second until it says `Ready`; the seconds that took.

    Args:
        check: one look, itself quick; it should not raise.
        what: whom we wait for, as the start of a sentence: `The code server`.
        timeout_s: patience.
        log: its log file; the last lines become evidence where `check` gives none.
        clock: seconds, monotonic.
        sleep: waits that many seconds.

    Raises:
        TargetFailed: `check` said `Never`, or time ran out.
    """
    began = clock()
    while True:
        answer = check()
        waited_s = clock() - began
        if isinstance(answer, Ready):
            return waited_s
        if isinstance(answer, Never):
            raise TargetFailed(
                f"{what} did not become ready: {answer.reason} after {show_seconds(waited_s)}.",
                evidence=answer.evidence or log_tail(log),
                hint=_hint(answer.hint, log),
            )
        if waited_s >= timeout_s:
            tail = log_tail(log)
            raise TargetFailed(
                f"{what} did not become ready in {show_seconds(timeout_s)}.",
                evidence=f"Last look: {answer.reason}" + (f"\n{tail}" if tail else ""),
                hint=_hint("", log),
            )
        sleep(min(POLL_S, max(0.0, timeout_s - waited_s)))


def exit_reason(whom: str, exit_code: int | None, *, oom: bool = False) -> str:
    """An exit in words: `the container exited with 137 (OOM-killed)`.

    Args:
        whom: the subject, e.g. `the server`.
        exit_code: as the engine (128 + signal) or Python (−signal) gives it; `None`: unknown.
        oom: whether anybody said out of memory.
    """
    if exit_code is None:
        return f"{whom} is gone" + (" (OOM-killed)" if oom else "")
    number = -exit_code if exit_code < 0 else exit_code - 128
    remark = "OOM-killed" if oom else _signal_name(number)
    return f"{whom} exited with {exit_code}" + (f" ({remark})" if remark else "")


def log_tail(log: Path | None, *, lines: int = TAIL_LINES) -> str:
    """The last non-empty lines of a log, without colours; empty when there is none."""
    if log is None:
        return ""
    try:
        with log.open("rb") as stream:
            size_bytes = stream.seek(0, 2)
            stream.seek(max(0, size_bytes - TAIL_BYTES))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    plain = _COLOUR.sub("", text)
    return "\n".join([line for line in plain.splitlines() if line.strip()][-lines:])


def _signal_name(number: int) -> str:
    try:
        return f"by {signal.Signals(number).name}"
    except ValueError:
        return ""


def _hint(hint: str, log: Path | None) -> str:
    full = f"Full log: {log}" if log is not None else ""
    return " ".join(part for part in (hint, full) if part)
