"""The `harness` command: one module per subcommand, one place that turns errors into exit codes."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import typer
from rich.console import Console

from harness import __version__
from harness.cli import (
    analyse,
    bisect,
    compare,
    doctor,
    down,
    guides,
    images,
    listing,
    nightly,
    report,
    resume,
    run,
    size,
    soak,
    trends,
    validate,
    verify,
)
from harness.cli.streams import lenient_streams
from harness.errors import ExitCode, HarnessError

app = typer.Typer(
    help="Measure how many runs one Dagster code server really holds, and what gives first.",
    epilog="Start with `harness doctor`, then `harness run`. `--debug` anywhere shows the "
    "traceback of an error. Exit codes: 0 pass, 1 SLO breach or worse, "
    "2 bad input, 3 environment not ready, 4 target or generator failed, 5 invalid or "
    "inconclusive, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
MEASURE, JUDGE, UPKEEP = "Measure", "Judge what was measured", "Upkeep"
app.command("doctor", rich_help_panel=MEASURE)(doctor.doctor)
app.command("run", rich_help_panel=MEASURE)(run.run)
app.command("resume", rich_help_panel=MEASURE)(resume.resume)
app.command("nightly", rich_help_panel=MEASURE)(nightly.nightly)
app.command("bisect", rich_help_panel=MEASURE)(bisect.bisect)
app.command("verify", rich_help_panel=MEASURE)(verify.verify)
app.command("validate", rich_help_panel=MEASURE)(validate.validate)
app.command("soak", rich_help_panel=MEASURE)(soak.soak)
app.command("list", rich_help_panel=JUDGE)(listing.list_)
app.command("analyse", rich_help_panel=JUDGE)(analyse.analyse)
app.command("report", rich_help_panel=JUDGE)(report.report)
app.command("compare", rich_help_panel=JUDGE)(compare.compare)
app.command("trends", rich_help_panel=JUDGE)(trends.trends)
app.command("size", rich_help_panel=JUDGE)(size.size)
app.add_typer(guides.app, name="guides", rich_help_panel=MEASURE)
app.add_typer(images.app, name="images", rich_help_panel=UPKEEP)
app.command("down", rich_help_panel=UPKEEP)(down.down)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Options before the command."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line; always ends in `SystemExit` with a code of DESIGN section 8."""
    with lenient_streams():
        code = _code(list(sys.argv[1:] if argv is None else argv))
    sys.exit(code)


def _code(argv: list[str]) -> int:
    debug = "--debug" in argv
    try:
        result: Any = typer.main.get_command(app)(
            [a for a in argv if a != "--debug"], prog_name="harness", standalone_mode=False
        )
        print(end="", flush=True)  # what is in the buffer may find no room either
    except HarnessError as error:
        if debug:
            raise
        _complain(error)
        return int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        result = ExitCode.INTERRUPTED
    except typer.Exit as done:
        return int(done.exit_code)
    except Exception as error:
        # Click's usage errors know how to show themselves; anything else is a bug of ours.
        if hasattr(error, "show"):
            error.show()
            return int(ExitCode.BAD_INPUT)
        # Not 1, as Python would: that means "worse", or "an SLO broke".
        traceback.print_exc()
        Console(stderr=True).print("This is a fault of the harness. Please report it.")
        return int(ExitCode.TARGET)
    # Typer makes a code of its own of Ctrl-C, and says nothing.
    if result == ExitCode.INTERRUPTED:
        Console(stderr=True).print("Interrupted.")
    return int(result or 0)


def _complain(error: HarnessError) -> None:
    console = Console(stderr=True, highlight=False)
    console.print(f"[bold red]✗[/] {_plain(error.what)}", soft_wrap=True)
    for line in error.evidence.splitlines():
        console.print(f"  {_plain(line)}", style="dim", soft_wrap=True)
    if error.hint:
        console.print(f"[bold]→[/] {_plain(error.hint)}", soft_wrap=True)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
