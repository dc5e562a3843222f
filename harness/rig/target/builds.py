"""Campaign entries that are no plain release: the same one again, wheels, a checkout.

What a build does not bring comes from the index: for one made from a release (`1.13.27+mine`)
exactly what that release is locked with, so that a comparison of both shows the build and nothing
else; for any other, such as `1!0+dev`, the newest there is on the day it is first used.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.campaign.plan import LATEST, RELEASE, Campaign
from harness.errors import CampaignError
from harness.rig.assets import cache_dir
from harness.rig.ledger import exclusive
from harness.rig.target.build_lock import build_lock
from harness.rig.target.checkout import is_checkout, wheels_of
from harness.rig.target.locks import ensure_lock, lock_name, lock_path, write_lock
from harness.rig.target.releases import all_releases, latest_release
from harness.rig.target.software import Software, release
from harness.rig.target.wheels import Wheel, digest, read_wheel

Say = Callable[[str], None]


def software_of(campaign: Campaign, *, say: Say) -> dict[str, Software]:
    """What each entry of `Campaign.dagster` runs, by its name there.

    Raises:
        CampaignError: a build that is not there, or no build.
        EnvironmentProblem: a lock or a wheel cannot be made.
    """
    return {
        entry: software(campaign.builds.get(entry, entry), say=say) for entry in campaign.dagster
    }


def software(source: str, *, say: Say) -> Software:
    """A release, `latest`, or the path of a wheel, a folder of wheels or a checkout.

    Raises:
        CampaignError: none of these.
        EnvironmentProblem: its lock or its wheels cannot be made.
    """
    if source == LATEST:
        source = latest_release()
    if RELEASE.fullmatch(source):
        return release(source, say=say)
    return _locked(_one_of_each(_wheels(Path(source).expanduser(), say)), say)


def _wheels(path: Path, say: Say) -> tuple[Path, ...]:
    if path.suffix == ".whl" and path.is_file():
        return (path,)
    if path.is_dir():
        if is_checkout(path):
            return wheels_of(path.resolve(), say=say)
        if found := tuple(sorted(path.glob("*.whl"))):
            return found
    raise CampaignError(
        f"There is no Dagster build at `{path}`.",
        evidence=f"Looked from {Path.cwd()}." if not path.is_absolute() else "",
        hint="Name a release (1.13.27), a wheel, a folder of wheels, or a checkout "
        "(python_modules/…, or one package with a pyproject.toml or setup.py).",
    )


def _one_of_each(paths: Sequence[Path]) -> tuple[Wheel, ...]:
    wheels = tuple(read_wheel(path) for path in paths)
    versions: dict[str, str] = {}
    for wheel in wheels:
        if versions.setdefault(wheel.name, wheel.version) != wheel.version:
            raise CampaignError(
                f"{wheel.path.parent} holds {wheel.name} {versions[wheel.name]} and "
                f"{wheel.version}: one build has one of each.",
                hint="Put every build into a folder of its own.",
            )
    if not any(wheel.name.startswith("dagster") for wheel in wheels):
        raise CampaignError(
            f"{wheels[0].path.parent} holds no wheel of Dagster's.",
            evidence=", ".join(sorted(versions)),
        )
    return wheels


def _locked(wheels: tuple[Wheel, ...], say: Say) -> Software:
    """The build with its lock and wheels in the cache, where nobody changes them."""
    home = cache_dir() / "builds" / digest(wheels)
    base = _base(wheels)
    # Without a `dagster` of its own there is a base.
    version = next((wheel.version for wheel in wheels if wheel.name == "dagster"), str(base))
    lock = home / lock_name(version)
    home.mkdir(parents=True, exist_ok=True)
    with exclusive(home.with_name(f"{home.name}.lock")):
        if not lock.is_file():
            say(f"Locking the build of Dagster {version} (once)")
            for wheel in wheels:
                shutil.copy2(wheel.path, home)
            # Last: a lock that is there says that all of it is.
            known = ensure_lock(base, say=say).read_text(encoding="utf-8") if base else ""
            body = build_lock(wheels, base, known=known, home=home)
            write_lock(lock, f"# Dagster {version}: a build.\n{body}")
    return Software(version=version, lock=lock, wheels=tuple(sorted(home.glob("*.whl"))))


def _base(wheels: Sequence[Wheel]) -> str | None:
    """The release the build is made from: that of its `dagster`, else of what it brings.

    `None`: none that the index has whole, its `dagster` stands on its own. Without a `dagster` it
    goes on the newest.
    """
    core = [wheel for wheel in wheels if wheel.name == "dagster"]
    named = next((wheel.release for wheel in core or wheels if wheel.release), None)
    if named and (lock_path(named).is_file() or named in all_releases()):
        return named
    return None if core else latest_release()
