"""Where the engine is, from variables and contexts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import EnvironmentProblem
from harness.rig.engine_place.place import EnginePlace, Tls, locate, parse

pytestmark = pytest.mark.unit


def context(host: str, name: str = "bench", **more: Any) -> Callable[[], str]:
    """What `docker context inspect` answers."""
    endpoint = {"Host": host, "SkipTLSVerify": more.get("skip", False)}
    document = {
        "Name": name,
        "Endpoints": {"docker": endpoint},
        "TLSMaterial": more.get("material", {}),
        "Storage": {"TLSPath": "/contexts/tls/1"},
    }
    return lambda: json.dumps([document])


def nobody() -> str:
    raise FileNotFoundError("docker")


@pytest.mark.parametrize(
    ("url", "kind", "host", "port", "user", "socket"),
    [
        ("unix:///run/user/7/docker.sock", "local", "", None, "", "/run/user/7/docker.sock"),
        ("tcp://bench:2375", "tcp", "bench", 2375, "", "/var/run/docker.sock"),
        ("tcp://10.0.0.7", "tcp", "10.0.0.7", 2375, "", "/var/run/docker.sock"),
        ("tcp://[fd00::7]:99", "tcp", "fd00::7", 99, "", "/var/run/docker.sock"),
        ("ssh://bench-host", "ssh", "bench-host", None, "", "/var/run/docker.sock"),
        ("ssh://me@bench:2222", "ssh", "bench", 2222, "me", "/var/run/docker.sock"),
        ("ssh://bench/run/d.sock", "ssh", "bench", None, "", "/run/d.sock"),
    ],
)
def test_an_address_is_read_as_docker_writes_it(
    url: str, kind: str, host: str, port: int | None, user: str, socket: str
) -> None:
    place = parse(url)
    assert (place.kind, place.host, place.port) == (kind, host, port)
    assert (place.user, place.socket, place.url) == (user, socket, url)
    assert place.remote is (kind != "local")


@pytest.mark.parametrize(
    "url", ["bench", "ftp://bench", "tcp://", "ssh://me:secret@bench", "ssh://-oProxy", "tcp://a:b"]
)
def test_an_address_nobody_understands_is_refused(url: str) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        parse(url)
    assert "secret" not in str(caught.value)
    assert "ssh://[USER@]HOST" in caught.value.hint


def test_the_variable_comes_before_any_context() -> None:
    place = locate({"DOCKER_HOST": "tcp://a:1", "DOCKER_CONTEXT": "bench"}, context("ssh://bench"))
    assert (place.host, place.said_by) == ("a", "DOCKER_HOST")


@pytest.mark.parametrize("named", [{}, {"DOCKER_CONTEXT": "bench"}])
def test_the_context_in_use_is_the_engine_that_is_meant(named: dict[str, str]) -> None:
    place = locate(named, context("ssh://me@bench"))
    assert (place.kind, place.host, place.said_by) == ("ssh", "bench", "context bench")


def test_a_context_brings_its_own_certificates() -> None:
    material = {"docker": ["ca.pem", "cert.pem", "key.pem"]}
    place = locate({}, context("tcp://bench", material=material))
    assert place.tls == Tls(folder="/contexts/tls/1/docker", verify=True)
    assert place.port == 2376
    skipping = locate({}, context("tcp://bench", skip=True))
    assert skipping.tls is not None
    assert skipping.tls.verify is False


@pytest.mark.parametrize(
    ("variables", "tls"),
    [
        ({}, None),
        ({"DOCKER_CERT_PATH": "/keys"}, None),
        ({"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/keys"}, Tls(folder="/keys")),
        ({"DOCKER_TLS": "1", "DOCKER_CERT_PATH": "/keys"}, Tls(folder="/keys", verify=False)),
        ({"DOCKER_TLS_VERIFY": "1"}, Tls(folder=str(Path.home() / ".docker"))),
    ],
)
def test_tls_is_asked_for_by_the_variables_of_the_docker_command(
    variables: dict[str, str], tls: Tls | None
) -> None:
    assert locate({"DOCKER_HOST": "tcp://bench:1", **variables}).tls == tls


@pytest.mark.parametrize("ask", [nobody, lambda: "no JSON", lambda: "[]"])
def test_without_any_word_it_is_the_usual_socket_here(ask: Callable[[], str]) -> None:
    assert locate({}, ask) == EnginePlace(
        kind="local", url="unix:///var/run/docker.sock", said_by="default"
    )


def test_a_context_that_is_not_there_is_no_reason_to_measure_here() -> None:
    def unknown() -> str:
        raise subprocess.CalledProcessError(1, "docker", stderr='context "nix": not found')

    with pytest.raises(EnvironmentProblem) as caught:
        locate({"DOCKER_CONTEXT": "nix"}, unknown)
    assert "not found" in caught.value.evidence
    assert locate({}, unknown).kind == "local"
