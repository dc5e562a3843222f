"""Events of a step that was never recorded: found and taken back.

The events of a step are appended before the line that makes the step count. A writer that dies in
between leaves events of a step nobody knows: an OOM kill would then be taken for that of the step
before. So the length of the file is written down first, as a mark among the parts; a mark whose
step was not recorded says where the lost events begin.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from harness.facts.durable import cut_lines, whole_bytes, write_text, writing
from harness.facts.layout import CellFolder

_MARK = re.compile(r"events-(\d+)\.mark")


def mark_events(folder: CellFolder, step: int) -> None:
    """Before the events of a step are appended; durable once this returns."""
    write_text(folder.events_mark(step), str(whole_bytes(folder.events_jsonl)))


def lost_from(folder: CellFolder, recorded: Collection[int]) -> int | None:
    """Where in `events.jsonl` the events of a lost step begin; `None` where there are none.

    Args:
        folder: a cell that is not sealed.
        recorded: the indexes of its recorded steps.

    Raises:
        ValueError: a mark is damaged.
    """
    begins = [
        int(path.read_text(encoding="utf-8"))
        for path in folder.parts.glob("events-*.mark")
        if (found := _MARK.fullmatch(path.name)) and int(found[1]) not in recorded
    ]
    return min(begins, default=None)


def forget_lost(folder: CellFolder, recorded: Collection[int]) -> None:
    """Take the events of a lost step away; may be repeated from wherever it was cut off."""
    begin = lost_from(folder, recorded)
    if begin is None:
        return
    if folder.events_jsonl.exists():
        cut_lines(folder.events_jsonl, begin)
    for path in folder.parts.glob("events-*.mark"):
        with writing(path):
            path.unlink()
