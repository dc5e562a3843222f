"""How an engine is reached: SDK clients, the `docker` command's environment, published ports."""

from __future__ import annotations

import atexit
import os
import socket
import threading
from pathlib import Path

import docker
from docker.errors import DockerException
from docker.tls import TLSConfig

from harness.errors import EnvironmentProblem
from harness.rig.engine_place.place import EnginePlace, Tls, locate
from harness.rig.engine_place.ssh import SshConnection

VARIABLES = (
    "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
)  # fmt: skip
LOOPBACK = "127.0.0.1"
KNOCK_S = 5.0


class Reach:
    """The way to one engine; what it needs (an ssh connection) is made on first use.

    Safe to use from several threads.
    """

    def __init__(self, place: EnginePlace) -> None:
        self.place = place
        self._ssh: SshConnection | None = None
        self._lock = threading.Lock()

    def client(self, timeout_s: float = 60) -> docker.DockerClient:
        """A client of the SDK, which its taker closes.

        Raises:
            EnvironmentProblem: the engine's host cannot be reached.
            DockerException: no engine answers there.
        """
        place = self.place
        if place.kind == "ssh":
            url = f"unix://{self._connection().socket}"
            return docker.DockerClient(base_url=url, timeout=int(timeout_s))
        if place.kind == "local":
            return docker.DockerClient(base_url=place.url, timeout=int(timeout_s))
        _past_proxies(place.host)
        if silent := self.unreachable():  # the SDK would try for minutes
            raise DockerException(f"{place.url}: {silent}")
        return docker.DockerClient(
            base_url=f"tcp://{in_url(place.host)}:{place.port}", timeout=int(timeout_s),
            tls=_tls_config(place.tls) if place.tls else False,
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The environment in which `docker` talks to this engine: what the user said, but through
        our ssh connection where there is one.

        Raises:
            EnvironmentProblem: the engine's host cannot be reached.
        """
        if self.place.kind == "ssh":
            rest = {name: value for name, value in os.environ.items() if name not in VARIABLES}
            return {**rest, **_config(), "DOCKER_HOST": f"unix://{self._connection().socket}"}
        if self.place.kind == "tcp":
            _past_proxies(self.place.host)
        return dict(os.environ)

    def address(self, port: int) -> str:
        """`host:port` at which a port that the engine published answers here.

        Raises:
            EnvironmentProblem, TargetFailed: it cannot be reached.
        """
        if self.place.kind == "ssh":
            return f"{LOOPBACK}:{self._connection().port(port)}"
        return f"{in_url(self.place.host) if self.place.remote else LOOPBACK}:{port}"

    def bind_address(self) -> str:
        """The address on the engine's host at which it is to publish ports, as Compose reads it.

        Raises:
            EnvironmentProblem: the host's name has no address.
        """
        if self.place.kind != "tcp":
            return LOOPBACK
        try:
            found = socket.getaddrinfo(self.place.host, self.place.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise EnvironmentProblem(
                f"The engine's host {self.place.host} has no address.", evidence=str(error)
            ) from error
        return in_url(str(found[0][4][0]))

    def unreachable(self) -> str:
        """Why nobody listens at a TCP engine's address; empty where somebody does."""
        if self.place.kind != "tcp":
            return ""
        try:
            socket.create_connection((self.place.host, self.place.port or 0), KNOCK_S).close()
        except OSError as error:
            return str(error)
        return ""

    def lost(self) -> str:
        """Why a connection that was there is gone; empty where it is there, or was never made."""
        with self._lock:
            return self._ssh.lost() if self._ssh is not None else ""

    def close(self) -> None:
        """Let go of the connection. Safe to call twice; another use makes a new one."""
        with self._lock:
            connection, self._ssh = self._ssh, None
        if connection is not None:
            connection.close()

    def _connection(self) -> SshConnection:
        """The living connection; after a loss a new one, so that things can be taken down."""
        with self._lock:
            if self._ssh is not None and self._ssh.lost():
                self._ssh.close()
                self._ssh = None
            if self._ssh is None:
                self._ssh = SshConnection.open(self.place)
            return self._ssh


_KNOWN: dict[tuple[str | None, ...], Reach] = {}
_KNOWN_LOCK = threading.Lock()


def here() -> Reach:
    """The engine this process works with, found once for equal variables.

    Raises:
        EnvironmentProblem: its address cannot be used.
    """
    key = tuple(os.environ.get(name) for name in VARIABLES)
    with _KNOWN_LOCK:
        if key not in _KNOWN:
            _KNOWN[key] = Reach(locate())
        return _KNOWN[key]


def close_all() -> None:
    """Let go of every connection of this process."""
    with _KNOWN_LOCK:
        known = list(_KNOWN.values())
    for reach in known:
        reach.close()


atexit.register(close_all)


def in_url(host: str) -> str:
    """A host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _tls_config(tls: Tls) -> TLSConfig:
    folder = Path(tls.folder)
    ca, cert, key = (folder / name for name in ("ca.pem", "cert.pem", "key.pem"))
    pair = (str(cert), str(key)) if cert.is_file() and key.is_file() else None
    return TLSConfig(client_cert=pair, ca_cert=str(ca) if ca.is_file() else None, verify=tls.verify)


def _config() -> dict[str, str]:
    """The folder of the user's `docker` settings stays: logins to registries are there."""
    folder = os.environ.get("DOCKER_CONFIG")
    return {"DOCKER_CONFIG": folder} if folder else {}


def _past_proxies(host: str) -> None:
    """No proxy of the environment comes between us, our children and the engine's host."""
    for name in ("no_proxy", "NO_PROXY"):
        listed = [each for each in os.environ.get(name, "").split(",") if each]
        if host not in listed:
            os.environ[name] = ",".join([*listed, host])
