"""Telling server, runs and steps apart in a process tree."""

from __future__ import annotations

import pytest

from harness.rig.telemetry.processes import Member, Role, role_of, sort_members

pytestmark = pytest.mark.unit

SPAWN = ["python", "-c", "from multiprocessing.spawn import spawn_main", "--multiprocessing-fork"]
TRACKER = ["python", "-c", "from multiprocessing.resource_tracker import main;main(5)"]


def member(pid: int, parent: int, role: Role, rss_bytes: int = 100) -> Member:
    return Member(pid=pid, parent=parent, role=role, rss_bytes=rss_bytes, threads=pid)


SERVER = member(10, 1, "server")
RUN = member(20, 10, "spawned")
OTHER_RUN = member(21, 10, "spawned")
STEP = member(30, 20, "spawned")


@pytest.mark.parametrize(
    ("command", "role"),
    [
        (["python", "-m", "dagster", "api", "grpc", "-p", "4000"], "server"),
        (["/opt/dagster/bin/python", "/opt/dagster/bin/dagster", "api", "grpc"], "server"),
        (["dagster", "api", "grpc-health-check", "-p", "4000"], "other"),
        (["/sbin/docker-init", "--", "dagster", "api", "grpc", "--port=4000"], "other"),
        ([], "other"),
        (["dagster", "code-server", "start"], "other"),
        (["/sbin/docker-init", "--", "dagster", "run"], "other"),
        (SPAWN, "spawned"),
        (TRACKER, "other"),
    ],
)
def test_a_role_is_told_by_the_command_line(command: list[str], role: str) -> None:
    assert role_of(command) == role


def test_runs_are_spawned_by_the_server_and_steps_by_runs() -> None:
    found = sort_members([SERVER, RUN, OTHER_RUN, STEP])
    assert found is not None
    assert found.server == SERVER
    assert set(found.runs) == {RUN, OTHER_RUN}
    assert found.steps == (STEP,)


def test_memory_of_runs_includes_everything_below_them() -> None:
    shell = member(40, 30, "other")
    found = sort_members([SERVER, RUN, STEP, shell])
    assert found is not None
    assert set(found.in_runs) == {RUN, STEP, shell}


def test_memory_of_steps_is_a_part_of_that_of_their_runs() -> None:
    shell, beside = member(40, 30, "other"), member(41, 20, "other")
    found = sort_members([SERVER, RUN, OTHER_RUN, STEP, shell, beside])
    assert found is not None
    assert set(found.in_steps) == {STEP, shell}
    assert set(found.in_steps) < set(found.in_runs)
    assert beside in found.in_runs


def test_a_run_without_step_processes_has_no_memory_of_steps() -> None:
    found = sort_members([SERVER, RUN, member(41, 20, "other")])
    assert found is not None
    assert found.in_steps == ()


def test_a_resource_tracker_is_no_run() -> None:
    found = sort_members([SERVER, member(22, 10, "other")])
    assert found is not None
    assert found.runs == ()
    assert found.in_runs == ()


def test_the_server_is_found_below_an_init() -> None:
    found = sort_members([member(1, 0, "other"), SERVER, RUN])
    assert found is not None
    assert found.server == SERVER


def test_a_fresh_fork_that_still_looks_like_the_server_is_neither_server_nor_run() -> None:
    fork = member(23, 10, "server")
    found = sort_members([SERVER, fork, RUN])
    assert found is not None
    assert found.server == SERVER
    assert found.runs == (RUN,)


def test_without_a_server_nothing_is_told() -> None:
    assert sort_members([]) is None
    assert sort_members([member(1, 0, "other"), member(2, 1, "spawned")]) is None
