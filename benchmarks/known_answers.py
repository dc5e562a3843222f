"""Does the harness find what was built in? Experiments with known answers, on the real thing.

`list` says what there is and how long it takes, `run` measures and judges, `table` judges stored
results again. What is measured already is not measured again: a session may end at any time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import held_out as sizes_benchmark
import known_answers_checks as checks
from known_answers_checks import Check, Row
from rich.console import Console

from harness.analysis.model.hold_out import HeldOut, held_out
from harness.campaign.estimate import estimate_s, longest_s
from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign
from harness.errors import CampaignError, ExitCode, HarnessError
from harness.facts.layout import ResultsFolder
from harness.rig.session import SessionOptions
from harness.scenarios import threshold
from harness.units import show_seconds
from harness.watch.plain import PlainListener

CAMPAIGNS = Path(__file__).with_name("known_answers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What was built in, by the campaigns that measure it, and how to tell whether it was found.

    `campaigns` are files in `known_answers/`; `sizes`: the check wants each size foretold from
    the others.
    """

    name: str
    built_in: str
    campaigns: tuple[str, ...]
    check: Check
    sizes: bool = False


def _one(name: str, built_in: str, check: Check) -> Experiment:
    return Experiment(name=name, built_in=built_in, campaigns=(name,), check=check)


EXPERIMENTS = {
    each.name: each
    for each in (
        _one("same-twice", "no difference (A/A), three times", checks.same_twice),
        _one("more-work", "half as much work again (A/B)", checks.more_work),
        _one("half-cpu", "half the CPU (A/B)", checks.half_cpu),
        _one("more-memory", "100 MiB more a run (A/B)", checks.more_memory),
        _one("binds-launch-cpu", "starting runs fills the CPU", checks.binds("launch_cpu")),
        _one("binds-run-cpu", "the runs' work fills the CPU", checks.binds("run_cpu")),
        _one("binds-memory", "the runs fill the memory", checks.binds("memory")),
        _one("binds-worker-pool", "sensors hold both workers", checks.binds("worker_pool")),
        _one("binds-control-plane", "the run queue lets two through", checks.control_plane_binds),
        Experiment(
            name="sizes",
            built_in="three sizes, each foretold from the others",
            campaigns=("sizes-io", "sizes-mixed"),
            check=checks.sizes,
            sizes=True,
        ),
        _one("workers", "one burst on 1 to 16 workers", checks.workers),
    )
}
HEADERS = ("what", "expected", "found", "deviation", "bar", "")
MARKS = {True: "ok", False: "NOT FOUND", None: ""}


def plan_of(campaign: str, target: str = "auto") -> Campaign:
    """A campaign file of `known_answers/`. Raises `CampaignError` where it cannot be meant."""
    path = CAMPAIGNS / f"{campaign}.yaml"
    text = path.read_text(encoding="utf-8")
    return load_campaign(text, source=str(path), overrides=[f"target={target}"])


def folders_in(paths: Iterable[Path]) -> list[Path]:
    """The results folders that these paths are, or that lie in them; each path's newest first."""
    found: list[Path] = []
    for path in paths:
        if ResultsFolder(path).environment_json.exists():
            found.append(path)
        elif path.is_dir():
            inside = [each for each in path.iterdir() if ResultsFolder(each).campaign_yaml.exists()]
            found += sorted(inside, key=lambda each: each.name, reverse=True)
    return found


def finished(plan: Campaign, folders: Iterable[Path]) -> Path | None:
    """The first folder in which this very campaign was measured to its end, if there is one.

    Another version of the campaign does not count: its answers were other ones. `target: auto`
    takes what was measured on any target.
    """
    for path in folders:
        folder = ResultsFolder(path)
        # Runs are merged into one file when a cell is sealed.
        sealed = {cell.path.name for cell in folder.cell_folders() if cell.runs_parquet.exists()}
        whole = sealed == {cell.id for cell in plan.cells()} and folder.findings_json.exists()
        if whole and _same_campaign(plan, folder.campaign_yaml):
            return path
    return None


def rows_of(experiment: Experiment, folders: Sequence[Path]) -> tuple[Row, ...]:
    """Stored results, judged again and held against what was built in; nothing is written.

    Raises:
        StoredDataError: a folder cannot be read.
    """
    findings = [threshold.judge(path, write=False) for path in folders]
    held: list[HeldOut] = []
    if experiment.sizes:
        for path in folders:
            held += held_out(sizes_benchmark.read(path))
    return experiment.check(checks.evidence_of(findings, held=held))


def measured(experiment: Experiment, options: argparse.Namespace) -> list[Path]:
    """The experiment's results folders; measures what is not there yet. Raises `HarnessError`."""
    listener = PlainListener(Console(stderr=True))
    paths = []
    for campaign in experiment.campaigns:
        plan = plan_of(campaign, options.target)
        path = None if options.again else finished(plan, folders_in([options.results]))
        if path is None:
            listener.say(f"{plan.name}: about {show_seconds(estimate_s(plan))}")
            session = SessionOptions(results_root=options.results, command=sys.argv)
            path = threshold.run(plan, options=session, listener=listener).path
        else:
            listener.say(f"{plan.name}: measured already in {path}")
        paths.append(path)
    return paths


def table(headers: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Columns for people."""
    every = [tuple(headers), *(tuple(line) for line in lines)]
    widths = [max(len(line[column]) for line in every) for column in range(len(headers))]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in every
    )


def document_of(experiment: Experiment, folders: Sequence[Path]) -> dict[str, Any]:
    """One experiment's outcome, JSON-ready. Raises as `rows_of`."""
    rows = rows_of(experiment, folders)
    return {
        "name": experiment.name,
        "built_in": experiment.built_in,
        "results": [path.name for path in folders],
        "rows": [asdict(row) for row in rows],
        "ok": checks.passed(rows),
    }


def exit_code(documents: Sequence[dict[str, Any]], *, missing: Sequence[str]) -> ExitCode:
    """Breach when one was not found, inconclusive when one or all are not measured, else pass."""
    if not all(each["ok"] for each in documents):
        return ExitCode.BREACH
    return ExitCode.INCONCLUSIVE if missing or not documents else ExitCode.PASS


def _same_campaign(plan: Campaign, path: Path) -> bool:
    try:
        stored = load_campaign(path.read_text(encoding="utf-8"), source=str(path))
    except (CampaignError, OSError, UnicodeDecodeError):
        return False
    if plan.target == "auto":
        stored = stored.model_copy(update={"target": "auto"})
    return stored == plan


def _words(row: dict[str, Any]) -> tuple[str, ...]:
    deviation = "" if row["deviation"] is None else f"{row['deviation']:+.1%}"
    texts = (row["what"], row["expected"], row["found"], deviation, row["bar"])
    return (*texts, MARKS[row["ok"]])


def _show(document: dict[str, Any]) -> str:
    title = f"{document['name']}: {document['built_in']} ({', '.join(document['results'])})"
    return f"{title}\n{table(HEADERS, map(_words, document['rows']))}\n"


def _list(options: argparse.Namespace) -> int:
    plans = {each.name: [plan_of(name) for name in each.campaigns] for each in EXPERIMENTS.values()}
    entries = [
        {
            "name": name,
            "built_in": EXPERIMENTS[name].built_in,
            "cells": sum(len(list(plan.cells())) for plan in campaigns),
            "estimate_s": sum(map(estimate_s, campaigns)),
            "longest_s": sum(map(longest_s, campaigns)),
        }
        for name, campaigns in plans.items()
    ]
    if options.json:
        print(json.dumps({"experiments": entries}, indent=2, allow_nan=False))
        return ExitCode.PASS
    lines = [
        (str(each["name"]), str(each["built_in"]), str(each["cells"]),
         *(show_seconds(float(str(each[key]))) for key in ("estimate_s", "longest_s")))
        for each in entries
    ]  # fmt: skip
    print(table(("name", "built in", "cells", "takes", "at most"), lines))
    return ExitCode.PASS


def _report(documents: Sequence[dict[str, Any]], options: argparse.Namespace) -> None:
    if options.json:
        text = json.dumps({"experiments": documents}, indent=2, allow_nan=False)
        print(text, flush=True)


def _run(options: argparse.Namespace) -> int:
    names = list(EXPERIMENTS) if "all" in options.names else dict.fromkeys(options.names)
    documents: list[dict[str, Any]] = []
    try:
        for name in names:
            documents.append(document_of(EXPERIMENTS[name], measured(EXPERIMENTS[name], options)))
            if not options.json:
                print(_show(documents[-1]), flush=True)
    finally:
        _report(documents, options)
    return exit_code(documents, missing=())


def _table(options: argparse.Namespace) -> int:
    folders = folders_in(options.results)
    documents: list[dict[str, Any]] = []
    missing: list[str] = []
    for experiment in EXPERIMENTS.values():
        found = {name: finished(plan_of(name), folders) for name in experiment.campaigns}
        missing += [name for name, path in found.items() if path is None]
        paths = [path for path in found.values() if path is not None]
        if len(paths) == len(found):
            documents.append(document_of(experiment, paths))
            if not options.json:
                print(_show(documents[-1]))
    _report(documents, options)
    if missing:
        print(f"Not measured to the end as now asked for: {', '.join(missing)}.", file=sys.stderr)
    return exit_code(documents, missing=missing)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="JSON on standard output")
    commands.add_parser("list", parents=[as_json], help="what there is, how long it takes")
    run = commands.add_parser("run", parents=[as_json], help="measure and judge")
    run.add_argument("names", nargs="+", metavar="NAME", choices=(*EXPERIMENTS, "all"))
    run.add_argument("--target", choices=("auto", "compose", "process"), default="auto")
    run.add_argument("--results", type=Path, default=Path("results"), help="where folders go")
    run.add_argument("--again", action="store_true", help="also what is measured already")
    shown = commands.add_parser("table", parents=[as_json], help="judge stored results again")
    shown.add_argument("results", type=Path, nargs="+", help="results folders, or what holds them")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """0: all found; 1: one was not; 5: something is not measured; else as `harness run`."""
    options = _parser().parse_args(arguments)
    try:
        return {"list": _list, "run": _run, "table": _table}[options.command](options)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
