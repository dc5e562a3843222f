"""What ended because we stopped waiting, and what the generator could not reach."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.validity.case import StepCase, StepCheck, saturation
from harness.analysis.validity.issue import Issue, Severity

UNFINISHED_SHARE = 0.05
"""Of the judged runs. A p95 still stands on runs that ended when fewer are cut off."""

NOT_LAUNCHED_SHARE = 0.01
"""Of the step's launches: beyond it they break the default objective `failed_runs`."""


def _drain_too_short(case: StepCase) -> Iterator[Issue]:
    counts = case.summary.counts
    known = counts.completed + counts.lost + counts.unfinished
    if not counts.unfinished or case.step.outcome == "aborted":
        return
    why = saturation(case.summary)
    fatal = counts.unfinished > UNFINISHED_SHARE * known and not why
    reason = f": {why}" if why else ": our patience, not a failure of the server that was seen"
    yield case.issue(
        "drain_too_short",
        "fatal" if fatal else "warning",
        f"{counts.unfinished} of {known} runs were still going when the drain was over{reason}",
        remedy="Make `step.drain_s` longer than the longest run under load.",
    )


def _launch_timeouts(case: StepCase) -> Iterator[Issue]:
    """Nobody knows what became of a launch we gave up: its run may be going, uncounted."""
    late = _rejected(case, "timeout")
    if not late:
        return
    why = saturation(case.summary)
    others = sum(run.status == "REJECTED" for run in case.runs) - late
    reason = f": {why}" if why else ""
    yield case.issue(
        "launch_timeouts",
        "warning" if why else _severity(late, case),
        f"{late} of {len(case.runs)} launches were given up by the generator, unanswered; "
        f"{others} were rejected with an answer{reason}",
        remedy="See the logs of webserver and code server; their runs may load it uncounted.",
    )


def _webserver_unreachable(case: StepCase) -> Iterator[Issue]:
    """`unreachable` is the webserver's address; the server's own is `server_unreachable`."""
    count = _rejected(case, "unreachable")
    if count:
        yield case.issue(
            "webserver_unreachable",
            _severity(count, case),
            f"{count} of {len(case.runs)} launches could not reach the webserver",
            remedy="See logs/webserver.log: it is not the server under test.",
        )


def _rejected(case: StepCase, error_class: str) -> int:
    return sum(run.status == "REJECTED" and run.error_class == error_class for run in case.runs)


def _severity(count: int, case: StepCase) -> Severity:
    return "fatal" if count > NOT_LAUNCHED_SHARE * len(case.runs) else "warning"


STEP_CHECKS: tuple[StepCheck, ...] = (_drain_too_short, _launch_timeouts, _webserver_unreachable)
