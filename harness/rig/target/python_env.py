"""One Python environment per lock, made from it and reused.

The version under test is the independent variable, so it never lives in the harness's own
environment.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.errors import EnvironmentProblem
from harness.rig.assets import cache_dir
from harness.rig.ledger import exclusive
from harness.rig.target.locks import PYTHON
from harness.rig.target.package_tools import run_uv
from harness.rig.target.software import Software

INSTALL_TIMEOUT_S = 900
_DONE = ".complete"
_CHECK = "import dagster, dagster_postgres, dagster_webserver, psycopg2; print(dagster.__version__)"


def ensure_env(
    software: Software,
    cache: Path | None = None,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Path:
    """The environment's Python, made on first use.

    It is named after the lock's content, so an edited lock makes a new one. Built in place
    (scripts carry absolute paths) and marked complete at the end; a half-made one is rebuilt.
    Two harnesses that want the same one wait for each other.

    Args:
        software: what to install.
        cache: where environments are kept; default: the user's cache folder.
        progress: told what takes long.

    Raises:
        EnvironmentProblem: uv failed (its last lines are the evidence), or what was installed
            cannot be imported.
    """
    home = environment_home(software.lock, cache or cache_dir())
    if not (home / _DONE).is_file():
        home.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(home.with_name(f"{home.name}.lock")):
            if not (home / _DONE).is_file():
                progress(f"Installing Dagster {software.version} into {home} (once)")
                _build(home, software)
    return home / "bin" / "python"


def environment_home(lock: Path, cache: Path) -> Path:
    """Where the environment of a lock is, or would be."""
    digest = hashlib.sha256(lock.read_bytes())
    digest.update(f"{PYTHON} {platform.system()} {platform.machine()}".encode())
    return cache / "environments" / f"{lock.stem}-{digest.hexdigest()[:12]}"


def _build(home: Path, software: Software) -> None:
    shutil.rmtree(home, ignore_errors=True)
    # Our own interpreter where it is the right one: nothing to find or to download.
    ours = "{}.{}".format(*sys.version_info)
    interpreter = sys.executable if ours == PYTHON else PYTHON
    what = f"The environment for Dagster {software.version} could not be made"
    run_uv(
        ["venv", "--quiet", "--no-project", "--python", interpreter, str(home)],
        what=what,
        timeout_s=INSTALL_TIMEOUT_S,
    )
    python = home / "bin" / "python"
    found = [part for wheel in software.wheels[:1] for part in ("--find-links", str(wheel.parent))]
    run_uv(
        # The lock is complete, and of a build's packages some ask for others than it has.
        ["pip", "install", "--quiet", "--no-progress", "--python", str(python), *found,
         "--no-deps", "--require-hashes", "--compile-bytecode",
         "--requirement", str(software.lock)],
        what=what, timeout_s=INSTALL_TIMEOUT_S,
    )  # fmt: skip
    _check(python, software)
    (home / _DONE).write_text(software.lock.name + "\n", encoding="utf-8")


def _check(python: Path, software: Software) -> None:
    done = subprocess.run(
        [str(python), "-I", "-c", _CHECK], capture_output=True, text=True, check=False, timeout=120
    )
    # A build may call itself otherwise than its wheel is called.
    wrong = not software.wheels and done.stdout.strip() != software.version
    if done.returncode != 0 or wrong:
        raise EnvironmentProblem(
            f"The environment for Dagster {software.version} was made but does not work.",
            evidence="\n".join((done.stdout + done.stderr).splitlines()[-12:]),
            hint="Make its lock again, perhaps as of another day: harness images lock "
            f"--dagster {software.version} --as-of YYYY-MM-DD",
        )
