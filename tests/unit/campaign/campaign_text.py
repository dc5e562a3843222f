"""Small campaigns as text, and what is told when they are refused."""

from __future__ import annotations

import pytest

from harness.campaign.loading import load_campaign
from harness.campaign.plan import Campaign
from harness.errors import CampaignError, ExitCode

MINIMAL = "name: a\nprofiles: [1vcpu-2gb]\nworkloads: [io]\n"


def load(text: str = MINIMAL, *overrides: str) -> Campaign:
    return load_campaign(text, source="c.yaml", overrides=overrides)


def problems(text: str = MINIMAL, *overrides: str) -> list[str]:
    with pytest.raises(CampaignError) as caught:
        load(text, *overrides)
    assert caught.value.exit_code == ExitCode.BAD_INPUT
    return caught.value.evidence.splitlines()


def with_workload(workload: str) -> str:
    """A campaign whose only workload stands in line 4, written in flow style."""
    return f"name: a\nprofiles: [1vcpu-2gb]\nworkloads:\n- {workload}\n"
