"""A place for a load worker is filled again whenever it is empty."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field

import pytest

from harness.rig.load.commands import worker_command
from harness.rig.load.worker import PAUSE_S, SOON_S, Post, main

pytestmark = pytest.mark.unit


@dataclass
class FakeChild:
    """A worker; `stubborn` ones do not end when asked."""

    code: int | None = None
    stubborn: bool = False
    said: list[str] = field(default_factory=list)

    def poll(self) -> int | None:
        """Its exit code."""
        return self.code

    def terminate(self) -> None:
        """Asked to end."""
        self.said.append("terminate")

    def kill(self) -> None:
        """Made to end."""
        self.said.append("kill")
        self.stubborn = False

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended."""
        if self.stubborn:
            raise subprocess.TimeoutExpired("locust", timeout or 0)
        return 0


@dataclass
class Site:
    """A post on a clock of its own."""

    now_s: float = 100.0
    children: list[FakeChild] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.post = Post(start=self.start, clock=lambda: self.now_s)

    def start(self) -> FakeChild:
        """One more worker."""
        self.children.append(FakeChild())
        return self.children[-1]

    def look(self, after_s: float = 0.0) -> int:
        """How many workers there have been, some time later."""
        self.now_s += after_s
        self.post.look()
        return len(self.children)

    def end(self) -> None:
        """As when the whole process is told to end."""
        self.post.ask()
        self.post.end()


def test_a_worker_that_ended_with_its_step_is_followed_at_once() -> None:
    site = Site()
    assert (site.look(), site.look(60)) == (1, 1)
    site.children[0].code = 0
    assert site.look(1) == 2


def test_one_that_was_lost_late_is_followed_at_once() -> None:
    site = Site()
    site.look()
    site.children[0].code = 1
    assert site.look(SOON_S) == 2


def test_one_that_fails_at_once_is_not_followed_by_a_flood() -> None:
    site = Site()
    site.look()
    site.children[0].code = 1
    assert site.look(SOON_S / 2) == 1
    assert site.look(PAUSE_S - 1) == 1
    assert site.look(1) == 2


def test_it_ends_with_its_place() -> None:
    site = Site()
    site.end()
    site.look()
    site.end()
    site.end()
    assert site.children[0].said == ["terminate"]


def test_one_that_does_not_listen_is_made_to_end() -> None:
    site = Site()
    site.look()
    site.children[0].stubborn = True
    site.end()
    assert site.children[0].said == ["terminate", "kill"]


@pytest.mark.parametrize("words", [["bench-1"], ["bench-1:5557", "--count", "0"], []])
def test_a_command_that_makes_no_sense_starts_nothing(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "HOST:PORT" in capsys.readouterr().err


def test_the_way_to_start_one_elsewhere_names_an_address_that_can_be_called() -> None:
    assert worker_command("10.0.0.5:5557").endswith("harness.rig.load.worker 10.0.0.5:5557")
    assert worker_command("0.0.0.0:5557", "bench-1").endswith(" bench-1:5557")
