"""Fill the disk below the folder argv[1]; give it back on SIGTERM or after argv[2] seconds."""

# It runs on whatever Python an image has, from 3.8 on, and imports little.

import errno
import json
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

NAME = ".filled-on-purpose"
STAYS_BROKEN = 3
"""The code it ends with where it could not give back; with 1 it failed, and gave back."""

PIECES = (1 << 20, 4096, 1)


def fill(path, asked):
    """Write until not one byte more finds room, or it is asked to stop; bytes written."""
    written = 0
    with path.open("wb", buffering=0) as file:
        for piece in PIECES:
            while not asked.is_set():
                try:
                    written += file.write(bytes(piece))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    break
    return written


def mend(path):
    """Remove the file; ends with STAYS_BROKEN where that cannot be done."""
    try:
        path.unlink()
    except FileNotFoundError:
        pass
    except BaseException:
        traceback.print_exc()
        sys.exit(STAYS_BROKEN)


def main():
    """Fill, say so, wait, give back."""
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    path = Path(sys.argv[1]) / NAME
    at_s = time.time()
    try:
        print(json.dumps({"bytes": fill(path, asked), "at_s": at_s}), flush=True)
        asked.wait(float(sys.argv[2]))
    finally:
        mend(path)


if __name__ == "__main__":
    main()
