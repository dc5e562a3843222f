"""A second Docker engine on this machine that is as good as on another one.

It has its own network, PIDs and mounts, its own images, an address of its own, and an ssh server
with a key nobody else has. What the harness would wrongly read of this host (a PID, a socket, a
port of 127.0.0.1) is not there, or is somebody else's. Needs root, `dockerd`, `unshare`, `ip` and
`sshd`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

NAME = "bench-host"
HERE, THERE = "10.213.78.1", "10.213.78.2"
LINK = ("dlh-live0", "dlh-live1")
SSH_PORT = 2222
WAIT_S = 60.0

# The outer shell makes the namespaces; this runs inside them, as their first process.
INSIDE = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /run/exec
ip link set lo up
until ip link show {link} >/dev/null 2>&1; do sleep 0.05; done
ip addr add {there}/24 dev {link}
ip link set {link} up
{sshd} -f {folder}/sshd_config -E {folder}/sshd.log
exec dockerd --data-root {folder}/data --exec-root /run/exec --pidfile /run/docker.pid \\
    --tls=false -H unix:///run/docker.sock -H tcp://{there}:2375
"""

SSHD = """
ListenAddress {there}:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
PidFile none
"""

# `ssh` reads no settings from $HOME, so a command of that name says where ours are.
SSH_CONFIG = """
Host {name}
  HostName {there}
  Port {port}
  User root
  IdentityFile {folder}/key
  UserKnownHostsFile {folder}/known
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondEngine:
    """It runs. `bin`: a folder for the PATH in which `ssh` knows the host."""

    bin: Path
    first_pid: int

    @property
    def tcp(self) -> str:
        """Its address for DOCKER_HOST."""
        return f"tcp://{THERE}:2375"

    @property
    def ssh(self) -> str:
        """The same, by ssh."""
        return f"ssh://{NAME}"

    def environment(self, url: str) -> Mapping[str, str]:
        """Variables with which this engine is the one that is meant."""
        return {"DOCKER_HOST": url, "PATH": f"{self.bin}:{os.environ['PATH']}"}

    def docker(self, *arguments: str) -> list[str]:
        """The lines a `docker` command says there."""
        return run("docker", *arguments, DOCKER_HOST=self.tcp).split()

    def load(self, images: Sequence[str]) -> None:
        """Take images over from the first engine."""
        save = subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE)
        there = {**os.environ, "DOCKER_HOST": self.tcp}
        subprocess.run(
            ["docker", "load", "--quiet"], stdin=save.stdout, check=True, env=there, timeout=300,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        assert save.wait(30) == 0


@contextmanager
def second_engine(folder: Path) -> Iterator[SecondEngine]:
    """Start it, and leave nothing of it, not even its images."""
    _need("dockerd", "unshare", "ip", "ssh", "ssh-keygen", "sshd")
    _write_keys(folder)
    script = INSIDE.format(link=LINK[1], there=THERE, folder=folder, sshd=_which("sshd"))
    with (folder / "dockerd.log").open("ab") as log:
        outer = subprocess.Popen(
            ["unshare", "--net", "--pid", "--mount", "--fork", "--mount-proc", "sh", "-c", script],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    inner: list[psutil.Process] = []
    try:
        wait_until(lambda: bool(psutil.Process(outer.pid).children()), "the namespaces")
        inner += psutil.Process(outer.pid).children()
        run("ip", "link", "add", LINK[0], "type", "veth", "peer", "name", LINK[1],
            "netns", str(inner[0].pid))  # fmt: skip
        run("ip", "addr", "add", f"{HERE}/24", "dev", LINK[0])
        run("ip", "link", "set", LINK[0], "up")
        answers = ["docker", "--host", f"tcp://{THERE}:2375", "version"]
        wait_until(
            lambda: subprocess.run(answers, capture_output=True, check=False).returncode == 0,
            f"the second engine; its log: {folder / 'dockerd.log'}",
        )
        yield SecondEngine(bin=folder / "bin", first_pid=inner[0].pid)
    finally:
        for process in inner:
            process.terminate()
        psutil.wait_procs(inner, timeout=20)
        for process in [p for p in inner if p.is_running()]:
            process.kill()  # the first process of its PIDs: all others end with it
        outer.wait(20)
        subprocess.run(["ip", "link", "del", LINK[0]], capture_output=True, check=False)
        shutil.rmtree(folder / "data", ignore_errors=True)


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
    """Poll until it holds."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"never: {what}"
        time.sleep(0.1)


def run(*command: str, **more: str) -> str:
    """What a command says; its failure is the test's."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **more},
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def _which(name: str) -> str | None:
    """Where a command is; those of administrators are not on every PATH."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def _need(*names: str) -> None:
    missing = [name for name in names if _which(name) is None]
    assert not missing, f"missing: {missing}. Run .ci/provision first."


def _write_keys(folder: Path) -> None:
    for name in ("key", "host"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    known = f"[{THERE}]:{SSH_PORT} {(folder / 'host.pub').read_text()}"
    words = {"there": THERE, "port": SSH_PORT, "folder": folder, "name": NAME}
    (folder / "known").write_text(known)
    (folder / "sshd_config").write_text(SSHD.format(**words))
    (folder / "ssh_config").write_text(SSH_CONFIG.format(**words))
    (folder / "bin").mkdir()
    command = folder / "bin" / "ssh"
    command.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    command.chmod(0o755)
