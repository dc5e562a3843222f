"""Showing findings, as `run`, `report` and `analyse` all do."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console


def show_findings(path: Path, *, as_json: bool) -> int:
    """Judge a results folder, print it, and return the exit code its findings deserve."""
    # Statistics take seconds to import; `harness --help` must not wait for them.
    from harness.analysis.findings import exit_code
    from harness.report.json_document import findings_json
    from harness.report.terminal import render
    from harness.scenarios import ladder

    findings = ladder.judge(path)
    if as_json:
        print(findings_json(findings), end="")
    else:
        console = Console()
        render(findings, console)
        console.print(f"Facts and findings: {path}", soft_wrap=True, highlight=False)
    return int(exit_code(findings))
