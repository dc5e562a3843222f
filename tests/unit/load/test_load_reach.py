"""The address a load worker on another place reaches the webserver under."""

from __future__ import annotations

import socket

import pytest

from harness.rig.load.reach import check_master, from_worker, is_loopback, web_address

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("url", "master_host", "called"),
    [
        ("http://127.0.0.1:3000", "10.0.0.5", "http://10.0.0.5:3000"),
        ("https://localhost:3000/sub", "bench-1", "https://bench-1:3000/sub"),
        ("http://127.0.0.1", "10.0.0.5", "http://10.0.0.5"),
        ("http://127.0.0.1:3000", "127.0.0.1", "http://127.0.0.1:3000"),
        ("http://10.0.0.9:3000", "10.0.0.5", "http://10.0.0.9:3000"),
        ("https://dagster.example.org/x", "10.0.0.5", "https://dagster.example.org/x"),
    ],
)
def test_this_machine_is_the_master_s_for_a_worker(url: str, master_host: str, called: str) -> None:
    assert from_worker(url, master_host) == called


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"])
def test_a_loopback_is_known_without_asking_anybody(host: str) -> None:
    assert is_loopback(host)
    assert not is_loopback("bench-1")


@pytest.mark.parametrize(
    ("master", "address"),
    [
        ("", "127.0.0.1"),
        ("127.0.0.1:5557", "127.0.0.1"),
        ("localhost:5557", "127.0.0.1"),
        ("10.0.0.5:5557", "10.0.0.5"),
        ("0.0.0.0:5557", "0.0.0.0"),
    ],
)
def test_the_webserver_is_reachable_where_the_master_is(master: str, address: str) -> None:
    assert web_address(master) == address


def test_a_master_listens_at_a_free_port_of_an_address_of_this_host() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            check_master(f"127.0.0.1:{port}")
    check_master(f"127.0.0.1:{port}")
    with pytest.raises(OSError, match="assign"):
        check_master("192.0.2.1:5557")  # of the documentation, never ours (RFC 5737)
