"""The dashboard on a real terminal: lines that stay, and below them an area that moves.

The area is drawn by a thread of its own, at most twice a second and only when it changed; the
conductor's calls merely replace the scene. Whatever goes wrong in drawing ends the area alone:
the lines go on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleRenderable
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, Segment, Segments
from rich.text import Text

from harness.facts.model import Run, Step
from harness.rig.orders import Progress
from harness.rig.protocols import Expectation, Opinion, StepOrder, Vitals
from harness.watch.dashboard.draw import draw
from harness.watch.dashboard.state import Scene
from harness.watch.plain import PlainListener

FRAME_S = 0.5
LINES_KEPT = 100
ECHO_CELLS = 2
"""Left free at the right: a terminal that echoes `^C` there must not begin another row."""


class Dashboard(PlainListener):
    """The lines of `PlainListener`, and under them the live view. Enter it to see it.

    `painter` is the thread that draws.

    Args:
        console: a terminal.
        clock: seconds that never jump.
    """

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console, clock=clock)
        self._scene = Scene()
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._live = _SteadyLive(console=console, auto_refresh=False, transient=True)
        self._drawn: object = None
        self._size = console.size
        self._over = threading.Event()
        self.painter = threading.Thread(target=self._paint_on, name="dashboard", daemon=True)

    def __enter__(self) -> Self:
        self._live.start()
        self.painter.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Take the live view away, so that the lines, and what follows, stand alone."""
        self._over.set()
        self.painter.join()
        self._stop()
        super().__exit__(kind, error, trace)

    def say(self, text: str) -> None:
        super().say(text)
        self._scene = self._scene.said(text, self._clock())

    def campaign_started(self, name: str, cells: Sequence[Expectation]) -> None:
        super().campaign_started(name, cells)
        self._scene = self._scene.campaign_started(name, cells, self._clock())

    def cell_started(self, cell_id: str, number: int, total: int) -> None:
        super().cell_started(cell_id, number, total)
        self._scene = self._scene.cell_started(cell_id, number, total, self._clock())

    def step_started(self, order: StepOrder, duration_s: float) -> None:
        super().step_started(order, duration_s)
        self._scene = self._scene.step_started(order, duration_s, self._clock())

    def progress(self, progress: Progress) -> None:
        self._scene = self._scene.progressed(progress)

    def vitals(self, vitals: Vitals) -> None:
        self._scene = self._scene.felt(vitals, self._clock())

    def step_done(self, step: Step, runs: Sequence[Run]) -> None:
        super().step_done(step, runs)
        self._scene = self._scene.step_done(self._clock())

    def step_judged(self, opinion: Opinion) -> None:
        super().step_judged(opinion)
        self._scene = self._scene.step_judged(opinion, self._clock())

    def cell_done(self, cell_id: str, ended: str) -> None:
        super().cell_done(cell_id, ended)
        self._scene = self._scene.cell_done(cell_id, self._clock())

    def paint(self) -> None:
        """Bring the live view up to date, if there is anything new to be seen."""
        scene, now_s, size = self._scene, self._clock(), self._console.size
        seen = (scene, int(now_s), size)
        if seen == self._drawn:
            return
        width = max(1, size.width - ECHO_CELLS)
        self._live.update(draw(scene, now_s, width=width, height=size.height))
        if size != self._size:
            self._start_over(size.height)
        self._live.refresh()
        self._drawn, self._size = seen, size

    def _start_over(self, height: int) -> None:
        """The terminal has another size: nobody knows where its old lines went.

        Erased row by row: a cleared screen would go into the scrollback of some terminals.
        """
        rows = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_DOWN, 1)) * height
        self._console.control(Control.home(), Control(*rows), Control.home())
        if self._lines:
            super()._write("\n".join(list(self._lines)[-height:]))

    def _write(self, text: str) -> None:
        self._lines.append(text)
        super()._write(text)

    def _paint_on(self) -> None:
        try:
            while not self._over.wait(FRAME_S):
                self.paint()
        except Exception as error:  # a view that fails must not take the campaign along
            self._stop()
            self._print(f"The live view ended ({type(error).__name__}: {error}); lines go on.")

    def _stop(self) -> None:
        self._live.update(Text())
        self._live.stop()


class _SteadyLive(Live):
    """Asks the terminal to show a frame only when it is whole (DEC mode 2026).

    Lines are erased before they are written anew; over a slow connection that would flicker. A
    terminal that does not know the mode ignores it.
    """

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        whole: Iterable[ConsoleRenderable] = super().process_renderables(renderables)
        return [_private_mode("h"), *whole, _private_mode("l")]


def _private_mode(switch: str) -> Segments:
    return Segments([Segment(f"\x1b[?2026{switch}", None, [(ControlType.BELL,)])])
