"""Sensors hold the server's worker threads: the probe in the server says so, a Ping waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from live.rigs import campaign

from harness.facts.model import Sample
from harness.rig.hosting import prepare
from harness.rig.ledger import Ledger
from harness.rig.load import dagster_graphql as gql
from harness.rig.load.driver import LocustDriver
from harness.rig.protocols import Endpoints
from harness.rig.telemetry.suite import TelemetrySuite

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(900)]

SENSORS = 8
WORKERS = 2
BLOCKING = """
name: live-sensors
target: compose
profiles: [1vcpu-2gb]
max_workers: [2]
workloads:
  - name: sensor
    environment:
      WORKLOAD_SENSORS: "8"
      WORKLOAD_SENSOR_S: "6"
      WORKLOAD_SENSOR_MODE: block
"""
# Eight ticks of 6 s on two threads take 24 s; with a Ping every 10 s, one is asked among them.
ANSWER_S = 90.0
FIRST_PING_S = 15.0
LAST_PING_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A sample, and when the harness had it in hand."""

    at_s: float
    sample: Sample


class Watch:
    """Keeps what a telemetry suite tells."""

    def __init__(self, telemetry: TelemetrySuite) -> None:
        self._telemetry = telemetry
        self.heard: list[Heard] = []

    def look(self) -> None:
        """Take what there is; five looks a second."""
        time.sleep(0.2)
        samples, _ = self._telemetry.take()
        now_s = time.time()
        self.heard += [Heard(at_s=now_s, sample=sample) for sample in samples]

    def pings(self, since_s: float) -> list[dict[str, float]]:
        """Pings asked from `since_s` on that came back, each with all it said, oldest first."""
        looks = [look for _, look in _looks(self.heard, "ping") if "ping_failed" in look]
        return [look for look in looks if look.get("ping_asked_s", look["at_s"]) >= since_s]

    def await_ping(self, since_s: float, timeout_s: float) -> None:
        """Look until such a Ping comes back, or time is up."""
        until_s = time.time() + timeout_s
        while not self.pings(since_s) and time.time() < until_s:
            self.look()


def test_the_pool_probe_tells_of_blocked_workers_long_before_dagsters_own_ping(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    plan = campaign(BLOCKING)
    cell = next(plan.cells())
    hosting = prepare("compose", plan, ledger=Ledger(tmp_path / "ledger"), say=print,
                      log=tmp_path / "log")  # fmt: skip
    target = hosting.target(cell, tmp_path)
    telemetry = TelemetrySuite(None)
    watch = Watch(telemetry)
    with ExitStack() as cleanup:
        senders = cleanup.enter_context(ThreadPoolExecutor(SENSORS))
        cleanup.callback(target.stop)
        cleanup.callback(telemetry.stop)
        endpoints = target.start()
        repository = _repository(endpoints, tmp_path)
        telemetry.start(endpoints)
        # An idle server answers one Ping first, so that the next answer is about the sensors.
        watch.await_ping(0.0, FIRST_PING_S)
        assert watch.pings(0.0), "not even the idle server answers a Ping"
        fired_s = time.time()
        asked = [
            senders.submit(_evaluate, endpoints, repository, f"blocker_{number}")
            for number in range(1, SENSORS + 1)
        ]
        while not all(future.done() for future in asked):
            watch.look()
        took_s = time.time() - fired_s
        watch.await_ping(fired_s, LAST_PING_S)
    ended_s = time.time()

    evaluated = [future.result() for future in asked]
    assert evaluated == [gql.DryRun(skip_reason="held a worker thread: block for 6 s")] * SENSORS
    deepest, full_s = _pool(watch.heard)
    assert full_s is not None, f"never {WORKERS} busy workers and 3 waiting, at most {deepest:.0f}"
    ping = next(iter(watch.pings(fired_s)), {"at_s": ended_s})
    lead_s = ping["at_s"] - full_s
    figures = (
        f"{SENSORS} ticks of 6 s on {WORKERS} workers: took {took_s:.1f} s; full pool known after "
        f"{full_s - fired_s:.2f} s, at most {deepest:.0f} waiting; Ping {_words(ping, fired_s)}; "
        f"the pool probe told {lead_s:.1f} s earlier"
    )
    print(f"\n{figures}")
    record_property("figures", figures)
    assert ping.get("ping_s", ANSWER_S) >= 4, figures
    assert lead_s >= 3, figures


def _repository(endpoints: Endpoints, folder: Path) -> str:
    LocustDriver(folder / "load").wait_until_loadable(endpoints, 60)
    answer = gql.connect(endpoints.webserver_url)(gql.location_status())
    repository = gql.parse_location_status(answer, endpoints.location).repository
    assert repository is not None
    return repository


def _evaluate(endpoints: Endpoints, repository: str, sensor: str) -> gql.DryRun:
    post = gql.connect(endpoints.webserver_url, ANSWER_S)
    body = gql.sensor_dry_run(endpoints.location, repository, sensor)
    return gql.parse_sensor_dry_run(post(body))


def _pool(heard: Sequence[Heard]) -> tuple[float, float | None]:
    """The most requests waiting, and when the harness first knew of all workers busy and 3 waiting.

    Not when the probe looked: its line still had to reach us.
    """
    known_s = {item.sample.taken_s: item.at_s for item in heard if item.sample.device == "pool"}
    looks = [(known_s[at_s], look) for at_s, look in _looks(heard, "pool") if "pool_queue" in look]
    assert looks, "no samples of pool/pool_queue"
    full = (
        at_s
        for at_s, look in looks
        if look["pool_busy"] == look["pool_max"] == WORKERS and look["pool_queue"] >= 3
    )
    return max(look["pool_queue"] for _, look in looks), next(full, None)


def _looks(heard: Sequence[Heard], device: str) -> list[tuple[float, dict[str, float]]]:
    """What a device said at each moment, by key; `at_s` is that moment. Oldest first."""
    looks: dict[float, dict[str, float]] = {}
    for item in heard:
        sample = item.sample
        if sample.device == device:
            look = looks.setdefault(sample.taken_s, {"at_s": sample.taken_s})
            look[sample.key] = sample.value
    return sorted(looks.items())


def _words(ping: Mapping[str, float], fired_s: float) -> str:
    if "ping_s" not in ping:
        return "not answered"
    asked_s, waiting = ping["ping_asked_s"] - fired_s, ping.get("ping_queued", float("nan"))
    return (
        f"asked at {asked_s:.1f} s, answered {ping['ping_s']:.1f} s later ({waiting:.0f} waiting)"
    )
