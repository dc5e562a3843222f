"""A night: measured unattended, red only for a real regression, told however it ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from harness.errors import EnvironmentProblem, HarnessError, Interrupted, TargetFailed
from harness.report.nightly.summary import Summary
from harness.rig.protocols import Listener
from harness.scenarios.nightly import joints
from harness.scenarios.nightly.book import Book, Order, told
from harness.scenarios.nightly.judging import Judged, judge
from harness.scenarios.nightly.mark import write_mark
from harness.scenarios.nightly.measuring import measure, measure_again
from harness.scenarios.nightly.preparing import prepare
from harness.scenarios.nightly.telling import finish, tell


def night(order: Order, *, listener: Listener) -> tuple[Summary, bool]:
    """Measure, judge and tell one night.

    Args:
        order: what to measure, and how it is told.
        listener: who is told how it goes.

    Returns:
        The summary, and whether it could be written.

    Raises:
        EnvironmentProblem: another night is at work on this machine; nothing was touched.
    """
    started_s = joints.now_s()
    with _alone(order, started_s), _terminable():
        book = Book(order=order, listener=listener, started_s=started_s, plan=order.campaign)
        judged = Judged()
        try:
            _measure(book)
            judged = _judge(book)
        except KeyboardInterrupt:
            book.trouble = Interrupted("The night was interrupted while it was judged.")
        summary, written = tell(book, judged)
        _close(book, written)
        return summary, written


@contextmanager
def _alone(order: Order, started_s: float) -> Iterator[None]:
    """Hold the lock of nights, and say who holds it where somebody else does."""
    when = datetime.fromtimestamp(started_s, UTC)
    holder = f"night {order.campaign.name}, since {when:%Y-%m-%d %H:%M} UTC"
    with ExitStack() as stack:
        try:
            stack.enter_context(joints.lock(holder))
        except EnvironmentProblem as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
            raise EnvironmentProblem(
                "Another night is at work on this machine.",
                evidence=error.evidence,
                hint=error.hint,
            ) from error
        yield


def _measure(book: Book) -> None:
    """Up to the facts; what breaks it off is the night's trouble, and not its end."""
    try:
        begun = prepare(book)
        measure(book, begun)
        if book.folder is not None:
            with book.attempt("Invalid cells could not be found"):
                measure_again(book, book.folder)
    except HarnessError as error:
        book.trouble = error
    except KeyboardInterrupt:
        book.trouble = Interrupted("The night was interrupted.")
    except Exception as error:
        book.trouble = TargetFailed(
            "The harness itself failed while measuring.",
            evidence=told(error),
            hint="Please report it, with the results folder.",
        )
    if book.trouble is not None:
        book.listener.say(told(book.trouble))


def _judge(book: Book) -> Judged:
    """Judge what there is; one that was interrupted is held against nothing: it may go on."""
    judged = Judged()
    if book.folder is not None:
        judged = judge(book, book.folder, alone=isinstance(book.trouble, Interrupted))
    finish(book, judged)
    return judged


def _close(book: Book, written: bool) -> None:
    """The next night need not look after this one; what was interrupted, or what only the moment
    forbade, it may complete.
    """
    passing = isinstance(book.trouble, Interrupted | EnvironmentProblem)
    if book.mark is None or not written or passing:
        return
    with book.attempt("The mark of this night could not be closed"):
        write_mark(book.order.root, replace(book.mark, ended=True))


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends a night the way Ctrl-C does; SIGINT too is set, a shell may have it ignored."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.signal(each, interrupt) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
