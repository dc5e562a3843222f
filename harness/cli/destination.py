"""Where `--out` may point to: nowhere that a fact could be lost."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from harness.errors import CampaignError


def allowed(path: Path, results: Path, *, derived: Collection[Path], folder: bool) -> Path:
    """The path, if no fact can be lost by writing there.

    Args:
        path: as the user names it.
        results: a results folder, which keeps facts.
        derived: the files in it that may be written anew.
        folder: whether a folder is meant.

    Raises:
        CampaignError: it lies among the facts, or is a folder where a file is meant.
    """
    target, inside = path.resolve(), results.resolve()
    own = (inside,) if folder else {each.resolve() for each in derived}
    evidence = ""
    if target.is_relative_to(inside) and target not in own:
        evidence = f"It lies in {results}, which keeps facts."
    elif target.exists() and target.is_dir() != folder:
        evidence = "It is a file." if folder else "It is a folder."
    if evidence:
        raise CampaignError(
            f"The report cannot be written to {path}.",
            evidence=evidence,
            hint=f"Name a {'folder' if folder else 'file'} elsewhere, or leave --out away.",
        )
    return path
