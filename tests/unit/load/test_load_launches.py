"""What is launched: from an order, and from a plain command line."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from factory_load import order

from harness.rig.load.dagster_graphql import GraphQLError
from harness.rig.load.launches import launch_bodies
from harness.rig.load.plain import add_options, order_of
from harness.rig.orders import JobOrder, LoadOrder

pytestmark = pytest.mark.unit

LOADED = {"__typename": "RepositoryLocation", "repositories": [{"name": "repo"}]}
BROKEN = {"__typename": "PythonError", "message": "ImportError: no module named pandas"}


def workspace(loaded: Any) -> Any:
    entry = {"name": "under-test", "loadStatus": "LOADED", "locationOrLoadError": loaded}
    return {"data": {"workspaceOrError": {"__typename": "Workspace", "locationEntries": [entry]}}}


def test_each_job_is_launched_with_its_own_config_and_the_order_s_tags() -> None:
    mix = (
        JobOrder(job="load_io", share=1, run_config={"requests": 2}),
        JobOrder(job="load_cpu", share=1, run_config={}),
    )
    bodies = launch_bodies(lambda _: workspace(LOADED), order(jobs=mix))
    assert list(bodies) == ["load_io", "load_cpu"]
    params = next(bodies["load_io"])["variables"]["params"]
    assert params["selector"] == {
        "repositoryLocationName": "under-test",
        "repositoryName": "repo",
        "jobName": "load_io",
    }
    assert params["runConfigData"] == {"requests": 2}
    assert params["executionMetadata"] == {"tags": [{"key": "a", "value": "b"}]}
    other = next(bodies["load_cpu"])["variables"]["params"]
    assert (other["selector"]["jobName"], other["runConfigData"]) == ("load_cpu", {})


def test_partitions_are_taken_in_turn_each_with_its_tag() -> None:
    job = JobOrder(
        job="etl", share=1, run_config={}, tags={"team": "data", "a": "other"},
        partitions=("2026-01-02", "2026-01-01"),
    )  # fmt: skip
    bodies = launch_bodies(lambda _: workspace(LOADED), order(jobs=(job,)))["etl"]
    seen = [tags_of(next(bodies)) for _ in range(3)]
    assert [tags["dagster/partition"] for tags in seen] == [
        "2026-01-02", "2026-01-01", "2026-01-02",
    ]  # fmt: skip
    assert seen[0]["team"] == "data"
    assert seen[0]["a"] == "b"  # the order's own tags find its runs again: they win


def test_assets_are_launched_as_a_selection_of_dagster_s_own_job() -> None:
    job = JobOrder(job="two assets", share=1, run_config={}, assets=("shop/orders", "best"))
    body = next(launch_bodies(lambda _: workspace(LOADED), order(jobs=(job,)))["two assets"])
    selector = body["variables"]["params"]["selector"]
    assert selector["jobName"] == "__ASSET_JOB"
    assert selector["assetSelection"] == [{"path": ["shop", "orders"]}, {"path": ["best"]}]


def tags_of(body: Any) -> dict[str, str]:
    tags = body["variables"]["params"]["executionMetadata"]["tags"]
    return {tag["key"]: tag["value"] for tag in tags}


def test_a_location_that_is_not_loaded_is_named_with_its_error() -> None:
    with pytest.raises(GraphQLError, match=r"'under-test' is broken ImportError.*pandas"):
        launch_bodies(lambda _: workspace(BROKEN), order())


def plain_order(*words: str) -> LoadOrder:
    parser = argparse.ArgumentParser()
    add_options(parser)
    parser.add_argument("--users", dest="num_users", type=int)
    return order_of(parser.parse_args(words), "http://127.0.0.1:3000")


def test_a_plain_command_without_options_launches_our_job_closed_and_untagged() -> None:
    made = plain_order()
    assert made.jobs == (JobOrder(job="load", share=1, run_config={}),)
    assert (made.location, made.webserver_url) == ("under-test", "http://127.0.0.1:3000")
    assert (made.model, made.concurrency, made.tags) == ("closed", 1, {})


def test_a_plain_command_says_what_to_launch() -> None:
    config = '{"wait_s": 2}'
    made = plain_order(
        "--job", "mine", "--location", "there", "--run-config", config, "--workload", "io",
        "--users", "3",
    )  # fmt: skip
    assert made.jobs == (JobOrder(job="mine", share=1, run_config={"wait_s": 2}),)
    assert (made.location, made.concurrency) == ("there", 3)
    assert made.tags == {"dagster-load-harness/workload": "io"}
