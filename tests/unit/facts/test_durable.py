"""Where people point an output at: files, links, pipes and devices."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from harness.errors import EnvironmentProblem
from harness.facts.durable import make_folder, write_text

pytestmark = pytest.mark.unit


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.append(pipe.read_text()), daemon=True)
    reader.start()
    write_text(pipe, "all of it")
    reader.join(timeout=10)
    assert seen == ["all of it"]
    assert pipe.is_fifo()  # so does /dev/null stay a device


def test_a_link_stays_a_link_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "artefacts.html", tmp_path / "latest.html"
    target.write_text("old")
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_what_cannot_be_written_says_so_and_how_to_go_on(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    with pytest.raises(EnvironmentProblem) as below_a_file:
        write_text(file / "report.html", "text")
    assert str(file / "report.html") in below_a_file.value.what
    assert below_a_file.value.hint == "Name another place to write to, or make this one writable."
    with pytest.raises(EnvironmentProblem):
        make_folder(file / "folder")
    with pytest.raises(EnvironmentProblem, match=r"Is a directory"):
        write_text(tmp_path, "text")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
