"""Builds of Dagster with a known regression built in, to see whether a night finds it.

    python -m benchmarks.regressions.build slow10 --dagster 1.13.27 --into builds/

Downloads the release's wheel with pip, adds one module and one call, and packs it again under a
version of its own (1.13.27+slow10). Measure it beside the release:

    harness run --preset compare --dagster 1.13.27 --dagster slow=builds/dagster-….whl
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.regressions.patching import REGRESSIONS, doctored
from harness.errors import EnvironmentProblem, HarnessError

DOWNLOAD_TIMEOUT_S = 300


def download(dagster: str, folder: Path) -> Path:
    """The wheel of a release, from the index pip is set up for.

    Raises:
        EnvironmentProblem: pip could not get it.
    """
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary=:all:", "--dest", str(folder), f"dagster=={dagster}",
    ]  # fmt: skip
    what = f"The wheel of Dagster {dagster} could not be downloaded."
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=DOWNLOAD_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentProblem(what, evidence=f"no end in {DOWNLOAD_TIMEOUT_S} s") from error
    wheels = sorted(folder.glob("dagster-*.whl"))
    if done.returncode or not wheels:
        said = "\n".join(done.stderr.strip().splitlines()[-6:])
        raise EnvironmentProblem(what, evidence=said, hint="Is there such a release?")
    return wheels[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """0: built, its path on standard output; else the error's exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("regression", choices=sorted(REGRESSIONS))
    parser.add_argument("--dagster", metavar="VERSION", help="the release to start from")
    parser.add_argument("--wheel", type=Path, help="its wheel, if it is here already")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(arguments)
    if (options.dagster is None) == (options.wheel is None):
        parser.error("give --dagster or --wheel")
    try:
        with tempfile.TemporaryDirectory(prefix="regression-") as scratch:
            wheel = options.wheel or download(options.dagster, Path(scratch))
            print(doctored(wheel, options.regression, into=options.into))
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
