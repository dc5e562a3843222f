"""What every command that measures a campaign does around it, however it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from harness.cli.show import keep_what_there_is
from harness.errors import HarnessError, Interrupted


@contextmanager
def reported(folders: Sequence[Path]) -> Iterator[None]:
    """A campaign that breaks off is reported as far as it came, and it is said how to go on.

    Args:
        folders: the results folder once its first cell has begun; filled while this is entered.

    Raises:
        HarnessError: the one that broke it off.
    """
    try:
        yield
    except HarnessError as error:
        keep_what_there_is(folders)
        if not isinstance(error, Interrupted):  # its own way out says so
            _say_how_to_go_on(folders)
        raise


def _say_how_to_go_on(folders: Sequence[Path]) -> None:
    from harness.rig.session import resume_command

    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    for folder in folders:
        console.print(f"When that is mended, go on where it stopped: {resume_command(folder)}")
