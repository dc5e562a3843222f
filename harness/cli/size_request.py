"""From the options of `harness size` to its answer, printed. Imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from harness.analysis.judging import DEFAULT, Judging
from harness.analysis.sizing.answer import Wishes
from harness.analysis.sizing.demand import problems_of
from harness.analysis.sizing.types import Demand, Price, SizingFinding
from harness.campaign.plan import Slos
from harness.cli.analyse import judging_options
from harness.cli.listing import resolve
from harness.cli.size_options import (
    DurationTexts,
    Problems,
    demand_of,
    durations_of,
    price_of,
    ratio_of,
    shares_of,
    sizes_of,
)
from harness.errors import CampaignError, ExitCode
from harness.facts.dagster_versions import is_release
from harness.facts.durable import make_folder, write_text
from harness.report.deploy.documents import Document, documents
from harness.report.sizing.json import sizing_json
from harness.report.sizing.markdown import sizing_markdown
from harness.report.sizing.text import render_sizing
from harness.scenarios.sizing import Where, answer, fargate_price

FORMATS = ("terminal", "markdown", "json")
MOST_REPLICAS = 100
"""Every number of them is looked at on every task size: more would take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The options as they were written."""

    runs_per_hour: float
    durations: tuple[Sequence[str], Sequence[str], Sequence[str]]
    workload: str
    mix: str
    burst: float
    growth: str
    per_run_mib: Sequence[str]
    slos: Sequence[str]
    max_replicas: int
    results: tuple[Path, ...]
    root: Path
    price: str
    region: str
    arch: str
    dagster: str
    image: str
    location: str
    emit: Path | None
    paste: bool
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """The options as they are meant."""

    demand: Demand
    wishes: Wishes
    where: Where
    options: Judging


def answer_to(request: Request) -> int:
    """Size it, print it, and say by the exit code whether something holds.

    Raises:
        CampaignError: names every problem of the options at once.
    """
    asked = _read(request)
    finding = answer(asked.demand, asked.wishes, where=asked.where, options=asked.options)
    files = documents(finding.shipping, _because(finding)) if finding.shipping else ()
    if request.emit is not None:
        _emit(files, request.emit)
    _show(finding, files, request)
    return int(ExitCode.PASS if finding.choice else ExitCode.BREACH)


def _read(request: Request) -> _Question:
    problems = Problems()
    shares = shares_of(request.workload, request.mix, problems)
    names = list(shares)
    mean, p95, files = request.durations
    durations = durations_of(DurationTexts(mean=mean, p95=p95, files=files), names, problems)
    growth = ratio_of(request.growth)
    if growth is None:
        problems.add(f"--growth {request.growth}", "neither a factor like 1.5 nor more like 50%")
    demand = demand_of(
        request.runs_per_hour,
        shares,
        durations,
        burst=request.burst,
        growth=1.0 if growth is None else growth,
    )
    if shares:
        problems.told += problems_of(demand)
    per_run_mib = sizes_of(request.per_run_mib, names, problems)
    options = _judging(request.slos, problems)
    price = _price(request, problems)
    _check_the_rest(request, problems)
    if problems.told or price is None:
        raise CampaignError(
            "This cannot be sized.",
            evidence="\n".join(dict.fromkeys(problems.told)),
            hint="For example: harness size --runs-per-hour 200 --duration 45s",
        )
    return _Question(
        demand=demand,
        wishes=Wishes(
            price=price,
            max_replicas=request.max_replicas,
            per_run_mib=per_run_mib,
            dagster=request.dagster or None,
            location=request.location,
            image=request.image,
        ),
        where=Where(
            folders=tuple(resolve(str(path), request.root) for path in request.results),
            root=request.root,
        ),
        options=options,
    )


def _judging(slos: Sequence[str], problems: Problems) -> Judging:
    try:
        return judging_options(slos, "auto") if slos else DEFAULT
    except CampaignError as error:
        problems.told += error.evidence.splitlines()
        problems.told.append(f"objectives: {', '.join(Slos.model_fields)}")
        return DEFAULT


def _price(request: Request, problems: Problems) -> Price | None:
    given: Mapping[str, float] = price_of(request.price, problems)
    try:
        return fargate_price(request.region, request.arch, given)
    except CampaignError as error:
        problems.told.append(f"{error.what} {error.evidence} {error.hint}")
        return None


def _check_the_rest(request: Request, problems: Problems) -> None:
    if not 1 <= request.max_replicas <= MOST_REPLICAS:
        problems.add(f"--max-replicas {request.max_replicas}", f"1 to {MOST_REPLICAS}")
    if request.format not in FORMATS:
        problems.add(f"--format {request.format}", f"not one of {', '.join(FORMATS)}")
    if request.dagster and not is_release(request.dagster):
        problems.add(f"--dagster {request.dagster}", "not a version like 1.13.27")
    for name in ("image", "location", "workload"):
        if not str(getattr(request, name)).strip():
            problems.add(f"--{name}", "it needs a name")
    if request.emit is not None and request.emit.exists() and not request.emit.is_dir():
        problems.add(f"--emit {request.emit}", "it is a file; name a folder")


def _because(finding: SizingFinding) -> tuple[str, ...]:
    """What the files rest on: the first reason."""
    return finding.why[:1]


def _emit(files: Sequence[Document], folder: Path) -> None:
    """Write the files; none where one would be overwritten, or nothing holds."""
    there = [each.name for each in files if (folder / each.name).exists()]
    if there:
        raise CampaignError(
            f"{folder} has files of these names already.",
            evidence=", ".join(there),
            hint="Nothing was written. Name another folder with --emit, or move them away.",
        )
    if files:
        make_folder(folder)
    for each in files:
        write_text(folder / each.name, each.text)
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    console.print(f"Files to paste: {folder}" if files else "No files: nothing holds it.")


def _show(finding: SizingFinding, files: Sequence[Document], request: Request) -> None:
    if request.format == "json":
        print(sizing_json(finding), end="")
    elif request.format == "markdown":
        print(sizing_markdown(finding, files), end="")
    else:
        render_sizing(finding, files, Console(), paste=request.paste)
