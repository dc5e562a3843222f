"""The lines of each chart say what was read, in the units people read, against the limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import factory
import numpy as np
import pytest

from harness.analysis.picture.budget import Budget
from harness.analysis.picture.cell import picture_of
from harness.analysis.picture.types import CellPicture, Group, Line
from harness.facts.model import Limits, Sample
from harness.facts.table import CellFacts, SamplesTable

pytestmark = pytest.mark.unit

AT_S = factory.START_S
MIB = factory.MIB
RUNGS = [factory.Rung(concurrency=1, kind="unloaded"), factory.Rung(concurrency=4)]
Readings = Mapping[tuple[str, str, str], Sequence[tuple[float, float]]]


def read(readings: Readings, **cell: Any) -> CellFacts:
    """One step, and these readings: by device, source and key, (seconds, value)."""
    samples = [
        Sample(device=device, source=source, key=key, due_s=AT_S + at_s, taken_s=AT_S + at_s,
               value=value)
        for (device, source, key), values in readings.items()
        for at_s, value in values
    ]  # fmt: skip
    rungs = factory.make_facts([factory.Rung(concurrency=2)], **cell)
    return replace(rungs, samples=SamplesTable.of(samples))


def by_name(group: Group) -> dict[str, Line]:
    return {line.name: line for line in group.lines}


def every(period_s: float, values: Sequence[float]) -> list[tuple[float, float]]:
    return [(place * period_s, value) for place, value in enumerate(values)]


def drawn(line: Line) -> list[tuple[float, float | None]]:
    return list(zip(line.times_s, line.values, strict=True))


def groups(picture: CellPicture) -> list[Group]:
    return [picture.memory, picture.cpu, picture.throttling, picture.queues, picture.probe,
            picture.processes]  # fmt: skip


def test_memory_is_in_mib_against_the_enforced_limit() -> None:
    readings = {
        ("cgroup", "code-server-1", "working_set_bytes"): every(0.2, [100 * MIB, 200.25 * MIB]),
        ("cgroup", "code-server-1", "anon_bytes"): every(0.2, [90 * MIB, 180 * MIB]),
        ("cgroup", "code-server-1", "peak_bytes"): every(0.2, [100 * MIB, 210 * MIB]),
    }
    memory = picture_of(read(readings)).memory
    assert [line.metric for line in memory.lines] == [
        "working_set_bytes", "anon_bytes", "peak_bytes",
    ]  # fmt: skip
    assert {line.unit for line in memory.lines} == {"MiB"}
    assert drawn(memory.lines[0]) == [(0.0, 100.0), (0.2, 200.2)]
    assert (memory.limit, memory.missing) == (2048.0, "")


def test_usage_stands_in_where_no_working_set_is_known() -> None:
    memory = picture_of(factory.make_facts(RUNGS)).memory
    assert [line.metric for line in memory.lines] == ["usage_bytes", "anon_bytes"]


def test_a_limit_that_is_not_enforced_is_not_drawn() -> None:
    open_end = factory.make_facts(RUNGS, effective_limits=None, limits_enforced=False)
    picture = picture_of(open_end)
    assert picture.memory.lines
    assert (picture.memory.limit, picture.memory.limit_name) == (None, "")
    assert (picture.cpu.limit, picture.cpu.limit_name) == (None, "")
    no_cpu = factory.make_facts(RUNGS, effective_limits=Limits(cpu_cores=None, memory_bytes=MIB))
    assert picture_of(no_cpu).cpu.limit is None


def test_every_replica_has_its_lines_and_the_limit_is_each_ones() -> None:
    picture = picture_of(factory.make_facts(RUNGS, replicas=2))
    for group in (picture.memory, picture.cpu, picture.throttling, picture.probe):
        assert {line.source for line in group.lines} == {"code-server-1", "code-server-2"}
    assert picture.memory.limit_name.endswith("of each replica")


def test_cpu_is_cores_a_second_and_a_fresh_server_begins_at_zero() -> None:
    times = np.arange(0, 20, 0.2)
    used = np.where(times < 10, 50 + 0.5 * times, 0.8 * (times - 10))
    readings = {("cgroup", "code-server-1", "cpu_s"): [*zip(times, used, strict=True)]}
    line = picture_of(read(readings)).cpu.lines[0]
    assert (line.unit, line.metric) == ("vCPU", "cpu_cores")
    before = [value for at_s, value in drawn(line) if at_s < 9]
    after = [value for at_s, value in drawn(line) if at_s > 11]
    assert before == pytest.approx([0.5] * len(before), abs=0.001)
    assert after == pytest.approx([0.8] * len(after), abs=0.001)
    assert min(len(before), len(after)) >= 8
    assert line.peak is not None
    assert line.peak <= 0.8


def test_throttling_is_a_share_of_the_periods() -> None:
    facts = factory.make_facts([factory.Rung(concurrency=2, throttled_ratio=0.4)])
    line = picture_of(facts).throttling.lines[0]
    in_step = [value for at_s, value in drawn(line) if at_s > 17]
    assert in_step == pytest.approx([0.4] * len(in_step), abs=0.001)


def test_without_a_quota_nothing_is_throttled_and_nothing_drawn() -> None:
    still = every(0.2, [0.0] * 50)
    readings = {
        ("cgroup", "code-server-1", "periods"): still,
        ("cgroup", "code-server-1", "throttled_periods"): still,
    }
    assert picture_of(read(readings)).throttling == Group(
        lines=(), missing="No quota period was read, although the device cgroup was on."
    )


def test_the_three_queues_stand_side_by_side_with_what_the_ping_said_when_it_answered() -> None:
    readings = {
        ("run_queue", "postgres", "queued"): every(1, [0, 1, 2]),
        ("run_queue", "postgres", "starting"): every(1, [3, 3, 4]),
        ("pool", "code-server-1", "pool_queue"): every(0.2, [0, 7, 5]),
        ("ping", "code-server-1", "ping_queued"): [(2.0, 0), (12.2, 4)],
        ("ping", "code-server-1", "ping_asked_s"): [(2.0, AT_S), (12.2, AT_S + 10)],
    }
    lines = picture_of(read(readings)).queues.lines
    assert [(line.metric, line.unit, line.peak) for line in lines] == [
        ("queued", "runs", 2.0),
        ("starting", "runs", 4.0),
        ("pool_queue", "requests", 7.0),
        ("ping_queued", "requests", 4.0),
    ]
    assert "Ping" in lines[3].name
    assert drawn(lines[3]) == [(2.0, 0.0), (12.2, 4.0)]


def test_a_ping_without_an_answer_is_a_gap_and_a_mark() -> None:
    readings = {
        ("ping", "code-server-1", "ping_queued"): [(0, 0), (10, 1), (80, 4), (90, 0)],
        ("ping", "code-server-1", "ping_failed"): [(0, 0), (10, 0), (70, 1), (80, 0), (90, 0)],
    }
    picture = picture_of(read(readings))
    assert drawn(picture.queues.lines[0]) == [
        (0.0, 0.0), (10.0, 1.0), (45.0, None), (80.0, 4.0), (90.0, 0.0),
    ]  # fmt: skip
    assert [(mark.at_s, mark.kind) for mark in picture.marks] == [(70.0, "ping_failed")]


def test_a_lost_probe_is_a_gap_and_a_row_of_them_one_mark() -> None:
    readings = {
        ("probe", "code-server-1", "probe_s"): [(0, 0.01), (1, 0.0123456), (9, 0.02)],
        ("probe", "code-server-1", "probe_lost"): [(0, 0), (1, 0), (7, 1), (8, 1), (9, 0)],
    }
    picture = picture_of(read(readings))
    assert drawn(picture.probe.lines[0]) == [(0.0, 0.01), (1.0, 0.0123), (5.0, None), (9.0, 0.02)]
    assert (picture.probe.limit, picture.probe.limit_name) == (5.0, "objective probe_s_p99")
    assert [(mark.at_s, mark.text) for mark in picture.marks] == [
        (7.0, "2 probes in a row got no answer in 5.0 s")
    ]


def processes(measure: str, **values: Sequence[float]) -> Readings:
    return {
        ("processes", "code-server-1", f"{who}_{measure}_bytes"): [
            (at_s, size * MIB) for at_s, size in every(1.0 if measure == "rss" else 5.0, sizes)
        ]
        for who, sizes in values.items()
    }


def test_memory_by_process_is_stacked_at_equal_times_and_counts_steps_once() -> None:
    readings = processes("pss", server=[100, 101, 102], runs=[0, 200, 300], steps=[0, 50, 120])
    lines = picture_of(read(readings)).processes.lines
    assert {line.times_s for line in lines} == {(0.0, 5.0, 10.0)}
    assert [(line.name, line.values) for line in lines] == [
        ("server (PSS)", (100.0, 101.0, 102.0)),
        ("runs (PSS)", (0.0, 150.0, 180.0)),
        ("steps (PSS)", (0.0, 50.0, 120.0)),
    ]


def test_steps_that_were_not_told_apart_stay_with_their_runs() -> None:
    facts = read(processes("pss", server=[100, 101], runs=[0, 200]), executor="multiprocess")
    rss = read(processes("rss", server=[100, 101], runs=[0, 200]), executor="multiprocess")
    picture = picture_of(facts)
    assert [line.name for line in picture.processes.lines] == [
        "server (PSS)", "runs and their steps (PSS)",
    ]  # fmt: skip
    assert any("not told apart" in sentence for sentence in picture_of(rss).missing)


def test_rss_stands_in_where_the_kernel_tells_no_pss() -> None:
    readings = processes("rss", server=[100] * 9, runs=[50] * 9, steps=[20] * 9)
    lines = picture_of(read(readings)).processes.lines
    assert [line.metric for line in lines] == [
        "server_rss_bytes", "runs_rss_bytes", "steps_rss_bytes",
    ]  # fmt: skip
    assert all("RSS" in line.name for line in lines)


def test_a_stack_is_thinned_alike_and_keeps_each_ones_peak() -> None:
    rng = np.random.default_rng(7)
    sizes = {who: rng.uniform(1, 100, 2000).round(1) for who in ("server", "runs")}
    readings = processes("rss", **{who: own.tolist() for who, own in sizes.items()})
    lines = picture_of(read(readings), budget=Budget(points=100, runs=10)).processes.lines
    assert len({line.times_s for line in lines}) == 1
    assert len(lines[0].times_s) <= 100 + 4
    for line, own in zip(lines, sizes.values(), strict=True):
        known = [value for value in line.values if value is not None]
        assert max(known) == line.peak == pytest.approx(own.max())


def test_times_begin_at_the_first_look_or_phase_and_never_go_back() -> None:
    picture = picture_of(factory.make_facts(RUNGS, replicas=2), budget=Budget(points=30, runs=10))
    lines = [line for group in groups(picture) for line in group.lines]
    assert min(line.times_s[0] for line in lines) == 0.0
    assert picture.origin_s == pytest.approx(AT_S, abs=0.01)
    for line in lines:
        assert len(line.times_s) == len(line.values)
        assert list(line.times_s) == sorted(line.times_s)
        assert line.times_s[-1] <= picture.end_s
        known = [value for value in line.values if value is not None]
        assert max(known) == line.peak


def test_however_little_room_there_is_the_peak_of_every_step_is_drawn() -> None:
    rungs = [factory.Rung(concurrency=1 + index % 3) for index in range(12)]
    facts = factory.make_facts(rungs)
    picture = picture_of(facts, budget=Budget(points=10, runs=10))
    anon = by_name(picture.memory)["anonymous memory"]
    for span, step in zip(picture.spans, facts.steps, strict=True):
        inside = [v for t, v in drawn(anon) if span.start_s <= t < span.end_s and v is not None]
        assert max(inside) == factory.BASE_MIB + factory.PER_RUN_MIB * step.concurrency
