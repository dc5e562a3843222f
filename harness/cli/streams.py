"""Standard output and error whose reader may leave: `| head`, a pager, `| tee` under Ctrl-C."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from harness.errors import EnvironmentProblem


@contextmanager
def lenient_streams() -> Iterator[None]:
    """A reader that leaves ends neither a campaign nor the writing of reports.

    What nobody reads is thrown away, and the command goes on to its own exit code. Rich would
    leave with 1, which means something else here, and in the middle of taking a server down.
    """
    out, err = sys.stdout, sys.stderr
    # Where a process was started without one of them, Python has `None` there.
    if out is not None:
        sys.stdout = cast(TextIO, _Lenient(out, must_arrive=True))
    if err is not None:
        sys.stderr = cast(TextIO, _Lenient(err, must_arrive=False))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


class _Lenient:
    """A text stream that survives what becomes of its reader; all else is the stream's own.

    Args:
        stream: standard output or error.
        must_arrive: anything but a reader that left is told, as a full disk.
    """

    def __init__(self, stream: TextIO, *, must_arrive: bool) -> None:
        self._stream = stream
        self._must_arrive = must_arrive

    def write(self, text: str) -> int:
        with self._surviving():
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._surviving():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._throw_the_rest_away()
            if self._must_arrive and not isinstance(error, BrokenPipeError):
                raise EnvironmentProblem(
                    "Standard output cannot be written.",
                    evidence=str(error),
                    hint="Make room where it goes, or send it elsewhere.",
                ) from error

    def _throw_the_rest_away(self) -> None:
        """Also what is in the buffer, or Python would complain of it when it ends."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
