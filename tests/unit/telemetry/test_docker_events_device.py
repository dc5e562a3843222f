"""The engine's messages as events."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from harness.facts.model import Event
from harness.rig.host_clock import Offset, OtherClock
from harness.rig.telemetry.docker_events import DockerEventsDevice, to_event

pytestmark = pytest.mark.unit

NAMES = {"abc": "code-server-1"}
WAIT_S = 5.0


def message(action: str, *, at_s: float = 100.0, container: str = "abc", **more: str) -> Any:
    return {
        "Action": action,
        "Actor": {"ID": container, "Attributes": more},
        "time": int(at_s),
        "timeNano": int(at_s * 1e9),
    }


def test_a_death_tells_its_exit_code() -> None:
    assert to_event(message("die", exitCode="137"), NAMES) == Event(
        at_s=100.0, kind="die", source="code-server-1", detail={"exit_code": 137}
    )


def test_a_kill_tells_its_signal() -> None:
    event = to_event(message("kill", signal="15"), NAMES)
    assert event is not None
    assert event.detail == {"signal": "15"}


def test_health_tells_the_new_status() -> None:
    event = to_event(message("health_status: unhealthy"), NAMES)
    assert event is not None
    assert (event.kind, event.detail) == ("health_status", {"status": "unhealthy"})


@pytest.mark.parametrize(
    "strange", [message("oom", container="other"), message("exec_start: sh"), message("start"), {}]
)
def test_what_is_not_asked_for_is_no_event(strange: Mapping[str, Any]) -> None:
    assert to_event(strange, NAMES) is None


class Stream:
    """Gives what was put in; `None` or closing ends it."""

    def __init__(self) -> None:
        self._messages: queue.Queue[Any] = queue.Queue()
        self.taken = queue.Queue[int]()

    def put(self, *messages: Any) -> None:
        for item in messages:
            self._messages.put(item)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        while (item := self._messages.get(timeout=WAIT_S)) is not None:
            yield item
            self.taken.put(1)

    def close(self) -> None:
        self._messages.put(None)


def test_messages_arrive_as_events_at_the_next_look() -> None:
    stream = Stream()
    device = DockerEventsDevice(NAMES, lambda _: stream, clock=lambda: 99.0)
    device.read()
    stream.put(message("oom"), message("die", at_s=100.1, exitCode="137"))
    for _ in range(2):
        stream.taken.get(timeout=WAIT_S)
    assert [event.kind for event in device.read().events] == ["oom", "die"]
    assert device.read().events == []
    device.close()


def test_what_happened_before_the_device_existed_is_left_out() -> None:
    stream = Stream()
    device = DockerEventsDevice(NAMES, lambda _: stream, clock=lambda: 99.5)
    device.read()
    stream.put(message("die", at_s=99.2), message("oom", at_s=99.7))
    for _ in range(2):
        stream.taken.get(timeout=WAIT_S)
    assert [event.kind for event in device.read().events] == ["oom"]
    device.close()


def test_an_engine_that_refuses_is_an_error_of_the_device() -> None:
    def subscribe(_: float) -> Stream:
        raise ConnectionError("no engine")

    device = DockerEventsDevice(NAMES, subscribe)
    with pytest.raises(ConnectionError, match="no engine"):
        _read_until_it_raises(device)
    device.close()


def _read_until_it_raises(device: DockerEventsDevice) -> None:
    pause = threading.Event()
    for _ in range(500):
        device.read()
        pause.wait(0.01)


def test_a_closed_device_says_nothing_and_closing_twice_is_fine() -> None:
    stream = Stream()
    device = DockerEventsDevice(NAMES, lambda _: stream)
    device.read()
    device.close()
    device.close()
    assert device.read().events == []


def test_moments_of_an_engine_elsewhere_are_told_on_our_clock() -> None:
    ahead = OtherClock(lambda: Offset(offset_s=50.0, uncertainty_s=0.001, at_s=99.0))
    stream = Stream()
    device = DockerEventsDevice(NAMES, lambda _: stream, clock=lambda: 99.0, engine_clock=ahead)
    device.read()
    stream.put(message("die", at_s=148.0), message("oom", at_s=150.0))  # 98 and 100 on ours
    for _ in range(2):
        stream.taken.get(timeout=WAIT_S)
    assert [(event.kind, event.at_s) for event in device.read().events] == [("oom", 100.0)]
    device.close()
