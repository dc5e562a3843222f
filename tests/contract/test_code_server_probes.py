"""The probes and their client against a real gRPC server."""

from __future__ import annotations

import threading
import time

import pytest
from device_parts import PATIENCE_S, SERVER, Servicer, endpoints, serving

from harness.facts.model import Limits
from harness.rig.code_server_rpc import CallError, CodeServerClient
from harness.rig.protocols import Device, Reading
from harness.rig.telemetry import ping, probe, told

pytestmark = pytest.mark.contract


def test_a_probe_of_a_serving_server_is_answered() -> None:
    servicer = Servicer()
    servicer.free.set()
    with serving(servicer) as address:
        told = _read_once(probe.offer(endpoints(address=address)))
    assert told["probe_lost"] == 0.0
    assert 0 < told["probe_s"] < probe.DEADLINE_S


def test_a_probe_of_nobody_is_lost() -> None:
    told = _read_once(probe.offer(endpoints(address="127.0.0.1:1")))
    assert told == {"probe_lost": 1.0}


def test_a_probe_waiting_for_a_held_pool_is_skipped_over_then_answered() -> None:
    servicer = Servicer()
    with serving(servicer) as address:
        device = probe.offer(endpoints(address=address))
        assert device is not None
        assert device.read() == Reading()
        servicer.free.set()
        told = _read_until_stamped(device)
        device.close()
    assert told["probe_lost"] == 0.0
    assert told["probe_s"] > 0.5  # it waited while the first read did


def test_a_ping_reads_the_servers_metrics() -> None:
    with serving(Servicer()) as address:
        told = _read_once(ping.offer(endpoints(address=address)))
    assert (told["ping_queued"], told["ping_running"], told["ping_max"]) == (0, 1, 2)
    assert told["ping_answered_s"] >= told["ping_asked_s"]


def test_a_server_without_metrics_is_still_pinged() -> None:
    with serving(Servicer(metrics=None)) as address:
        told = _read_once(ping.offer(endpoints(address=address)))
    assert set(told) == {"ping_failed", "ping_s", "ping_asked_s", "ping_answered_s"}


def test_a_server_that_tells_of_its_container_is_asked_for_memory_and_cpu() -> None:
    with serving(Servicer()) as address:
        told_by_it = _read_once(told.offer(endpoints(address=address, tells=True)))
    assert told_by_it == {"usage_bytes": 2e8, "cpu_s": 3.5}


def test_a_server_that_stops_telling_leaves_no_samples() -> None:
    with serving(Servicer(metrics=None)) as address:
        device = told.offer(endpoints(address=address, tells=True))
        assert device is not None
        for _ in range(20):
            assert device.read().stamped == []
            time.sleep(0.01)
        device.close()


def test_a_client_asks_and_is_answered() -> None:
    servicer = Servicer()
    servicer.free.set()
    with serving(servicer) as address:
        client = CodeServerClient(address)
        assert client.server_id(5.0) == "the-server"
        said = client.ping(5.0)
        assert (said.max_workers, said.running, said.queued) == (2, 1, 0)
        assert said.container.limits == Limits(cpu_cores=1.0, memory_bytes=2**30)
        assert client.current_runs(5.0) == ("a-run",)
        client.close()


def test_a_deadline_that_passes_is_named() -> None:
    with serving(Servicer()) as address:
        client = CodeServerClient(address)
        with pytest.raises(CallError) as lost:
            client.server_id(0.1)
        client.close()
    assert lost.value.code == "DEADLINE_EXCEEDED"


def test_closing_a_client_ends_what_it_still_asks() -> None:
    with serving(Servicer()) as address:
        client = CodeServerClient(address)
        call = client.ask_server_id(PATIENCE_S)
        ended = threading.Event()
        call.on_done(ended.set)
        client.close()
        assert ended.wait(5.0)
        with pytest.raises(CallError, match="CANCELLED"):
            call.result()


def test_a_client_finds_its_server_again_after_a_restart() -> None:
    servicer = Servicer()
    servicer.free.set()
    with serving(servicer) as address:
        client = CodeServerClient(address)
        client.server_id(5.0)
    with pytest.raises(CallError, match="UNAVAILABLE"):
        client.server_id(10.0)
    port = int(address.rpartition(":")[2])
    with serving(servicer, port):
        until_s = time.monotonic() + PATIENCE_S
        while not _answers(client):
            assert time.monotonic() < until_s
    client.close()


def _answers(client: CodeServerClient) -> bool:
    try:
        return client.server_id(1.0) == "the-server"
    except CallError:
        return False


def _read_once(device: Device | None) -> dict[str, float]:
    assert device is not None
    told = _read_until_stamped(device)
    device.close()
    return told


def _read_until_stamped(device: Device) -> dict[str, float]:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        reading = device.read()
        if reading.stamped:
            assert {source for _, source, _, _ in reading.stamped} == {SERVER}
            return {key: value for _, _, key, value in reading.stamped}
    raise AssertionError("never answered")
