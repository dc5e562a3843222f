"""Which Dagster releases there are, by the package index this machine is set up to ask."""

from __future__ import annotations

import functools
import re

from harness.campaign.plan import OLDEST
from harness.errors import EnvironmentProblem
from harness.rig.target.locks import PYTHON, companion_version
from harness.rig.target.package_tools import run_pip

TIMEOUT_S = 120
_LISTED = re.compile(r"^Available versions: (.+)$", re.MULTILINE)
_RELEASE = re.compile(r"1\.\d+\.\d+")


@functools.cache
def all_releases() -> tuple[str, ...]:
    """Every release from 1.5.0 on that is whole, oldest first.

    Whole: `dagster`, `dagster-webserver` and `dagster-postgres` are all there. Just after a
    release, and on some mirrors, one of them is missing for a while. Asked once per process.

    Raises:
        EnvironmentProblem: the index cannot be read, or holds no such release.
    """
    core, web = (set(_versions(name)) for name in ("dagster", "dagster-webserver"))
    storage = set(_versions("dagster-postgres"))
    named = [each for each in core & web if _RELEASE.fullmatch(each) and _key(each) >= OLDEST]
    whole = [each for each in named if companion_version(each) in storage]
    if not whole:
        raise EnvironmentProblem(
            "The package index holds no whole Dagster release.",
            evidence=f"Versions it lists: {len(core)} of dagster, {len(web)} of "
            f"dagster-webserver, {len(storage)} of dagster-postgres.",
            hint="Check which index `pip config list` names.",
        )
    return tuple(sorted(whole, key=_key))


def latest_release() -> str:
    """The newest whole release.

    Raises:
        EnvironmentProblem: see `all_releases`.
    """
    return all_releases()[-1]


def _versions(package: str) -> list[str]:
    """What pip says an index has for the Python of the servers; any order."""
    what = f"The releases of {package} cannot be listed"
    said = run_pip(
        ["index", "versions", package, "--python-version", PYTHON, "--disable-pip-version-check"],
        what=what, timeout_s=TIMEOUT_S,
    )  # fmt: skip
    found = _LISTED.search(said)
    if found is None:
        raise EnvironmentProblem(
            f"{what}: pip's answer is not understood.",
            evidence=said.strip()[:400],
            hint="Name a release instead of `latest`.",
        )
    return [each.strip() for each in found.group(1).split(",")]


def _key(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))
