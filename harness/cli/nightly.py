"""`harness nightly`: measure unattended, and turn red only for a real regression."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.campaign.loading import preset_names
from harness.cli.campaign_files import campaign_of
from harness.cli.listing import resolve
from harness.cli.options import AllowOvercommit
from harness.errors import ExitCode, StoredDataError
from harness.watch.choose import watching

if TYPE_CHECKING:
    from harness.campaign.plan import Campaign
    from harness.report.nightly.summary import Summary
    from harness.scenarios.nightly.book import Order

CampaignFile = Annotated[
    Path | None, typer.Argument(help="A campaign file (YAML). Without one: the preset.")
]
Preset = Annotated[
    str,
    typer.Option(
        help=f"A campaign that ships with the harness: {', '.join(preset_names())}.",
        show_default="nightly",
    ),
]
Target = Annotated[
    str, typer.Option(help="What hosts the server: auto, compose (containers) or process.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change one value: --set nightly.nights=28. Repeatable."),
]
Budget = Annotated[
    str,
    typer.Option(
        help="How long a night may take: 90m, 1h30m. Where that is too short the campaign is "
        "shortened by rule, and the summary says how. [default: nightly.budget_minutes]",
        show_default=False,
    ),
]
Results = Annotated[
    Path, typer.Option(help="Where results folders go, and where earlier nights are.")
]
WebhookFile = Annotated[
    Path | None,
    typer.Option(
        help="A file with the address of a webhook to tell. It is a secret and is shown nowhere."
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Print what would be measured, compared and removed; start nothing.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option(help="Complete a night of the last 12 hours that was cut short, if there is one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print nightly.json on standard output.")]


def nightly(  # noqa: PLR0913 - one parameter an option
    campaign: CampaignFile = None, preset: Preset = "", target: Target = "", set_: Set = None,
    budget: Budget = "", results: Results = Path("results"), webhook_file: WebhookFile = None,
    dry_run: DryRun = False, resume: Resume = True, allow_overcommit: AllowOvercommit = False,
    json_: AsJson = False,
) -> int:  # fmt: skip
    """Measure unattended, every night, and turn red only for what got worse for sure.

    To begin: `harness nightly --preset nightly --dry-run`, then the same without `--dry-run`
    from a timer (docs/nightly/ has files for systemd, cron, GitHub and GitLab). It measures the
    newest Dagster beside a pinned one, holds tonight against that and against earlier nights, and
    writes `nightly-CAMPAIGN.json`, `.md` and `.xml` (JUnit) into the results folder, whatever
    happens. One night at a time on a machine; it is safe to kill at any moment. A chat is told
    where `HARNESS_WEBHOOK_URL` or `--webhook-file` has the address of a webhook.

    Exit codes: 0 nothing is worse for sure. 1 a real regression. 2 bad input. 3 the environment is
    not ready, or another night is at work. 4 target or generator failed. 5 nothing valid was
    measured. 130 interrupted.
    """
    changes = [*(set_ or ()), *([f"target={target}"] if target else [])]
    plan = campaign_of(campaign, preset, overrides=changes, default="nightly")
    order = _order(plan, results, budget, webhook_file, resume=resume, overcommit=allow_overcommit)
    if dry_run:
        return _show_preview(order)
    from harness.scenarios.nightly.night import night

    # A log has no cursor to move; and a cron mail is a log.
    with watching(Console(stderr=True), plain=True) as listener:
        summary, written = night(order, listener=listener)
    _show(summary, as_json=json_)
    if summary.exit_code == ExitCode.PASS and not written:
        return int(ExitCode.ENVIRONMENT)
    return summary.exit_code


def _order(
    plan: Campaign, root: Path, budget: str, webhook_file: Path | None, *, resume: bool,
    overcommit: bool,
) -> Order:  # fmt: skip
    """The options as they are meant.

    Raises:
        CampaignError: the webhook is none, or a gate is no metric.
    """
    from harness.rig.session import SessionOptions
    from harness.scenarios.nightly.book import Order
    from harness.scenarios.nightly.webhook import webhook_from

    _check_gates(plan.nightly.gates)
    pinned = plan.nightly.pinned
    return Order(
        campaign=plan,
        options=SessionOptions(
            results_root=root, allow_overcommit=overcommit, command=["harness", *sys.argv[1:]]
        ),
        budget_s=_budget_s(budget, plan),
        pinned=None if pinned is None else _pinned(pinned, root),
        resume=resume,
        webhook=webhook_from(webhook_file, os.environ),
    )


def _check_gates(gates: Collection[str]) -> None:
    """A metric that is none would never turn a night red, and nobody would notice.

    Raises:
        CampaignError: there is no such metric.
    """
    from harness.analysis.history.series import metric_called

    for gate in gates:
        metric_called(gate)


def _pinned(name: str, root: Path) -> Path:
    """Where the pinned results are, or would be.

    A night is measured and told without them too: its summary says that they are not there.
    """
    try:
        return resolve(name, root)
    except StoredDataError:
        return root / name


def _budget_s(budget: str, plan: Campaign) -> float | None:
    minutes = plan.nightly.budget_minutes
    if not budget:
        return None if minutes is None else minutes * 60
    from harness.cli.size_options import seconds_of

    budget_s = seconds_of(budget)
    if budget_s is None or budget_s <= 0:
        raise typer.BadParameter(
            f"{budget!r} is no duration like 90m or 1h30m.", param_hint="--budget"
        )
    return budget_s


def _show(summary: Summary, *, as_json: bool) -> None:
    from harness.report.nightly.summary import nightly_json
    from harness.report.nightly.text import night_lines

    text = nightly_json(summary) if as_json else "\n".join(night_lines(summary)) + "\n"
    sys.stdout.write(text)


def _show_preview(order: Order) -> int:
    from harness.scenarios.nightly.preview import preview

    console = Console(highlight=False, soft_wrap=True)
    for line in preview(order):
        console.print(line, markup=False)
    console.print("Nothing was started.")
    return 0
