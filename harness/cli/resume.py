"""`harness resume`: go on with a campaign that broke off, then judge it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.cli.external_options import IOwnThis, state_the_load
from harness.cli.listing import resolve
from harness.cli.measuring import reported
from harness.cli.options import AllowOvercommit, MetricsPort, Plain
from harness.cli.show import show_measured
from harness.cli.soak import is_soak, show_soak
from harness.watch.choose import watching


def resume(  # noqa: PLR0913 - one parameter an option
    results: Annotated[str, typer.Argument(help="A results folder, or `latest`.")] = "latest",
    root: Annotated[Path, typer.Option(help="Where results folders are.")] = Path("results"),
    again: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CELL",
            help="Measure this cell anew; what it had is kept in superseded/. Repeatable.",
        ),
    ] = None,
    allow_overcommit: AllowOvercommit = False,
    i_own_this: IOwnThis = False,
    json_: Annotated[
        bool, typer.Option("--json", help="Print findings.json on standard output.")
    ] = False,
    plain: Plain = False,
    metrics_port: MetricsPort = None,
) -> int:
    """Go on with a campaign that was killed, interrupted or failed: measure what it lacks.

    What its dead process left running is removed first. Finished cells stay. A cell under way goes
    on after its steps where machine, harness, limits and software are the same, else it starts
    again and says why. A campaign that is complete is only judged. What goes to a deployment that
    exists needs --i-own-this again.
    """
    from harness.rig.session import SessionOptions
    from harness.scenarios import resuming

    folder = resolve(results, root)
    _state_the_load(folder, allowed=i_own_this, again=bool(again))
    options = SessionOptions(
        results_root=folder.parent, allow_overcommit=allow_overcommit, owned=i_own_this,
        command=["harness", *sys.argv[1:]],
    )  # fmt: skip
    watch = watching(Console(stderr=True), plain=plain, metrics_port=metrics_port)
    begun: list[Path] = []
    with reported(begun), watch as listener:
        resuming.resume(
            folder, options=options, listener=listener, again=again or (), begun=begun.append
        )
    if is_soak(folder):
        return show_soak(folder, as_json=json_)
    return show_measured(folder, as_json=json_)


def _state_the_load(folder: Path, *, allowed: bool, again: bool) -> None:
    """As `harness run` does, where anything is to be measured.

    Raises:
        CampaignError: as `state_the_load`.
        StoredDataError: there is no campaign in the folder.
    """
    from harness.facts.layout import ResultsFolder
    from harness.rig.remaining import is_complete
    from harness.scenarios.resuming import campaign_in

    plan = campaign_in(ResultsFolder(folder))
    if again or not is_complete(ResultsFolder(folder), plan):
        state_the_load(plan, allowed=allowed)
