"""Showing findings, as `run`, `report` and `analyse` all do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from harness.analysis.judging import Judging


def show_findings(
    path: Path, *, as_json: bool, options: Judging | None = None, write: bool = True
) -> int:
    """Judge a results folder, print it, and return the exit code its findings deserve.

    Args:
        path: the results folder.
        as_json: print `findings.json` instead of tables.
        options: other objectives or another warm-up cut than measured with.
        write: keep the findings in the folder.
    """
    # Statistics take seconds to import; `harness --help` must not wait for them.
    from harness.analysis.findings.document import exit_code
    from harness.analysis.judging import DEFAULT
    from harness.report.json_document import findings_json
    from harness.report.terminal import render
    from harness.scenarios import threshold

    findings = threshold.judge(path, options=options or DEFAULT, write=write)
    if as_json:
        print(findings_json(findings), end="")
    else:
        console = Console()
        render(findings, console)
        console.print(f"Facts and findings: {path}", soft_wrap=True, highlight=False)
    return int(exit_code(findings))
