"""SIGKILL to one run process of the code server in these PIDs; waits 10 s for one that runs."""

# It runs on whatever Python an image has, from 3.8 on.
# ruff: noqa: B905, RUF007

import json
import os
import signal
import sys
import time
from pathlib import Path

PATIENCE_S = 10.0

RIPE_S = 2.0
"""A younger process is likely to be launching still: its death is a launch refused, not a run
killed."""


def processes():
    """(pid, parent, start in clock ticks, command line) of every process that can be seen."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            after = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            words = (entry / "cmdline").read_text().split("\0")
        except OSError:  # it ended between two reads
            continue
        yield int(entry.name), int(after[1]), int(after[19]), words


def ticks_ago(seconds):
    """That moment, as the kernel writes the start of a process."""
    return (time.clock_gettime(time.CLOCK_BOOTTIME) - seconds) * os.sysconf("SC_CLK_TCK")


def middle_run(by):
    """The run of middle age, where it started by then; else None.

    The oldest may have ended already but for its last breath: of two it is the younger that is
    waited for.
    """
    seen = list(processes())
    servers = {
        pid for pid, _, _, words in seen
        if ("api", "grpc") in zip(words, words[1:]) and "--multiprocessing-fork" not in words
    }  # fmt: skip
    runs = sorted(
        (start, pid) for pid, parent, start, words in seen
        if parent in servers and "--multiprocessing-fork" in words
    )  # fmt: skip
    start, pid = runs[len(runs) // 2] if runs else (by, None)
    return pid if start <= by else None


def main():
    """Find one, kill it, say which; where none runs for long enough, a young one."""
    deadline = time.monotonic() + PATIENCE_S
    while (pid := middle_run(by=ticks_ago(RIPE_S))) is None and time.monotonic() < deadline:
        time.sleep(0.2)
    pid = pid or middle_run(by=ticks_ago(0))
    if pid is None:
        sys.exit("no run process is there to be killed")
    at_s = time.time()
    os.kill(pid, signal.SIGKILL)
    print(json.dumps({"pid_inside": pid, "at_s": at_s}), flush=True)


if __name__ == "__main__":
    main()
