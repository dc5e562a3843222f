"""The lock of a build: its wheels, and around them what a release has, or the newest there is."""

from __future__ import annotations

import datetime
import hashlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.rig.target.locks import BESIDE, DAGSTER, PYTHON, day_of, requirements, resolve
from harness.rig.target.wheels import Wheel


def build_lock(wheels: Sequence[Wheel], base: str | None, *, known: str, home: Path) -> str:
    """The text of the lock, without its first line.

    Args:
        wheels: what the build brings; no name twice.
        base: the release the rest belongs to; `None`: the newest.
        known: the lock of `base`: what it pins stays, as far as the build lets it.
        home: the folder of the wheels.

    Raises:
        EnvironmentProblem: the index cannot be read, or nothing resolves.
    """
    day = day_of(known) or datetime.datetime.now(datetime.UTC).date()
    asked = wanted(wheels, base)
    with tempfile.TemporaryDirectory(prefix="dagster-load-harness-lock-") as folder:
        forced, output = Path(folder) / "forced.txt", Path(folder) / "lock.txt"
        forced.write_text("\n".join(overrides(asked, wheels)), encoding="utf-8")
        output.write_text(known, encoding="utf-8")
        options = [
            "--find-links", str(home), "--override", str(forced), "--output-file", str(output)
        ]  # fmt: skip
        resolve(asked, until=day, options=options)
        body = only_ours(output.read_text(encoding="utf-8"), wheels)
    brought = ", ".join(wheel.pin for wheel in wheels)
    rest = f"on {base}" if base else "with the newest of all else"
    return f"# {brought}, {rest} as of {day}, for Python {PYTHON}.\n{body}"


def wanted(wheels: Sequence[Wheel], base: str | None) -> tuple[str, ...]:
    """The requirements of a build: its wheels, and what else a server needs."""
    brought = {wheel.name for wheel in wheels}
    rest = requirements(base) if base else (*DAGSTER, *BESIDE)
    missing = (each for each in rest if _name(each) not in brought)
    return (*(wheel.pin for wheel in wheels), *missing)


def overrides(asked: Sequence[str], wheels: Sequence[Wheel]) -> tuple[str, ...]:
    """What stands against the demands of all packages, ours and the index's.

    Dagster's packages ask for one another by exact version. Ours go by another, and those of a
    checkout ask for sisters that only it has.
    """
    by_name = {_name(each): each for each in asked}
    sisters = {name for wheel in wheels for name in wheel.sisters}
    others = sorted(by_name.get(name, name) for name in sisters - {each.name for each in wheels})
    return (*(wheel.pin for wheel in wheels), *others)


def only_ours(body: str, wheels: Sequence[Wheel]) -> str:
    """The lock with no hash but ours for what the build brings.

    A wheel may be called as one the index has, which would then be as good.
    """
    for wheel in wheels:
        pinned = rf"^(?P<pin>{re.escape(wheel.pin)}[^\n]*?)( \\\n    --hash=\S+)+$"
        ours = hashlib.sha256(wheel.path.read_bytes()).hexdigest()
        body = re.sub(pinned, rf"\g<pin> \\\n    --hash=sha256:{ours}", body, flags=re.MULTILINE)
    return body


def _name(requirement: str) -> str:
    return requirement.partition("==")[0]
