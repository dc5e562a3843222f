"""A page stays small enough to send, whatever was measured."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.analysis.findings.document import findings_of
from harness.analysis.picture.campaign import pictures_of
from harness.campaign.plan import Campaign, Search, Workload
from harness.campaign.profiles import Profile
from harness.report.context import PageContext
from harness.report.html.page import render_page

sys.path.append(str(Path(__file__).parents[2] / "analysis"))

import factory_picture

pytestmark = pytest.mark.unit

MOST_BYTES = 1_500_000


def test_a_hundred_steps_and_twenty_thousand_runs_with_all_charts() -> None:
    facts = factory_picture.make_campaign()
    campaign = Campaign(
        name="large",
        profiles=(Profile(name="1vcpu-2gb", vcpu=1, memory_mib=2048),),
        workloads=(Workload(name="io"),),
        search=Search(confidence=0.9),
    )
    findings = findings_of(campaign, {"host": {"cpus": 2}}, facts)
    assert sum(len(cell.steps) for cell in findings.cells) == 100
    journal = tuple(
        {"cell": cell.id, "kind": step.kind, "concurrency": step.concurrency, "reason": step.reason}
        for cell in findings.cells
        for step in cell.steps
    )
    context = PageContext(title="large", folder="results/large", version="1", journal=journal)
    page = render_page(findings, pictures_of(facts, findings), context)
    assert len(page.encode()) <= MOST_BYTES
