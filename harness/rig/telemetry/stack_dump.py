"""What a code server's threads do, from one `py-spy dump --json`: pure reading and counting.

gRPC hands every request to a thread of one `concurrent.futures` pool, and the stack of a busy one
passes through gRPC's `…_in_pool` functions into the method that was called: the same in every
Dagster from 1.5 on. What holds the worker decides its kind: a sensor tick that waits for the
database holds it as a `sensor`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["launching", "sensor", "idle", "database", "other"]
KINDS: tuple[Kind, ...] = ("launching", "sensor", "idle", "database", "other")
INNERMOST = 3
_SENSOR_CALLS = frozenset({"SyncExternalSensorExecution", "ExternalSensorExecution"})
_DATABASE_CODE = ("/sqlalchemy/", "/psycopg2/", "/psycopg/", "/dagster_postgres/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One call on a stack. `file` is the whole path, `shown` a person's, with the line."""

    function: str
    file: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """One thread as py-spy saw it, its frames innermost first.

    `active`: on a CPU, or ready for one, by the operating system's word.
    """

    name: str
    active: bool
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack several threads may share: how many, and how many of them `active`.

    `kind` is `None` for threads that are no gRPC workers; `frames` are the innermost three.
    """

    kind: Kind | None
    threads: int
    active: int
    frames: tuple[str, ...]


def parse(text: str) -> tuple[Thread, ...]:
    """The threads of a dump, in py-spy's order.

    Raises:
        ValueError: this is not what `py-spy dump --json` writes.
    """
    try:
        return tuple(_thread(entry) for entry in json.loads(text))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a dump of py-spy: {type(error).__name__}: {error}") from error


def counts(threads: Sequence[Thread]) -> dict[Kind, int]:
    """How many gRPC workers do what; every kind is there. Threads not yet started do not count."""
    told = Counter(kind for _, kind in _with_kinds(threads) if kind is not None)
    return {kind: told[kind] for kind in KINDS}


def most_common(threads: Sequence[Thread], limit: int) -> tuple[Stack, ...]:
    """The stacks of what is at work, the most shared first, at most `limit`.

    At work is a worker that holds a request, and any other thread that is active.
    """
    groups: dict[tuple[Kind | None, tuple[str, ...]], list[Thread]] = {}
    for thread, kind in _with_kinds(threads):
        if thread.frames and _at_work(thread, kind):
            shown = tuple(frame.shown for frame in thread.frames[:INNERMOST])
            groups.setdefault((kind, shown), []).append(thread)
    stacks = [
        Stack(kind=kind, threads=len(them), active=sum(t.active for t in them), frames=frames)
        for (kind, frames), them in groups.items()
    ]
    return tuple(sorted(stacks, key=lambda stack: -stack.threads)[:limit])


def _with_kinds(threads: Sequence[Thread]) -> Iterable[tuple[Thread, Kind | None]]:
    """Each thread with its kind; `None` where it is no gRPC worker.

    An idle worker does not show whose pool it is in: where a busy one names gRPC's pool, idle
    threads of other pools are left out; where all are idle, they count too.
    """
    busy = [_busy_kind(thread) for thread in threads]
    pools = {_pool(thread) for thread, kind in zip(threads, busy, strict=True) if kind}
    for thread, kind in zip(threads, busy, strict=True):
        idle = _waits_for_work(thread) and (not pools or _pool(thread) in pools)
        yield thread, "idle" if idle else kind


def _at_work(thread: Thread, kind: Kind | None) -> bool:
    return thread.active if kind is None else kind != "idle"


def _busy_kind(thread: Thread) -> Kind | None:
    # Some Pythons give py-spy qualified names: DagsterApiServer.StartRun.
    called = {f.function.rpartition(".")[2] for f in thread.frames if "dagster/_grpc/" in f.file}
    if not any(f.file.endswith("grpc/_server.py") and _in_pool(f) for f in thread.frames):
        return None
    if "StartRun" in called:
        return "launching"
    if called & _SENSOR_CALLS:
        return "sensor"
    if any(part in frame.file for frame in thread.frames for part in _DATABASE_CODE):
        return "database"
    return "other"


def _in_pool(frame: Frame) -> bool:
    return frame.function.endswith("_in_pool")


def _waits_for_work(thread: Thread) -> bool:
    if not thread.frames:
        return False
    innermost = thread.frames[0]
    return innermost.function == "_worker" and innermost.file.endswith(
        "concurrent/futures/thread.py"
    )


def _pool(thread: Thread) -> str:
    return thread.name.rpartition("_")[0]


def _thread(entry: dict[str, Any]) -> Thread:
    return Thread(
        name=str(entry["thread_name"] or ""),
        active=bool(entry["active"]),
        frames=tuple(_frame(frame) for frame in entry["frames"]),
    )


def _frame(entry: dict[str, Any]) -> Frame:
    # The short name starts at the package: no path of the machine gets into a record.
    short = entry.get("short_filename") or entry["filename"].rpartition("/")[2]
    function = str(entry["name"])
    return Frame(
        function=function,
        file=str(entry["filename"]),
        shown=f"{function} ({short}:{entry['line']})",
    )
