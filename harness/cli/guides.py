"""`harness guides`: what sizing guides claim, measured on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.errors import ExitCode, StoredDataError

if TYPE_CHECKING:
    from harness.analysis.guides.types import TrialFinding
    from harness.scenarios.guides.scenario import Scenario
    from harness.scenarios.guides.session import Ended

RELEASE = "1.13.27"
"""The default of campaigns too: the newest with a committed lock."""

FORMATS = ("terminal", "markdown", "page", "json")

app = typer.Typer(
    help="Put what sizing guides claim on trial: list the claims, measure them here, report.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Results = Annotated[
    Path, typer.Option("--results", help="Where a new results folder is made, or looked for.")
]
Names = Annotated[
    list[str] | None,
    typer.Option("--scenario", metavar="NAME", help="Only this scenario; may be repeated."),
]
Ids = Annotated[
    list[int] | None,
    typer.Option("--claim", metavar="N", help="Only what decides this claim; may be repeated."),
]


@app.callback()
def guides(context: typer.Context) -> None:
    """Without a command: the claims."""
    if context.invoked_subcommand is None:
        list_()


@app.command("list")
def list_(
    json_: Annotated[bool, typer.Option("--json", help="The registry as JSON.")] = False,
) -> int:
    """List the claims: which guide says it, what it says, what decides it."""
    from harness.scenarios.guides.registry import all_claims

    claims = all_claims()
    if json_:
        from harness.report.guides.document import claims_json

        sys.stdout.write(claims_json(claims))
        return 0
    from harness.report.guides.terminal import render_claims

    Console(highlight=False).print(render_claims(claims))
    return 0


@app.command("scenarios")
def scenarios_() -> int:
    """List the scenarios: what each asks, and how long it takes."""
    from harness.scenarios.guides.registry import all_scenarios

    console = Console(highlight=False, markup=False, soft_wrap=True)
    for each in all_scenarios():
        quick = "not in --quick" if each.quick_minutes is None else f"quick {each.quick_minutes:g}"
        console.print(f"{each.name:18} {each.minutes:g} min ({quick})  {each.question}")
        if each.socket:
            console.print(f"{'':18} uses the engine's socket: {each.socket}")
    return 0


@app.command("run")
def run(  # noqa: PLR0913 - one parameter an option
    scenario: Names = None,
    claim: Ids = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Less of everything: at most 20 minutes in all.")
    ] = False,
    dagster: Annotated[str, typer.Option(help="The release to measure.")] = RELEASE,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Go on with this trial: what is done stays."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    results: Results = Path("results"),
    plain: Annotated[bool, typer.Option("--plain", help="Lines, whatever the terminal.")] = False,
) -> int:
    """Measure claims on this machine, with real components; needs a Docker engine.

    One scenario after the other, each stored when it is done. Ctrl-C takes everything down and
    keeps what was measured. Exit codes: 0 measured, 4 a scenario broke off.
    """
    from harness.scenarios.guides.registry import all_claims, scenarios_named, scenarios_of_claims

    names = [*(scenario or ()), *scenarios_of_claims(claim or (), all_claims())]
    chosen = scenarios_named(names)
    if quick and not names:
        chosen = tuple(each for each in chosen if each.quick_minutes is not None)
    _announce(chosen, quick=quick)
    if dry_run:
        return 0
    from harness.scenarios.guides.session import TrialOptions, measure_trial
    from harness.watch.choose import watching

    options = TrialOptions(
        root=results, dagster=dagster, quick=quick, folder=resume,
        command=("harness", *sys.argv[1:]),
    )  # fmt: skip
    with watching(Console(stderr=True), plain=plain) as listener:
        ended = measure_trial(chosen, options=options, listener=listener)
    return _show(ended)


@app.command("report")
def report(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[RESULTS]", help="A trial; default: the latest.")
    ] = None,
    results: Results = Path("results"),
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            help="terminal; markdown: the table; page: surprises first, then every claim; json.",
        ),
    ] = "terminal",
    beside: Annotated[
        Path | None,
        typer.Option(metavar="OTHER", help="Another trial: which verdicts came out otherwise?"),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also claims that were not measured.")
    ] = False,
) -> int:
    """Tell what was measured of each claim: verdict, evidence, what to do instead.

    With --beside the exit code is 1 where verdicts of both trials differ.
    """
    if format_ not in FORMATS:
        raise typer.BadParameter(f"{format_!r} is none of {', '.join(FORMATS)}.")
    from harness.scenarios.guides.trial import judged

    finding = judged(folder or _latest(results))
    if beside is not None:
        return _beside(judged(beside), finding)
    if format_ == "terminal":
        from harness.report.guides.terminal import render_trial

        Console(highlight=False).print(render_trial(finding, everything=everything))
        return 0
    sys.stdout.write(_text(finding, format_))
    return 0


def _text(finding: TrialFinding, format_: str) -> str:
    from harness.report.guides.document import trial_json
    from harness.report.guides.markdown import trial_markdown
    from harness.report.guides.page import trial_page
    from harness.scenarios.guides.registry import SEEDS

    if format_ == "page":
        return trial_page(finding, SEEDS)
    return trial_json(finding) if format_ == "json" else trial_markdown(finding)


def _beside(first: TrialFinding, second: TrialFinding) -> int:
    from harness.analysis.guides.verdicts import changed
    from harness.report.guides.words import state_words

    otherwise = changed(first.verdicts, second.verdicts)
    decided = {v.claim.id for v in first.verdicts if v.decided}
    both = sum(verdict.decided and verdict.claim.id in decided for verdict in second.verdicts)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{both - len(otherwise)} of {both} verdicts repeat.")
    before = {verdict.claim.id: verdict for verdict in first.verdicts}
    for verdict in otherwise:
        was = state_words(before[verdict.claim.id])
        console.print(f"  {verdict.claim.id}: {was}, then {state_words(verdict)}")
    return int(ExitCode.BREACH if otherwise else ExitCode.PASS)


def _announce(chosen: tuple[Scenario, ...], *, quick: bool) -> None:
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    minutes = [each.quick_minutes or each.minutes if quick else each.minutes for each in chosen]
    console.print(f"{len(chosen)} scenarios, about {sum(minutes):g} min:")
    for each, takes in zip(chosen, minutes, strict=True):
        console.print(f"  {each.name} ({takes:g} min): {each.question}")
        if each.socket:
            console.print(f"    gives containers the engine's socket: {each.socket}")


def _show(ended: Ended) -> int:
    from harness.report.guides.terminal import render_trial
    from harness.scenarios.guides.trial import judged, keep

    finding = judged(ended.path)
    keep(ended.path, finding)
    console = Console(highlight=False)
    console.print(render_trial(finding, everything=False))
    beside = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    for name, error in ended.failed.items():
        beside.print(f"{name} broke off: {error}")
    beside.print(f"Facts and verdicts: {ended.path}")
    return int(ExitCode.TARGET if ended.failed else ExitCode.PASS)


def _latest(root: Path) -> Path:
    from harness.scenarios.guides.trial import is_trial

    found = sorted(path for path in root.glob("*-guides*") if is_trial(path))
    if not found:
        raise StoredDataError(
            f"There is no trial of the guides in {root}.", hint="Measure one: harness guides run"
        )
    return found[-1]
