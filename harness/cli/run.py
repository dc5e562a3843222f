"""`harness run`: measure a campaign, then judge it."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.campaign.loading import preset_names
from harness.campaign.outline import lasts, outline
from harness.campaign.peak import refuse_above_peak
from harness.campaign.plan import Campaign
from harness.cli.external_options import Deployed, state_the_load
from harness.cli.generator_options import Generator
from harness.cli.measuring import reported
from harness.cli.option_groups import grouped
from harness.cli.options import AllowOvercommit, MetricsPort, Plain
from harness.cli.own_code_options import OwnCode
from harness.cli.plans import Wanted, planned, planned_for_own_code
from harness.cli.show import show_measured
from harness.cli.verify import run_trials
from harness.errors import CampaignError
from harness.rig.protocols import Listener
from harness.watch.choose import watching

Dagster = Annotated[
    list[str] | None,
    typer.Option(
        "--dagster",
        metavar="VERSION",
        help="A release, `latest`, the path of a wheel, a folder of wheels or a checkout, or "
        "NAME=one of these. Replaces the campaign's versions. Several are measured in turns and "
        "compared with the first; without a campaign that is the preset compare. Repeatable.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Print cells, how each is searched, and the time; start nothing."
    ),
]
Target = Annotated[
    str,
    typer.Option(help="What hosts the server: auto, compose (containers), process, or external."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change one value: --set step.hold_s=60. Repeatable."),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        help="Then test the recommended settings: three times the limit, launched at once.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print findings.json on standard output.")]
PRESETS = f"A campaign that ships with the harness: {', '.join(preset_names())}."


@grouped(own=OwnCode, deployed=Deployed, generator=Generator)
def run(  # noqa: PLR0913 - one parameter an option
    campaign: Annotated[
        Path | None, typer.Argument(help="A campaign file (YAML). Without one: the preset.")
    ] = None,
    preset: Annotated[str, typer.Option(help=PRESETS, show_default="quick")] = "",
    dagster: Dagster = None,
    target: Target = "",
    set_: Set = None,
    *,
    own: OwnCode,
    deployed: Deployed,
    generator: Generator,
    dry_run: DryRun = False,
    allow_overcommit: AllowOvercommit = False,
    results: Annotated[Path, typer.Option(help="Where results folders go.")] = Path("results"),
    verify: Verify = False,
    json_: Json = False,
    plain: Plain = False,
    metrics_port: MetricsPort = None,
) -> int:
    """Measure: start a real code server under limits, drive runs into it, find what it holds.

    Without arguments this is the quick preset: io, cpu and mixed runs on 1 vCPU / 2 GiB, at most
    ten minutes. Progress goes to standard error. Ctrl-C takes everything down and keeps what was
    measured. Exit codes: 0 pass, 1 an objective broke, 5 inconclusive; of several Dagster versions
    0 none is worse, 1 one is, 5 nobody can tell.

    With --image or --project your own code is the load: it is looked into first, each job is run
    once, and steps become as long as that asks for.
    """
    wanted = Wanted(
        campaign, preset, tuple(dagster or ()), target,
        (*generator.changes(), *(set_ or ())), own, deployed,
    )  # fmt: skip
    plan = planned(wanted)
    _refuse_what_exists(plan, verify=verify)
    if dry_run:
        _show_plan(plan)
        return 0
    state_the_load(plan, allowed=deployed.i_own_this)
    if wanted.is_own:
        with watching(Console(stderr=True), plain=True) as listener:
            plan = planned_for_own_code(wanted, plan, listener)
        state_the_load(plan, allowed=deployed.i_own_this)
    watch = watching(Console(stderr=True), plain=plain, metrics_port=metrics_port)
    folder, verified = _measure(
        plan, Trust(results, allow_overcommit, deployed.i_own_this), watch, verify=verify
    )
    return show_measured(folder, as_json=json_) or verified


def _refuse_what_exists(plan: Campaign, *, verify: bool) -> None:
    """What is not done to a deployment that exists, whoever asks.

    Raises:
        CampaignError: more at once than its peak, or settings are to be tried.
    """
    refuse_above_peak(plan)
    if verify and plan.external is not None:
        raise CampaignError(
            "Recommended settings cannot be tried on a deployment that exists: none of its "
            "settings is changed.",
            hint="Leave --verify out.",
        )


@dataclass(frozen=True, slots=True)
class Trust:
    """Where results go, and what else the user allows."""

    results: Path
    allow_overcommit: bool
    owned: bool


def _measure(
    plan: Campaign, trust: Trust, watch: AbstractContextManager[Listener], *, verify: bool
) -> tuple[Path, int]:
    """Measure, and verify if wanted; where the results are, and what verifying says.

    A campaign that breaks off is reported as far as it came before its error is raised.
    """
    from harness.rig.session import SessionOptions
    from harness.scenarios import threshold

    session = SessionOptions(
        results_root=trust.results, allow_overcommit=trust.allow_overcommit, owned=trust.owned,
        command=["harness", *sys.argv[1:]],
    )  # fmt: skip
    begun: list[Path] = []
    with reported(begun), watch as listener:
        listener.say(f"Campaign {plan.name}: {lasts(plan)}")
        folder = threshold.run(plan, options=session, listener=listener, begun=begun.append)
        verified = run_trials(folder.path, options=session, listener=listener) if verify else 0
    return folder.path, verified


def _show_plan(plan: Campaign) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for line in outline(plan):
        console.print(line, markup=False)
    console.print("Nothing was started.")
