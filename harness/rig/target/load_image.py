"""The container image of a load worker: Locust, and what the locustfile imports of the harness."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.rig.assets import PACKAGE, asset
from harness.rig.target.docker_cli import docker
from harness.rig.target.images import (
    BUILD_TIMEOUT_S,
    PYTHON_IMAGE,
    REPOSITORY,
    BuildOptions,
    build_command,
    digest_of,
    exists,
    python_base,
    secrets_of,
)

SOURCES = (
    "__init__.py", "errors.py", "masking.py", "units.py", "campaign", "facts", "rig/env_file.py",
    "rig/orders.py", "rig/load",
)  # fmt: skip
"""Of the package, what the image holds: all that is imported from `rig/load`."""


def ensure_load_image(options: BuildOptions) -> str:
    """Find or build the image of this harness's load workers; its name.

    Raises:
        EnvironmentProblem: no base image can be had on this machine.
        TargetFailed: the build failed; the evidence is the end of its output.
    """
    base = options.python_image or python_base(PYTHON_IMAGE, options)
    with _context() as context:
        found = sorted(path for path in context.rglob("*") if path.is_file())
        tag = f"{REPOSITORY}/load-worker:{digest_of(found, base, root=context)}"
        if exists(tag):
            return tag
        options.say(f"Building {tag} (once per change of the load generator)")
        docker(
            [*build_command(tag, context / "Dockerfile"), "--build-arg", f"PYTHON_IMAGE={base}",
             *secrets_of(options), str(context)],
            timeout_s=BUILD_TIMEOUT_S, log=options.log,
        )  # fmt: skip
    return tag


@contextmanager
def _context() -> Iterator[Path]:
    """A folder for one build, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="dagster-load-harness-image-") as folder:
        root = Path(folder)
        for name in ("Dockerfile", "requirements.txt"):
            shutil.copy2(asset("compose/load-workers") / name, root / name)
        for file in sources():
            copy = root / "harness" / file.relative_to(PACKAGE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
        yield root


def sources() -> Iterator[Path]:
    """The files of the package that the image holds."""
    for name in SOURCES:
        place = PACKAGE / name
        yield from [place] if place.is_file() else sorted(place.rglob("*.py"))
