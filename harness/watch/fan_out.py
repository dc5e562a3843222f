"""Several watchers of one campaign, of which none can end it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from harness.facts.model import Run, Step
from harness.rig.orders import Progress
from harness.rig.protocols import Expectation, Listener, Opinion, StepOrder, Vitals


class Watcher(Listener, Protocol):
    """A listener with a beginning and an end."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...  # fmt: skip


class FanOut:
    """Passes every call to every watcher, in their order.

    One that raises is ended, hears nothing more and is complained of in a sentence. Only entering
    may fail: that is before anything is measured.

    Args:
        watchers: entered and left with this.
        complain: prints the sentence; it needs no watcher for that.
    """

    def __init__(self, watchers: Sequence[Watcher], *, complain: Callable[[str], None]) -> None:
        self._watchers = list(watchers)
        self._complain = complain

    def __enter__(self) -> Self:
        """Enter all of them, or none.

        Raises:
            HarnessError: one cannot do its part, as on a port in use.
        """
        with contextlib.ExitStack() as entered:
            for watcher in self._watchers:
                entered.enter_context(watcher)
            entered.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Leave those that are left, the last first, whatever they raise."""
        while self._watchers:
            with contextlib.suppress(Exception):
                self._watchers.pop().__exit__(kind, error, trace)

    def say(self, text: str) -> None:
        self._pass(lambda watcher: watcher.say(text))

    def campaign_started(self, name: str, cells: Sequence[Expectation]) -> None:
        self._pass(lambda watcher: watcher.campaign_started(name, cells))

    def cell_started(self, cell_id: str, number: int, total: int) -> None:
        self._pass(lambda watcher: watcher.cell_started(cell_id, number, total))

    def step_started(self, order: StepOrder, duration_s: float) -> None:
        self._pass(lambda watcher: watcher.step_started(order, duration_s))

    def progress(self, progress: Progress) -> None:
        self._pass(lambda watcher: watcher.progress(progress))

    def vitals(self, vitals: Vitals) -> None:
        self._pass(lambda watcher: watcher.vitals(vitals))

    def step_done(self, step: Step, runs: Sequence[Run]) -> None:
        self._pass(lambda watcher: watcher.step_done(step, runs))

    def step_judged(self, opinion: Opinion) -> None:
        self._pass(lambda watcher: watcher.step_judged(opinion))

    def cell_done(self, cell_id: str, ended: str) -> None:
        self._pass(lambda watcher: watcher.cell_done(cell_id, ended))

    def _pass(self, call: Callable[[Watcher], None]) -> None:
        for watcher in tuple(self._watchers):
            try:
                call(watcher)
            except Exception as error:  # whatever is wrong with it, the campaign goes on
                self._drop(watcher, error)

    def _drop(self, watcher: Watcher, error: Exception) -> None:
        self._watchers.remove(watcher)
        with contextlib.suppress(Exception):
            watcher.__exit__(None, None, None)
        why = f"{type(error).__name__}: {error}"
        sentence = f"{type(watcher).__name__} no longer watches ({why}); the campaign goes on."
        with contextlib.suppress(Exception):
            self._complain(sentence)
