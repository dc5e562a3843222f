"""The dashboard on a terminal: lines stay, the view moves, and nothing is left of it."""

from __future__ import annotations

import io
import re
import threading

import pytest
from fakes import Clock
from listening import CELLS, IO, ORDER, PROGRESS, play, vitals
from rich.console import Console, RenderableType

from harness.watch.dashboard import live
from harness.watch.dashboard.live import Dashboard

pytestmark = pytest.mark.unit

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"


class Screen:
    """A terminal that keeps what was written to it, and a dashboard on it that paints on demand."""

    def __init__(self, width: int = 80, height: int = 24) -> None:
        self.file = io.StringIO()
        self.clock = Clock(0.0)
        self.console = Console(
            file=self.file, force_terminal=True, width=width, height=height, color_system=None
        )
        self.dashboard = Dashboard(self.console, clock=self.clock.time)

    def painted(self) -> str:
        """What one more look of the painter writes."""
        before = len(self.file.getvalue())
        self.dashboard.paint()
        return self.file.getvalue()[before:]


@pytest.fixture(autouse=True)
def no_painter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests paint themselves."""
    monkeypatch.setattr(live, "FRAME_S", 3600.0)


def test_lines_are_those_of_a_log_and_the_cursor_comes_back() -> None:
    screen = Screen(width=200)
    with screen.dashboard as listener:
        play(listener)
        screen.painted()
    written = screen.file.getvalue()
    assert f"[1/2] {IO}, about 5 min left" in written
    assert "  8 at once: fail (launch_s_p95, slowdown_p95): 2 succeeded" in written
    assert written.startswith(HIDE)
    assert written.rindex(SHOW) > written.rindex(HIDE)


def test_the_cursor_comes_back_after_an_interrupt_too() -> None:
    screen = Screen()

    def interrupted() -> None:
        with screen.dashboard as listener:
            listener.cell_started(IO, 1, 1)
            screen.painted()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert screen.file.getvalue().rindex(SHOW) > screen.file.getvalue().rindex(HIDE)


def test_a_frame_is_shown_only_when_it_is_whole() -> None:
    screen = Screen()
    with screen.dashboard as listener:
        listener.step_started(ORDER, 30.0)
        frame = screen.painted()
    assert frame.startswith(BEGIN)
    assert frame.endswith(END)
    assert "8 at once" in frame


def test_nothing_new_is_not_drawn_again() -> None:
    screen = Screen()
    with screen.dashboard as listener:
        listener.step_started(ORDER, 30.0)
        assert screen.painted()
        assert screen.painted() == ""
        screen.clock.sleep(1.0)
        assert "1 of 30 s" in screen.painted()
        listener.progress(PROGRESS)
        listener.vitals(vitals())
        assert "8 in flight" in screen.painted()


def test_a_frame_goes_up_by_as_many_rows_as_the_last_one_had() -> None:
    screen = Screen()
    with screen.dashboard as listener:
        listener.step_started(ORDER, 30.0)
        rows = screen.painted().count("\n")
        screen.clock.sleep(1.0)
        assert screen.painted().count("\x1b[1A") == rows


def test_a_row_leaves_room_for_what_the_terminal_echoes() -> None:
    screen = Screen(width=120, height=40)
    with screen.dashboard as listener:
        listener.step_started(ORDER, 30.0)
        frame = screen.painted()
    rows = re.sub(r"\x1b\[[?\d;]*[A-Za-z]|\r", "", frame).splitlines()
    assert max(map(len, rows)) == 120 - len("^C")


def test_another_size_begins_a_fresh_screen_with_the_lines_so_far() -> None:
    screen = Screen()
    with screen.dashboard as listener:
        listener.say("The image is built")
        screen.painted()
        screen.console.size = (50, 14)
        fresh = screen.painted()
        assert "\x1b[H" in fresh
        assert "The image is built" in fresh
        assert screen.painted() == ""


def test_a_view_that_fails_leaves_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> RenderableType:
        raise ZeroDivisionError("no width")

    monkeypatch.setattr(live, "FRAME_S", 0.001)
    monkeypatch.setattr(live, "draw", broken)
    screen = Screen()
    with screen.dashboard as listener:
        screen.dashboard.painter.join(timeout=30)
        play(listener)
    lines = re.sub(r"\x1b\[[?\d;]*[A-Za-z]|\r", "", screen.file.getvalue()).split("\n")
    lines = [line for line in lines if line]
    assert lines[0] == "The live view ended (ZeroDivisionError: no width); lines go on."
    assert lines[1] == "Images are there"
    assert len(lines) == 6
    assert screen.file.getvalue().count(SHOW) == 1


def test_it_is_painted_without_being_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "FRAME_S", 0.001)
    screen, pause = Screen(), threading.Event()
    with screen.dashboard as listener:
        listener.campaign_started("quick", CELLS)
        looks = (pause.wait(0.01) or "getting ready" in screen.file.getvalue() for _ in range(3000))
        assert any(looks)
