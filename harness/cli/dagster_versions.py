"""What `--dagster` means: releases, the latest one, or builds by a name."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import typer

from harness.campaign.plan import LATEST, RELEASE

LONGEST = 40
OPTION = "--dagster"
_NAME = re.compile(r"([a-z0-9][a-z0-9._-]*)=(.+)", re.DOTALL)
_UNFIT = re.compile(r"[^a-z0-9._-]+")
_WHEEL = re.compile(r"-py[0-9.]+-.*$")


def version_overrides(words: Sequence[str]) -> list[str]:
    """What the command line changes of a campaign so that it measures these and no others.

    The first is the baseline. A path that is named relative is meant from here, and written down
    whole: who goes on with the campaign may be elsewhere.

    Args:
        words: as typed: `1.13.28`, `latest`, `NAME=…` of either or of a path, or a path, which is
            then called by its own name.

    Raises:
        BadParameter: what is neither; one named twice.
    """
    if not words:
        return []
    versions: list[str] = []
    builds: dict[str, str] = {}
    for word in words:
        label, source = _meant(word, taken=versions)
        if label in versions:
            raise typer.BadParameter(
                f"{label} is there twice. To see how far equal versions differ, give it a name of "
                f"its own: {OPTION} {label} {OPTION} again={source}",
                param_hint=OPTION,
            )
        versions.append(label)
        if source != label:
            builds[label] = source
    return [f"dagster={json.dumps(versions)}", f"builds={json.dumps(builds)}", "baseline=null"]


def _meant(word: str, *, taken: Sequence[str]) -> tuple[str, str]:
    """The entry of the campaign, and what it is made of."""
    named = _NAME.fullmatch(word)
    if named is None or Path(word).exists():
        if _is_release(word):
            return word, word
        return _label(Path(word), taken), _path(word)
    label, source = named.groups()
    if _is_release(label):
        raise typer.BadParameter(
            f"{label} is a release: give the build another name.", param_hint=OPTION
        )
    return label, source if _is_release(source) else _path(source)


def _is_release(word: str) -> bool:
    return word == LATEST or RELEASE.fullmatch(word) is not None


def _path(word: str) -> str:
    path = Path(word).expanduser()
    if not path.exists():
        raise typer.BadParameter(
            f"{word!r} is neither a release such as 1.13.28, nor `{LATEST}`, nor a path that is "
            "there. A build can be called by a name: mine=PATH.",
            param_hint=OPTION,
        )
    return str(path.resolve())


def _label(path: Path, taken: Sequence[str]) -> str:
    """A name from a path's own, that is none of those taken."""
    own = _WHEEL.sub("", path.expanduser().resolve().name.removesuffix(".whl"))
    name = _UNFIT.sub("-", own.lower()).strip("-._")[: LONGEST - 3] or "build"
    if _is_release(name):
        name = f"{name}-build"
    numbered = (name if n == 1 else f"{name}-{n}" for n in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)
