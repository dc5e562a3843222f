"""Options that name a deployment which exists already, and the guard rails of measuring it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.errors import CampaignError

if TYPE_CHECKING:
    from harness.campaign.plan import Campaign

PANEL = "A deployment that exists (--target external)"

UNDECIDABLE = ("no_oom", "pool_queue")
"""Objectives nobody outside can decide: as long as they stand, nothing passes. A kill still shows,
as failed runs or lost probes."""

Webserver = Annotated[
    str, typer.Option(help="Its webserver: https://dagster.example.org", rich_help_panel=PANEL)
]
Location = Annotated[str, typer.Option(help="The code location under load.", rich_help_panel=PANEL)]
CodeServers = Annotated[
    list[str] | None,
    typer.Option(
        "--code-server",
        metavar="HOST:PORT",
        help="A code server of it: health is probed, and Dagster's own metrics are read: memory "
        "and CPU, too, where they are on. Repeatable.",
        rich_help_panel=PANEL,
    ),
]
ServerSize = Annotated[
    str,
    typer.Option(
        metavar="SIZE",
        help="Size of a code server (1vcpu-2gb), where it does not tell its limits itself.",
        rich_help_panel=PANEL,
    ),
]
HeadersFile = Annotated[
    Path | None,
    typer.Option(
        help="Headers of every request, NAME=value a line; their values are masked.",
        rich_help_panel=PANEL,
    ),
]
CaFile = Annotated[
    Path | None,
    typer.Option(help="Who signs its certificate, where the system does not know.",
                 rich_help_panel=PANEL),
]  # fmt: skip
Peak = Annotated[
    int, typer.Option(min=1, max=500, help="Runs at once, at most.", rich_help_panel=PANEL)
]
MostFailures = Annotated[
    int,
    typer.Option(min=1, max=500, help="So many failed runs in one step end everything.",
                 rich_help_panel=PANEL),
]  # fmt: skip
IOwnThis = Annotated[
    bool,
    typer.Option(
        "--i-own-this",
        help="You may put load on it. Without this it is only said what would be sent.",
        rich_help_panel=PANEL,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What was typed; a group of options (`option_groups`)."""

    webserver: Webserver = ""
    location: Location = ""
    code_server: CodeServers = None
    server_size: ServerSize = ""
    headers_file: HeadersFile = None
    ca_file: CaFile = None
    peak: Peak = 5
    most_failures: MostFailures = 3
    i_own_this: IOwnThis = False

    def __bool__(self) -> bool:
        """Whether a deployment is named."""
        return bool(self.webserver)


def external_overrides(deployed: Deployed) -> list[str]:
    """The parts of a campaign that name the deployment, as `--set` would put them.

    Raises:
        BadParameter: options of a deployment without its address, or without a location.
    """
    if not deployed:
        if any((deployed.location, deployed.code_server, deployed.headers_file,
                deployed.server_size)):  # fmt: skip
            raise typer.BadParameter("Name the deployment.", param_hint="--webserver")
        return []
    if not deployed.location:
        raise typer.BadParameter("Name the code location under load.", param_hint="--location")
    external = {
        "webserver": deployed.webserver.rstrip("/"),
        "location": deployed.location,
        "code_servers": list(deployed.code_server or ()),
        "size": deployed.server_size or None,
        "headers_file": _whole(deployed.headers_file),
        "ca_file": _whole(deployed.ca_file),
        "peak": deployed.peak,
        "most_failures": deployed.most_failures,
    }
    return [
        "target=external", f"external={json.dumps(external)}",
        f"search.highest={deployed.peak}",
        *(f"slos.{name}=null" for name in UNDECIDABLE),
        *([f"profiles=[{deployed.server_size}]"] if deployed.server_size else ()),
    ]  # fmt: skip


def state_the_load(plan: Campaign, *, allowed: bool) -> None:
    """Say how much will be sent where, before anything is.

    Raises:
        CampaignError: nobody has said that it may be, or it is more at once than `external.peak`.
    """
    from harness.campaign.amount import most_runs, peak_of
    from harness.campaign.outline import lasts
    from harness.campaign.peak import refuse_above_peak

    if plan.external is None:
        return
    refuse_above_peak(plan)
    said = (
        f"{plan.external.webserver}, location {plan.external.location}: at most "
        f"{most_runs(plan):,} runs, at most {peak_of(plan)} at once, {lasts(plan)}; "
        f"ended after {plan.external.most_failures} failed runs in a step"
    )
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(said)
    if not allowed:
        raise CampaignError(
            "Load on something that exists is only sent by whoever may.",
            evidence=said,
            hint="If that is you: --i-own-this. Every run is tagged, and Ctrl-C ends them all.",
        )


def _whole(path: Path | None) -> str | None:
    return str(path.expanduser().resolve()) if path is not None else None
