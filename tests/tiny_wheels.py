"""Wheels with nothing but their metadata."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path


def tiny_wheel(
    folder: Path, name: str, version: str, *, requires: Sequence[str] = (), extra: str = ""
) -> Path:
    """A wheel file in `folder`, which is made; `extra` makes another content."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    with zipfile.ZipFile(path, "w") as archive:
        # A fixed time: the same content is the same file.
        for inside, text in ((f"{stem}.dist-info/METADATA", "\n".join(lines)), ("extra", extra)):
            archive.writestr(zipfile.ZipInfo(inside), text)
    return path
