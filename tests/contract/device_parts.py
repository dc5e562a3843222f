"""Something for devices to read: a gRPC code server, a process that looks like one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from harness.facts.model import Limits
from harness.rig.cgroup.create import CgroupBox
from harness.rig.code_server_rpc import SERVICE, messages
from harness.rig.protocols import Endpoints, Replica, Watched

NO_LIMITS = Limits(cpu_cores=None, memory_bytes=None)
PATIENCE_S = 30.0
SERVER = "server-1"
METRICS = {
    "container_utilization": {
        "cpu_usage": 3.5, "cpu_cfs_quota_us": 100000.0, "cpu_cfs_period_us": 100000.0,
        "memory_usage": 200_000_000, "memory_limit": 2**30, "cgroup_version": "V2",
    },
    "request_utilization": {
        "max_concurrent_requests": 2,
        "num_running_requests": 1,
        "num_queued_requests": 0,
    },
}  # fmt: skip


@dataclass
class Servicer:
    """Answers as a code server does; `hold` keeps its worker threads until released."""

    metrics: dict[str, Any] | None = field(default_factory=lambda: dict(METRICS))
    free: threading.Event = field(default_factory=threading.Event)

    def ping(self, request: Any, _: Any) -> Any:
        told = "" if self.metrics is None else json.dumps(self.metrics)
        return messages()["PingReply"](
            echo=request.echo, serialized_server_utilization_metrics=told
        )

    def server_id(self, _: Any, __: Any) -> Any:
        self.free.wait(PATIENCE_S)
        return messages()["GetServerIdReply"](server_id="the-server")

    def current_runs(self, _: Any, __: Any) -> Any:
        told = json.dumps({"__class__": "GetCurrentRunsResult", "current_runs": ["a-run"]})
        return messages()["GetCurrentRunsReply"](serialized_current_runs=told)


@contextmanager
def serving(servicer: Servicer, port: int = 0) -> Iterator[str]:
    """A gRPC server with two worker threads; gives its address."""
    known = messages()
    methods = {
        "Ping": (servicer.ping, known["PingRequest"]),
        "GetServerId": (servicer.server_id, known["Empty"]),
        "GetCurrentRuns": (servicer.current_runs, known["Empty"]),
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=request.FromString,
            response_serializer=lambda reply: reply.SerializeToString(),
        )
        for name, (answer, request) in methods.items()
    }
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        servicer.free.set()
        server.stop(None).wait()


def endpoints(
    *,
    pid: int | None = None,
    address: str = "127.0.0.1:1",
    pool_path: Path | None = None,
    tells: bool = False,
) -> Endpoints:
    return Endpoints(
        webserver_url="",
        location="",
        database_dsn=None,
        replicas=(
            Replica(
                name=SERVER, pid=pid, cgroup_pid=pid, grpc_address=address, limits=NO_LIMITS,
                pool_path=pool_path, tells=tells,
            ),
        ),
        support=(Watched(name="helper", pid=pid),),
    )  # fmt: skip


@contextmanager
def code_server_lookalike(box: CgroupBox | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose command line is a code server's, started inside `box`."""
    code = "import threading; print(flush=True); threading.Event().wait(60)"
    command = [sys.executable, "-c", code, "api", "grpc"]
    if box is not None:
        command = box.wrap(command)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()
