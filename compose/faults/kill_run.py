"""SIGKILL to the oldest run process of the server in this PID namespace; waits 10 s for one."""

# It runs on whatever Python an image has, from 3.8 on, and imports little.
# ruff: noqa: PTH123, PTH208, B905, RUF007

import json
import os
import signal
import sys
import time

PATIENCE_S = 10.0


def processes():
    """(pid, parent, start in clock ticks, command line) of every process that can be seen."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as stat, open(f"/proc/{name}/cmdline") as line:
                after = stat.read().rsplit(")", 1)[1].split()
                words = line.read().split("\0")
        except OSError:  # it ended between two reads
            continue
        yield int(name), int(after[1]), int(after[19]), words


def oldest_run():
    """The run that has lived longest; None where there is none."""
    seen = list(processes())
    servers = {
        pid for pid, _, _, words in seen
        if ("api", "grpc") in zip(words, words[1:]) and "--multiprocessing-fork" not in words
    }  # fmt: skip
    runs = [
        (start, pid) for pid, parent, start, words in seen
        if parent in servers and "--multiprocessing-fork" in words
    ]  # fmt: skip
    return min(runs)[1] if runs else None


def main():
    """Find one, kill it, say which."""
    deadline = time.monotonic() + PATIENCE_S
    while (pid := oldest_run()) is None:
        if time.monotonic() > deadline:
            sys.exit("no run process is there to be killed")
        time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    print(json.dumps({"pid_inside": pid}), flush=True)


if __name__ == "__main__":
    main()
