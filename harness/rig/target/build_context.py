"""What an image is built from: gathered in one folder, since locks and wheels may lie elsewhere."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from harness.rig.assets import asset
from harness.rig.target.software import Software
from harness.rig.target.wheels import read_wheel

CONTENT = (
    "compose/Dockerfile", "compose/dagster-home", "compose/probe", "compose/upstream", "workloads"
)  # fmt: skip
"""Files and folders, from the folder that holds compose/, that every Dagster image has."""

INSIDE = PurePosixPath("/tmp/software")
"""Where the Dockerfile puts `software/`."""


@contextmanager
def build_context(software: Software) -> Iterator[Path]:
    """A folder for one build, removed at the end: `CONTENT`, and `software/` with the lock
    (`lock.txt`) and the wheels.
    """
    with tempfile.TemporaryDirectory(prefix="dagster-load-harness-image-") as folder:
        root = Path(folder)
        for file in files(CONTENT):
            copy = root / file.relative_to(content_root())
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
        (root / "software").mkdir()
        lock = by_file(software.lock.read_text(encoding="utf-8"), software.wheels)
        (root / "software" / "lock.txt").write_text(lock, encoding="utf-8")
        for wheel in software.wheels:
            shutil.copy2(wheel, root / "software")
        yield root


def by_file(lock: str, wheels: Sequence[Path]) -> str:
    """The lock with a build's own wheels by their files inside the image.

    By version pip might take one of the same name from the index, and refuse it for its hash.
    """
    for wheel in map(read_wheel, wheels):
        file = f"{wheel.name} @ {(INSIDE / wheel.path.name).as_uri()}"
        lock = re.sub(rf"^{re.escape(wheel.pin)}(?= )", file, lock, flags=re.MULTILINE)
    return lock


def content_root() -> Path:
    """The folder that holds compose/ and workloads/."""
    return asset("compose").parent


def files(names: Iterable[str]) -> Iterator[Path]:
    """The files of `names` that an image holds, in a stable order."""
    for name in names:
        root = content_root() / name
        found = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
        yield from (p for p in found if _is_content(p))


def _is_content(path: Path) -> bool:
    """Whether an image holds the file (the same choice stands in `.dockerignore`)."""
    return not (
        {"__pycache__", "examples"} & set(path.relative_to(content_root()).parts)
        or path.name.startswith("test_")
        or path.suffix == ".md"
    )
