"""Small real campaigns for the live tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fakes import FakeListener

from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign, CellPlan
from harness.facts.layout import CellFolder
from harness.facts.model import Step
from harness.facts.store import read_results
from harness.facts.table import CellFacts
from harness.rig.protocols import Done, NextStep, StepOrder
from harness.rig.session import SessionOptions, measure


def campaign(text: str, *overrides: str) -> Campaign:
    """A campaign from YAML text."""
    return load_campaign(text, source="test", overrides=overrides)


def measure_steps(plan: Campaign, concurrencies: Sequence[int], root: Path) -> CellFacts:
    """Measure one cell through fixed steps, whatever they show; its facts."""

    def search(cell: CellPlan, folder: CellFolder) -> NextStep:
        def next_step(steps: Sequence[Step]) -> StepOrder | Done:
            done = sum(step.kind != "warmup" for step in steps)
            if done == len(concurrencies):
                return Done(reason="all steps are done")
            return StepOrder(
                kind="load", concurrency=concurrencies[done], repetition=1, reason="the test's"
            )

        return next_step

    options = SessionOptions(results_root=root, owned=True, command=["pytest"])
    folder = measure(plan, search, options=options, listener=FakeListener())
    return read_results(folder.path).cells[0]


def maximum(facts: CellFacts, device: str, key: str, **window: Any) -> float:
    """The highest value of a series; fails when there is none."""
    _, values = facts.samples.series(device, key, **window)
    assert len(values), f"no samples of {device}/{key}"
    return float(values.max())
