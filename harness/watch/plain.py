"""One line a step: what a log, a pipe or a simple terminal gets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console

from harness.facts.model import Run, Step
from harness.rig.orders import Progress
from harness.rig.protocols import Expectation, Opinion, StepOrder, Vitals
from harness.watch.pace import Pace
from harness.watch.words import (
    about,
    counts_words,
    figures_words,
    load_words,
    one_line,
    sure_words,
    threshold_words,
    verdict_words,
)


class PlainListener:
    """Lines and nothing but lines: no control character, no colour, nothing that moves.

    Args:
        console: where they go.
        clock: seconds that never jump, for the time left.
    """

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._pace = Pace()
        self._unjudged: tuple[Step, Sequence[Run]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Leave nothing unsaid."""
        self._flush()

    def say(self, text: str) -> None:
        """Print a sentence."""
        self._flush()
        self._print(text)

    def campaign_started(self, name: str, cells: Sequence[Expectation]) -> None:  # noqa: ARG002
        """Only the clock starts: whoever started the campaign has said so."""
        self._pace = self._pace.campaign_started(cells, self._clock())

    def cell_started(self, cell_id: str, number: int, total: int) -> None:
        """Print the cell's heading."""
        self._flush()
        now_s = self._clock()
        self._pace = self._pace.cell_started(cell_id, now_s)
        left_s = self._pace.left_s(now_s)
        left = "" if left_s is None else f", {about(left_s)} left"
        self._print(f"[{number}/{total}] {cell_id}{left}")

    def step_started(self, order: StepOrder, duration_s: float) -> None:  # noqa: ARG002
        """Steps are announced when they are done."""
        self._flush()

    def progress(self, progress: Progress) -> None:
        """Not shown line by line."""

    def vitals(self, vitals: Vitals) -> None:
        """Not shown line by line."""

    def step_done(self, step: Step, runs: Sequence[Run]) -> None:
        """Keep the step until it is judged; a warm-up never is."""
        self._flush()
        self._unjudged = (step, runs)
        if step.kind == "warmup":
            self._flush()

    def step_judged(self, opinion: Opinion) -> None:
        """Print the step with its verdict, and what the search knows by now."""
        if self._unjudged is not None and self._unjudged[0].index == opinion.step:
            step, runs = self._unjudged
            self._unjudged = None
            self._print("  " + judged_line(step, runs, opinion, self._pace.left_s(self._clock())))

    def cell_done(self, cell_id: str, ended: str) -> None:
        """Print why the cell is over."""
        self._flush()
        self._pace = self._pace.cell_done(self._clock())
        self._print(f"  {cell_id}: {ended}")

    def _flush(self) -> None:
        if self._unjudged is not None:
            step, runs = self._unjudged
            self._unjudged = None
            self._print("  " + seen_line(step, runs))

    def _print(self, text: str) -> None:
        indent = text[: len(text) - len(text.lstrip(" "))]
        self._write(indent + one_line(text))

    def _write(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


def seen_line(step: Step, runs: Sequence[Run]) -> str:
    """What a step saw, without judging it."""
    return f"{_what(step)}: {counts_words(step, runs)}{_detail(step)}"


def judged_line(step: Step, runs: Sequence[Run], opinion: Opinion, left_s: float | None) -> str:
    """What a step saw, what the search made of it, and how long the campaign still takes."""
    sure = sure_words(opinion)
    parts = (
        counts_words(step, runs),
        figures_words(opinion),
        threshold_words(opinion) + (f" ({sure})" if sure else ""),
        "" if left_s is None else f"{about(left_s)} left",
    )
    said = "; ".join(part for part in parts if part)
    return f"{_what(step)}: {verdict_words(opinion)}: {said}{_detail(step)}"


def _what(step: Step) -> str:
    again = f", repetition {step.repetition}" if step.repetition > 1 else ""
    return load_words(step.kind, step.concurrency, step.rate_per_s) + again


def _detail(step: Step) -> str:
    return f" — {step.outcome_detail}" if step.outcome_detail else ""
