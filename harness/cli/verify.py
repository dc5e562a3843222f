"""`harness verify`: put recommended settings to the test, on fresh servers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.cli.listing import resolve
from harness.cli.options import AllowOvercommit, MetricsPort, Plain
from harness.errors import HarnessError
from harness.rig.protocols import Listener
from harness.watch.choose import watching

if TYPE_CHECKING:
    from harness.rig.session import SessionOptions
    from harness.scenarios.guard import GuardVerdict
    from harness.scenarios.verification import VerifyVerdict


def verify(
    results: Annotated[str, typer.Argument(help="A results folder, or `latest`.")] = "latest",
    root: Annotated[Path, typer.Option(help="Where results folders are.")] = Path("results"),
    guard: Annotated[
        bool,
        typer.Option(
            "--guard",
            help="Show that the limit is needed: the same burst with it and without it.",
        ),
    ] = False,
    allow_overcommit: AllowOvercommit = False,
    plain: Plain = False,
    metrics_port: MetricsPort = None,
) -> int:
    """Measure once more at the recommended settings: three times the limit, launched at once.

    Every cell with a recommendation gets a fresh server behind the run queue. With `--guard` it
    gets two, of the size and workers it was measured with: one with `max_concurrent_runs` and one
    without, and only if the second is harmed and the first is not, the limit is proven to guard.
    Exit code 1: settings that do not hold; 5: nothing was proven.
    """
    from harness.rig.session import SessionOptions

    folder = resolve(results, root)
    options = SessionOptions(
        results_root=folder.parent,
        allow_overcommit=allow_overcommit,
        command=["harness", *sys.argv[1:]],
    )
    with watching(Console(stderr=True), plain=plain, metrics_port=metrics_port) as listener:
        return run_trials(folder, options=options, listener=listener, guard=guard)


def run_trials(
    folder: Path, *, options: SessionOptions, listener: Listener, guard: bool = False
) -> int:
    """Run the trial, say each verdict with its evidence, and return its exit code."""
    from harness.scenarios.reporting import write_reports
    from harness.scenarios.trials import GUARD, VERIFY, run_trial, trial_exit_code

    verdicts: Sequence[GuardVerdict | VerifyVerdict] = (
        run_trial(GUARD, folder, options=options, listener=listener)
        if guard
        else run_trial(VERIFY, folder, options=options, listener=listener)
    )
    for verdict in verdicts:
        listener.say(f"{verdict.cell}: {verdict.sentence}")
        for line in verdict.evidence:
            listener.say(f"  {line}")
    listener.say(f"Verdicts: {folder / (GUARD if guard else VERIFY).file}")
    with suppress(HarnessError):  # the verdicts are kept; the reports can be made anew
        listener.say(f"Report: {write_reports(folder).report_html}")
    return int(trial_exit_code(verdicts))
