"""What all workloads share: the job named `load`, its parameters, and small building blocks.

A workload states its parameters with their built-in defaults and one function that does the
work of one op; `load_job` makes the job. The job's structure comes from the environment when
the location loads, the amounts come as flat run config (`{"requests": 8, "wait_s": 1.0}`), so
whoever launches a run needs not know how many ops there are.

Environment:
    WORKLOAD_EXECUTOR       `in_process` (default) or `multiprocess`
    WORKLOAD_STEPS          independent ops `work_1` … `work_N`, 1 (default) to 50
    WORKLOAD_PARAM_<NAME>   another default for a parameter
    UPSTREAM_URL            the server the waiting workloads wait on
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from dagster import (
    ConfigMapping,
    ExecutorDefinition,
    Field,
    GraphDefinition,
    JobDefinition,
    Nothing,
    OpDefinition,
    Out,
    in_process_executor,
    multiprocess_executor,
    op,
)

JOB_NAME = "load"
MAX_STEPS = 50
MIB = 1024 * 1024

Params = Mapping[str, Any]
Work = Callable[[Params], Mapping[str, float]]

_EXECUTORS: Mapping[str, ExecutorDefinition] = {
    "in_process": in_process_executor,
    "multiprocess": multiprocess_executor,
}
_UPSTREAM_PATIENCE_S = 30.0


class SettingError(ValueError):
    """An environment variable of the code location cannot be meant."""


class UpstreamError(RuntimeError):
    """The upstream server could not be reached, or did not answer as agreed."""


def setting(name: str, default: float, *, low: float = 0) -> float:
    """Environment variable `name` as a number of the default's type, at least `low`.

    Raises:
        SettingError: not such a number.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    kind = type(default)
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not low <= value < float("inf"):
        raise SettingError(f"{name} must be a number ({kind.__name__}) from {low}, not {text!r}")
    return value


def choice(name: str, options: tuple[str, ...]) -> str:
    """Environment variable `name`, one of `options`; the first is the default.

    Raises:
        SettingError: something else.
    """
    text = os.environ.get(name, "").strip() or options[0]
    if text not in options:
        raise SettingError(f"{name} must be one of {', '.join(options)}, not {text!r}")
    return text


def load_job(
    work: Work, defaults: Mapping[str, float], *, name: str = JOB_NAME, op_prefix: str = ""
) -> JobDefinition:
    """The job `name`: `WORKLOAD_STEPS` independent ops that each do `work` once.

    `defaults` names the parameters; a default's type is the parameter's type. The job's run
    config is the parameters themselves, each optional, the same for every op. Ops are called
    `work_1` … `work_N`, with `op_prefix` before that.

    Raises:
        SettingError: the environment asks for an impossible structure or default.
    """
    steps = int(setting("WORKLOAD_STEPS", 1, low=1))
    if steps > MAX_STEPS:
        raise SettingError(f"WORKLOAD_STEPS must be from 1 to {MAX_STEPS}, not {steps}")
    executor = choice("WORKLOAD_EXECUTOR", tuple(_EXECUTORS))
    own = {key: _default(key, default) for key, default in defaults.items()}
    return job_of(work, own, name=name, executor=executor, steps=steps, op_prefix=op_prefix)


def job_of(
    work: Work,
    defaults: Mapping[str, float],
    *,
    name: str = JOB_NAME,
    executor: str = "in_process",
    steps: int = 1,
    op_prefix: str = "",
) -> JobDefinition:
    """The job `name`: as many independent ops that each do `work` once, whatever the environment
    says; parameters and run config as for `load_job`.
    """
    schema = {
        key: Field(type(default), is_required=False, default_value=default)
        for key, default in defaults.items()
    }
    ops = [f"{op_prefix}work_{number}" for number in range(1, steps + 1)]

    def to_ops(params: Params) -> dict[str, Any]:
        return {"ops": {op_name: {"config": dict(params)} for op_name in ops}}

    graph = GraphDefinition(name, node_defs=[_op(op_name, work, schema) for op_name in ops])
    return graph.to_job(
        executor_def=_EXECUTORS[executor],
        config=ConfigMapping(config_fn=to_ops, config_schema=schema),
    )


def _default(name: str, built_in: float) -> float:
    return setting(f"WORKLOAD_PARAM_{name.upper()}", built_in)


def _op(name: str, work: Work, schema: Mapping[str, Field]) -> OpDefinition:
    """An op without data output (nothing for an I/O manager to write) that reports its work."""

    # Dagster refuses an annotation of `context` that `from __future__` has turned into a string.
    @op(name=name, config_schema=dict(schema), out=Out(Nothing))
    def perform(context):  # type: ignore[no-untyped-def]
        params: Params = context.op_config
        negative = [f"{key}={value}" for key, value in params.items() if value < 0]
        if negative:
            raise ValueError(f"a parameter must not be negative: {', '.join(negative)}")
        wall_s, cpu_s = time.monotonic(), time.process_time()
        counts = work(params)
        done = {
            "work_cpu_s": time.process_time() - cpu_s,
            "work_wall_s": time.monotonic() - wall_s,
            **counts,
        }
        context.add_output_metadata(done)

    return perform


def fetch(path: str, *, expected_s: float = 0.0) -> bytes:
    """GET `path` from the upstream server over a fresh connection.

    `expected_s` is how long the answer is meant to take; patience ends 30 s later.

    Raises:
        UpstreamError: not configured, not reachable, late, or an answer other than 200.
    """
    base = os.environ.get("UPSTREAM_URL", "")
    parts = urlsplit(base)
    if parts.scheme != "http" or not parts.hostname:
        raise UpstreamError(f"UPSTREAM_URL must be an http:// address, not {base!r}")
    connection = HTTPConnection(
        parts.hostname, parts.port, timeout=expected_s + _UPSTREAM_PATIENCE_S
    )
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException) as problem:
        raise UpstreamError(f"GET {base}{path} failed: {problem!r}") from problem
    finally:
        connection.close()
    if response.status != 200:
        said = body[:200].decode("utf-8", "replace").strip()
        raise UpstreamError(f"GET {base}{path} answered {response.status}: {said}")
    return body


def wait_upstream(wait_s: float) -> float:
    """Wait on a socket until the upstream server answers; the seconds that really took.

    Raises:
        UpstreamError: see `fetch`.
    """
    start_s = time.monotonic()
    fetch(f"/wait?s={wait_s}", expected_s=wait_s)
    return time.monotonic() - start_s


def ballast(size_mib: int) -> bytearray:
    """`size_mib` MiB that are really resident: every page written, no two pages alike.

    One random MiB is repeated, so that compression finds little inside a page, and every page
    carries its own number, so that the kernel cannot merge equal pages.
    """
    pattern = random.Random(size_mib).randbytes(MIB)
    held = bytearray(size_mib * MIB)
    for start in range(0, len(held), MIB):
        held[start : start + MIB] = pattern
    for page, start in enumerate(range(0, len(held), 4096)):
        held[start : start + 8] = page.to_bytes(8, "little")
    return held


def burn(cpu_s: float) -> None:
    """Compute until this thread has used `cpu_s` seconds of CPU time."""
    end_s = time.thread_time() + cpu_s
    while time.thread_time() < end_s:
        sum(range(1_000))
