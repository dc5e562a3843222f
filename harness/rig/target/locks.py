"""Locks: each Dagster version with the dependencies of its own day.

An old Dagster with today's SQLAlchemy is not the old Dagster. A lock is resolved as if it were
the day after the release, with hashes, for every platform. Those of `compose/locks` are committed
and win; any other release gets one in the user's cache when it is first asked for.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from harness.errors import CampaignError, EnvironmentProblem
from harness.rig.assets import asset, cache_dir
from harness.rig.target.package_tools import run_uv

PYTHON = "3.11"
DAGSTER = ("dagster", "dagster-webserver", "dagster-postgres")
BESIDE = ("grpcio-health-checking", "psycopg2-binary")
"""What the servers need that Dagster does not ask for by itself in every version."""

TIMEOUT_S = 300
_AS_OF = re.compile(r"^# .* as of (\d{4}-\d\d-\d\d), for", re.MULTILINE)


def lock_path(version: str) -> Path:
    """Where the committed lock of one Dagster version is, or would be."""
    return asset("compose/locks") / lock_name(version)


def lock_name(version: str) -> str:
    """What the lock of one Dagster version is called."""
    return f"dagster-{version}.txt"


def known_versions() -> tuple[str, ...]:
    """Dagster versions that have a committed lock, oldest first."""
    names = [p.stem.removeprefix("dagster-") for p in asset("compose/locks").glob("dagster-*.txt")]
    return tuple(sorted(names, key=lambda name: [int(part) for part in name.split(".")]))


def ensure_lock(version: str, *, say: Callable[[str], None] = lambda _: None) -> Path:
    """The lock of a release: the committed one, else the cached one, made if need be.

    Raises:
        CampaignError: not a release, or the index does not have all of it.
        EnvironmentProblem: the index cannot be read.
    """
    cached = cache_dir() / "locks" / lock_name(version)
    for path in (lock_path(version), cached):
        if path.is_file():
            return path
    companion_version(version)  # before anything is said or made
    say(f"Locking Dagster {version} with the dependencies of its day (once)")
    cached.parent.mkdir(parents=True, exist_ok=True)
    return make_lock(version, folder=cached.parent)


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
    numbers = (version, version, companion_version(version))
    pins = (f"{name}=={number}" for name, number in zip(DAGSTER, numbers, strict=True))
    return (*pins, *BESIDE)


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
    resolved = resolve(wanted, until=day)
    target = (folder or lock_path(version).parent) / lock_name(version)
    header = f"# Dagster {version} and its dependencies as of {day}, for Python {PYTHON}.\n"
    again = f"# Made by: harness images lock --dagster {version} --as-of {day}\n"
    write_lock(target, header + again + resolved)
    return target


def write_lock(target: Path, text: str) -> None:
    """Write a lock whole or not at all."""
    partial = target.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(target)


def resolve(
    wanted: Sequence[str], *, until: date | None = None, options: Sequence[str] = ()
) -> str:
    """The body of a lock: what `wanted` resolves to, with hashes, for every platform.

    Args:
        wanted: requirements; the first names the whole in errors.
        until: last UTC day of uploads taken into account; `None`: all there is today.
        options: more of uv's.

    Raises:
        CampaignError: the index does not have one of those wanted.
        EnvironmentProblem: the index cannot be read, or nothing resolves.
    """
    newest = ["--exclude-newer", f"{until + timedelta(days=1)}T00:00:00Z"] if until else []
    arguments = [
        "--universal", "--python-version", PYTHON, "--generate-hashes", "--no-header",
        "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", *newest, *options,
    ]  # fmt: skip
    return _compile(arguments, wanted)


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


def day_of(lock: str) -> date | None:
    """The last UTC day of uploads that a lock's text says it knows of."""
    found = _AS_OF.search(lock)
    return date.fromisoformat(found.group(1)) if found else None


def _compile(options: Sequence[str], wanted: Sequence[str]) -> str:
    what = f"{wanted[0]} could not be resolved"
    arguments = ["pip", "compile", "--quiet", "--no-progress", *options, "-"]
    try:
        return run_uv(arguments, what=what, stdin="\n".join(wanted), timeout_s=TIMEOUT_S)
    except EnvironmentProblem as error:
        said = " ".join(error.evidence.split())
        missing = next((each for each in wanted if f"no version of {each} " in f"{said} "), None)
        if missing is None:
            raise
        raise CampaignError(
            f"The package index has no {missing}.",
            evidence=error.evidence,
            hint="Check the version in the campaign against Dagster's release list. A release is "
            "whole only with its webserver and its Postgres storage.",
        ) from error
