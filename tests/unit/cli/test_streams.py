"""The command line when nobody reads on, nothing can be written, or somebody has had enough."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from harness.cli import app
from harness.cli.streams import lenient_streams
from harness.watch.plain import PlainListener

pytestmark = pytest.mark.unit

HARNESS = [sys.executable, "-m", "harness"]


@pytest.fixture
def stored(repo_root: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "20260101T000000Z-quick"
    shutil.copytree(repo_root / "results/baselines/quick-compose", folder)
    return folder


def closed_pipe() -> int:
    """The end to write to, of a pipe whose reader is gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def harness(*arguments: str, stdout: int) -> tuple[int, str]:
    done = subprocess.run(
        [*HARNESS, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stderr


def test_a_reader_that_leaves_costs_neither_the_reports_nor_the_verdict(stored: Path) -> None:
    pipe = closed_pipe()
    try:
        code, told = harness("report", str(stored), stdout=pipe)
    finally:
        os.close(pipe)
    assert (code, told) == (0, "")  # 1 would say that an objective broke
    assert (stored / "report.html").exists()


def test_a_full_disk_behind_standard_output_is_told_in_three_lines() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        code, told = harness("list", "--json", stdout=full)
    finally:
        os.close(full)
    assert code == 3
    assert told.splitlines() == [
        "✗ Standard output cannot be written.",
        "  [Errno 28] No space left on device",
        "→ Make room where it goes, or send it elsewhere.",
    ]


def test_a_log_that_ends_does_not_end_what_is_being_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As `harness run … 2>&1 | tee` under Ctrl-C: the server has yet to be taken down."""
    with os.fdopen(closed_pipe(), "w") as pipe:
        monkeypatch.setattr(sys, "stderr", pipe)
        with lenient_streams():
            listener = PlainListener(Console(stderr=True))
            for _ in range(3):
                listener.say("Interrupted: everything is taken down now")
        assert sys.stderr is pipe


def test_ctrl_c_says_so_and_leaves_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.facts.store.list_results", pressed)
    with pytest.raises(SystemExit) as ended:
        app.main(["list"])
    assert ended.value.code == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_everything_else_of_a_stream_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    own: Callable[[], bool] = sys.stdout.isatty
    with lenient_streams():
        assert sys.stdout.isatty() == own()
        print("said")
    assert capsys.readouterr().out == "said\n"
