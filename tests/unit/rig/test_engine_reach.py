"""How an engine and its ports are reached, by the kind of its place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from harness.errors import EnvironmentProblem
from harness.rig.engine_place import reach, ssh
from harness.rig.engine_place.place import Tls, parse
from harness.rig.engine_place.reach import Reach
from harness.rig.engine_place.ssh import SshConnection
from harness.rig.ledger import Ledger
from harness.rig.target import compose_project

pytestmark = pytest.mark.unit


class Connection:
    """An ssh connection that leads nowhere."""

    made: int = 0

    def __init__(self) -> None:
        Connection.made += 1
        self.socket = Path("/folder/engine")
        self.why_lost = ""

    def port(self, there: int) -> int:
        return there + 1

    def lost(self) -> str:
        return self.why_lost

    def close(self) -> None:
        self.why_lost = "closed"


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    opened: list[Connection] = []

    def connect(_: object) -> Connection:
        opened.append(Connection())
        return opened[-1]

    monkeypatch.setattr(reach.SshConnection, "open", connect)
    return opened


def test_here_a_port_is_published_and_reached_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANY", "thing")
    way = Reach(parse("unix:///var/run/docker.sock"))
    assert (way.bind_address(), way.address(4000)) == ("127.0.0.1", "127.0.0.1:4000")
    assert way.environment() == dict(os.environ)


def test_by_ssh_a_port_stays_on_the_loopback_of_both_ends(connections: list[Connection]) -> None:
    way = Reach(parse("ssh://bench"))
    assert (way.bind_address(), way.address(4000)) == ("127.0.0.1", "127.0.0.1:4001")
    assert len(connections) == 1


def test_by_ssh_the_docker_command_is_given_our_socket_and_nothing_else_of_engines(
    connections: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.setenv(name, "of the user")
    monkeypatch.setenv("DOCKER_CONFIG", "/logins")
    given = Reach(parse("ssh://bench")).environment()
    assert {name: value for name, value in given.items() if name in reach.VARIABLES} == {
        "DOCKER_HOST": "unix:///folder/engine", "DOCKER_CONFIG": "/logins",
    }  # fmt: skip


def test_a_lost_connection_is_told_and_made_anew_only_when_it_is_used(
    connections: list[Connection],
) -> None:
    way = Reach(parse("ssh://bench"))
    assert way.lost() == ""  # there was none
    way.address(1)
    connections[0].why_lost = "ssh ended with exit code 255."
    assert way.lost() == "ssh ended with exit code 255."
    assert len(connections) == 1
    way.address(1)
    assert (len(connections), way.lost()) == (2, "")
    way.close()
    assert connections[1].why_lost == "closed"


def test_by_tcp_a_port_is_published_on_the_hosts_own_address() -> None:
    way = Reach(parse("tcp://127.0.0.5:2375"))
    assert (way.bind_address(), way.address(4000)) == ("127.0.0.5", "127.0.0.5:4000")
    six = Reach(parse("tcp://[::1]:2375"))
    assert (six.bind_address(), six.address(4000)) == ("[::1]", "[::1]:4000")


def test_by_tcp_no_proxy_comes_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "localhost")
    monkeypatch.setenv("NO_PROXY", "")
    given = Reach(parse("tcp://bench:2375")).environment()
    assert given["no_proxy"] == "localhost,bench"
    assert given["NO_PROXY"] == "bench"


def test_a_name_without_an_address_is_the_environments_fault() -> None:
    with pytest.raises(EnvironmentProblem, match=r"bench\.invalid has no address"):
        Reach(parse("tcp://bench.invalid:2375")).bind_address()


def test_certificates_are_used_as_far_as_there_are_any(tmp_path: Path) -> None:
    tls = reach._tls_config(Tls(folder=str(tmp_path), verify=False))
    assert (tls.ca_cert, tls.verify) == (None, False)
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    tls = reach._tls_config(Tls(folder=str(tmp_path)))
    assert tls.ca_cert == str(tmp_path / "ca.pem")
    assert tls.cert == (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))


def test_equal_variables_mean_one_and_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://one:1")
    one = reach.here()
    assert reach.here() is one
    monkeypatch.setenv("DOCKER_HOST", "tcp://two:1")
    assert reach.here().place.host == "two"


class Container:
    """Runs, with a PID of its host."""

    attrs = {"State": {"Running": True, "Pid": 4711}}  # noqa: RUF012

    def reload(self) -> None: ...


@pytest.mark.parametrize(
    ("url", "pid"),
    [("unix:///x.sock", 4711), ("tcp://bench:1", None), ("ssh://bench", None)],
)
def test_the_pid_of_another_host_is_never_one_of_ours(
    url: str, pid: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", url)
    container: Any = Container()
    assert compose_project.pid_here(container) == pid


def test_a_host_that_asks_for_a_password_is_refused_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "ssh"
    command.write_text("#!/bin/sh\necho 'Permission denied (publickey).' >&2; exit 255\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    ledger = Ledger(tmp_path / "ledger.jsonl")
    before = set(Path("/tmp").glob("dlh-ssh-*"))
    with pytest.raises(EnvironmentProblem) as caught:
        SshConnection.open(parse("ssh://bench"), ledger)
    assert "Permission denied" in caught.value.evidence
    assert "without any question" in caught.value.hint
    assert ledger.entries() == ()
    assert set(Path("/tmp").glob("dlh-ssh-*")) <= before


def test_ssh_asks_nobody_and_takes_over_no_forwarding_of_the_users() -> None:
    words = ssh._master_command(parse("ssh://me@bench:2222"), Path("/folder/control"))
    assert words[-2:] == ["--", "bench"]
    assert {"BatchMode=yes", "ClearAllForwardings=yes", "ForwardAgent=no"} <= set(words)
    assert words[words.index("-l") + 1] == "me"
    assert words[words.index("-p") + 1] == "2222"
