"""The long workload: minutes in chunks, each over a connection of its own."""

from __future__ import annotations

import pytest

from workloads.common import UpstreamError
from workloads.io.test_definitions import outputs, running_upstream
from workloads.long import definitions
from workloads.long.definitions import CHUNK_S, chunks, defs, work


@pytest.mark.unit
@pytest.mark.parametrize(
    ("total_s", "expected"),
    [(0.0, ()), (3.0, (3.0,)), (10.0, (10.0,)), (25.0, (10.0, 10.0, 5.0)), (120.0, (10.0,) * 12)],
)
def test_the_time_is_waited_in_chunks_of_ten_seconds_and_a_rest(
    total_s: float, expected: tuple[float, ...]
) -> None:
    assert chunks(total_s) == expected


@pytest.mark.unit
@pytest.mark.parametrize("minutes", [0.1, 1 / 3, 0.7, 2.0, 5.05])
def test_the_chunks_add_up(minutes: float) -> None:
    waits = chunks(minutes * 60)
    assert sum(waits) == pytest.approx(minutes * 60, abs=0.001)
    assert all(0 < wait <= CHUNK_S for wait in waits)


@pytest.mark.unit
def test_a_heartbeat_follows_every_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def wait(wait_s: float) -> float:
        happened.append(f"wait {wait_s:g}")
        return wait_s

    def beat(state: bytes) -> bytes:
        happened.append("beat")
        return state

    monkeypatch.setattr(definitions, "wait_upstream", wait)
    monkeypatch.setattr(definitions, "heartbeat", beat)
    assert work({"minutes": 0.25}) == {"heartbeats": 2, "waited_s": 15.0}
    assert happened == ["wait 10", "beat", "wait 5", "beat"]


@pytest.mark.unit
def test_a_chunk_that_fails_ends_the_op(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_wait_s: float) -> float:
        raise UpstreamError("gone")

    monkeypatch.setattr(definitions, "wait_upstream", refuse)
    with pytest.raises(UpstreamError, match="gone"):
        work({"minutes": 1.0})


@pytest.mark.integration
def test_a_run_waits_as_long_as_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_upstream() as url:
        monkeypatch.setenv("UPSTREAM_URL", url)
        result = defs.get_job_def("load").execute_in_process(run_config={"minutes": 0.002})
    (done,) = outputs(result)
    assert done["heartbeats"] == 1
    assert done["waited_s"] >= 0.12
