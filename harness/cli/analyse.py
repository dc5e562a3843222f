"""`harness analyse`: judge stored facts again, without a server."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from harness.campaign.plan import Slos
from harness.cli.listing import resolve
from harness.cli.show import show_findings
from harness.errors import CampaignError

if TYPE_CHECKING:
    from harness.analysis.judging import Judging

KEPT = (
    "Judged otherwise than measured: findings.json in the results folder is left as it was "
    "(--out FILE keeps these findings)."
)


def analyse(
    results: Annotated[str, typer.Argument(help="A results folder, or `latest`.")] = "latest",
    root: Annotated[Path, typer.Option(help="Where results folders are.")] = Path("results"),
    slo: Annotated[
        list[str] | None,
        typer.Option(
            "--slo",
            help="Judge by another limit: --slo launch_s_p95=20, or by none: --slo pool_queue=off. "
            f"Repeatable. Objectives: {', '.join(Slos.model_fields)}.",
        ),
    ] = None,
    warmup: Annotated[
        str,
        typer.Option(
            help="What to cut from the start of each hold: auto (what is found), seconds, or none."
        ),
    ] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Write the findings here (JSON), not into the folder.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print findings.json.")] = False,
) -> int:
    """Judge stored facts again and rewrite findings.json; the facts are not touched.

    With another objective or another warm-up than measured with, the findings are printed, or
    written to `--out`, and the folder stays as it is.
    """
    options = judging_options(slo or (), warmup)
    folder = resolve(results, root)
    if out is not None:
        return _write(folder, options, out=out, as_json=json_)
    changed = bool(options.slos) or options.warmup != "auto"
    if changed:
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(KEPT)
    return show_findings(folder, as_json=json_, options=options, write=not changed)


def judging_options(slos: Sequence[str], warmup: str) -> Judging:
    """What `--slo` and `--warmup` ask for; of one objective given twice the last counts.

    Raises:
        CampaignError: names every problem at once.
    """
    # Statistics take long to import; `harness --help` must not wait for them.
    from harness.analysis.judging import Judging

    problems: list[str] = []
    limits = dict(pair for text in slos for pair in _limit(text, problems))
    cut = _cut(warmup, problems)
    if problems:
        raise CampaignError(
            "These findings cannot be asked for.",
            evidence="\n".join(problems),
            hint=f"Objectives: {', '.join(Slos.model_fields)}; `--slo NAME=LIMIT` or "
            "`--slo NAME=off`. `--warmup auto`, `--warmup none`, or seconds.",
        )
    return Judging(slos=limits or None, warmup=cut)


def _limit(text: str, problems: list[str]) -> list[tuple[str, float | None]]:
    """The objective and its limit, `None` for off; nothing, and a problem, where it is neither."""
    name, equals, value = (part.strip() for part in text.partition("="))
    told = f"--slo {text}: "
    if name not in Slos.model_fields:
        problems.append(f"{told}there is no objective {name!r}")
    elif not equals or not value:
        problems.append(f"{told}a limit or `off` is missing")
    elif value == "off":
        return [(name, None)]
    else:
        try:
            checked: Any = getattr(Slos.model_validate({name: value}), name)
        except ValidationError as error:
            problems.append(told + error.errors(include_url=False)[0]["msg"])
        else:
            if math.isfinite(checked):
                return [(name, float(checked))]
            problems.append(f"{told}not a finite number; `off` switches an objective off")
    return []


def _cut(text: str, problems: list[str]) -> Any:
    """What `Judging.warmup` wants."""
    if text in ("auto", "none"):
        return "auto" if text == "auto" else None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        problems.append(f"--warmup {text}: neither auto, nor none, nor seconds from 0 on")
    return seconds


def _write(folder: Path, options: Judging, *, out: Path, as_json: bool) -> int:
    from harness.analysis.findings.document import exit_code
    from harness.analysis.findings.rounds import pooled
    from harness.facts.durable import write_text
    from harness.report.json_document import findings_json
    from harness.scenarios import threshold

    if out.resolve().is_relative_to(folder.resolve()) or out.is_dir():
        raise CampaignError(
            f"The findings cannot be written to {out}.",
            evidence="It is a folder." if out.is_dir() else f"It lies in {folder}.",
            hint="Name a file outside of the results folder, which is never edited.",
        )
    findings = threshold.judge(folder, options=options, write=False)
    text = findings_json(findings)
    write_text(out, text)
    if as_json:
        print(text, end="")
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(f"Findings: {out}")
    return int(exit_code(pooled(findings)))
