"""Locks: each Dagster version with the dependencies of its own day.

An old Dagster with today's SQLAlchemy is not the old Dagster. A lock is resolved as if it were
the day after the release, with hashes, for every platform, and is committed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from uv import find_uv_bin

from harness.errors import CampaignError, EnvironmentProblem
from harness.rig.assets import asset

PYTHON = "3.11"
TIMEOUT_S = 300


def lock_path(version: str) -> Path:
    """Where the lock of one Dagster version is, or would be."""
    return asset("compose/locks") / f"dagster-{version}.txt"


def known_versions() -> tuple[str, ...]:
    """Dagster versions that have a lock, oldest first."""
    names = [p.stem.removeprefix("dagster-") for p in asset("compose/locks").glob("dagster-*.txt")]
    return tuple(sorted(names, key=lambda name: [int(part) for part in name.split(".")]))


def companion_version(version: str) -> str:
    """Dagster's integration libraries count `0.(A+16).B` beside core `1.A.B`.

    Raises:
        CampaignError: not a `1.A.B` version.
    """
    parts = version.split(".")
    if len(parts) != 3 or parts[0] != "1" or not all(part.isdigit() for part in parts):
        raise CampaignError(
            f"`{version}` is not a Dagster version this harness can lock.",
            hint="Give a released version of the form 1.A.B, for example 1.13.27.",
        )
    return f"0.{int(parts[1]) + 16}.{parts[2]}"


def requirements(version: str) -> tuple[str, ...]:
    """What the server, the webserver and the daemon need."""
    return (
        f"dagster=={version}",
        f"dagster-webserver=={version}",
        f"dagster-postgres=={companion_version(version)}",
        "grpcio-health-checking",
        "psycopg2-binary",
    )


def make_lock(version: str, as_of: date | None = None, *, folder: Path | None = None) -> Path:
    """Resolve and write the lock of one Dagster version; where it was written.

    Args:
        version: `1.A.B`.
        as_of: last UTC day of uploads taken into account; default: the day after the release.
        folder: where to write it; default: where `lock_path` looks.

    Raises:
        CampaignError: not a version, or the index does not have it.
        EnvironmentProblem: the index cannot be read, or nothing resolves as of that day.
    """
    wanted = requirements(version)
    day = as_of or release_day(version) + timedelta(days=1)
    arguments = [
        "--universal", "--python-version", PYTHON, "--generate-hashes", "--no-header",
        "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
        "--exclude-newer", f"{day + timedelta(days=1)}T00:00:00Z",
    ]  # fmt: skip
    resolved = _compile(arguments, wanted)
    target = (folder or lock_path(version).parent) / f"dagster-{version}.txt"
    header = f"# Dagster {version} and its dependencies as of {day}, for Python {PYTHON}.\n"
    again = f"# Made by: harness images lock --dagster {version} --as-of {day}\n"
    partial = target.with_suffix(".partial")
    partial.write_text(header + again + resolved, encoding="utf-8")
    partial.replace(target)
    return target


def release_day(version: str) -> date:
    """The UTC day Dagster's wheel of this version was uploaded, as the index says.

    Raises:
        CampaignError: the index has no such version.
        EnvironmentProblem: the index does not say when (only some mirrors omit it).
    """
    text = _compile(
        ["--no-deps", "--no-header", "--format", "pylock.toml"], [f"dagster=={version}"]
    )
    return upload_day(text, version)


def upload_day(pylock: str, version: str) -> date:
    """The latest UTC upload day in a `pylock.toml` (PEP 751, key `upload-time`)."""
    times: list[datetime] = []
    for package in tomllib.loads(pylock).get("packages", []):
        for file in [*package.get("wheels", []), package.get("sdist", {})]:
            if isinstance(file.get("upload-time"), datetime):
                times.append(file["upload-time"])
    if not times:
        raise EnvironmentProblem(
            f"The package index does not say when Dagster {version} was uploaded.",
            hint=f"Give the day yourself: harness images lock --dagster {version} "
            "--as-of YYYY-MM-DD",
        )
    return max(times).date()


def uv_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for `uv`: ours, plus the index and CA that only pip was told about.

    `uv` does not read pip's settings. The order: uv's own variables, `PIP_INDEX_URL`, pip's
    configuration file, and else uv's default.
    """
    merged = dict(environment)
    if not any(environment.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")):
        index = environment.get("PIP_INDEX_URL") or _pip_setting("global.index-url", environment)
        if index:
            merged["UV_DEFAULT_INDEX"] = index
    bundle = environment.get("PIP_CERT")
    if bundle and not environment.get("SSL_CERT_FILE"):
        merged["SSL_CERT_FILE"] = bundle
    return merged


def run_uv(arguments: Sequence[str], *, what: str, stdin: str = "", timeout_s: float) -> str:
    """Run uv; return its standard output.

    Raises:
        EnvironmentProblem: it failed or took too long; the evidence is what it said last.
    """
    try:
        done = subprocess.run(
            [find_uv_bin(), *arguments], input=stdin, capture_output=True, text=True,
            timeout=timeout_s, check=False, env=uv_environment(),
        )  # fmt: skip
    except FileNotFoundError as error:
        raise EnvironmentProblem(
            f"{what}: uv is missing.", evidence=str(error), hint="Reinstall the harness."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise EnvironmentProblem(
            f"{what}: uv did not finish in {timeout_s:.0f} s.",
            hint="Check that this machine reaches its package index.",
        ) from error
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise EnvironmentProblem(
            f"{what}: uv failed with exit code {done.returncode}.", evidence="\n".join(said[-12:])
        )
    return done.stdout


def _compile(options: Sequence[str], wanted: Sequence[str]) -> str:
    what = f"{wanted[0]} could not be resolved"
    arguments = ["pip", "compile", "--quiet", "--no-progress", *options, "-"]
    try:
        return run_uv(arguments, what=what, stdin="\n".join(wanted), timeout_s=TIMEOUT_S)
    except EnvironmentProblem as error:
        if f"no version of {wanted[0]}" not in " ".join(error.evidence.split()):
            raise
        raise CampaignError(
            f"The package index has no {wanted[0]}.",
            evidence=error.evidence,
            hint="Check the version in the campaign against Dagster's release list.",
        ) from error


def _pip_setting(key: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", key],
        capture_output=True, text=True, check=False, timeout=30, env=dict(environment),
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else ""
