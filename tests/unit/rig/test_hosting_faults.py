"""What can be broken is asked before anything is built."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from harness.campaign.faults import Fault
from harness.campaign.plan import Campaign, Search, Workload
from harness.campaign.profiles import FARGATE
from harness.errors import EnvironmentProblem
from harness.rig import hosting
from harness.rig.ledger import Ledger

pytestmark = pytest.mark.unit


def built(*_: object, **__: object) -> None:
    raise AssertionError("something was built")


@pytest.mark.parametrize("kind", ["process", "external"])
def test_a_target_without_parts_that_break_is_refused_with_the_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Literal["process", "external"]
) -> None:
    """`auto` may have become `process`, which no campaign file tells."""
    monkeypatch.setattr(hosting, "software_of", built)
    plan = Campaign(
        name="a", profiles=(FARGATE["1vcpu-2gb"],), workloads=(Workload(name="io"),),
        search=Search(strategy="soak", concurrencies=(2,), max_steps=9),
        faults=(Fault(kind="run-kill", segment=3), Fault(kind="network-cut", segment=5)),
    )  # fmt: skip
    ledger = Ledger(tmp_path / "ledger.jsonl")
    with pytest.raises(EnvironmentProblem, match="broken on purpose") as refused:
        hosting.prepare(kind, plan, ledger=ledger, say=lambda _: None, log=tmp_path / "log")
    assert refused.value.evidence == f"Faults: network-cut, run-kill; target {kind}."
