"""Telling the person at the terminal what goes on: a live line, or a line a step."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from harness.facts.model import Run, Step
from harness.rig.protocols import Progress as LoadProgress
from harness.rig.protocols import StepOrder
from harness.units import mib, show_seconds


def choose_listener(console: Console) -> PlainListener:
    """The live line on a terminal, plain lines in a pipe or log."""
    return LiveListener(console) if console.is_terminal else PlainListener(console)


class PlainListener:
    """One line a step; fit for logs. Implements `harness.rig.protocols.Listener`."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Nothing to take down."""

    def say(self, text: str) -> None:
        """Print a sentence."""
        self._print(text)

    def cell_started(self, cell_id: str, number: int, total: int) -> None:
        """Print the cell's heading."""
        self._print(f"[{number}/{total}] {cell_id}")

    def step_started(self, order: StepOrder, duration_s: float) -> None:
        """Steps are announced when they are done."""

    def progress(self, progress: LoadProgress) -> None:
        """Not shown line by line."""

    def step_done(self, step: Step, runs: Sequence[Run]) -> None:
        """Print what the step saw, without judging it."""
        self._print("  " + summary(step, runs))

    def cell_done(self, cell_id: str, ended: str) -> None:
        """Print why the cell is over."""
        self._print(f"  {cell_id}: {ended}")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveListener(PlainListener):
    """The same lines, and under them one that moves."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=20),
            TextColumn("{task.fields[seen]}"),
            TimeRemainingColumn(compact=True), console=console, transient=True,
        )  # fmt: skip
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Take the moving line away, so that what follows stands alone."""
        self._bar.stop()

    def step_started(self, order: StepOrder, duration_s: float) -> None:
        """Start the moving line for this step."""
        self._clear()
        what = "warm-up" if order.kind == "warmup" else f"{order.concurrency} at once"
        self._task = self._bar.add_task(what, total=max(duration_s, 0.1), seen="")

    def progress(self, progress: LoadProgress) -> None:
        """Move it."""
        if self._task is not None:
            failed = f", {progress.failed} failed" if progress.failed else ""
            seen = (
                f"{progress.phase}: {progress.in_flight} in flight, "
                f"{progress.completed} done{failed}"
            )
            self._bar.update(self._task, completed=self._elapsed(), seen=seen)

    def step_done(self, step: Step, runs: Sequence[Run]) -> None:
        """Replace the moving line by the step's own."""
        self._clear()
        super().step_done(step, runs)

    def _elapsed(self) -> float:
        task = next(t for t in self._bar.tasks if t.id == self._task)
        return min(task.elapsed or 0.0, task.total or 0.0)

    def _clear(self) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None


def summary(step: Step, runs: Sequence[Run]) -> str:
    """One line of plain counts about one step."""
    by_status = {status: sum(r.status == status for r in runs) for status in _SHOWN}
    counts = ", ".join(f"{n} {_SHOWN[status]}" for status, n in by_status.items() if n)
    what = "warm-up" if step.kind == "warmup" else f"{step.concurrency} at once"
    peak = f", peak {mib(step.kernel_peak_bytes):,.0f} MiB" if step.kernel_peak_bytes else ""
    lasted = show_seconds(step.phases[-1].end_s - step.phases[0].start_s) if step.phases else "0 s"
    detail = f" — {step.outcome_detail}" if step.outcome_detail else ""
    return f"{what}: {counts or 'no runs'} in {lasted}{peak}{detail}"


_SHOWN = {
    "SUCCESS": "succeeded", "FAILURE": "failed", "CANCELED": "canceled", "LOST": "lost",
    "UNFINISHED": "unfinished", "REJECTED": "rejected",
}  # fmt: skip
