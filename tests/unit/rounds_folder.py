"""A results folder of a campaign in rounds, made from the cells of a committed baseline.

Every round is the same measurement again, its launches a little longer or shorter, so that equal
cells differ as real ones do; one version's launches are longer by a factor.
"""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import polars as pl
from ruamel.yaml import YAML

from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.plan import Campaign
from harness.facts.layout import CellFolder, ResultsFolder

BASELINE, CONTENDER = "1.12.22", "1.13.28"
VERSIONS = (BASELINE, CONTENDER)
NAME = "20260101T000000Z-compare"
SCATTER = 0.01
"""By how much the launches of equal cells differ, as the standard deviation of a factor."""

LAUNCH = ("accepted_s", "process_started_s", "started_s", "first_step_s", "ended_s")


def make_rounds(
    source: Path,
    folder: Path,
    *,
    rounds: int = 4,
    workloads: tuple[str, ...] = ("io", "cpu"),
    slower: float = 1.0,
) -> ResultsFolder:
    """Write the folder.

    Args:
        source: a committed baseline of one version.
        folder: to make.
        rounds: equal cells of each kind.
        workloads: which of the baseline's.
        slower: factor of the contender's launches.
    """
    made = ResultsFolder(folder)
    made.cells.mkdir(parents=True)
    shutil.copy(source / "environment.json", made.environment_json)
    campaign = _campaign(source / "campaign.yaml", rounds, workloads)
    made.campaign_yaml.write_text(dump_campaign(campaign), encoding="utf-8")
    journal = [json.loads(line) for line in (source / "journal.jsonl").read_text().splitlines()]
    lines: list[str] = []
    chance = random.Random(1)
    for order, plan in enumerate(campaign.cells()):
        (origin,) = (source / "cells").glob(f"*_{plan.workload.name}_*")
        factor = chance.gauss(1, SCATTER) * (slower if plan.dagster == CONTENDER else 1.0)
        cell = CellFolder(made.cells / plan.id)
        shutil.copytree(origin, cell.path)
        _rewrite(cell, order, {"id": plan.id, "dagster": plan.dagster,
                               "repetition": plan.repetition}, factor)  # fmt: skip
        lines += [
            json.dumps({**line, "cell": plan.id}) for line in journal if line["cell"] == origin.name
        ]
    made.journal_jsonl.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made


def _campaign(path: Path, rounds: int, workloads: tuple[str, ...]) -> Campaign:
    yaml = YAML(typ="safe", pure=True)
    document = yaml.load(path.read_text(encoding="utf-8"))
    document["name"] = "compare"
    document["dagster"] = list(VERSIONS)
    document["repetitions"] = rounds
    document["workloads"] = [each for each in document["workloads"] if each["name"] in workloads]
    return load_campaign(json.dumps(document), source="rounds")


def _rewrite(cell: CellFolder, order: int, changes: dict[str, object], factor: float) -> None:
    document = json.loads(cell.cell_json.read_text(encoding="utf-8")) | changes
    document["idle_start_s"] = (document.get("idle_start_s") or 0.0) + order * 1e-6
    cell.cell_json.write_text(json.dumps(document), encoding="utf-8")
    runs = pl.read_parquet(cell.runs_parquet)
    # A launch that takes longer ends everything after it later by as much.
    longer = (pl.col("started_s") - pl.col("sent_s")) * (factor - 1)
    moved = [
        (pl.col(name) + longer.fill_null(0.0)).alias(name)
        for name in LAUNCH
        if name in runs.columns
    ]
    runs.with_columns(moved).write_parquet(cell.runs_parquet)
