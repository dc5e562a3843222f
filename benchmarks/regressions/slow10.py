"""Goes into a wheel as `dagster._regression`: launching a run costs a tenth more CPU."""

import time

SHARE = 0.10


def regress() -> None:
    """Burn a tenth of the CPU this process has used so far, which was all for being launched."""
    until = time.process_time() * (1 + SHARE)
    while time.process_time() < until:
        pass
