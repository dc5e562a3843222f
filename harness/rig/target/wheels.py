"""Wheel files: what they are called by their own metadata."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from harness.errors import CampaignError
from harness.facts.dagster_versions import base_release

_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
_SISTER = re.compile(r"([\w.-]+) ?\(?==[^;,]*\+")
_LIBRARY = re.compile(r"0\.(\d+)\.(\d+)(\+.*)?")
_SMALLEST_MINOR = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel file. Names as the index writes them: `dagster-webserver`.

    `sisters`: packages it asks for in a version that no index can have, as `==1!0+dev`.
    """

    path: Path
    name: str
    version: str
    sisters: frozenset[str] = frozenset()

    @property
    def pin(self) -> str:
        """The requirement that only this wheel meets."""
        return f"{self.name}=={self.version}"

    @property
    def release(self) -> str | None:
        """The Dagster release it belongs to, whose other packages go with it.

        `dagster` 1.13.27+mine and `dagster-postgres` 0.29.27 belong to 1.13.27. `None`: to none,
        as `1!0+dev` does, or a package that is not Dagster's.
        """
        if self.name != "dagster" and not self.name.startswith("dagster-"):
            return None
        library = _LIBRARY.fullmatch(self.version)
        if library and int(library[1]) >= _SMALLEST_MINOR:
            return f"1.{int(library[1]) - _SMALLEST_MINOR}.{library[2]}"
        return base_release(self.version)


def read_wheel(path: Path) -> Wheel:
    """What a wheel says it is.

    Raises:
        CampaignError: not a wheel.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (metadata,) = (name for name in archive.namelist() if _METADATA.fullmatch(name))
            fields = HeaderParser().parsestr(archive.read(metadata).decode("utf-8", "replace"))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise CampaignError(f"`{path}` is not a wheel.", evidence=str(error)) from error
    required = (_SISTER.match(each) for each in fields.get_all("Requires-Dist", []))
    return Wheel(
        path=path,
        name=_normal(str(fields["Name"])),
        version=str(fields["Version"]),
        sisters=frozenset(_normal(found[1]) for found in required if found),
    )


def digest(wheels: Iterable[Wheel]) -> str:
    """Identifies their content: the first 16 digits of a SHA-256, whatever their order."""
    whole = hashlib.sha256()
    for wheel in sorted(wheels, key=lambda each: each.path.name):
        whole.update(wheel.path.name.encode() + b"\0" + wheel.path.read_bytes() + b"\0")
    return whole.hexdigest()[:16]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
