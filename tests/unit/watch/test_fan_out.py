"""Several watchers, of which none can end a campaign."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import pytest
from fakes import FakeListener
from listening import IO, play

from harness.errors import EnvironmentProblem
from harness.watch.fan_out import FanOut

pytestmark = pytest.mark.unit


class Watching(FakeListener):
    """Remembers the news, and when it was entered and left. `breaks` names the call that fails."""

    def __init__(self, breaks: str = "", error: BaseException | None = None) -> None:
        super().__init__()
        self.life: list[str] = []
        self.breaks = breaks
        self.error = error or ValueError("no such gauge")

    def __enter__(self) -> Self:
        self._break("enter")
        self.life.append("entered")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.life.append("left")
        self._break("exit")

    def cell_started(self, cell_id: str, number: int, total: int) -> None:
        self._break("cell_started")

    def _break(self, call: str) -> None:
        if call == self.breaks:
            raise self.error


class Two:
    """A fan-out over two watchers, and what it complained of."""

    def __init__(self, first: Watching, second: Watching) -> None:
        self.complaints: list[str] = []
        self.first, self.second = first, second
        self.fan = FanOut([first, second], complain=self.complaints.append)


def test_both_hear_everything_in_the_same_order() -> None:
    two = Two(Watching(), Watching())
    with two.fan as listener:
        play(listener)
    assert two.first.news == two.second.news
    assert two.first.news[0] == "Images are there"
    assert len(two.first.seen) == len(two.first.opinions) == 1
    assert two.first.life == two.second.life == ["entered", "left"]
    assert two.complaints == []


def test_one_that_fails_is_dropped_with_a_sentence_and_the_other_goes_on() -> None:
    two = Two(Watching("cell_started"), Watching())
    with two.fan as listener:
        play(listener)
    assert two.first.news == ["Images are there"]
    assert two.second.news[-1] == "done load 8"
    assert two.first.life == two.second.life == ["entered", "left"]
    assert two.complaints == [
        "Watching no longer watches (ValueError: no such gauge); the campaign goes on."
    ]


def test_when_nobody_is_left_to_watch_the_campaign_goes_on() -> None:
    two = Two(Watching("cell_started"), Watching("cell_started"))
    with two.fan as listener:
        play(listener)
    assert len(two.complaints) == 2


def test_not_even_a_complaint_that_fails_ends_it() -> None:
    def closed(_: str) -> None:
        raise BrokenPipeError

    with FanOut([Watching("cell_started")], complain=closed) as listener:
        play(listener)


def test_an_interrupt_is_no_failure_of_a_watcher() -> None:
    two = Two(Watching("cell_started", KeyboardInterrupt()), Watching())
    with pytest.raises(KeyboardInterrupt), two.fan as listener:
        listener.cell_started(IO, 1, 1)
    assert two.first.life == two.second.life == ["entered", "left"]


def test_who_cannot_begin_stops_everything_before_it_begins() -> None:
    taken = EnvironmentProblem("The port is taken.")
    two = Two(Watching(), Watching("enter", taken))
    with pytest.raises(EnvironmentProblem, match="taken"), two.fan:
        pytest.fail("nothing may be measured")
    assert two.first.life == ["entered", "left"]


def test_who_fails_at_the_end_hides_neither_the_others_nor_the_error() -> None:
    two = Two(Watching(), Watching("exit"))
    with pytest.raises(EnvironmentProblem), two.fan:
        raise EnvironmentProblem("What really happened.")
    assert two.first.life == ["entered", "left"]


def test_the_order_of_the_watchers_is_kept() -> None:
    heard: list[str] = []

    class Ear(Watching):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def say(self, text: str) -> None:
            heard.append(self.name)

    watchers: list[Any] = [Ear("first"), Ear("second")]
    with FanOut(watchers, complain=pytest.fail) as listener:
        listener.say("Now")
    assert heard == ["first", "second"]
