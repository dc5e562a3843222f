"""`harness run`: measure a campaign, then judge it."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.campaign.loading import load_campaign, preset_names, preset_text
from harness.campaign.outline import lasts, outline
from harness.campaign.plan import Campaign
from harness.cli.measuring import reported
from harness.cli.options import AllowOvercommit, MetricsPort, Plain
from harness.cli.show import show_findings
from harness.cli.verify import run_trials
from harness.errors import CampaignError
from harness.rig.protocols import Listener
from harness.watch.choose import watching

PRESETS = f"A campaign that ships with the harness: {', '.join(preset_names())}."


def run(  # noqa: PLR0913 - one parameter an option
    campaign: Annotated[
        Path | None, typer.Argument(help="A campaign file (YAML). Without one: the preset.")
    ] = None,
    preset: Annotated[str, typer.Option(help=PRESETS, show_default="quick")] = "",
    target: Annotated[
        str, typer.Option(help="What hosts the server: auto, compose (containers) or process.")
    ] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change one value: --set step.hold_s=60. Repeatable."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print cells, how each is searched, and the time; start nothing."
        ),
    ] = False,
    allow_overcommit: AllowOvercommit = False,
    results: Annotated[Path, typer.Option(help="Where results folders go.")] = Path("results"),
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Then test the recommended settings: three times the limit, launched at once.",
        ),
    ] = False,
    json_: Annotated[
        bool, typer.Option("--json", help="Print findings.json on standard output.")
    ] = False,
    plain: Plain = False,
    metrics_port: MetricsPort = None,
) -> int:
    """Measure: start a real code server under limits, drive runs into it, find what it holds.

    Without arguments this is the quick preset: io, cpu and mixed runs on 1 vCPU / 2 GiB, at most
    ten minutes. Progress goes to standard error. Ctrl-C takes everything down and keeps what was
    measured.
    """
    plan = _load(campaign, preset, [*(set_ or ()), *([f"target={target}"] if target else [])])
    if dry_run:
        _show_plan(plan)
        return 0
    watch = watching(Console(stderr=True), plain=plain, metrics_port=metrics_port)
    folder, verified = _measure(plan, results, watch, allow_overcommit, verify=verify)
    return show_findings(folder, as_json=json_) or verified


def _measure(
    plan: Campaign,
    root: Path,
    watch: AbstractContextManager[Listener],
    allow_overcommit: bool,
    *,
    verify: bool,
) -> tuple[Path, int]:
    """Measure, and verify if wanted; where the results are, and what verifying says.

    A campaign that breaks off is reported as far as it came before its error is raised.
    """
    from harness.rig.session import SessionOptions
    from harness.scenarios import threshold

    options = SessionOptions(
        results_root=root, allow_overcommit=allow_overcommit, command=["harness", *sys.argv[1:]]
    )
    begun: list[Path] = []
    with reported(begun), watch as listener:
        listener.say(f"Campaign {plan.name}: {lasts(plan)}")
        folder = threshold.run(plan, options=options, listener=listener, begun=begun.append)
        verified = run_trials(folder.path, options=options, listener=listener) if verify else 0
    return folder.path, verified


def _load(path: Path | None, preset: str, overrides: list[str]) -> Campaign:
    if path is not None and preset:
        raise typer.BadParameter(f"{path} is a campaign already.", param_hint="--preset")
    if path is None:
        preset = preset or "quick"
        return load_campaign(preset_text(preset), source=f"preset {preset}", overrides=overrides)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CampaignError(
            f"The campaign file {path} cannot be read.",
            evidence=str(error),
            hint=f"Presets that ship with the harness: {', '.join(preset_names())}",
        ) from error
    return load_campaign(text, source=str(path), overrides=overrides)


def _show_plan(plan: Campaign) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for line in outline(plan):
        console.print(line, markup=False)
    console.print("Nothing was started.")
