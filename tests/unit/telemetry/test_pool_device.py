"""Following the pool probe's file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.rig.host_clock import Offset, OtherClock
from harness.rig.protocols import Reading
from harness.rig.telemetry.pool import LineTail, PoolDevice

pytestmark = pytest.mark.unit

NOW_S = 1_700_000_000.0


def line(t: float = NOW_S + 1, **changes: object) -> bytes:
    fields = {"probe": "pool", "t": t, "due": t - 0.05, "queue": 3, "busy": 2, "threads": 4}
    fields |= {"max": 8, "executions": 5}
    return json.dumps(fields | changes).encode() + b"\n"


def device(path: Path) -> PoolDevice:
    return PoolDevice({"server-1": path}, clock=lambda: NOW_S)


def by_key(reading: Reading) -> dict[str, float]:
    return {key: value for _, _, key, value in reading.stamped}


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def test_a_line_becomes_readings_with_the_probes_own_stamp(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(line())
    reading = device(path).read()
    assert {stamp for stamp, *_ in reading.stamped} == {NOW_S + 1}
    assert {source for _, source, *_ in reading.stamped} == {"server-1"}
    late_s = by_key(reading).pop("pool_late_s")
    assert late_s == pytest.approx(0.05)
    assert by_key(reading) | {"pool_late_s": 0} == {
        "pool_queue": 3, "pool_busy": 2, "pool_threads": 4, "pool_max": 8, "executions": 5,
        "pool_late_s": 0,
    }  # fmt: skip


def test_what_the_probe_could_not_tell_is_absent(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(line(executions=None))
    assert "executions" not in by_key(device(path).read())


def test_a_file_that_is_not_there_yet_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    pool = device(path)
    assert pool.read() == Reading()
    path.write_bytes(line())
    assert by_key(pool.read())["pool_queue"] == 3


def test_each_line_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(line())
    pool = device(path)
    pool.read()
    assert pool.read() == Reading()


def test_a_torn_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    whole = line()
    path.write_bytes(whole[:20])
    pool = device(path)
    assert pool.read() == Reading()
    append(path, whole[20:])
    assert by_key(pool.read())["pool_queue"] == 3


@pytest.mark.parametrize("junk", [b"not json\n", b"[1, 2]\n", b'{"probe":"other"}\n', b"\xff\n"])
def test_junk_between_lines_is_passed_over(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(junk + line())
    assert by_key(device(path).read())["pool_queue"] == 3


def test_a_truncated_file_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(line() + line())
    pool = device(path)
    pool.read()
    path.write_bytes(line(queue=9))
    assert by_key(pool.read())["pool_queue"] == 9


def test_a_replaced_file_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(line())
    pool = device(path)
    pool.read()
    fresh = tmp_path / "fresh"
    fresh.write_bytes(line(queue=9) + line(queue=10))
    fresh.replace(path)
    assert by_key(pool.read())["pool_queue"] == 10


def test_lines_from_before_the_device_are_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(line(t=NOW_S - 1, queue=1) + line(t=NOW_S + 1, queue=2))
    queues = [v for _, _, key, v in device(path).read().stamped if key == "pool_queue"]
    assert queues == [2]


def test_a_probe_that_gave_up_says_so_in_an_event(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(b'{"probe":"pool","error":"AttributeError: _work_queue"}\n')
    (event,) = device(path).read().events
    assert (event.kind, event.source) == ("probe_error", "server-1")
    assert event.detail == {"error": "AttributeError: _work_queue"}


def test_a_tail_keeps_the_order_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    tail = LineTail(path)
    path.write_bytes(b"one\ntwo\nthr")
    assert tail.lines() == [b"one", b"two"]
    append(path, b"ee\n")
    assert tail.lines() == [b"three"]


def test_stamps_of_another_host_are_moved_and_lateness_is_not(tmp_path: Path) -> None:
    behind = OtherClock(lambda: Offset(offset_s=-20.0, uncertainty_s=0.001, at_s=NOW_S))
    path = tmp_path / "pool.jsonl"
    path.write_bytes(line(t=NOW_S - 21) + line(t=NOW_S - 18))  # before and after, on our clock
    made = PoolDevice({"server-1": path}, clock=lambda: NOW_S, server_clock=behind)
    reading = made.read()
    assert {stamp for stamp, *_ in reading.stamped} == {NOW_S + 2}
    assert by_key(reading)["pool_late_s"] == pytest.approx(0.05)
