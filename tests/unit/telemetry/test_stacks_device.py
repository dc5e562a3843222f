"""The device that looks at the server's stacks, with a spy of our own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.facts.model import Limits
from harness.rig.protocols import Endpoints, Reading, Replica
from harness.rig.telemetry import stacks
from harness.rig.telemetry.py_spy import Dump
from harness.rig.telemetry.sampler import CostLedger
from harness.rig.telemetry.stacks import PATIENCE_S, StacksDevice

pytestmark = pytest.mark.unit

BUSY = Path(__file__).with_name("py_spy_dump.json").read_text()
IDLE = "[]"


class Spy:
    """Gives these dumps, one a call, the last one again and again."""

    def __init__(self, *texts: str, cpu_s: float = 0.0) -> None:
        self._texts = list(texts)
        self._cpu_s = cpu_s
        self.asked: list[tuple[int, float]] = []
        self.closed = False

    def __call__(self, pid: int, timeout_s: float) -> Dump:
        self.asked.append((pid, timeout_s))
        text = self._texts.pop(0) if len(self._texts) > 1 else self._texts[0]
        return Dump(text=text, problem="" if text else "it failed", cpu_s=self._cpu_s)

    def close(self) -> None:
        self.closed = True


def device(spy: Spy, *, ledger: CostLedger | None = None, **pids: int | None) -> StacksDevice:
    servers: dict[str, Callable[[], int | None]] = {
        name: lambda pid=pid: pid  # type: ignore[misc]
        for name, pid in (pids or {"a": 7}).items()
    }
    return StacksDevice(servers, spy, ledger=ledger or CostLedger(), clock=lambda: 100.0)


def test_workers_are_counted_by_replica() -> None:
    reading = device(Spy(BUSY, IDLE), a=7, b=8).read()
    assert reading.values == {
        ("a", "dump_failed"): 0, ("a", "launching"): 2, ("a", "sensor"): 2, ("a", "idle"): 1,
        ("a", "database"): 0, ("a", "other"): 0,
        ("b", "dump_failed"): 0, ("b", "launching"): 0, ("b", "sensor"): 0, ("b", "idle"): 0,
        ("b", "database"): 0, ("b", "other"): 0,
    }  # fmt: skip


def test_a_look_that_fails_says_so_and_counts_nothing() -> None:
    assert device(Spy("")).read() == Reading(values={("a", "dump_failed"): 1.0})


def test_a_server_that_is_not_there_is_not_asked() -> None:
    spy = Spy(BUSY)
    assert device(spy, a=None).read() == Reading()
    assert spy.asked == []


def test_replicas_share_the_patience_of_one_beat() -> None:
    spy = Spy(IDLE)
    device(spy, a=7, b=8).read()
    assert spy.asked == [(7, PATIENCE_S / 2), (8, PATIENCE_S / 2)]
    assert PATIENCE_S * stacks.COST.rate_hz < 1


def test_the_cost_of_py_spy_itself_is_charged_to_the_device() -> None:
    ledger = CostLedger()
    device(Spy(BUSY, "", cpu_s=0.03), ledger=ledger, a=7, b=8).read()
    assert ledger.totals() == {"stacks": pytest.approx(0.06)}


def test_the_most_common_stacks_are_told_at_every_second_look_at_most() -> None:
    looking = device(Spy(BUSY))
    told = [len(looking.read().events) for _ in range(5)]
    assert told == [1, 0, 1, 0, 1]


def test_a_failed_look_does_not_use_up_the_turn_to_tell() -> None:
    looking = device(Spy("", BUSY))
    assert [len(looking.read().events) for _ in range(2)] == [0, 1]


def test_an_event_says_who_did_what_in_words_that_can_be_stored() -> None:
    (event,) = device(Spy(BUSY)).read().events
    assert (event.kind, event.source, event.at_s) == ("stack", "a", 100.0)
    first, second = event.detail["stacks"]
    assert (first["kind"], second["kind"]) == ("launching", "sensor")
    assert (first["threads"], first["active"]) == (2, 0)
    assert second["frames"][0] == "tick (workloads/sensor/definitions.py:64)"
    assert json.loads(json.dumps(event.detail)) == event.detail


def test_of_an_idle_server_no_stacks_are_told() -> None:
    assert device(Spy(IDLE)).read().events == []


def test_closing_the_device_ends_its_spy() -> None:
    spy = Spy(IDLE)
    device(spy).close()
    assert spy.closed


def test_without_the_command_the_device_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "find_command", lambda: None)
    assert stacks.offer(endpoints(pid=7), CostLedger()) is None


def test_without_a_process_to_be_seen_the_device_is_not_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stacks, "find_command", lambda: "py-spy")
    assert stacks.offer(endpoints(pid=None), CostLedger()) is None


def endpoints(*, pid: int | None) -> Endpoints:
    limits = Limits(cpu_cores=None, memory_bytes=None)
    replica = Replica(name="a", pid=pid, grpc_address="127.0.0.1:1", limits=limits)
    return Endpoints(webserver_url="", location="", database_dsn=None, replicas=(replica,))


@pytest.mark.parametrize(
    ("problem", "refused"),
    [
        ("Permission Denied: Try running again with elevated permissions", True),
        ("Error: Operation not permitted (os error 1)", True),
        ("Error: Failed to find python version from target process", False),
        ("", False),
    ],
)
def test_only_a_lack_of_rights_is_a_refusal(problem: str, refused: bool) -> None:
    assert Dump(text="", problem=problem, cpu_s=0.0).refused is refused
