"""One fault of one step: it strikes some time into the hold, and is taken back.

It is timed by the generator's own word for where the step is. Whatever ends the step, the fault is
taken back before anything else is done with the target.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

from harness.errors import HarnessError, TargetFailed
from harness.facts.fault_events import MENDED, MISSED, STRUCK
from harness.facts.model import Event
from harness.rig.breaking import Breakable, Broken, FaultOrder, StaysBroken
from harness.rig.orders import Progress

HOLD = "hold"
PATIENCE_S = 120.0


class Injection:
    """`with Injection(...) as injection`: feed it the step's progress, then take its `events`.

    Args:
        order: what to break, and when.
        target: whose.
        say: tells the person watching; called where progress is fed, and at the end.
        clock: epoch seconds.
    """

    def __init__(
        self,
        order: FaultOrder,
        target: Breakable,
        *,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._order = order
        self._target = target
        self._say = say
        self._clock = clock
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._words: SimpleQueue[str] = SimpleQueue()
        self._problem: Exception | None = None
        self.events: list[Event] = []

    def __enter__(self) -> Injection:
        return self

    def seen(self, progress: Progress) -> None:
        """Where the step is; the hold's first news starts the fault's clock."""
        if self._thread is None and progress.phase == HOLD:
            self._thread = threading.Thread(target=self._strike, name="fault", daemon=True)
            self._thread.start()
        self._tell()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the fault back, if it is not yet.

        Raises:
            TargetFailed: what was broken stays broken, and nothing worse went on.
            Exception: whatever else went wrong beside the step, and nothing worse went on.
        """
        self._over.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)
            if self._thread.is_alive():
                self._stays(f"Nothing was heard of it for {PATIENCE_S:g} s.")
        if not self.events and self._problem is None:
            self._note(MISSED, {"why": "the step ended before it could strike"})
        self._tell()
        if self._problem is not None and error is None:
            raise self._problem

    def _strike(self) -> None:
        if self._over.wait(self._order.after_s):
            return
        try:
            self._break_and_mend()
        except Exception as error:  # of a thread nobody would hear of it
            self._problem = error

    def _break_and_mend(self) -> None:
        try:
            broken = self._target.break_(self._order.kind)
        except StaysBroken as error:
            self._stays(_said(error))
            return
        except HarnessError as error:
            self._note(MISSED, {"why": _said(error)})
            return
        try:
            self._note(STRUCK, broken.detail, at_s=broken.at_s)
            self._over.wait(self._order.lasts_s)
        finally:
            self._mend(broken)

    def _mend(self, broken: Broken) -> None:
        try:
            broken.mend()
        except HarnessError as error:
            self._stays(_said(error))
        else:
            self._note(MENDED, {})

    def _stays(self, evidence: str) -> None:
        self._problem = TargetFailed(
            f"The fault {self._order.kind} could not be taken back.",
            evidence=evidence,
            hint="The target is taken down; what was measured stays.",
        )

    def _note(self, what: str, detail: Mapping[str, Any], *, at_s: float | None = None) -> None:
        kind = self._order.kind
        at_s = self._clock() if at_s is None else at_s
        self.events.append(Event(at_s=at_s, kind=what, source=kind, detail=dict(detail)))
        shown = ", ".join(f"{key} {value}" for key, value in detail.items())
        if what == MENDED and not self._order.lasts_s:
            return
        said = {STRUCK: f"Fault: {kind}", MENDED: f"Taken back: {kind}"}.get(
            what, f"Not struck: {kind}"
        )
        self._words.put(f"{said} ({shown})" if shown else said)

    def _tell(self) -> None:
        while True:
            try:
                self._say(self._words.get_nowait())
            except Empty:
                return


def _said(error: HarnessError) -> str:
    return f"{error.what} {error.evidence}".strip()
