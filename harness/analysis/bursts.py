"""What became of runs that were launched all at once."""

from __future__ import annotations

from harness.analysis.findings.types import StepFinding


def burst_passed(step: StepFinding) -> bool | None:
    """Whether every objective held and every run ended; `None` where that cannot be said."""
    if step.verdict == "fail":
        return False
    # Fewer than were sent: somebody's patience ended, or a run was never seen to end.
    if step.verdict != "pass" or step.completed + step.lost != step.concurrency:
        return None
    return True
