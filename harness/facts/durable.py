"""Writing so that it is there afterwards: atomic files, whole lines, plain words on a full disk."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import EnvironmentProblem
from harness.masking import masked
from harness.units import show_bytes


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into an `EnvironmentProblem`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise EnvironmentProblem(
                f"There is no room left to write {path}.",
                evidence=f"{error.strerror}; free there: {_free(path)}",
                hint="Free some disk space and try again; what was stored before is readable.",
            ) from error
        raise EnvironmentProblem(
            f"{path} cannot be written.",
            evidence=str(error),
            hint="Name another place to write to, or make this one writable.",
        ) from error


def _free(path: Path) -> str:
    for folder in path.parents:
        try:
            free_bytes = shutil.disk_usage(folder).free
        except OSError:
            continue
        return f"{free_bytes} bytes ({show_bytes(free_bytes)})"
    return "unknown"


def make_folder(path: Path) -> None:
    """Make a folder and its parents, durably; fine when it is there.

    Raises:
        EnvironmentProblem: no room, or no right to.
    """
    with writing(path):
        made = [each for each in (path, *path.parents) if not each.exists()]
        path.mkdir(parents=True, exist_ok=True)
        for each in made:
            _sync_folder(each.parent)


def _sync_folder(path: Path) -> None:
    """Make a rename or a new name in `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move_folder(source: Path, target: Path) -> None:
    """Give a folder another name on the same file system, durably.

    Raises:
        EnvironmentProblem: no right to.
    """
    make_folder(target.parent)
    with writing(target):
        source.rename(target)
        _sync_folder(target.parent)
        _sync_folder(source.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file as a whole, durably: a reader sees the old content or the new.

    A link stays a link: what it leads to is replaced. A device or a pipe (`/dev/null`,
    `/dev/stdout`, `>(gzip)`) is written to; there is nothing to replace.
    """
    with writing(path):
        if path.exists() and not (path.is_file() or path.is_dir()):
            path.write_bytes(content)
        else:
            _replace(path.resolve() if path.is_symlink() else path, content)


def _replace(path: Path, content: bytes) -> None:
    # One writer a folder: a fixed temporary name is overwritten, never piles up after a kill.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Replace a text file as a whole, durably (reports, findings); hidden values are masked.

    Raises:
        EnvironmentProblem: no room, or no right to write there.
    """
    write_bytes(path, masked(text).encode())


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Append whole lines, durably; hidden values are masked.

    A torn last line left by a kill is cut off first.
    """
    content = masked("".join(f"{line}\n" for line in lines)).encode()
    if not content:
        return
    with writing(path):
        is_new = not path.exists()
        with path.open("ab+") as file:
            _cut_torn_line(file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(path.parent)


def whole_bytes(path: Path) -> int:
    """How long a file of lines is without a last one that its writer did not finish."""
    return path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0


def cut_lines(path: Path, length_bytes: int) -> None:
    """Take away, durably, what a file of lines has beyond this length.

    Raises:
        EnvironmentProblem: no right to.
    """
    with writing(path), path.open("rb+") as file:
        if os.fstat(file.fileno()).st_size > length_bytes:
            os.ftruncate(file.fileno(), length_bytes)
            os.fsync(file.fileno())


def _cut_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.ftruncate(descriptor, os.pread(descriptor, size, 0).rfind(b"\n") + 1)
