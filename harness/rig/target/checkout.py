"""Wheels from a source tree: a Dagster monorepo, or one package.

Each package is built from a copy: an earlier build's leftovers beside the sources would get into
the wheel, and ours into the user's tree.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from harness.errors import CampaignError, EnvironmentProblem
from harness.rig.assets import cache_dir
from harness.rig.ledger import exclusive
from harness.rig.target.locks import PYTHON
from harness.rig.target.package_tools import run_uv

PACKAGES = (
    "dagster", "dagster-pipes", "dagster-shared", "dagster-graphql", "dagster-webserver",
    "dagster-postgres",
)  # fmt: skip
"""What a server and its webserver need of a monorepo, where it has them."""

BUILD_TIMEOUT_S = 600
BUILD_ATTEMPTS = 3
_HOMES = ("python_modules", "python_modules/libraries")
_ANYWHERE = frozenset({".git", "__pycache__", "node_modules", ".tox", ".venv"})
_ON_TOP = frozenset({"build", "dist"})
_DONE = ".complete"


def is_checkout(folder: Path) -> bool:
    """Whether there are sources to build in a folder."""
    return (folder / "python_modules").is_dir() or _is_package(folder)


def packages_in(folder: Path) -> tuple[Path, ...]:
    """The package folders to build: of a monorepo those of `PACKAGES`, else the folder itself.

    Raises:
        CampaignError: a `python_modules` without a `dagster`.
    """
    if not (folder / "python_modules").is_dir():
        return (folder,)
    places = (folder / home / name for name in PACKAGES for home in _HOMES)
    found = tuple(place for place in places if _is_package(place))
    if "dagster" not in {place.name for place in found}:
        raise CampaignError(
            f"`{folder}` looks like a Dagster checkout, but has no python_modules/dagster.",
            hint="Name a complete checkout, or the folder of a single package.",
        )
    return found


def wheels_of(folder: Path, *, say: Callable[[str], None]) -> tuple[Path, ...]:
    """The wheels of a checkout, built when its sources are new to the cache.

    Raises:
        CampaignError: see `packages_in`.
        EnvironmentProblem: a package could not be built, or its sources change all the time.
    """
    packages = packages_in(folder)
    for _ in range(BUILD_ATTEMPTS):
        digest = source_digest(packages)
        home = cache_dir() / "checkouts" / digest
        home.mkdir(parents=True, exist_ok=True)
        with exclusive(home.with_name(f"{home.name}.lock")):
            if (home / _DONE).is_file() or _built(folder, packages, home, say=say):
                return tuple(sorted(home.glob("*.whl")))
        say("The sources were changed while they were built: once more")
    raise EnvironmentProblem(
        f"The sources in {folder} change while they are built.",
        hint="Measure a checkout nobody works in: git worktree add FOLDER",
    )


def _built(
    folder: Path, packages: Sequence[Path], home: Path, *, say: Callable[[str], None]
) -> bool:
    """Build all into the folder of their digest; `False` where they are not those any more.

    Wheels of sources that were edited meanwhile would stand there for the unedited ones for ever.
    """
    names = ", ".join(package.name for package in packages)
    say(f"Building {names} from {folder} (once per change of the sources)")
    for package in packages:
        _build(package, home)
    if source_digest(packages) != home.name:
        for wheel in home.glob("*.whl"):
            wheel.unlink()
        return False
    (home / _DONE).touch()
    return True


def source_digest(packages: Sequence[Path]) -> str:
    """Identifies the sources: the first 16 digits of a SHA-256 over names and contents."""
    whole = hashlib.sha256()
    for package in packages:
        for file in _sources(package):
            name = f"{package.name}/{file.relative_to(package)}"
            whole.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return whole.hexdigest()[:16]


def _build(package: Path, home: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="dagster-load-harness-build-") as folder:
        copy = Path(folder) / package.name
        # A link may lead out of the package, as for a shared README: its target is copied.
        shutil.copytree(package, copy, ignore=_unwanted(package), ignore_dangling_symlinks=True)
        run_uv(
            ["build", "--quiet", "--wheel", "--no-sources", "--python", PYTHON,
             "--out-dir", str(home), str(copy)],
            what=f"The wheel of {package.name} could not be built",
            timeout_s=BUILD_TIMEOUT_S,
        )  # fmt: skip


def _sources(package: Path) -> Iterator[Path]:
    skipped = _unwanted(package)
    for folder, folders, names in os.walk(package, followlinks=True):
        skip = skipped(folder, [*folders, *names])
        folders[:] = sorted(name for name in folders if name not in skip)
        wanted = (Path(folder) / name for name in sorted(names) if name not in skip)
        yield from (file for file in wanted if file.is_file())


def _unwanted(package: Path) -> Callable[[str, list[str]], set[str]]:
    """What is no source, as `shutil.copytree` wants to be told. The package's own tests are none:
    they get into no wheel.
    """
    tests = f"{package.name.replace('-', '_')}_tests"

    def unwanted(folder: str, names: list[str]) -> set[str]:
        # Only on top: a `build` further down may be content, such as a built web page.
        top: Collection[str] = {*_ON_TOP, tests} if Path(folder) == package else ()
        return {n for n in names if n in _ANYWHERE or n in top or n.endswith(".egg-info")}

    return unwanted


def _is_package(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("pyproject.toml", "setup.py"))
