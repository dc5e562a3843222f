"""What is launched: from an order, and from a plain command line."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from factory_load import order

from harness.rig.load.dagster_graphql import GraphQLError
from harness.rig.load.launches import launch_bodies
from harness.rig.load.plain import add_options, order_of
from harness.rig.protocols import JobOrder, LoadOrder

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
    params = bodies["load_io"]["variables"]["params"]
    assert params["selector"] == {
        "repositoryLocationName": "under-test",
        "repositoryName": "repo",
        "jobName": "load_io",
    }
    assert params["runConfigData"] == {"requests": 2}
    assert params["executionMetadata"] == {"tags": [{"key": "a", "value": "b"}]}
    other = bodies["load_cpu"]["variables"]["params"]
    assert (other["selector"]["jobName"], other["runConfigData"]) == ("load_cpu", {})


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
