"""Where the Docker engine is: as DOCKER_HOST, DOCKER_CONTEXT or the context in use say.

The `docker` command itself is asked which context that is, so that Compose, buildx and the SDK
never talk to different engines: the SDK alone knows nothing of contexts.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from harness.errors import EnvironmentProblem

Kind = Literal["local", "tcp", "ssh"]

SOCKET = "/var/run/docker.sock"
DEFAULT = f"unix://{SOCKET}"
PORTS = {False: 2375, True: 2376}
"""Of an engine that listens on TCP, without TLS and with it."""

ASK_TIMEOUT_S = 30.0

Ask = Callable[[], str]
"""Answers like `docker context inspect`: the context in use, as JSON. Raises what `subprocess`
raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How a TCP engine is trusted. `folder` holds `ca.pem`, `cert.pem`, `key.pem`, all optional."""

    folder: str
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginePlace:
    """One engine's address.

    `url` as it was named; `said_by` who named it. `host`, `port`, `user` are empty where the
    address has none (for ssh, the user's own ssh settings then say). `socket`: the engine's, on
    this machine (local) or on its host (ssh).
    """

    kind: Kind
    url: str
    said_by: str = "default"
    host: str = ""
    port: int | None = None
    user: str = ""
    socket: str = SOCKET
    tls: Tls | None = None

    @property
    def remote(self) -> bool:
        """Whether its containers are other processes than those of this machine, as far as can be
        known: an engine on TCP may be anywhere, so it counts as elsewhere.
        """
        return self.kind != "local"

    @property
    def words(self) -> str:
        """`here`, `bench-host by ssh`, `10.0.0.7 by tcp`."""
        return f"{self.host} by {self.kind}" if self.remote else "here"


def locate(environment: Mapping[str, str] = os.environ, ask: Ask | None = None) -> EnginePlace:
    """The engine the environment means: DOCKER_HOST first, else the context in use.

    Args:
        environment: variables.
        ask: asks for the context; the `docker` command by default.

    Raises:
        EnvironmentProblem: an address nobody understands, or a context that is not there.
    """
    if url := environment.get("DOCKER_HOST"):
        return parse(url, said_by="DOCKER_HOST", tls=_tls_of(environment))
    named = environment.get("DOCKER_CONTEXT", "")
    try:
        contexts = json.loads((ask or _ask_docker)())
        return _of_context(contexts[0], environment)
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError) as error:
        if not named:  # no `docker` command, say: there is no context to be in then
            return parse(DEFAULT, said_by="default")
        said = getattr(error, "stderr", "") or str(error)
        raise EnvironmentProblem(
            f"The Docker context {named} cannot be read.",
            evidence=str(said).strip(),
            hint="docker context ls shows those there are.",
        ) from error


def parse(url: str, *, said_by: str = "", tls: Tls | None = None) -> EnginePlace:
    """An address as Docker writes it.

    Raises:
        EnvironmentProblem: it is none the harness can use.
    """
    parts, port = _split(url)
    if parts.scheme in ("unix", "npipe"):
        return EnginePlace(kind="local", url=url, said_by=said_by, socket=parts.path)
    host = parts.hostname or ""
    if parts.scheme in ("tcp", "http", "https") and host:
        return EnginePlace(
            kind="tcp", url=url, said_by=said_by, host=host,
            port=port or PORTS[tls is not None], tls=tls,
        )  # fmt: skip
    if parts.scheme == "ssh" and host and not host.startswith("-") and parts.password is None:
        return EnginePlace(
            kind="ssh", url=url, said_by=said_by, host=host, port=port,
            user=parts.username or "", socket=parts.path.rstrip("/") or SOCKET,
        )  # fmt: skip
    raise _unusable(url, said_by)


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError as error:
        raise _unusable(url, "") from error


def _unusable(url: str, said_by: str) -> EnvironmentProblem:
    shown = (
        url if "@" not in url else f"{url.split('://', maxsplit=1)[0]}://…@{url.rsplit('@', 1)[1]}"
    )
    return EnvironmentProblem(
        "The address of the Docker engine cannot be used.",
        evidence=f"{said_by or 'address'}: {shown}",
        hint="unix:///PATH, tcp://HOST:PORT or ssh://[USER@]HOST[:PORT], without a password.",
    )


def _of_context(context: Mapping[str, Any], environment: Mapping[str, str]) -> EnginePlace:
    endpoint = context["Endpoints"]["docker"]
    name = str(context.get("Name") or "default")
    if name == "default":
        return parse(endpoint["Host"], said_by="default", tls=_tls_of(environment))
    tls = None
    if context.get("TLSMaterial") or endpoint.get("SkipTLSVerify"):
        folder = str(Path(context["Storage"]["TLSPath"]) / "docker")
        tls = Tls(folder=folder, verify=not endpoint.get("SkipTLSVerify"))
    return parse(endpoint["Host"], said_by=f"context {name}", tls=tls)


def _tls_of(environment: Mapping[str, str]) -> Tls | None:
    """As the `docker` command reads it: each of the two variables asks for TLS by being set."""
    verify = bool(environment.get("DOCKER_TLS_VERIFY"))
    if not verify and not environment.get("DOCKER_TLS"):
        return None
    folder = environment.get("DOCKER_CERT_PATH") or environment.get("DOCKER_CONFIG")
    return Tls(folder=folder or str(Path.home() / ".docker"), verify=verify)


def _ask_docker() -> str:
    return subprocess.run(
        ["docker", "context", "inspect"], capture_output=True, text=True, check=True,
        timeout=ASK_TIMEOUT_S, stdin=subprocess.DEVNULL,
    ).stdout  # fmt: skip
