"""A base image without a registry: Debian, by `debootstrap` and `docker import`.

For Debian-like hosts as root. The result stands in for `python:3.11-slim-bookworm`: Debian 12
with its Python 3.11 and venv.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from harness.errors import EnvironmentProblem
from harness.rig.target.docker_cli import docker, last_lines

SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
TIMEOUT_S = 1200


def build_base(tag: str, *, log: Path | None = None) -> None:
    """Make the image `tag`.

    Raises:
        EnvironmentProblem: not root, no debootstrap, or debootstrap failed.
    """
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise EnvironmentProblem(
            "No registry answers, and a base image cannot be made here either.",
            evidence="debootstrap is missing" if os.geteuid() == 0 else "not running as root",
            hint="Name a base image this engine holds: harness images build --python-image IMAGE "
            "--postgres-image IMAGE. Or, as root: apt-get install debootstrap",
        )
    with tempfile.TemporaryDirectory(prefix="dagster-load-harness-base-") as folder:
        root = Path(folder) / "root"
        _debootstrap(root, log)
        archive = Path(folder) / "base.tar"
        exclude = [f"--exclude=./{name}" for name in ("dev", "proc", "sys", "var/cache/apt")]
        subprocess.run(
            ["tar", "-C", str(root), "--numeric-owner", *exclude, "-cf", str(archive), "."],
            check=True,
        )
        docker(["import", "--change", 'CMD ["python3"]', str(archive), tag], timeout_s=600, log=log)


def mirror_of_this_host(sources: Iterable[str]) -> str | None:
    """The main Debian archive in apt source texts (one-line or deb822), or `None`."""
    pattern = re.compile(r"^(?:URIs:|deb(?: \[[^]]*\])?)\s+(\S+/debian/?)(?:\s|$)", re.MULTILINE)
    for text in sources:
        found = pattern.search(text)
        if found:
            return found.group(1)
    return None


def _debootstrap(root: Path, log: Path | None) -> None:
    apt = Path("/etc/apt")
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    mirror = mirror_of_this_host(f.read_text(errors="replace") for f in files if f.is_file())
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root)]
    done = subprocess.run(
        [*command, *([mirror] if mirror else [])], capture_output=True, text=True,
        timeout=TIMEOUT_S, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if log is not None:
        with log.open("a", encoding="utf-8") as stream:
            stream.write(done.stdout + done.stderr)
    if done.returncode != 0:
        raise EnvironmentProblem(
            "debootstrap could not make a base image.",
            evidence=last_lines(done.stdout + done.stderr, 8),
            hint="Check that this machine reaches a Debian mirror (apt-get update).",
        )
