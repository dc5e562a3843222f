"""Container images: one per Dagster, and a database, with or without a registry.

An image is named after what went into it (lock, Dockerfile, workloads, probe, base image), so
"is it up to date?" is a name lookup and the name in a record identifies the content. The lock has
the hashes of wheels that no index has, so these are in the name too.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import TargetFailed
from harness.rig.target.base_image import build_base
from harness.rig.target.build_context import CONTENT, build_context, content_root, files
from harness.rig.target.docker_cli import docker
from harness.rig.target.software import Software

PYTHON_IMAGE = "python:3.11-slim-bookworm"
POSTGRES_IMAGE = "postgres:17"
REPOSITORY = "dagster-load-harness"
OFFLINE_BASE = f"{REPOSITORY}/base:bookworm"

PULL_TIMEOUT_S = 300
BUILD_TIMEOUT_S = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """Where images come from. Unset images are chosen: local, registry, then offline."""

    python_image: str | None = None
    postgres_image: str | None = None
    ca_bundle: Path | None = None
    pip_conf: Path | None = None
    log: Path | None = None
    say: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Names the Compose file can use."""

    dagster: str
    postgres: str


def ca_bundle_from_environment() -> Path | None:
    """The CA bundle this machine's Python tools are told to trust, if any."""
    for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        path = Path(os.environ.get(name, ""))
        if path.is_file():
            return path
    return None


def ensure_images(software: Software, options: BuildOptions) -> Images:
    """Find or build the images for one Dagster.

    Raises:
        EnvironmentProblem: no base image can be had on this machine.
        TargetFailed: a build failed; the evidence is the end of its output.
    """
    base = options.python_image or python_base(PYTHON_IMAGE, options)
    fingerprint = digest_of([*files(CONTENT), software.lock], base)
    tag = f"{REPOSITORY}/dagster:{software.name}-{fingerprint}"
    if not exists(tag):
        options.say(f"Building {tag} (once per Dagster version and workload change)")
        _build_dagster(tag, base, software, options)
    return Images(dagster=tag, postgres=_postgres(options))


def exists(image: str) -> bool:
    """Whether the engine holds an image of this name."""
    return bool(image_id(image))


def image_id(image: str) -> str:
    """The content digest of a local image; empty when the engine does not hold it."""
    try:
        return docker(["image", "inspect", "--format", "{{.Id}}", image], timeout_s=30).strip()
    except TargetFailed:
        return ""


def python_base(official: str, options: BuildOptions) -> str:
    """The base image where none is named: local, from a registry, or made here.

    Raises:
        EnvironmentProblem: none can be had on this machine.
    """
    for candidate in (official, OFFLINE_BASE):
        if exists(candidate):
            return candidate
    if _pulled(official, options):
        return official
    options.say("No registry answers: making a base image with debootstrap (about a minute)")
    build_base(OFFLINE_BASE, log=options.log)
    return OFFLINE_BASE


def _postgres(options: BuildOptions) -> str:
    if options.postgres_image:
        return options.postgres_image
    if exists(POSTGRES_IMAGE):
        return POSTGRES_IMAGE
    if not exists(OFFLINE_BASE) and _pulled(POSTGRES_IMAGE, options):
        return POSTGRES_IMAGE
    tag = f"{REPOSITORY}/postgres:{digest_of(files(['compose/postgres']), OFFLINE_BASE)}"
    if not exists(tag):
        options.say(f"Building {tag}")
        docker(
            [*build_command(tag, content_root() / "compose/postgres/Dockerfile"),
             "--build-arg", f"BASE_IMAGE={OFFLINE_BASE}", str(content_root())],
            timeout_s=BUILD_TIMEOUT_S, log=options.log,
        )  # fmt: skip
    return tag


def _pulled(image: str, options: BuildOptions) -> bool:
    options.say(f"Pulling {image}")
    try:
        docker(["pull", "--quiet", image], timeout_s=PULL_TIMEOUT_S, log=options.log)
    except TargetFailed:
        return False
    return True


def _build_dagster(tag: str, base: str, software: Software, options: BuildOptions) -> None:
    with build_context(software) as context:
        docker(
            [*build_command(tag, context / "compose/Dockerfile"),
             "--build-arg", f"PYTHON_IMAGE={base}", *secrets_of(options), str(context)],
            timeout_s=BUILD_TIMEOUT_S, log=options.log,
        )  # fmt: skip


def secrets_of(options: BuildOptions) -> list[str]:
    """The `docker` arguments for what a build needs and no layer may keep."""
    named = (("ca", options.ca_bundle), ("pip_conf", options.pip_conf))
    return [
        word
        for name, path in named
        if path is not None
        for word in ("--secret", f"id={name},src={path}")
    ]


def build_command(tag: str, dockerfile: Path) -> list[str]:
    """The `docker` arguments of every build, up to its context."""
    return [
        "buildx", "build", "--load", "--progress", "plain", "--tag", tag,
        "--label", f"{REPOSITORY}.image=1", "--file", str(dockerfile),
    ]  # fmt: skip


def digest_of(files: Iterable[Path], base: str, *, root: Path | None = None) -> str:
    """Identifies an image: its base, and every file by its place below `root` and content."""
    digest = hashlib.sha256(image_id(base).encode())
    root = root or content_root()
    for path in files:
        # A lock made on demand lies in the cache of this user: only its name counts.
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
