"""The I/O workload, and what it shares with the others that wait on the upstream server."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workloads.common import UpstreamError, fetch
from workloads.io.definitions import DEFAULTS, defs, work

UPSTREAM_SCRIPT = Path(__file__).parents[2] / "compose" / "upstream" / "server.py"


@contextlib.contextmanager
def running_upstream() -> Iterator[str]:
    """A real upstream server as a child process; its address."""
    child = subprocess.Popen(
        [sys.executable, str(UPSTREAM_SCRIPT), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        yield "http://" + child.stdout.readline().removeprefix("listening on ").strip()
    finally:
        child.kill()
        child.communicate()


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with running_upstream() as url:
        yield url


@pytest.fixture
def nobody() -> str:
    """An address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def run(config: dict[str, Any]) -> Any:
    """Execute the workload's job in this process, without raising."""
    return defs.get_job_def("load").execute_in_process(run_config=config, raise_on_error=False)


def outputs(result: Any) -> list[dict[str, Any]]:
    """The metadata of every STEP_OUTPUT event, in order."""
    return [
        {key: entry.value for key, entry in event.event_specific_data.metadata.items()}
        for event in result.all_events
        if event.event_type_value == "STEP_OUTPUT"
    ]


@pytest.mark.integration
def test_a_run_waits_on_every_request_and_reports_what_it_did(
    upstream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM_URL", upstream)
    result = run({"requests": 3, "wait_s": 0.05, "parallel": 1})
    (done,) = outputs(result)
    assert result.success
    assert done["requests"] == 3
    assert done["waited_s"] >= 3 * 0.05
    assert done["work_wall_s"] >= done["waited_s"]
    assert 0 < done["work_cpu_s"] < done["work_wall_s"]


@pytest.mark.integration
def test_parallel_requests_wait_side_by_side(
    upstream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM_URL", upstream)
    (done,) = outputs(run({"requests": 8, "wait_s": 0.15, "parallel": 8}))
    assert done["waited_s"] >= 8 * 0.15
    assert done["work_wall_s"] < done["waited_s"]


@pytest.mark.integration
def test_an_unreachable_upstream_fails_the_run_and_is_named_as_the_cause(
    nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM_URL", nobody)
    result = run({"requests": 2, "wait_s": 0.0})
    (failure,) = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    cause = failure.event_specific_data.error.cause
    assert not result.success
    assert cause.cls_name == "UpstreamError"
    assert nobody in cause.message
    assert "refused" in cause.message


@pytest.mark.integration
def test_what_the_upstream_refuses_is_quoted(
    upstream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM_URL", upstream)
    with pytest.raises(UpstreamError, match=r"answered 400: s must be a number from 0 to 30"):
        fetch("/wait?s=31")


@pytest.mark.unit
@pytest.mark.parametrize("url", ["", "upstream:8000", "https://upstream", "http://"])
def test_a_missing_or_unusable_address_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSTREAM_URL", url)
    with pytest.raises(UpstreamError, match="UPSTREAM_URL must be an http:// address"):
        fetch("/health")


@pytest.mark.unit
def test_no_request_at_a_time_is_refused() -> None:
    with pytest.raises(ValueError, match="parallel must be at least 1"):
        work({**DEFAULTS, "parallel": 0})
