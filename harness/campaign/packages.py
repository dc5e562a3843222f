"""The packages under `workloads/` that a campaign may name.

A list, because this side reads no files; a test holds it against the folder.
"""

from __future__ import annotations

from difflib import get_close_matches

PACKAGES = ("cpu", "heavy-import", "io", "long", "memory", "mixed", "sensor", "synthetic")
"""As a campaign writes them; `heavy_import` is the same as `heavy-import`."""


def package_of(name: str) -> str:
    """A name as Python packages are written: two spellings of one package become equal."""
    return name.replace("-", "_")


def unknown_package(name: str) -> str:
    """A sentence when there is no such package, with the one that was meant; else nothing."""
    if package_of(name) in map(package_of, PACKAGES):
        return ""
    close = get_close_matches(name, PACKAGES, n=1)
    meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(PACKAGES)}"
    return f"there is no package {name!r} under workloads/; {meant}"
