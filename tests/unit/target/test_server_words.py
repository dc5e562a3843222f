"""What the servers of a deployment say of their limits, and what somebody said of them."""

from __future__ import annotations

import pytest

from harness.campaign.profiles import parse_profile
from harness.facts.model import Limits
from harness.rig.server_word import ServerWord
from harness.rig.target.server_words import NO_SERVER, Told, ask_server

pytestmark = pytest.mark.unit

GIB = 2**30
SMALL = ServerWord(
    memory_bytes=1e8, cpu_s=1.0, cgroup="V1", limits=Limits(cpu_cores=0.5, memory_bytes=GIB)
)
LARGE = ServerWord(
    memory_bytes=1e8, cpu_s=1.0, cgroup="V1", limits=Limits(cpu_cores=2.0, memory_bytes=4 * GIB)
)
UNLIMITED = ServerWord(memory_bytes=1e8, cpu_s=1.0, cgroup="V1")
SILENT = ServerWord(why="metrics are off")


def told(*words: ServerWord, said: str = "") -> Told:
    named = {f"s{n}": word for n, word in enumerate(words)}
    return Told(words=named, said=parse_profile(said) if said else None)


def test_the_limits_of_a_server_are_those_it_tells() -> None:
    assert told(SMALL).limits("s0") == SMALL.limits


def test_what_was_said_comes_before_what_is_told() -> None:
    found = told(SMALL, said="1vcpu-2gb")
    assert found.limits("s0") == Limits(cpu_cores=1.0, memory_bytes=2 * GIB)
    (line,) = found.lines()
    assert "1vcpu-2gb was said, and counts" in line


def test_a_size_that_was_said_and_is_told_needs_no_word() -> None:
    assert "was said" not in told(LARGE, said="2vcpu-4gb").lines()[0]


def test_of_several_servers_the_smallest_counts() -> None:
    assert told(LARGE, SMALL).all_limits() == SMALL.limits


@pytest.mark.parametrize("other", [UNLIMITED, SILENT])
def test_one_server_whose_limits_are_not_known_leaves_them_unknown(other: ServerWord) -> None:
    assert told(SMALL, other).all_limits() is None
    assert told(SMALL, other, said="1vcpu-2gb").all_limits() is not None


def test_without_limits_it_may_be_the_whole_machine() -> None:
    assert "of its machine where it runs in none" in told(UNLIMITED).lines()[0]


def test_why_nothing_is_known_is_told_and_kept() -> None:
    found = told(SILENT)
    assert found.lines() == ["s0: memory and CPU are not known: metrics are off"]
    assert found.unavailable()["cgroup"] == "metrics are off"
    assert found.record() == {"s0": {"unavailable": "metrics are off"}}


def test_one_that_is_silent_keeps_the_others_from_speaking_for_all() -> None:
    assert told(SMALL, LARGE).tells
    found = told(SMALL, SILENT)
    assert not found.tells
    assert found.unavailable()["cgroup"] == "s1: metrics are off"


def test_a_server_that_tells_is_not_unavailable_but_what_looks_inside_is() -> None:
    found = told(SMALL).unavailable()
    assert "cgroup" not in found
    assert {"pool", "processes", "run_queue"} <= set(found)


def test_without_a_code_server_its_devices_have_nobody_to_ask() -> None:
    found = told().unavailable()
    assert {found[name] for name in ("cgroup", "ping", "probe")} == {NO_SERVER}
    assert told().all_limits() is None


def test_a_server_that_does_not_answer_says_so() -> None:
    assert "UNAVAILABLE" in ask_server("127.0.0.1:1").container.why
