from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import TargetFailed
from harness.rig.target.readiness import (
    NEVER,
    NOT_YET,
    READY,
    Readiness,
    exit_reason,
    log_tail,
    wait_ready,
)

pytestmark = pytest.mark.unit


class Time:
    """Simulated time: it passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s


def waiting(*answers: Readiness, timeout_s: float = 60, log: Path | None = None) -> float:
    """Wait on a check that gives these answers, the last one for ever."""

    def endless() -> Iterator[Readiness]:
        yield from answers
        while True:
            yield answers[-1]

    given, time = endless(), Time()
    return wait_ready(
        lambda: next(given), what="The server", timeout_s=timeout_s, log=log,
        clock=time.clock, sleep=time.sleep,
    )  # fmt: skip


def test_a_ready_server_is_not_waited_for() -> None:
    assert waiting(READY) == 0


def test_patience_lasts_until_it_serves() -> None:
    assert waiting(NOT_YET("a"), NOT_YET("b"), NOT_YET("c"), READY) == pytest.approx(0.3)


def test_never_fails_at_once_with_the_exit_the_last_words_and_the_way_out() -> None:
    never = NEVER(
        exit_reason("the container", 137, oom=True),
        evidence="MemoryError",
        hint="Raise the profile's memory (now 256 MiB).",
    )
    with pytest.raises(TargetFailed) as caught:
        waiting(*[NOT_YET("no answer")] * 140, never)
    error = caught.value
    assert error.what == (
        "The server did not become ready: the container exited with 137 (OOM-killed) after 14 s."
    )
    assert error.evidence == "MemoryError"
    assert error.hint == "Raise the profile's memory (now 256 MiB)."


def test_time_running_out_tells_the_last_reason_the_log_and_where_it_is(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("first\n\nlast words\n", encoding="utf-8")
    with pytest.raises(TargetFailed) as caught:
        waiting(NOT_YET("early"), NOT_YET("connection refused"), log=log)
    error = caught.value
    assert error.what == "The server did not become ready in 60 s."
    assert error.evidence == "Last look: connection refused\nfirst\nlast words"
    assert error.hint == f"Full log: {log}"


def test_a_last_look_is_taken_when_time_is_up() -> None:
    assert waiting(NOT_YET("a"), NOT_YET("b"), READY, timeout_s=0.2) == pytest.approx(0.2)


def test_never_without_evidence_shows_the_log(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("\x1b[32mModuleNotFoundError\x1b[0m: workloads\n", encoding="utf-8")
    with pytest.raises(TargetFailed) as caught:
        waiting(NEVER("it exited with 1"), log=log)
    assert caught.value.evidence == "ModuleNotFoundError: workloads"


@pytest.mark.parametrize(
    ("exit_code", "oom", "words"),
    [
        (1, False, "it exited with 1"),
        (137, True, "it exited with 137 (OOM-killed)"),
        (137, False, "it exited with 137 (by SIGKILL)"),
        (-11, False, "it exited with -11 (by SIGSEGV)"),
        (255, False, "it exited with 255"),
        (None, True, "it is gone (OOM-killed)"),
    ],
)
def test_an_exit_is_told_in_words(exit_code: int | None, oom: bool, words: str) -> None:
    assert exit_reason("it", exit_code, oom=oom) == words


def test_the_tail_of_a_long_log_is_its_last_lines_and_of_none_is_empty(tmp_path: Path) -> None:
    log = tmp_path / "long.log"
    log.write_text("".join(f"line {n}\n" for n in range(20_000)), encoding="utf-8")
    assert log_tail(log, lines=2) == "line 19998\nline 19999"
    assert log_tail(tmp_path / "missing.log") == ""
    assert log_tail(None) == ""
