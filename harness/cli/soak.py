"""`harness soak`: does it last, and what survives a fault?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.campaign.faults import FAULT_KINDS, Fault, FaultKind
from harness.campaign.outline import lasts, outline
from harness.campaign.peak import refuse_above_peak
from harness.cli.external_options import IOwnThis, state_the_load
from harness.cli.listing import resolve
from harness.cli.measuring import reported
from harness.cli.options import AllowOvercommit, MetricsPort, Plain
from harness.errors import ExitCode
from harness.watch.choose import watching

if TYPE_CHECKING:
    from harness.campaign.plan import Campaign

CODES = {
    "steady": ExitCode.PASS,
    "does not last": ExitCode.BREACH,
    "cannot tell": ExitCode.INCONCLUSIVE,
}
Hours = Annotated[float, typer.Option(min=0.05, max=168, help="How long, under load.")]
Share = Annotated[
    float, typer.Option(min=0.05, max=1.0, help="Of what the cell held: so many runs in flight.")
]
Runs = Annotated[
    int | None, typer.Option(min=1, max=500, help="Runs in flight, instead of a share.")
]
Cell = Annotated[str, typer.Option(help="Which cell, where the results have several.")]
Faults = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="KIND[:SECONDS][@SEGMENT]",
        help=f"Break something on purpose: {', '.join(FAULT_KINDS)}. Each has a segment of its "
        "own, spread over the soak unless you name it. Repeatable.",
    ),
]
Judge = Annotated[
    bool,
    typer.Option("--judge", help="Judge the soak in RESULTS again; measure nothing."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")]
Json = Annotated[bool, typer.Option("--json", help="Print soak.json.")]


def soak(  # noqa: PLR0913 - one parameter an option
    results: Annotated[str, typer.Argument(help="What was measured, or `latest`.")] = "latest",
    hours: Hours = 1.0,
    share: Share = 0.7,
    runs: Runs = None,
    cell: Cell = "",
    fault: Faults = None,
    root: Annotated[Path, typer.Option(help="Where results folders are.")] = Path("results"),
    judge: Judge = False,
    i_own_this: IOwnThis = False,
    dry_run: DryRun = False,
    json_: Json = False,
    allow_overcommit: AllowOvercommit = False,
    plain: Plain = False,
    metrics_port: MetricsPort = None,
) -> int:
    """Hold a measured server at a share of its capacity for hours, and see what grows.

    Memory by process, handles, connections, launch times and the database, each with the slope an
    hour and its 95 % interval, and when a limit would be reached. With --fault things are broken
    beside it: what was lost, and how long until all was well (`harness soak latest --fault
    network-cut --fault server-kill`). Facts are on disk after each segment
    of about five minutes; a soak that broke off goes on with `harness resume`. Exit codes: 0 it
    lasts, 1 it does not, 5 nobody can tell yet.
    """
    folder = resolve(results, root)
    if judge:
        return show_soak(folder, as_json=json_)
    plan = _plan(folder, cell, hours=hours, load=(share, runs), faults=fault or ())
    refuse_above_peak(plan)
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    if dry_run:
        for line in outline(plan):
            console.print(line)
        console.print("Nothing was started.")
        return 0
    state_the_load(plan, allowed=i_own_this)
    from harness.rig.session import SessionOptions
    from harness.scenarios.threshold import run

    options = SessionOptions(
        results_root=folder.parent, allow_overcommit=allow_overcommit, owned=i_own_this,
        command=["harness", *sys.argv[1:]],
    )  # fmt: skip
    begun: list[Path] = []
    watch = watching(Console(stderr=True), plain=plain, metrics_port=metrics_port)
    with reported(begun), watch as listener:
        listener.say(f"Campaign {plan.name}: {lasts(plan)}")
        made = run(plan, options=options, listener=listener, begun=begun.append)
    return show_soak(made.path, as_json=json_)


def is_soak(folder: Path) -> bool:
    """Whether a results folder was planned as a soak."""
    from harness.facts.layout import ResultsFolder
    from harness.scenarios.resuming import campaign_in

    return campaign_in(ResultsFolder(folder)).search.strategy == "soak"


def show_soak(folder: Path, *, as_json: bool) -> int:
    """Judge a stored soak, keep `soak.json`, print it, and return its exit code."""
    from harness.report.soak import STYLES, soak_lines
    from harness.scenarios.reporting import write_reports
    from harness.scenarios.soaking import soak_json, soaked

    found = soaked(folder)
    if as_json:
        sys.stdout.write(soak_json(found))
        return int(CODES[found.answer])
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for number, line in enumerate(soak_lines(found)):
        console.print(line, style=STYLES[found.answer] if number == 0 else None)
    console.print(f"Facts: {folder}   report: {write_reports(folder).report_html}")
    return int(CODES[found.answer])


def _plan(
    folder: Path,
    cell: str,
    *,
    hours: float,
    load: tuple[float, int | None],
    faults: Sequence[str],
) -> Campaign:
    from harness.facts.store import read_results
    from harness.scenarios.soaking import SoakWish, choose_cell, soak_campaign
    from harness.scenarios.stored_plan import stored_plan
    from harness.scenarios.threshold import judge

    share, runs = load
    wish = SoakWish(hours=hours, share=share, runs=runs, faults=tuple(map(parse_fault, faults)))
    campaign = stored_plan(folder, read_results(folder))
    return soak_campaign(campaign, choose_cell(judge(folder, write=False), cell), wish)


def parse_fault(text: str) -> tuple[FaultKind, int | None, float | None]:
    """`network-cut:20@5` as (kind, segment, seconds); `None` for what it does not say.

    Raises:
        BadParameter: no such kind, or no numbers of a fault where numbers belong.
    """
    named, _, where = text.partition("@")
    name, _, lasting = named.partition(":")
    kind = next((each for each in FAULT_KINDS if each == name), None)
    if kind is None:
        raise typer.BadParameter(
            f"no fault is called {name!r}; there are {', '.join(FAULT_KINDS)}",
            param_hint="--fault",
        )
    try:
        segment, for_s = int(where) if where else None, float(lasting) if lasting else None
        asked = {"kind": kind, "segment": 1 if segment is None else segment}
        Fault.model_validate(asked if for_s is None else {**asked, "for_s": for_s})
    except ValueError as error:  # pydantic's is one, too
        said = f"{text!r} is not KIND[:SECONDS][@SEGMENT], with up to 3600 seconds"
        raise typer.BadParameter(said, param_hint="--fault") from error
    return kind, segment, for_s
