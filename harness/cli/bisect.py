"""`harness bisect`: the release that moved a metric."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.cli.options import AllowOvercommit, MetricsPort, Plain
from harness.errors import CampaignError
from harness.rig.protocols import Listener
from harness.watch.choose import watching

if TYPE_CHECKING:
    from harness.analysis.bisecting.types import BisectFinding, Rules
    from harness.rig.session import SessionOptions
    from harness.scenarios.bisecting import Budget
    from harness.scenarios.bisecting_plan import BisectPlan
    from harness.scenarios.bisecting_record import Record


class OnlyMinor(StrEnum):
    """Which release stands for its minor version."""

    FIRST = "first"
    LAST = "last"


Good = Annotated[str, typer.Option(help="A release that was good, such as 1.11.16.")]
Bad = Annotated[str, typer.Option(help="A release that is bad, such as 1.13.28, or latest.")]
Moved = Annotated[
    str,
    typer.Option("--metric", help="What moved: per_run_mib, or at a load: launch_s@3."),
]
Workload = Annotated[str, typer.Option(help="What the runs do.")]
ProfileName = Annotated[str, typer.Option(help="Task size of the server.")]
Target = Annotated[
    str, typer.Option(help="What hosts the server: auto, compose (containers) or process.")
]
Minors = Annotated[
    OnlyMinor | None,
    typer.Option(
        "--only-minor", help="Look at the first, or the last, release of each minor version alone."
    ),
]
Tolerance = Annotated[
    str, typer.Option(help="Ends that surely differ by no more than this are the same.")
]
BudgetText = Annotated[
    str,
    typer.Option("--budget", help="How long it may measure: 90m, 2h. The same command goes on."),
]
Results = Annotated[Path, typer.Option(help="Where results folders and the record go.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be measured; start nothing.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def bisect(  # noqa: PLR0913 - one parameter an option
    good: Good, bad: Bad, metric: Moved, workload: Workload = "io",
    profile: ProfileName = "1vcpu-2gb", target: Target = "auto", only_minor: Minors = None,
    tolerance: Tolerance = "5%", budget: BudgetText = "60m", results: Results = Path("results"),
    dry_run: DryRun = False, json_: AsJson = False, allow_overcommit: AllowOvercommit = False,
    plain: Plain = False, metrics_port: MetricsPort = None,
) -> int:  # fmt: skip
    """Find the release that moved a metric, with as few images and cells as the noise allows.

        harness bisect --good 1.11.16 --bad 1.13.28 --metric per_run_mib

    Both ends are measured in turn until they surely differ; then one release between them after the
    other, each round together with both ends, so that a drift of the machine cancels. Progress
    goes to standard error. Every round is kept: killed, or out of time, the same command goes on.

    Exit code 0: found. 5: nothing to bisect, or it cannot be told.
    """
    # Statistics take seconds to import; `harness --help` must not wait for them.
    from harness.rig.session import SessionOptions
    from harness.scenarios.bisecting import Budget
    from harness.scenarios.bisecting_plan import Wishes, plan_of
    from harness.scenarios.bisecting_record import Record

    budget_s, rules = _numbers(budget, tolerance)
    wishes = Wishes(
        good=good, bad=bad, metric=metric, workload=workload, profile=profile, target=target,
        only_minor=only_minor.value if only_minor else None, rules=rules,
    )  # fmt: skip
    plan = plan_of(wishes, releases())
    record = Record(results / plan.record_name, plan)
    if dry_run:
        return _show_plan(plan, record)
    options = SessionOptions(
        results_root=results, allow_overcommit=allow_overcommit, command=["harness", *sys.argv[1:]]
    )
    with watching(Console(stderr=True), plain=plain, metrics_port=metrics_port) as listener:
        finding = measured(plan, record, Budget(budget_s), options, listener)
    return _show(finding, record, as_json=json_)


def releases() -> tuple[str, ...]:
    """All there are, oldest first; asks the package index."""
    from harness.rig.target.releases import all_releases

    return all_releases()


def measured(
    plan: BisectPlan,
    record: Record,
    budget: Budget,
    options: SessionOptions,
    listener: Listener,
) -> BisectFinding:
    """Measure on this machine until the answer is sure or the time is spent."""
    from harness.scenarios.bisecting import bisect as go_on
    from harness.scenarios.bisecting_round import RigRounds

    rounds = RigRounds(options, listener, first=record.first_folder)
    return go_on(plan, record=record, budget=budget, rounds=rounds, listener=listener)


def _numbers(budget: str, tolerance: str) -> tuple[float, Rules]:
    """The budget in seconds, and the rules.

    Raises:
        CampaignError: names every number that is none.
    """
    from harness.analysis.bisecting.types import Rules
    from harness.cli.size_options import seconds_of

    budget_s, share = seconds_of(budget), _share(tolerance)
    problems = []
    if not budget_s:
        problems.append(f"--budget {budget}: not a duration such as 60m, 2h or 1h30m")
    if share is None or not 0 < share < 1:
        problems.append(f"--tolerance {tolerance}: not a share such as 5% or 0.02")
    if problems or budget_s is None or share is None:
        raise CampaignError(
            "This cannot be bisected.",
            evidence="\n".join(problems),
            hint="For example: harness bisect --good 1.11.16 --bad 1.13.28 --metric per_run_mib "
            "--budget 90m --tolerance 3%",
        )
    return budget_s, Rules(tolerance=share)


def _share(text: str) -> float | None:
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None


def _show_plan(plan: BisectPlan, record: Record) -> int:
    from harness.scenarios.bisecting_plan import outline_of

    console = Console(highlight=False, soft_wrap=True)
    for line in outline_of(plan, len(record.read().rounds)):
        console.print(line, markup=False)
    console.print("Nothing was started.")
    return 0


def _show(finding: BisectFinding, record: Record, *, as_json: bool) -> int:
    """Print the answer, and return the exit code it deserves."""
    from harness.report.bisect.json_document import bisect_json
    from harness.report.bisect.text import render_bisect
    from harness.scenarios.bisecting import exit_code

    if as_json:
        print(bisect_json(finding), end="")
    else:
        console = Console(highlight=False)
        render_bisect(finding, console)
        for what, where in (("Record", record.path), ("In Markdown", record.markdown)):
            console.print(f"{what}: {where}", soft_wrap=True, markup=False)
    return int(exit_code(finding))
