"""What a code server says of its own container, by recorded answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.facts.model import Limits
from harness.rig import server_word
from harness.rig.code_server_rpc import read_metrics
from harness.rig.server_word import ServerWord, read_word

pytestmark = pytest.mark.unit

PINGS = Path(__file__).parents[2] / "data" / "pings"
GIB = 2**30
NONE = Limits(cpu_cores=None, memory_bytes=None)


def recorded(name: str) -> ServerWord:
    return read_metrics((PINGS / f"{name}.json").read_text(encoding="utf-8")).container


def v2(**told: Any) -> ServerWord:
    """As Dagster 1.13.27 answers under cgroup v2."""
    container = {
        "num_allocated_cores": 4, "cpu_usage": 12.5, "cpu_cfs_quota_us": 50000.0,
        "cpu_cfs_period_us": 100000.0, "memory_usage": 300_000_000, "memory_limit": GIB,
        "measurement_timestamp": 1795677193.28, "cgroup_version": "V2", **told,
    }  # fmt: skip
    return read_word({"container_utilization": container, "server_id": "x"})


@pytest.mark.parametrize("release", ["1.8.13", "1.12.22", "1.13.27"])
def test_memory_cpu_and_limits_are_read_from_every_release_that_tells(release: str) -> None:
    word = recorded(f"{release}-limited")
    assert word.memory_bytes is not None
    assert 90e6 < word.memory_bytes < 110e6
    assert word.cpu_s is not None
    assert 0.5 < word.cpu_s < 1
    assert word.limits == Limits(cpu_cores=1.0, memory_bytes=GIB)
    assert (word.cgroup, word.why) == ("V1", "")


def test_only_who_says_its_id_tells_the_working_set_for_sure() -> None:
    assert recorded("1.13.27-limited").working_set
    assert not recorded("1.12.22-limited").working_set


@pytest.mark.parametrize("release", ["1.8.13", "1.13.27"])
def test_no_limit_is_no_limit_and_no_huge_number(release: str) -> None:
    word = recorded(f"{release}-unlimited")
    assert word.limits == NONE
    assert word.unlimited
    assert word.memory_bytes


def test_a_release_that_names_them_otherwise_is_too_old() -> None:
    assert recorded("1.5.14-limited") == ServerWord(why=server_word.TOO_OLD)


def test_an_empty_answer_means_that_metrics_are_off() -> None:
    assert read_metrics("").container == ServerWord(why=server_word.NOT_SAID)


def test_the_limits_of_cgroup_v2_are_quota_over_period_and_memory() -> None:
    word = v2()
    assert word.limits == Limits(cpu_cores=0.5, memory_bytes=GIB)
    assert (word.memory_bytes, word.cpu_s, word.working_set) == (300e6, 12.5, True)


def test_without_limits_cgroup_v2_says_none() -> None:
    assert v2(cpu_cfs_quota_us=None, memory_limit=None).limits == NONE


def test_the_root_of_cgroup_v2_is_the_whole_machine_and_not_the_server() -> None:
    word = v2(memory_usage=None, memory_limit=None, cpu_cfs_quota_us=None, cpu_cfs_period_us=None)
    assert word == ServerWord(cgroup="V2", why=server_word.MACHINE)


def test_without_a_cgroup_nothing_is_known() -> None:
    assert v2(cgroup_version=None).why == server_word.NO_CGROUP


def test_a_container_that_could_not_be_read_says_so() -> None:
    assert v2(memory_usage=None, cpu_usage=None).why == server_word.NO_FIGURES


@pytest.mark.parametrize("strange", ["12", True, -1, [], {}])
def test_what_is_no_amount_is_unknown(strange: object) -> None:
    word = v2(cpu_usage=strange, memory_limit=strange)
    assert (word.cpu_s, word.limits.memory_bytes, word.memory_bytes) == (None, None, 300e6)


def test_numbers_that_are_none_of_ours_do_not_break_it() -> None:
    assert read_metrics(json.dumps({"container_utilization": 7})).container.why
