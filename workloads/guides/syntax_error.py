"""A location that does not load: its code is no Python.

The mistake is a text compiled at load time: compiling this file, as the image's build does,
succeeds.
"""

from __future__ import annotations

MISTAKE = "def job(:\n    pass\n"

exec(compile(MISTAKE, "job.py", "exec"))
