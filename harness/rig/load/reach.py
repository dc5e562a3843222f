"""Which address a load worker on another place reaches the webserver under."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit, urlunsplit

LOOPBACK = "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Whether a name or address means the very machine that asks; no name server is asked."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def from_worker(url: str, master_host: str) -> str:
    """The webserver's address as a worker has to call it.

    127.0.0.1 is the master's own machine: a worker that reaches the master under another address
    finds the webserver there, too.
    """
    parts = urlsplit(url)
    if not is_loopback(parts.hostname or "") or is_loopback(master_host):
        return url
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{master_host}{port}"))


def web_address(master: str) -> str:
    """The address of this host the webserver has to be reachable at for workers of `master`.

    `master` (`host:port`) is where the master listens; empty where there is none. 0.0.0.0 is all.

    Raises:
        OSError: the host's name is not known.
    """
    host = master.rpartition(":")[0]
    if not host or is_loopback(host):
        return LOOPBACK
    return socket.gethostbyname(host)


def check_master(master: str) -> None:
    """Can a master listen there?

    Raises:
        OSError: it cannot: no address of this host, or somebody else listens.
    """
    host, _, port = master.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, int(port)))
