from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from factory import make_cell
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.workers.dagster_defaults import (
    FARGATE_CAVEAT,
    FARGATE_VISIBLE_CPUS,
    default_sentences,
    default_workers,
    defaults_here,
    defaults_on_fargate,
    steps_at_once,
)
from harness.campaign.profiles import FARGATE
from harness.facts.dagster_versions import STEPS_VARIABLE

pytestmark = pytest.mark.unit

HOST = {"cpus": 16, "cpus_usable": 4}


@pytest.mark.parametrize(("cpus", "workers"), [(1, 5), (2, 6), (8, 12), (16, 20), (28, 32)])
def test_the_default_is_four_more_than_the_cpus(cpus: int, workers: int) -> None:
    assert default_workers(cpus) == workers


@given(cpus=st.integers(28, 10_000))
def test_the_default_is_never_above_32(cpus: int) -> None:
    assert default_workers(cpus) == 32


@pytest.mark.parametrize("cpus", [1, 2, 7, 64])
def test_the_rule_is_that_of_this_pythons_own_thread_pool(
    cpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cpu_count", "process_cpu_count"):
        monkeypatch.setattr(os, name, lambda: cpus, raising=False)
    with ThreadPoolExecutor() as pool:
        assert pool._max_workers == default_workers(cpus)


def test_a_machine_without_cpus_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one CPU"):
        default_workers(0)


def test_before_python_3_13_the_pool_counts_the_machine_not_the_affinity() -> None:
    old = defaults_here(make_cell(), HOST, python=(3, 12))
    new = defaults_here(make_cell(), HOST, python=(3, 13))
    assert old is not None
    assert new is not None
    assert (old.workers, new.workers) == (20, 8)
    assert (old.steps_at_once, new.steps_at_once) == (16, 16)
    assert old.visible_cpus == 16


@pytest.mark.parametrize("host", [{}, {"cpus": None}, {"cpus": 0}, {"cpus": "two"}])
def test_an_unknown_machine_gives_no_defaults(host: dict[str, object]) -> None:
    assert defaults_here(make_cell(), host) is None


def test_an_unknown_affinity_is_taken_as_the_whole_machine() -> None:
    found = defaults_here(make_cell(), {"cpus": 4}, python=(3, 13))
    assert found is not None
    assert found.workers == 8


@pytest.mark.parametrize(("vcpu", "workers"), [(0.25, 6), (1.0, 6), (2.0, 6), (4.0, 8), (16.0, 20)])
def test_small_fargate_tasks_see_two_cpus_and_say_it_is_unchecked(
    vcpu: float, workers: int
) -> None:
    found = defaults_on_fargate(make_cell(vcpu=vcpu))
    assert found is not None
    assert found.workers == workers
    assert FARGATE_CAVEAT in default_sentences(make_cell(vcpu=vcpu), found)[0]


def test_the_table_has_every_vcpu_that_fargate_offers() -> None:
    assert set(FARGATE_VISIBLE_CPUS) == {profile.vcpu for profile in FARGATE.values()}


def test_a_size_that_fargate_does_not_offer_has_no_fargate_defaults() -> None:
    assert defaults_on_fargate(make_cell(vcpu=1.5)) is None


def words(**cell: object) -> str:
    measured = make_cell(**cell)
    found = defaults_here(measured, HOST)
    assert found is not None
    return " ".join(default_sentences(measured, found))


def test_the_words_give_the_number_the_cpus_behind_it_and_what_was_measured() -> None:
    said = words(max_workers=7)
    assert "20 gRPC workers" in said
    assert "16 CPUs" in said
    assert "Measured with 7" in said
    assert "60 s" in said
    assert FARGATE_CAVEAT not in said


def test_one_cpu_is_not_called_cpus() -> None:
    found = defaults_here(make_cell(), {"cpus": 1})
    assert found is not None
    assert "sees 1 CPU." in default_sentences(make_cell(), found)[0]


def test_the_executors_default_is_told_only_where_that_executor_runs() -> None:
    assert STEPS_VARIABLE not in words()
    assert STEPS_VARIABLE in words(executor="multiprocess")
    assert "up to 16 steps" in words(executor="multiprocess")


@pytest.mark.parametrize(
    ("dagster", "said"),
    [("1.9.13", "launches runs at once"), ("1.10.0", "10 runs"), ("1.13.27", "10 runs")],
)
def test_the_queue_is_dagsters_default_from_1_10_on(dagster: str, said: str) -> None:
    assert said in words(dagster=dagster)


@pytest.mark.parametrize(
    ("told", "cpus", "steps"),
    [("3", 8, 3), ("3", None, 3), (None, 8, 8), ("", 8, 8), (None, None, None)],
)
def test_what_the_executor_was_measured_with(
    told: str | None, cpus: float | None, steps: int | None
) -> None:
    environment = {} if told is None else {STEPS_VARIABLE: told}
    assert steps_at_once(make_cell(executor="multiprocess"), environment, cpus) == steps


@pytest.mark.parametrize("told", ["many", "0"])
def test_a_setting_no_executor_can_work_with_is_not_known(told: str) -> None:
    cell = make_cell(executor="multiprocess")
    assert steps_at_once(cell, {STEPS_VARIABLE: told}, 8) is None


def test_the_in_process_executor_has_no_such_number() -> None:
    assert steps_at_once(make_cell(), {STEPS_VARIABLE: "3"}, 8) is None
