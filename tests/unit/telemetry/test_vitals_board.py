"""The latest readings: sums, the worst replica, rates over a second, what is no longer known."""

from __future__ import annotations

import pytest

from harness.facts.model import Event, Limits, Sample
from harness.rig.protocols import Vitals
from harness.rig.telemetry.vitals import MOST_EVENTS, VitalsBoard

pytestmark = pytest.mark.unit

NOW_S = 100.0
ONE_CORE = Limits(cpu_cores=1.0, memory_bytes=2 * 2**30)
UNLIMITED = Limits(cpu_cores=None, memory_bytes=None)


def sample(
    device: str, key: str, value: float, *, source: str = "a", taken_s: float = NOW_S
) -> Sample:
    return Sample(
        device=device, source=source, key=key, due_s=taken_s, taken_s=taken_s, value=value
    )


def counter(key: str, *looks: tuple[float, float], source: str = "a") -> list[Sample]:
    return [sample("cgroup", key, value, source=source, taken_s=at_s) for at_s, value in looks]


def read(*samples: Sample, limits: tuple[Limits, ...] = (), now_s: float = NOW_S) -> Vitals:
    board = VitalsBoard()
    board.begin(limits)
    board.notice(samples, ())
    return board.read(now_s, peak_bytes=None)


def event(kind: str, at_s: float = NOW_S, **detail: object) -> Event:
    return Event(at_s=at_s, kind=kind, source="a", detail=detail)


def test_before_anything_was_read_nothing_is_known() -> None:
    assert read() == Vitals(at_s=NOW_S)


def test_limits_are_the_tightest_of_the_replicas_and_unknown_where_none_is_enforced() -> None:
    assert read(limits=(ONE_CORE, UNLIMITED)).memory_limit_bytes == 2 * 2**30
    assert read(limits=(ONE_CORE,)).cpu_limit_cores == 1.0
    assert read(limits=(UNLIMITED,)).memory_limit_bytes is None


def test_memory_and_probe_are_of_the_worst_replica() -> None:
    seen = read(
        sample("cgroup", "usage_bytes", 10, source="a"),
        sample("cgroup", "usage_bytes", 70, source="b"),
        sample("probe", "probe_s", 0.5, source="a"),
        sample("probe", "probe_s", 0.1, source="b"),
    )
    assert (seen.memory_bytes, seen.probe_s) == (70, 0.5)


def test_queues_and_runs_are_summed_over_replicas() -> None:
    both = ("a", "b")
    seen = read(
        *(sample("pool", "pool_queue", 3, source=each) for each in both),
        *(sample("processes", "resident_runs", 4, source=each) for each in both),
        sample("run_queue", "queued", 7, source="postgres"),
        sample("run_queue", "starting", 2, source="postgres"),
    )
    assert (seen.pool_queue, seen.resident_runs) == (6, 8)
    assert (seen.run_queue, seen.starting) == (7, 2)


def test_the_latest_reading_counts_and_others_of_the_same_name_do_not() -> None:
    seen = read(
        sample("pool", "pool_queue", 9, taken_s=98.0),
        sample("pool", "pool_queue", 1),
        sample("support", "usage_bytes", 999, source="postgres"),
    )
    assert (seen.pool_queue, seen.memory_bytes) == (1, None)


def test_cpu_is_what_was_used_over_the_last_second() -> None:
    busy_before = [(90.0, 0.0), (98.0, 80.0)]
    last_second = [(99.0 + n / 5, 80.0 + n / 10) for n in range(6)]
    assert read(*counter("cpu_s", *busy_before, *last_second)).cpu_cores == pytest.approx(0.5)


def test_two_slow_looks_are_enough_and_one_is_not() -> None:
    assert read(*counter("cpu_s", (97.0, 4.0), (99.0, 6.0))).cpu_cores == 1.0
    assert read(*counter("cpu_s", (99.0, 6.0))).cpu_cores is None


def test_cpu_and_throttling_are_of_the_worst_replica() -> None:
    looks = (99.0, 10.0), (100.0, 20.0)
    seen = read(
        *counter("cpu_s", (99.0, 1.0), (100.0, 1.2), source="a"),
        *counter("cpu_s", (99.0, 1.0), (100.0, 1.9), source="b"),
        *counter("periods", *looks, source="a"),
        *counter("periods", *looks, source="b"),
        *counter("throttled_periods", (99.0, 0.0), (100.0, 8.0), source="a"),
        *counter("throttled_periods", (99.0, 0.0), (100.0, 1.0), source="b"),
    )
    assert seen.cpu_cores == pytest.approx(0.9)
    assert seen.throttled_ratio == pytest.approx(0.8)


def test_a_server_that_used_no_period_was_not_throttled() -> None:
    idle = (99.0, 5.0), (100.0, 5.0)
    assert read(*counter("periods", *idle), *counter("throttled_periods", *idle)) == Vitals(
        at_s=NOW_S, throttled_ratio=0.0
    )


def test_a_counter_that_fell_counts_anew() -> None:
    assert read(*counter("cpu_s", (99.0, 50.0), (100.0, 0.1))).cpu_cores is None


@pytest.mark.parametrize(
    ("device", "key", "field"),
    [
        ("cgroup", "usage_bytes", "memory_bytes"), ("pool", "pool_queue", "pool_queue"),
        ("run_queue", "queued", "run_queue"), ("run_queue", "starting", "starting"),
        ("processes", "resident_runs", "resident_runs"),
    ],
)  # fmt: skip
def test_a_device_that_fell_silent_no_longer_knows(device: str, key: str, field: str) -> None:
    reading = sample(device, key, 5.0)
    assert getattr(read(reading, now_s=104.0), field) == 5.0
    assert getattr(read(reading, now_s=106.0), field) is None


def test_rates_of_a_dead_server_are_not_shown_on() -> None:
    looks = counter("cpu_s", (99.0, 1.0), (100.0, 1.5))
    assert read(*looks, now_s=106.0).cpu_cores is None


def test_ping_says_what_it_said_and_how_long_ago_it_was_asked() -> None:
    seen = read(
        sample("ping", "ping_queued", 3, source="a", taken_s=90.0),
        sample("ping", "ping_asked_s", 80.0, source="a", taken_s=90.0),
        sample("ping", "ping_queued", 1, source="b", taken_s=99.0),
        sample("ping", "ping_asked_s", 98.0, source="b", taken_s=99.0),
    )
    assert (seen.ping_queued, seen.ping_age_s) == (4, 20.0)


def test_while_one_replica_does_not_answer_there_is_no_probe_time() -> None:
    board = VitalsBoard()
    answers = [("a", 0.0, 0.002), ("b", 0.0, 0.003)]
    for source, lost, took_s in answers:
        board.notice(
            [
                sample("probe", "probe_lost", lost, source=source),
                sample("probe", "probe_s", took_s, source=source),
            ],
            (),
        )
    assert board.read(NOW_S, peak_bytes=None).probe_s == 0.003
    board.notice([sample("probe", "probe_lost", 1.0, source="a")], ())
    board.notice([sample("probe", "probe_lost", 0.0, source="b")], ())
    assert board.read(NOW_S, peak_bytes=None).probe_s is None
    board.notice([sample("probe", "probe_lost", 0.0, source="a")], ())
    seen = board.read(NOW_S, peak_bytes=None)
    assert (seen.probe_s, seen.probes_lost) == (0.003, 1)


def test_events_are_kept_oldest_first_and_bounded() -> None:
    board = VitalsBoard()
    board.notice((), [event("fallback", at_s=float(n)) for n in range(MOST_EVENTS + 5)])
    kept = board.read(NOW_S, peak_bytes=None).events
    assert (len(kept), kept[0].at_s, kept[-1].at_s) == (MOST_EVENTS, 5.0, MOST_EVENTS + 4.0)


def test_oom_kills_are_counted_even_when_their_events_are_long_gone() -> None:
    board = VitalsBoard()
    board.notice((), [event("oom_kill", count=2), event("oom_kill")])
    board.notice((), [event("fallback")] * MOST_EVENTS)
    assert board.read(NOW_S, peak_bytes=None).oom_kills == 3


def test_a_fresh_server_has_no_readings_but_the_cell_keeps_its_history() -> None:
    board = VitalsBoard()
    board.begin([ONE_CORE])
    died = event("oom_kill", count=1)
    board.notice(
        [
            sample("cgroup", "usage_bytes", 10),
            sample("probe", "probe_lost", 1.0),
            *counter("cpu_s", (99.0, 1.0), (100.0, 2.0)),
        ],
        [died],
    )
    board.begin([UNLIMITED])
    assert board.read(NOW_S, peak_bytes=7.0) == Vitals(
        at_s=NOW_S, memory_peak_bytes=7.0, probes_lost=1, oom_kills=1, events=(died,)
    )
