"""What a dump of py-spy says about a code server's threads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rig.telemetry.stack_dump import KINDS, Kind, counts, most_common, parse

pytestmark = pytest.mark.unit

LIBRARIES = "/opt/dagster/lib/python3.11/site-packages/"
STANDARD = "/usr/local/lib/python3.11/"
REAL = Path(__file__).with_name("py_spy_dump.json")
"""A server with 8 workers, Dagster 1.13.27: two launches, two sensor ticks, one idle worker.

Taken from a server under load with py-spy 0.4.2; paths are those of the container image, and of
threads that do the same two are left.
"""


def frame(function: str, short: str, line: int = 1, *, root: str = LIBRARIES) -> dict[str, Any]:
    return {
        "name": function, "filename": root + short, "module": None, "short_filename": short,
        "line": line, "locals": None, "is_entry": False, "is_shim_entry": False,
    }  # fmt: skip


WAITING = frame("_worker", "concurrent/futures/thread.py", 81, root=STANDARD)
WORKING = frame("_worker", "concurrent/futures/thread.py", 83, root=STANDARD)
IN_POOL = [frame("_unary_response_in_pool", "grpc/_server.py", 788), WORKING]
START_RUN = frame("StartRun", "dagster/_grpc/server.py", 1407)
TICK = [
    frame("tick", "workloads/sensor/definitions.py", 64, root="/opt/locations/"),
    frame("SyncExternalSensorExecution", "dagster/_grpc/server.py", 1250),
]
QUERY = frame("do_execute", "sqlalchemy/engine/default.py", 951)
PING = frame("Ping", "dagster/_grpc/server.py", 832)


def thread(
    *frames: dict[str, Any], name: str | None = "ThreadPoolExecutor-0_0", active: bool = False
) -> dict[str, Any]:
    return {
        "pid": 7, "thread_id": 1, "thread_name": name, "os_thread_id": 1, "active": active,
        "owns_gil": False, "frames": list(frames), "process_info": None,
    }  # fmt: skip


def counted(*threads: dict[str, Any]) -> dict[Kind, int]:
    """The kinds that are there."""
    return {kind: n for kind, n in counts(parse(json.dumps(threads))).items() if n}


def test_a_real_server_that_launches_and_ticks_is_read() -> None:
    threads = parse(REAL.read_text())
    told = {"launching": 2, "sensor": 2, "idle": 1, "database": 0, "other": 0}
    assert counts(threads) == told
    stacks = most_common(threads, 5)
    assert [(stack.kind, stack.threads) for stack in stacks] == [("launching", 2), ("sensor", 2)]
    assert stacks[0].frames[0] == "StartRun (dagster/_grpc/server.py:1407)"


@pytest.mark.parametrize(
    ("frames", "kind"),
    [
        ([START_RUN, *IN_POOL], "launching"),
        ([frame("start", "multiprocessing/process.py", root=STANDARD), START_RUN, *IN_POOL],
         "launching"),
        ([frame("DagsterApiServer.StartRun", "dagster/_grpc/server.py", 1407), *IN_POOL],
         "launching"),
        ([frame("DagsterApiServer.SyncExternalSensorExecution", "dagster/_grpc/server.py"),
          *IN_POOL], "sensor"),
        ([*TICK, *IN_POOL], "sensor"),
        ([frame("ExternalSensorExecution", "dagster/_grpc/server.py"),
          frame("_stream_response_in_pool", "grpc/_server.py"), WORKING], "sensor"),
        ([WAITING], "idle"),
        ([QUERY, PING, *IN_POOL], "database"),
        ([frame("_connect", "psycopg2/__init__.py"), PING, *IN_POOL], "database"),
        ([PING, *IN_POOL], "other"),
        ([frame("_wait_for_tstate_lock", "threading.py", root=STANDARD), PING, *IN_POOL],
         "other"),
        (IN_POOL, "other"),
    ],
)  # fmt: skip
def test_a_worker_is_counted_by_what_it_does(frames: list[dict[str, Any]], kind: Kind) -> None:
    assert counted(thread(*frames)) == {kind: 1}


@pytest.mark.parametrize(("holder", "kind"), [([START_RUN], "launching"), (TICK, "sensor")])
def test_a_worker_waiting_for_the_database_belongs_to_what_holds_it(
    holder: list[dict[str, Any]], kind: Kind
) -> None:
    assert counted(thread(QUERY, *holder, *IN_POOL)) == {kind: 1}


def test_a_users_function_with_an_rpcs_name_is_not_that_rpc() -> None:
    own = frame("StartRun", "workloads/own.py", root="/opt/locations/")
    assert counted(thread(own, *TICK, *IN_POOL)) == {"sensor": 1}


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [frame("_serve", "grpc/_server.py"), frame("run", "threading.py", root=STANDARD)],
        [QUERY, frame("_cleanup_thread", "dagster/_grpc/server.py")],
        [frame("fetch", "workloads/own.py"), WORKING],
        [frame("look_in_pool", "workloads/own.py"), WORKING],
        [frame("run", "concurrent/futures/thread.py", 58, root=STANDARD), WORKING],
    ],
)
def test_a_thread_that_is_no_grpc_worker_is_not_counted(frames: list[dict[str, Any]]) -> None:
    assert counted(thread(*frames, name="Thread-1")) == {}


def test_idle_threads_of_another_pool_are_left_out_where_grpcs_pool_is_known() -> None:
    busy = thread(START_RUN, *IN_POOL, name="ThreadPoolExecutor-0_0")
    ours = thread(WAITING, name="ThreadPoolExecutor-0_1")
    users = thread(WAITING, name="ThreadPoolExecutor-1_0")
    assert counted(users, ours, busy) == {"launching": 1, "idle": 1}


def test_with_every_worker_idle_all_idle_threads_count() -> None:
    assert counted(thread(WAITING), thread(WAITING, name=None)) == {"idle": 2}


def test_every_kind_is_told_also_when_nobody_does_it() -> None:
    assert counts(()) == dict.fromkeys(KINDS, 0)


def test_the_most_shared_stack_comes_first_with_how_many_of_it_are_active() -> None:
    launching = [thread(START_RUN, *IN_POOL, active=n == 0) for n in range(3)]
    threads = parse(json.dumps([thread(PING, *IN_POOL), *launching]))
    first, second = most_common(threads, 5)
    assert (first.kind, first.threads, first.active) == ("launching", 3, 1)
    assert (second.kind, second.threads, second.active) == ("other", 1, 0)
    assert most_common(threads, 1) == (first,)


def test_a_stack_shows_its_innermost_three_calls_without_the_machines_path() -> None:
    (stack,) = most_common(parse(json.dumps([thread(*TICK, *IN_POOL)])), 5)
    assert stack.frames == (
        "tick (workloads/sensor/definitions.py:64)",
        "SyncExternalSensorExecution (dagster/_grpc/server.py:1250)",
        "_unary_response_in_pool (grpc/_server.py:788)",
    )


def test_a_file_without_a_short_name_shows_its_last_part_only() -> None:
    loose = frame("run", "scripts/own.py", 3, root="/somewhere/") | {"short_filename": None}
    (stack,) = most_common(parse(json.dumps([thread(loose, active=True)])), 5)
    assert stack.frames == ("run (own.py:3)",)


def test_waiting_threads_are_not_at_work_but_an_active_one_is() -> None:
    cleanup = frame("_cleanup_thread", "dagster/_grpc/server.py", 578)
    threads = [
        thread(WAITING, active=True),
        thread(cleanup, name="cleanup"),
        thread(cleanup, name="other-cleanup", active=True),
    ]
    (stack,) = most_common(parse(json.dumps(threads)), 5)
    assert (stack.kind, stack.threads) == (None, 1)


@pytest.mark.parametrize(
    "text",
    ["", "Error: Failed to suspend", "[", "5", '{"a": 1}', "[5]", '[{"frames": []}]', "[null]",
     json.dumps([thread(frame("f", "a.py")) | {"frames": None}]),
     json.dumps([thread({"name": "f"})])],
)  # fmt: skip
def test_what_is_no_dump_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ENTRIES = st.lists(
    st.fixed_dictionaries({"thread_name": JSON, "active": JSON, "frames": JSON}), max_size=3
)


@given(JSON | ENTRIES)
def test_any_json_is_read_or_refused(document: Any) -> None:
    try:
        threads = parse(json.dumps(document))
    except ValueError:
        return
    assert sum(counts(threads).values()) <= len(threads)
