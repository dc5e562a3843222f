"""One Python environment per Dagster version, made from its lock and reused.

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
from harness.rig.target.locks import PYTHON, lock_path, run_uv

INSTALL_TIMEOUT_S = 900
_DONE = ".complete"
_CHECK = "import dagster, dagster_postgres, dagster_webserver, psycopg2; print(dagster.__version__)"


def ensure_env(
    version: str, cache: Path | None = None, *, progress: Callable[[str], None] = lambda _: None
) -> Path:
    """The environment's Python, made on first use.

    It is named after the lock's content, so an edited lock makes a new one. Built in place
    (scripts carry absolute paths) and marked complete at the end; a half-made one is rebuilt.
    Two harnesses that want the same one wait for each other.

    Args:
        version: a Dagster version that has a lock.
        cache: where environments are kept; default: the user's cache folder.
        progress: told what takes long.

    Raises:
        EnvironmentProblem: no lock, uv failed (its last lines are the evidence), or what was
            installed cannot be imported.
    """
    lock = lock_path(version)
    if not lock.is_file():
        raise EnvironmentProblem(
            f"There is no lock for Dagster {version}.",
            evidence=f"Looked for {lock.name} in compose/locks.",
            hint=f"Make one: harness images lock --dagster {version}",
        )
    home = environment_home(lock, cache or cache_dir())
    if not (home / _DONE).is_file():
        home.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(home.with_name(f"{home.name}.lock")):
            if not (home / _DONE).is_file():
                progress(f"Installing Dagster {version} into {home} (once)")
                _build(home, lock, version)
    return home / "bin" / "python"


def environment_home(lock: Path, cache: Path) -> Path:
    """Where the environment of a lock is, or would be."""
    digest = hashlib.sha256(lock.read_bytes())
    digest.update(f"{PYTHON} {platform.system()} {platform.machine()}".encode())
    return cache / "environments" / f"{lock.stem}-{digest.hexdigest()[:12]}"


def _build(home: Path, lock: Path, version: str) -> None:
    shutil.rmtree(home, ignore_errors=True)
    # Our own interpreter where it is the right one: nothing to find or to download.
    ours = "{}.{}".format(*sys.version_info)
    interpreter = sys.executable if ours == PYTHON else PYTHON
    what = f"The environment for Dagster {version} could not be made"
    run_uv(
        ["venv", "--quiet", "--no-project", "--python", interpreter, str(home)],
        what=what,
        timeout_s=INSTALL_TIMEOUT_S,
    )
    python = home / "bin" / "python"
    run_uv(
        ["pip", "install", "--quiet", "--no-progress", "--python", str(python),
         "--require-hashes", "--compile-bytecode", "--requirement", str(lock)],
        what=what, timeout_s=INSTALL_TIMEOUT_S,
    )  # fmt: skip
    _check(python, version)
    (home / _DONE).write_text(lock.name + "\n", encoding="utf-8")


def _check(python: Path, version: str) -> None:
    done = subprocess.run(
        [str(python), "-I", "-c", _CHECK], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode != 0 or done.stdout.strip() != version:
        raise EnvironmentProblem(
            f"The environment for Dagster {version} was made but does not work.",
            evidence="\n".join((done.stdout + done.stderr).splitlines()[-12:]),
            hint="Make its lock again, perhaps as of another day: harness images lock "
            f"--dagster {version} --as-of YYYY-MM-DD",
        )
