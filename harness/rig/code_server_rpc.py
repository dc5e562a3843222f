"""Dagster's gRPC wire, as far as the harness speaks it: `Ping`, `GetServerId`, `GetCurrentRuns`.

The one place that knows it. These methods and their field numbers are unchanged from Dagster 1.5
to 1.13, so the messages are described here and built at run time: the harness neither imports
`dagster` nor depends on the version under test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from harness.rig.server_word import NOT_SAID, ServerWord, read_word

SERVICE = "api.DagsterApi"
_PACKAGE = "api"
_FIELDS: dict[str, tuple[str, ...]] = {  # string fields, numbered from 1
    "Empty": (),
    "PingRequest": ("echo",),
    "PingReply": ("echo", "serialized_server_utilization_metrics"),
    "GetServerIdReply": ("server_id",),
    "GetCurrentRunsReply": ("serialized_current_runs",),
}
_CHANNEL_OPTIONS = (
    # A proxy variable of the user's shell must not come between us and 127.0.0.1.
    ("grpc.enable_http_proxy", 0),
    # A connection of our own, never one shared with another device's channel.
    ("grpc.use_local_subchannel_pool", 1),
    # One question is one request: a silent retry would hide a lost probe.
    ("grpc.enable_retries", 0),
    # After a lost connection the default backs off up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
)

T = TypeVar("T")


class CallError(Exception):
    """A request that was not answered. `code` is gRPC's name for it, `DEADLINE_EXCEEDED` say."""

    def __init__(self, method: str, code: str, details: str) -> None:
        super().__init__(f"{method}: {code}: {details}")
        self.method = method
        self.code = code
        self.details = details


@dataclass(frozen=True, slots=True, kw_only=True)
class PingMetrics:
    """What a Ping said about the worker pool, computed when the Ping got a thread of its own.

    `None`: the server did not say (metrics switched off, or Dagster before 1.6.1). `running`
    counts requests, never runs, and includes the Ping itself. `container`: of its memory and CPU.
    """

    max_workers: int | None = None
    running: int | None = None
    queued: int | None = None
    container: ServerWord = field(default_factory=lambda: ServerWord(why=NOT_SAID))


class Call(Generic[T]):
    """One request under way."""

    def __init__(self, method: str, future: Any, read: Callable[[Any], T]) -> None:
        self._method = method
        self._future = future
        self._read = read

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call `callback` from gRPC's thread as soon as the request ended, however it ended."""
        self._future.add_done_callback(lambda _: callback())

    def result(self) -> T:
        """The answer; blocks until there is one.

        Raises:
            CallError: refused, lost, cancelled, or past its deadline.
        """
        try:
            return self._read(self._future.result())
        except grpc.FutureCancelledError:
            raise CallError(self._method, "CANCELLED", "given up by the harness") from None
        except grpc.RpcError as error:
            code = error.code()
            name = code.name if isinstance(code, grpc.StatusCode) else str(code)
            raise CallError(self._method, name, str(error.details() or "")) from None

    def cancel(self) -> None:
        """Give the request up."""
        self._future.cancel()


class CodeServerClient:
    """Asks one code server over one channel, kept open and reconnecting within a second.

    Args:
        address: `host:port`.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._channel = grpc.insecure_channel(address, options=_CHANNEL_OPTIONS)
        self._ping = self._method("Ping", "PingReply")
        self._server_id = self._method("GetServerId", "GetServerIdReply")
        self._current_runs = self._method("GetCurrentRuns", "GetCurrentRunsReply")

    def server_id(self, timeout_s: float) -> str:
        """The server's identity; the cheapest request it answers.

        Raises:
            CallError: no answer within `timeout_s`.
        """
        return self.ask_server_id(timeout_s).result()

    def ping(self, timeout_s: float) -> PingMetrics:
        """Dagster's own view of its worker pool.

        Raises:
            CallError: no answer within `timeout_s`.
        """
        return self.ask_ping(timeout_s).result()

    def current_runs(self, timeout_s: float) -> tuple[str, ...]:
        """Ids of the runs whose processes are the server's children; up to half a second late.

        Raises:
            CallError: no answer within `timeout_s`.
        """
        future = self._current_runs.future(_MESSAGES["Empty"](), timeout=timeout_s)
        return Call(
            "GetCurrentRuns", future, lambda reply: read_current_runs(reply.serialized_current_runs)
        ).result()

    def ask_server_id(self, timeout_s: float) -> Call[str]:
        """As `server_id`, without waiting."""
        future = self._server_id.future(_MESSAGES["Empty"](), timeout=timeout_s)
        return Call("GetServerId", future, lambda reply: str(reply.server_id))

    def ask_ping(self, timeout_s: float) -> Call[PingMetrics]:
        """As `ping`, without waiting."""
        future = self._ping.future(_MESSAGES["PingRequest"](echo="harness"), timeout=timeout_s)
        return Call(
            "Ping",
            future,
            lambda reply: read_metrics(reply.serialized_server_utilization_metrics),
        )

    def close(self) -> None:
        """Close the channel; requests under way end as `CANCELLED`. Safe to call twice."""
        self._channel.close()

    def _method(self, name: str, reply: str) -> Any:
        return self._channel.unary_unary(
            f"/{SERVICE}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=_MESSAGES[reply].FromString,
        )


def read_metrics(serialized: str) -> PingMetrics:
    """A Ping's metrics; anything missing or strange is unknown."""
    try:
        document = json.loads(serialized)
    except ValueError:
        return PingMetrics()
    container = read_word(document)
    pool = document.get("request_utilization") if isinstance(document, dict) else None
    if not isinstance(pool, dict):
        return PingMetrics(container=container)
    return PingMetrics(
        container=container,
        max_workers=_count(pool.get("max_concurrent_requests")),
        running=_count(pool.get("num_running_requests")),
        queued=_count(pool.get("num_queued_requests")),
    )


def read_current_runs(serialized: str) -> tuple[str, ...]:
    """The run ids of a GetCurrentRuns; none where the answer is strange."""
    try:
        document = json.loads(serialized)
    except ValueError:
        return ()
    found = document.get("current_runs") if isinstance(document, dict) else None
    return tuple(map(str, found)) if isinstance(found, list) else ()


def messages() -> dict[str, Any]:
    """The message classes by name, in a pool of their own (Dagster's may be loaded beside)."""
    file = descriptor_pb2.FileDescriptorProto(
        name="harness_code_server.proto", package=_PACKAGE, syntax="proto3"
    )
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        for number, each in enumerate(fields, start=1):
            described.field.add(
                name=each,
                number=number,
                type=descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
                label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{_PACKAGE}.{message}")
        )
        for message in _FIELDS
    }


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_MESSAGES = messages()
