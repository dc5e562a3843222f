"""An image from a project's folder: on the Dagster image of the campaign's version.

What a project asks for is installed under the versions that Dagster is locked with, so that the
campaign's Dagster is the one measured. Environment files never get into an image.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docker.utils.build import exclude_paths

from harness.errors import CampaignError
from harness.rig.target.docker_cli import docker
from harness.rig.target.images import (
    BUILD_TIMEOUT_S,
    REPOSITORY,
    BuildOptions,
    build_command,
    exists,
    image_id,
)
from harness.rig.target.software import Software

INSIDE = "/opt/project"
LEFT_OUT = (
    ".git", "**/__pycache__", "**/.venv", "**/venv", "**/node_modules", "**/.pytest_cache",
    "**/.env", "**/.env.*", "**/*.env", "results", "**/.dagster", "**/dagster_home", "**/.tox",
    "**/.mypy_cache", "**/.ruff_cache",
)  # fmt: skip
"""What no image needs, and what may hold secrets; `.dockerignore` adds to it."""

MOST_BYTES = 2 * 1024**3

DOCKERFILE = """
ARG BASE
FROM ${BASE}
USER root
COPY --chown=dagster:dagster project /opt/project
COPY pins.txt /tmp/pins.txt
WORKDIR /opt/project
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip_conf \\
    set -e; \\
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \\
    if [ -s /run/secrets/pip_conf ]; then export PIP_CONFIG_FILE=/run/secrets/pip_conf; fi; \\
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1; \\
    if [ -f requirements.txt ]; then \\
        pip install --constraint /tmp/pins.txt --requirement requirements.txt; fi; \\
    if grep -qsE '^\\[(project|build-system)\\]' pyproject.toml || [ -f setup.py ]; then \\
        pip install --constraint /tmp/pins.txt --editable .; fi; \\
    python -m compileall -q /opt/project || true; \\
    chown -R dagster:dagster /opt/project
ENV PYTHONPATH=/opt/project
USER dagster
"""


def ensure_project_image(folder: Path, base: str, software: Software, options: BuildOptions) -> str:
    """Find or build the image of a project; its name.

    Args:
        folder: the project.
        base: the Dagster image it is built on.
        software: what that image holds.
        options: secrets, log, and who is told.

    Raises:
        CampaignError: there is no such folder, or it is too large.
        TargetFailed: the build failed; the evidence is the end of its output.
    """
    if not folder.is_dir():
        raise CampaignError(
            f"There is no project at {folder}.", evidence=f"Looked from {Path.cwd()}."
        )
    files = _files(folder)
    tag = f"{REPOSITORY}/project:{_label(folder)}-{_digest(folder, files, base)}"
    if not exists(tag):
        options.say(f"Building {tag} from {folder} ({len(files)} files)")
        with _context(folder, files, software) as context:
            _build(tag, base, context, options)
    return tag


def _build(tag: str, base: str, context: Path, options: BuildOptions) -> None:
    secrets: list[str] = []
    for name, path in (("ca", options.ca_bundle), ("pip_conf", options.pip_conf)):
        if path is not None:
            secrets += ["--secret", f"id={name},src={path}"]
    docker(
        [*build_command(tag, context / "Dockerfile"), "--build-arg", f"BASE={base}", *secrets,
         str(context)],
        timeout_s=BUILD_TIMEOUT_S, log=options.log,
    )  # fmt: skip


def _files(folder: Path) -> list[Path]:
    ignore = folder / ".dockerignore"
    own = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in own if line.strip() and not line.startswith("#")]
    # Ours last: what may hold secrets stays out, whatever a project lets in again.
    names = sorted(exclude_paths(str(folder), [*patterns, *LEFT_OUT]))
    found = [path for name in names if (path := folder / name).is_file()]
    if sum(path.stat().st_size for path in found) > MOST_BYTES:
        raise CampaignError(
            f"The project {folder} has more than 2 GiB.",
            hint="Name what an image does not need in its .dockerignore.",
        )
    return found


@contextmanager
def _context(folder: Path, files: list[Path], software: Software) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dagster-load-harness-project-") as name:
        root = Path(name)
        (root / "project").mkdir()
        for file in files:
            copy = root / "project" / file.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
        (root / "pins.txt").write_text(_pins(software), encoding="utf-8")
        (root / "Dockerfile").write_text(DOCKERFILE.lstrip(), encoding="utf-8")
        yield root


def _pins(software: Software) -> str:
    """What the lock pins, without its hashes: pip would want one for all else too."""
    text = software.lock.read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+==[^\s;\\]+)", text, flags=re.MULTILINE)
    built = {wheel.name.split("-")[0].replace("_", "-").lower() for wheel in software.wheels}
    return "".join(f"{pin}\n" for pin in pins if pin.split("==")[0].lower() not in built)


def _label(folder: Path) -> str:
    return re.sub(r"[^a-z0-9_.-]+", "-", folder.resolve().name.lower()).strip("-.") or "project"


def _digest(folder: Path, files: list[Path], base: str) -> str:
    digest = hashlib.sha256(f"{image_id(base)}\n{DOCKERFILE}".encode())
    for file in files:
        name = file.relative_to(folder).as_posix().encode()
        digest.update(name + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
