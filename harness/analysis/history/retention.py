"""Whose raw facts may go: findings stay for ever, facts while somebody may still doubt them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.analysis.history.types import Entry

DAY_S = 86400.0


def expired(
    entries: Sequence[Entry], *, now_s: float, keep_days: float, kept: Collection[str]
) -> tuple[str, ...]:
    """Folders whose facts are older than `keep_days`, oldest first.

    Facts stay where findings could not be read (they could not be made anew either), where they
    are the newest of a campaign's name, and where somebody wants them.

    Args:
        entries: ascending in time.
        now_s: epoch seconds.
        keep_days: from the start of a campaign; a campaign of exactly that age stays.
        kept: folders that keep theirs, pinned ones and baselines.
    """
    newest = {entry.campaign: entry.folder for entry in entries if entry.valid and not entry.gone}
    safe = {*newest.values(), *kept}
    return tuple(
        entry.folder
        for entry in entries
        if not entry.gone
        and not entry.problem
        and entry.folder not in safe
        and now_s - entry.started_s > keep_days * DAY_S
    )
