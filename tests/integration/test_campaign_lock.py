"""Two campaigns at once would measure each other; a dead one must not block the next."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import EnvironmentProblem, ExitCode
from harness.rig.lock import campaign_lock

pytestmark = pytest.mark.integration

HOLD = """
import sys, pathlib
from harness.rig.lock import campaign_lock
with campaign_lock(pathlib.Path(sys.argv[1]), holder="nightly"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_campaign_is_refused_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "state" / "campaign.lock"
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(EnvironmentProblem) as caught, campaign_lock(path, holder="mine"):
            pass
        assert caught.value.evidence == f"process {child.pid}: nightly"
        assert caught.value.exit_code == ExitCode.ENVIRONMENT
    finally:
        child.kill()
        child.wait()
    with campaign_lock(path, holder="mine"):
        pass  # the kernel let go of the lock with its holder, killed or not


def test_a_lock_is_free_again_after_its_campaign(tmp_path: Path) -> None:
    for _ in range(2):
        with campaign_lock(tmp_path / "lock", holder="one"):
            pass


def test_a_state_folder_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(EnvironmentProblem) as caught,
        campaign_lock(tmp_path / "file" / "lock", holder="mine"),
    ):
        pass
    assert "DAGSTER_LOAD_HARNESS_STATE" in caught.value.hint
