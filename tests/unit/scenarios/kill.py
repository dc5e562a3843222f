"""Killing a writer before any of its steps towards the disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


class Killed(BaseException):
    """Stands for kill -9: nothing of ours catches it, and nothing reaches the disk after it."""


class Kernel:
    """Counts syncs, renames and removals; dies before the `nth` of them, and stays dead.

    What was being appended is only half there when it dies before a sync.

    Args:
        nth: counted from 0.
    """

    WATCHED = ((Path, "replace"), (Path, "rename"), (os, "unlink"), (os, "rmdir"))

    def __init__(self, nth: int) -> None:
        self._left = nth
        self._dead = False

    def kills(self, act: Callable[[], object]) -> bool:
        """Whether `act` came to that point."""
        with pytest.MonkeyPatch.context() as patch:
            for owner, name in self.WATCHED:
                patch.setattr(owner, name, self._counted(getattr(owner, name)))
            patch.setattr(os, "fsync", self._sync)
            try:
                act()
            except Killed:
                return True
        return False

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self._count()
            return real(*args, **kwargs)

        return counted

    def _sync(self, descriptor: int) -> None:
        """Nobody pulls the plug on a test: counted, not done."""
        status = os.fstat(descriptor)
        if self._left == 0 and not self._dead and stat.S_ISREG(status.st_mode):
            os.ftruncate(descriptor, max(0, status.st_size - 7))
        self._count()

    def _count(self) -> None:
        if self._left == 0:
            self._dead = True
            raise Killed
        self._left -= 1
