"""The weighing itself, on figures of two steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from factory_binding import LAUNCHING, figures, look, said, share
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.binding import LIMITS, Limit
from harness.analysis.binding.decide import decide, scores_of
from harness.analysis.binding.look import merged
from harness.analysis.binding.looking import Figures

pytestmark = pytest.mark.unit

UNIT = st.floats(0, 1, allow_subnormal=False)
SECONDS = st.floats(0.001, 60)
MORE = st.floats(1.0, 10)


def known(values: st.SearchStrategy[float]) -> st.SearchStrategy[float | None]:
    return st.one_of(st.none(), values)


SHARES = st.one_of(st.none(), st.builds(share, st.floats(0.01, 10), st.floats(0.01, 10)))
CHANGES = st.fixed_dictionaries(
    {
        "cpu_ratio": known(st.floats(0, 1.1)),
        "throttled_ratio": known(UNIT),
        "peak_ratio": known(st.floats(0, 1)),
        "oom_kills": st.sampled_from([0, 0, 0, 0, 0, 1]),
        "waiting_share": known(UNIT),
        "full_share": known(UNIT),
        "probe_s": known(SECONDS),
        "probes_lost": st.integers(0, 2),
        "front_s": known(SECONDS),
        "spawn_s": known(SECONDS),
        "import_s": known(SECONDS),
        "exec_s": known(SECONDS),
        "host_cores": known(st.floats(0, 4)),
        "generator_cores": known(UNIT),
        "queued_share": known(UNIT),
        "services": st.fixed_dictionaries({"webserver": UNIT, "postgres": UNIT}),
        "threads": st.fixed_dictionaries({"launching": st.floats(0, 6), "sensor": st.floats(0, 6)}),
        "broken": st.sampled_from([("slowdown_p95",)] * 4 + [("memory_headroom",)]),
    }
)
FEEDS = st.sampled_from(["direct", "queued"])


@st.composite
def all_figures(draw: st.DrawFn) -> Figures:
    return figures(draw(CHANGES), draw(CHANGES), whose=draw(SHARES), feed=draw(FEEDS))


SIGNS: Mapping[Limit, tuple[str, ...]] = {
    "memory": ("peak_ratio", "oom_kills"),
    "launch_cpu": ("cpu_ratio", "throttled_ratio", "import_s"),
    "run_cpu": ("cpu_ratio", "throttled_ratio"),
    "worker_pool": (
        "waiting_share", "full_share", "probe_s", "probes_lost", "spawn_s", "threads",
    ),
    "control_plane": ("services", "host_cores", "generator_cores", "queued_share", "front_s"),
}  # fmt: skip


def raised(value: Any, times: float) -> Any:
    """More of what is known; nothing is made up."""
    if isinstance(value, Mapping):
        return {key: part * times for key, part in value.items()}
    if isinstance(value, int):
        return value + 1
    return None if value is None else value * times


@given(before=all_figures(), which=st.data(), times=MORE)
def test_more_evidence_for_a_limit_never_makes_it_lose_to_another(
    before: Figures, which: st.DataObject, times: float
) -> None:
    winner = decide(before).limit
    if winner is None:
        return
    name = which.draw(st.sampled_from(SIGNS[winner]))
    more = replace(before.at, **{name: raised(getattr(before.at, name), times)})
    assert decide(replace(before, at=more)).limit == winner


@given(before=all_figures(), limit=st.sampled_from(["launch_cpu", "run_cpu"]), times=MORE)
def test_a_larger_part_of_the_cpu_never_makes_its_half_lose(
    before: Figures, limit: str, times: float
) -> None:
    if before.share is None or decide(before).limit != limit:
        return
    name = "launch" if limit == "launch_cpu" else "work"
    more = replace(before.share, **{name: getattr(before.share, name) * times})
    assert decide(replace(before, share=more)).limit == limit


@given(all_figures())
def test_every_answer_is_whole(found: Figures) -> None:
    answer = decide(found)
    assert answer.evidence
    assert answer.limit is None or answer.limit != answer.runner_up
    named = {answer.limit, answer.runner_up}
    assert not named & {text.split(":")[0] for text in answer.ruled_out}
    assert (answer.limit is None) <= (answer.strength == "unclear")


@given(all_figures())
def test_a_score_is_between_nothing_and_certainty(found: Figures) -> None:
    assert all(0 <= score.value <= 1 for score in scores_of(found).values())


@given(all_figures())
def test_an_oom_kill_always_decides(found: Figures) -> None:
    answer = decide(replace(found, at=replace(found.at, oom_kills=1)))
    assert (answer.limit, answer.strength) == ("memory", "clear")


FULL = {"cpu_ratio": 1.0, "throttled_ratio": 0.9}
WAITING = {"waiting_share": 0.9, "waiting": 3.0, "full_share": 0.95}


@pytest.mark.parametrize(
    ("at", "whose", "limit", "strength", "runner_up"),
    [
        (FULL, LAUNCHING, "launch_cpu", "clear", None),
        (FULL, share(0.5, 5.0), "run_cpu", "clear", None),
        (FULL, share(2.1, 2.0), "launch_cpu", "likely", "run_cpu"),
        (FULL, share(2.0, 2.1), "run_cpu", "likely", "launch_cpu"),
        (FULL, share(3.0, 1.0, overlap=True), "launch_cpu", "likely", "run_cpu"),
        (FULL, None, None, "unclear", None),
        (WAITING, LAUNCHING, "worker_pool", "clear", None),
        ({**FULL, **WAITING}, LAUNCHING, "launch_cpu", "clear", "worker_pool"),
        ({**WAITING, "cpu_ratio": 0.8}, LAUNCHING, "worker_pool", "likely", "launch_cpu"),
        ({**WAITING, "services": {"postgres": 0.95}}, LAUNCHING, "control_plane", "clear",
         "worker_pool"),
        ({**FULL, "services": {"postgres": 0.95}}, LAUNCHING, "launch_cpu", "clear",
         "control_plane"),
        ({"host_cores": 3.9}, LAUNCHING, "control_plane", "clear", None),
        ({"generator_cores": 0.79}, LAUNCHING, "control_plane", "clear", None),
        ({"threads": {"database": 5.5, "launching": 0.3}}, LAUNCHING, "control_plane", "likely",
         "worker_pool"),
        ({"doubts": (("database_full", "95 of 100 connections were open"),)}, LAUNCHING,
         "control_plane", "likely", None),
        ({}, LAUNCHING, None, "unclear", None),
    ],
)  # fmt: skip
def test_signs_are_weighed(
    at: dict[str, Any], whose: Any, limit: str | None, strength: str, runner_up: str | None
) -> None:
    found = decide(figures(at, whose=whose))
    assert (found.limit, found.strength, found.runner_up) == (limit, strength, runner_up)


def test_work_that_became_no_slower_while_importing_did_leaves_launching() -> None:
    """The runs' own CPU is not known here; a wait for a network is as long on a full CPU."""
    at = {**FULL, "import_s": 0.3, "exec_s": 8.1}
    found = decide(figures(at, {"import_s": 0.1, "exec_s": 8.0}, whose=None))
    assert (found.limit, found.strength) == ("launch_cpu", "likely")
    slower = decide(figures({**at, "exec_s": 20.0}, {"import_s": 0.1, "exec_s": 8.0}, whose=None))
    assert slower.limit is None
    assert said(slower.evidence, "whose CPU it is", "not known")


def test_two_weak_signs_together_name_what_neither_names_alone() -> None:
    ratio, waits = {"cpu_ratio": 0.8}, {"throttled_ratio": 0.49}
    assert decide(figures(ratio)).limit is None
    assert decide(figures(waits)).limit is None
    assert decide(figures({**ratio, **waits})).limit == "launch_cpu"


def test_slow_imports_alone_are_not_put_down_to_the_cpu() -> None:
    found = decide(figures({"import_s": 5.0, "cpu_ratio": 0.2}, {"import_s": 0.1}))
    assert found.limit is None


def test_a_sign_seen_in_the_failing_step_only_weighs_more_than_one_seen_below_too() -> None:
    probe = {"probe_s": 3.0}
    new = scores_of(figures(probe))["worker_pool"].value
    old = scores_of(figures(probe, probe))["worker_pool"].value
    assert new > old


def test_a_pool_beside_a_cpu_nobody_read_counts_less_than_free_and_more_than_starved() -> None:
    unread = {"cpu_ratio": None, "throttled_ratio": None}
    free, unknown, starved = (
        scores_of(figures({**WAITING, **cpu}))["worker_pool"].value for cpu in ({}, unread, FULL)
    )
    assert starved < unknown < free


def test_a_cheap_request_that_is_still_cheap_says_nothing_however_much_slower() -> None:
    found = scores_of(figures({"probe_s": 0.09}, {"probe_s": 0.001}))
    assert found["worker_pool"].value == 0


def test_a_cheap_request_without_an_answer_speaks_for_the_pool() -> None:
    found = scores_of(figures({"probes_lost": 3, "probe_s": None}))["worker_pool"]
    assert found.value > 0
    assert said(found.evidence, "3 cheap requests had no answer")


def test_a_queue_says_nothing_of_the_daemon_while_the_workers_are_the_reason() -> None:
    queue = {"queued_share": 1.0, "queued": 5.0}
    waits_in_dagster = decide(figures(queue, feed="queued"))
    waits_in_the_server = decide(figures({**queue, **WAITING}, feed="queued"))
    assert waits_in_dagster.limit == "control_plane"
    assert waits_in_the_server.limit == "worker_pool"


def test_a_daemon_with_a_limit_that_is_not_reached_is_too_slow() -> None:
    queue = {"queued_share": 1.0, "queued": 5.0, "taken": 4.0}
    slow = decide(figures(queue, feed="queued", max_concurrent_runs=20))
    capped = decide(figures(queue, feed="queued", max_concurrent_runs=4))
    assert said(slow.evidence, "the daemon let them through too slowly")
    assert said(capped.evidence, "max_concurrent_runs is 4 and 4 runs had been let through")


def test_a_launch_that_grew_before_the_server_speaks_for_what_feeds_it() -> None:
    before = {"front_s": 0.1, "spawn_s": 2.0}
    front = scores_of(figures({"front_s": 5.0, "spawn_s": 2.5}, before))["control_plane"]
    spawn = scores_of(figures({"front_s": 0.6, "spawn_s": 9.0}, before))["control_plane"]
    assert front.value == pytest.approx(0.5)
    assert said(
        front.evidence, "5.0 s of accepting a launch passed before the server; at 6: 100 ms"
    )
    assert spawn.value == 0


def test_what_became_faster_in_the_server_does_not_hide_a_slower_front() -> None:
    before = {"front_s": 0.1, "spawn_s": 9.0}
    found = scores_of(figures({"front_s": 5.0, "spawn_s": 2.5}, before))["control_plane"]
    assert found.value == pytest.approx(0.5)


def test_a_launch_that_waits_where_a_cheap_request_waits_too_speaks_for_the_pool() -> None:
    """Both ask the server and stand in its queue."""
    before = {"front_s": 0.1, "probe_s": 0.01}
    waits = scores_of(figures({"front_s": 5.0, "probe_s": 5.0}, before))
    assert waits["control_plane"].value == 0
    assert waits["worker_pool"].value > 0


def test_the_direct_feed_has_no_queue_to_wait_in() -> None:
    assert decide(figures({"queued_share": 1.0}, feed="direct")).limit is None


@pytest.mark.parametrize(
    ("at", "limit", "unseen"),
    [
        (WAITING, "worker_pool", {"cpu_ratio": None, "throttled_ratio": None}),
        (WAITING, "worker_pool", {"services": {}}),
        (WAITING, "worker_pool", {"host_cores": None}),
        ({"services": {"daemon": 0.99}}, "control_plane",
         {"cpu_ratio": None, "throttled_ratio": None}),
        ({"services": {"daemon": 0.99}}, "control_plane",
         {"waiting_share": None, "full_share": None}),
    ],
)  # fmt: skip
def test_what_could_not_be_seen_makes_an_answer_less_sure(
    at: dict[str, Any], limit: str, unseen: dict[str, Any]
) -> None:
    seen, blind = decide(figures(at)), decide(figures({**at, **unseen}))
    assert (seen.limit, seen.strength) == (limit, "clear")
    assert blind.limit == limit
    assert blind.strength in ("likely", "unclear")
    assert said(blind.evidence, "cannot be judged")


def test_one_sign_and_no_sight_of_the_cpu_name_a_limit_but_leave_it_unclear() -> None:
    unread = {"cpu_ratio": None, "throttled_ratio": None}
    alone = decide(figures({"waiting_share": 0.9, "full_share": None, **unread}))
    with_another = decide(figures({**WAITING, **unread}))
    assert (alone.limit, alone.strength) == ("worker_pool", "unclear")
    assert (with_another.limit, with_another.strength) == ("worker_pool", "likely")


def test_a_full_quota_is_full_whatever_else_was_not_seen() -> None:
    blind: dict[str, Any] = {
        "waiting_share": None,
        "full_share": None,
        "services": {},
        "host_cores": None,
    }
    found = decide(figures({**FULL, **blind}))
    assert (found.limit, found.strength) == ("launch_cpu", "clear")
    assert {text.split(":")[0] for text in found.ruled_out} == {"memory", "run_cpu"}


def test_the_order_of_equal_steps_does_not_matter() -> None:
    one, other = look(cpu_ratio=0.9, probe_s=None), look(cpu_ratio=0.7, probe_s=0.3)
    assert merged([one, other]) == merged([other, one])


def test_equal_steps_are_their_medians_and_their_worst_walls() -> None:
    steps = [
        look(cpu_ratio=0.7, peak_ratio=0.5, services={"postgres": 0.2}, oom_kills=0),
        look(cpu_ratio=0.8, peak_ratio=0.95, services={"postgres": 0.4, "daemon": 0.1}),
        look(cpu_ratio=None, peak_ratio=None, services={"postgres": 0.9}, oom_kills=1),
    ]
    found = merged(steps)
    assert found.cpu_ratio == pytest.approx(0.75)
    assert found.peak_ratio == 0.95
    assert found.oom_kills == 1
    assert found.services == {"postgres": 0.4, "daemon": 0.1}
    assert found.repetitions == 3


def test_no_limit_is_missing_from_the_weighing() -> None:
    assert set(scores_of(figures())) == set(LIMITS)
