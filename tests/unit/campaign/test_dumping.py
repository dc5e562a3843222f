"""Campaigns written as YAML load back as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.campaign.faults import FAULT_KINDS
from harness.campaign.loading import dump_campaign, load_campaign
from harness.campaign.packages import PACKAGES
from harness.campaign.plan import Campaign
from harness.campaign.profiles import FARGATE, Profile
from harness.campaign.shorthand import LISTS

pytestmark = pytest.mark.unit


NAMES = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
SECONDS = st.floats(0, 3600) | st.integers(0, 3600)
PARAMS = st.dictionaries(
    TEXTS,
    st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS | st.booleans(),
    max_size=4,
)
LADDERS = st.sets(st.integers(1, 500), min_size=1, max_size=5).map(sorted)
PACKAGE = st.sampled_from(PACKAGES)
PARTS = st.fixed_dictionaries(
    {"workload": PACKAGE, "share": st.floats(0.001, 1000)}, optional={"params": PARAMS}
)
MADE_OF = st.fixed_dictionaries({"module": PACKAGE}) | st.fixed_dictionaries(
    {"mix": st.lists(PARTS, min_size=1, max_size=3, unique_by=lambda part: part["workload"])}
)
WORKLOAD: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "params": PARAMS,
        "environment": st.dictionaries(TEXTS, TEXTS, max_size=2),
        "executor": st.sampled_from(["in_process", "multiprocess"]),
        "steps": st.integers(1, 50),
        "concurrencies": st.none() | LADDERS,
        "sensors": st.none()
        | st.fixed_dictionaries(
            {"count": st.integers(1, 200), "tick_s": st.floats(0, 600)},
            optional={"mode": st.sampled_from(["block", "burn"])},
        ),
    },
)
WORKLOADS = st.builds(lambda one, made_of: one | made_of, WORKLOAD, MADE_OF)
LADDER_SEARCHES = st.fixed_dictionaries(
    {"strategy": st.just("ladder")},
    optional={"concurrencies": LADDERS, "repetitions": st.integers(1, 20)},
)
GRID_SEARCHES = st.fixed_dictionaries(
    {"strategy": st.sampled_from(["adaptive", "bisect"])},
    optional={"max_steps": st.integers(2, 500), "max_minutes": st.floats(600, 1440)},
)
SEARCHES = (
    LADDER_SEARCHES
    | GRID_SEARCHES
    | st.fixed_dictionaries({"confidence": st.floats(0.5, 0.999), "highest": st.integers(1, 500)})
    | st.fixed_dictionaries({"concurrencies": LADDERS})
)
LOADS = st.fixed_dictionaries(
    {"model": st.sampled_from(["closed", "uniform", "poisson", "burst"])},
    optional={"run_s": st.none() | st.floats(1, 60), "seed": st.integers(0, 10**9)},
)
QUEUED = st.fixed_dictionaries(
    {"feed": st.just("queued")},
    optional={
        "max_concurrent_runs": st.lists(
            st.none() | st.integers(1, 10000), min_size=1, max_size=3, unique=True
        ),
        "queue": st.fixed_dictionaries(
            {"dequeue_interval_s": st.integers(1, 3600)},
            optional={
                "dequeue_threads": st.none() | st.integers(1, 100),
                "on_trial": st.booleans(),
            },
        ),
    },
)
PROFILES = st.sampled_from(sorted(FARGATE)).map(FARGATE.__getitem__) | st.builds(
    Profile,
    name=NAMES.map("x{}".format),
    vcpu=st.floats(0.01, 1024),
    memory_mib=st.integers(6, 10**6),
)
REQUIRED: dict[str, st.SearchStrategy[Any]] = {
    "name": NAMES,
    "profiles": st.lists(PROFILES, min_size=1, max_size=3, unique_by=lambda p: p.name),
    "workloads": st.lists(WORKLOADS, min_size=1, max_size=3, unique_by=lambda w: w["name"]),
}
PLAIN: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    REQUIRED,
    optional={
        "description": TEXTS,
        "max_workers": st.lists(st.integers(1, 1000), min_size=1, max_size=3, unique=True),
        "idle_s": st.floats(0, 600),
        "step": st.fixed_dictionaries({"ramp_s": SECONDS}),
        "load": LOADS,
        "search": SEARCHES,
        "slos": st.fixed_dictionaries({"no_oom": st.none() | st.integers(0, 9)}),
        "devices": st.none() | st.lists(TEXTS, max_size=3),
    },
)
BURST_OF_USERS = {"step": {"burst": True, "ramp_s": 0}, "load": {"model": "closed"}}
FAULTS = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(FAULT_KINDS), "segment": st.integers(1, 100)},
        optional={"for_s": st.floats(0.1, 3600)},
    ),
    max_size=3,
    unique_by=lambda fault: fault["segment"],
)
SOAKS = st.fixed_dictionaries(
    {
        "search": st.fixed_dictionaries(
            {
                "strategy": st.just("soak"),
                "concurrencies": st.integers(1, 500).map(lambda held: [held]),
                "max_steps": st.integers(100, 500),
            }
        ),
        "workloads": PACKAGE.map(lambda package: [{"name": "soaked", "module": package}]),
        "load": st.just({}),
    },
    optional={"faults": FAULTS},
)


def put_together(*parts: dict[str, Any]) -> dict[str, Any]:
    """One campaign; a soak has one cell."""
    fields: dict[str, Any] = {key: value for part in parts for key, value in part.items()}
    if fields.get("search", {}).get("strategy") != "soak":
        return fields
    return {key: value[:1] if key in LISTS else value for key, value in fields.items()}


CAMPAIGNS = st.builds(
    put_together,
    PLAIN,
    st.just({}) | QUEUED,
    st.just({}) | st.just(BURST_OF_USERS) | SOAKS,
)


def load(more: str = "", *overrides: str) -> Campaign:
    text = f"name: a\nprofiles: [1vcpu-2gb]\nworkloads: [io]\n{more}"
    return load_campaign(text, source="c.yaml", overrides=overrides)


@settings(deadline=None)
@given(fields=CAMPAIGNS)
def test_a_dumped_campaign_loads_back_to_an_equal_one(fields: dict[str, Any]) -> None:
    campaign = Campaign.model_validate(fields)
    loaded = load_campaign(dump_campaign(campaign), source="dump")
    assert loaded == campaign
    # Equality takes 1, 1.0 and true for the same: a run's config does not.
    assert [repr(w.jobs) for w in loaded.workloads] == [repr(w.jobs) for w in campaign.workloads]


@pytest.mark.parametrize(
    "text",
    [
        ": %",
        "one\x85two\u2028three\ufeff",
        "x" * 81 + "\\aaé\téa\\aé a",  # breaks when folded at 100 characters
        " leading, trailing and\nmore\n\n",
    ],
)
def test_text_survives_where_the_yaml_library_is_weak(text: str) -> None:
    campaign = load().model_copy(update={"description": text})
    assert load_campaign(dump_campaign(campaign), source="dump").description == text


def test_a_dump_is_readable_and_writes_defaults_out() -> None:
    text = dump_campaign(load("description: 2 × 3 vCPU"))
    assert "description: 2 × 3 vCPU\n" in text
    assert "profiles:\n- 1vcpu-2gb\n" in text
    assert "hold_s: 24" in text
    assert text.startswith("name: a\n")


def test_a_free_size_is_dumped_in_full() -> None:
    text = dump_campaign(load("", "profiles=[{name: big, vcpu: 3, memory_mib: 64}]"))
    assert "- name: big\n  vcpu: 3.0\n  memory_mib: 64\n" in text


def test_what_has_no_effect_is_left_out_for_it_would_be_refused() -> None:
    ladder = Campaign.model_validate(
        {
            "name": "a",
            "profiles": [FARGATE["1vcpu-2gb"]],
            "workloads": [{"name": "io"}],
            "search": {"strategy": "ladder", "confidence": 0.8, "max_minutes": 1, "highest": 3},
            "queue": {"dequeue_interval_s": 1},
            "max_concurrent_runs": [6],
        }
    )
    loaded = load_campaign(dump_campaign(ladder), source="dump")
    assert (loaded.search.strategy, loaded.search.confidence) == ("ladder", 0.95)
    assert loaded.max_concurrent_runs == (None,)


def test_a_campaign_stored_by_an_earlier_version_still_loads(repo_root: Path) -> None:
    text = (repo_root / "tests/data/campaign-of-method-1.yaml").read_text(encoding="utf-8")
    stored = load_campaign(text, source="stored")
    assert stored.search.strategy == "ladder"
    assert [workload.name for workload in stored.workloads] == ["io", "cpu", "mixed"]
    assert stored.workloads[0].concurrencies == (1, 4, 6, 8, 10, 14, 18)
    assert load_campaign(dump_campaign(stored), source="dump") == stored
