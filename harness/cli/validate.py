"""`harness validate`: will a configuration hold what it promises?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.campaign.filling import Filling
from harness.campaign.loading import load_campaign, preset_text
from harness.campaign.packages import PACKAGES
from harness.campaign.plan import Campaign
from harness.campaign.profiles import parse_profile
from harness.campaign.promises.readers import UNDERSTOOD, read_configuration
from harness.campaign.promises.types import Configuration, Promise
from harness.campaign.promises.whole import Said, promise_of
from harness.cli.option_groups import grouped
from harness.cli.options import AllowOvercommit, MetricsPort, Plain
from harness.cli.own_code_options import OwnCode
from harness.cli.plans import Wanted, planned, planned_for_own_code
from harness.errors import CampaignError, ExitCode
from harness.rig.protocols import Listener
from harness.units import show_cores
from harness.watch.choose import watching

if TYPE_CHECKING:
    from harness.analysis.validation import Validation

CODES = {
    "holds": ExitCode.PASS,
    "does not hold": ExitCode.BREACH,
    "limit never filled": ExitCode.INCONCLUSIVE,
    "cannot be tested here": ExitCode.INCONCLUSIVE,
}


Files = Annotated[list[Path], typer.Argument(help=f"One or several files: {UNDERSTOOD}.")]
Location = Annotated[
    str, typer.Option(help="Which code location, where the files describe several.")
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="max_concurrent_runs, where the files do not say it.")
]
Size = Annotated[
    str, typer.Option(help="Size of the server, where the files do not say it: 1vcpu-2gb.")
]
What = Annotated[str, typer.Option(help=f"What the runs do: {', '.join(PACKAGES)}.")]
Release = Annotated[str, typer.Option(help="The release to test it with.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what is promised, and what would be done.")
]
Json = Annotated[bool, typer.Option("--json", help="Print validation.json.")]


@grouped(own=OwnCode)
def validate(  # noqa: PLR0913 - one parameter an option
    files: Files,
    location: Location = "",
    limit: Limit = None,
    profile: Size = "",
    workload: What = "io",
    dagster: Release = "",
    *,
    own: OwnCode,
    results: Annotated[Path, typer.Option(help="Where results folders go.")] = Path("results"),
    dry_run: DryRun = False,
    json_: Json = False,
    allow_overcommit: AllowOvercommit = False,
    plain: Plain = False,
    metrics_port: MetricsPort = None,
) -> int:
    """Start exactly the configured server and push it: to its own limit, and three times that.

    Reads size, workers, replicas and limit from configurations as you have them, then launches as
    many runs at once as the limit allows, and three times as many; with your own image or project,
    runs of your own. Exit codes for a pipeline: 0 it holds, 1 it does not, 5 its limit was never
    filled or it cannot be tested on this machine, 2 the configuration cannot be read.
    """
    promise = promise_of(
        [_read(path) for path in files], _said(location, limit, profile, dagster)
    )  # fmt: skip
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    for line in _promised(promise):
        console.print(line)
    with watching(Console(stderr=True), plain=plain, metrics_port=metrics_port) as listener:
        campaign = _campaign(promise, workload, dagster, own, listener if not dry_run else None)
        if dry_run:
            return _would(campaign, console)
        from harness.rig.session import SessionOptions
        from harness.scenarios.validating import validate as put_to_the_test

        options = SessionOptions(
            results_root=results, allow_overcommit=allow_overcommit,
            command=["harness", *sys.argv[1:]],
        )  # fmt: skip
        done = put_to_the_test(promise, campaign, options=options, listener=listener)
    if done.again:
        console.print(f"Measured twice: at first {done.again}.")
    _show(promise, done.validation, as_json=json_)
    if done.results is not None:
        console.print(f"Facts and answer: {done.results}")
    return int(CODES[done.validation.answer])


def _said(location: str, limit: int | None, profile: str, dagster: str) -> Said:
    size = parse_profile(profile) if profile else None
    return Said(location=location, limit=limit, profile=size, dagster=dagster)


def _read(path: Path) -> Configuration:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CampaignError(f"{path} cannot be read.", evidence=str(error)) from error
    return read_configuration(text, source=path.name)


def _campaign(
    promise: Promise,
    workload: str,
    dagster: str,
    own: OwnCode,
    listener: Listener | None,
) -> Campaign:
    """The bursts, of our workload or of the user's own code, which is looked into first."""
    from harness.scenarios.validating import filling_for, validation_campaign

    base = load_campaign(
        preset_text("quick"), source="preset quick", overrides=[f"workloads=[{workload}]"]
    )
    found, run_s = base.workloads[0], None
    version = dagster or base.dagster[0]
    if own:
        size = f"profiles=[{{vcpu: {promise.vcpu:g}, memory_mib: {promise.memory_mib}}}]"
        wanted = Wanted(None, "", (dagster,) if dagster else (), "", (size,), own)
        plan = planned(wanted)
        if listener is not None:
            plan = planned_for_own_code(wanted, plan, listener)
        found, run_s, version = plan.workloads[0], plan.load.run_s, plan.dagster[0]
    else:
        _tell_of_runs(promise, filling_for(promise, found))
    return validation_campaign(promise, found, dagster=version, run_s=run_s)


def _tell_of_runs(promise: Promise, filling: Filling | None) -> None:
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    if promise.image:
        console.print(
            "The runs are a workload of the harness's own. With yours: "
            f"--image {promise.image} --job …"
        )
    if filling is not None and filling.short:
        console.print(f"The limit is not expected to be filled: {filling.short}.")


def _promised(promise: Promise) -> Sequence[str]:
    said = promise.said
    return (
        f"{promise.name} promises:",
        f"  size         {show_cores(promise.vcpu)}, {promise.memory_mib:,} MiB   ({said['size']})",
        f"  workers      {promise.max_workers}   ({said['max_workers']})",
        f"  replicas     {promise.replicas}   ({said['replicas']})",
        f"  runs at once {promise.limit}   ({said['limit']})",
        f"  launches     {promise.dequeue_threads or 'one'} at a time   ({said['launches']})",
        f"  queue        looked at every {promise.dequeue_interval_s} s   ({said['interval']})",
        *(f"  ! {fault}" for fault in promise.faults),
        *(f"  {note}" for note in promise.notes),
    )


def _would(campaign: Campaign, console: Console) -> int:
    from harness.campaign.outline import lasts
    from harness.scenarios.validating import refusal

    runs, run_s = campaign.search.grid, campaign.load.run_s
    length = f" of {run_s:.0f} s" if run_s else ""
    console.print(
        f"It would be sent bursts of {runs[0]} and {runs[-1]} runs{length}: {lasts(campaign)}"
    )
    if why := refusal(campaign):
        console.print(f"It cannot be tested here: {why}")
        return int(ExitCode.INCONCLUSIVE)
    console.print("Nothing was started.")
    return 0


def _show(promise: Promise, answer: Validation, *, as_json: bool) -> None:
    if as_json:
        from harness.scenarios.validating import validation_json

        sys.stdout.write(validation_json(promise, answer))
        return
    from harness.report.validation import STYLES, validation_lines

    console = Console(highlight=False, markup=False, soft_wrap=True)
    for number, line in enumerate(validation_lines(answer)):
        console.print(line, style=STYLES[answer.answer] if number == 0 else None)
