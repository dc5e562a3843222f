"""A soak looks for nothing: it holds one load for as long as it was asked to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.search.base import Aim, Finished, Observation, Probe
from harness.analysis.search.soak import soak
from harness.analysis.search.strategies import search_for
from harness.campaign.loading import load_campaign

pytestmark = pytest.mark.unit

SEEN = st.builds(
    Observation,
    concurrency=st.integers(1, 500),
    verdict=st.sampled_from(["pass", "fail", "inconclusive", "invalid"]),
)


@given(seen=st.lists(SEEN, max_size=30), segments=st.integers(2, 20))
def test_it_goes_on_to_its_last_segment_whatever_was_seen(
    seen: list[Observation], segments: int
) -> None:
    order = soak(Aim(grid=(4,), max_steps=segments))(seen)
    if len(seen) < segments:
        reason = f"segment {len(seen) + 1} of {segments}"
        assert order == Probe(concurrency=4, reason=reason)
    else:
        assert order == Finished(reason=f"the soak is over: {len(seen)} segments")


@pytest.mark.parametrize("held", [1, 7])
def test_no_run_alone_comes_first(held: int) -> None:
    text = (
        "name: a\nprofiles: [1vcpu-2gb]\nworkloads: [io]\n"
        f"search: {{strategy: soak, concurrencies: [{held}], max_steps: 3}}\n"
    )
    plan = load_campaign(text, source="a")
    search = search_for(plan, next(plan.cells()))
    failed = Observation(concurrency=held, verdict="fail")
    asked = [search([failed] * number) for number in range(4)]
    assert [getattr(each, "concurrency", None) for each in asked] == [held, held, held, None]
