"""SIGKILL to one run process of the code server in these PIDs; waits 10 s for one."""

# It runs on whatever Python an image has, from 3.8 on.
# ruff: noqa: B905, RUF007

import json
import os
import signal
import sys
import time
from pathlib import Path

PATIENCE_S = 10.0


def processes():
    """(pid, parent, start in clock ticks, command line) of every process that can be seen."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            after = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            words = (entry / "cmdline").read_text().split("\0")
        except OSError:  # it ended between two reads
            continue
        yield int(entry.name), int(after[1]), int(after[19]), words


def middle_run():
    """The run of middle age; None where there is none.

    The oldest may have ended already but for its last breath, the youngest only imports.
    """
    seen = list(processes())
    servers = {
        pid for pid, _, _, words in seen
        if ("api", "grpc") in zip(words, words[1:]) and "--multiprocessing-fork" not in words
    }  # fmt: skip
    runs = [
        (start, pid) for pid, parent, start, words in seen
        if parent in servers and "--multiprocessing-fork" in words
    ]  # fmt: skip
    return sorted(runs)[len(runs) // 2][1] if runs else None


def main():
    """Find one, kill it, say which."""
    deadline = time.monotonic() + PATIENCE_S
    while (pid := middle_run()) is None:
        if time.monotonic() > deadline:
            sys.exit("no run process is there to be killed")
        time.sleep(0.2)
    at_s = time.time()
    os.kill(pid, signal.SIGKILL)
    print(json.dumps({"pid_inside": pid, "at_s": at_s}), flush=True)


if __name__ == "__main__":
    main()
