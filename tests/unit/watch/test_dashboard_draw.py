"""What a person sees: at every size whole rows, never too many, the most important first."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listening import CELLS, FAILED, IO, ORDER, PROGRESS, event, opinion, vitals
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from harness.rig.orders import Progress
from harness.rig.protocols import Opinion, StepOrder
from harness.watch.dashboard.bars import bar, gauge, joined
from harness.watch.dashboard.curve import around, points_of
from harness.watch.dashboard.draw import Block, draw, fit
from harness.watch.dashboard.gauges import strain
from harness.watch.dashboard.panels import event_words, short_names
from harness.watch.dashboard.state import Scene

pytestmark = pytest.mark.unit

LAUNCHING = Scene().campaign_started("quick", CELLS, 0.0).cell_started(IO, 1, 2, 5.0)
STEPPING = LAUNCHING.step_started(ORDER, 30.0, 40.0).progressed(PROGRESS).felt(vitals(), 60.0)
NOW_S = 61.0

DEATHS = tuple(
    event(kind, at_s, exit_code=137, oom=True, count=2, why="code-server-1 died")
    for at_s in (1001.0, 1002.0)
    for kind in ("oom_kill", "server_died", "fresh_server")
)
DROWNING = vitals(
    memory_bytes=1.95 * 2**30, memory_peak_bytes=2.5 * 2**30, cpu_cores=1.2, throttled_ratio=1.0,
    pool_queue=123, run_queue=45678, probe_s=None, probes_lost=3, oom_kills=4, events=DEATHS,
)  # fmt: skip
CURVE = [
    opinion(n, step=n, low=20, high=21, verdict="fail" if n > 20 else "pass",
            broken=("launch_s_p95", "slowdown_p95") if n > 20 else ())
    for n in range(1, 41)
]  # fmt: skip


def judged(scene: Scene, *opinions: Opinion) -> Scene:
    return replace(scene, opinions=tuple(opinions))


SCENES = {
    "nothing": Scene(),
    "launching": LAUNCHING,
    "stepping": STEPPING,
    "long curve": judged(STEPPING, *CURVE),
    "drowning": judged(STEPPING, FAILED).felt(DROWNING, 60.0),
    "unknown": STEPPING.felt(vitals(**dict.fromkeys(
        ("memory_bytes", "memory_peak_bytes", "cpu_cores", "throttled_ratio", "run_queue",
         "pool_queue", "starting", "ping_queued", "ping_age_s", "resident_runs", "probe_s"))
    ), 60.0),
    "no limits": STEPPING.felt(vitals(memory_limit_bytes=None, cpu_limit_cores=None), 60.0),
    "many words": STEPPING.step_started(
        StepOrder(kind="load", concurrency=12345, repetition=9, reason="界\x1b[2J" * 200), 9.9, 9.0
    ).said("é" * 300, 10.0),
    "between": judged(STEPPING, FAILED).step_done(60.0),
    "done": judged(STEPPING, FAILED).cell_done(IO, 60.0).cell_started(CELLS[1].cell_id, 2, 2, 61.0),
}  # fmt: skip
SIZES = [(120, 40), (100, 22), (99, 21), (80, 24), (60, 20), (40, 12), (40, 40), (200, 8)]


def shown(scene: Scene, width: int, height: int, now_s: float = NOW_S) -> list[str]:
    """Rows as drawn; on a console that would show it if they were too wide or too many."""
    file = io.StringIO()
    console = Console(file=file, width=width * 2 + 10, height=height * 2 + 10)
    console.print(draw(scene, now_s, width=width, height=height))
    return file.getvalue().splitlines()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_it_is_never_wider_nor_taller_than_the_terminal(
    scene: Scene, size: tuple[int, int]
) -> None:
    width, height = size
    rows = shown(scene, width, height)
    assert max(map(cell_len, rows)) <= width
    assert len(rows) < height
    assert not any("\x1b" in row for row in rows)


@given(
    width=st.integers(1, 200),
    height=st.integers(1, 60),
    scene=st.sampled_from(list(SCENES.values())),
    now_s=st.floats(0, 1e6),
)
def test_no_size_is_too_small(width: int, height: int, scene: Scene, now_s: float) -> None:
    rows = shown(scene, width, height, now_s)
    assert max(map(cell_len, rows), default=0) <= width
    assert len(rows) <= max(1, height - 1)


def test_the_first_line_tells_everything_at_a_glance() -> None:
    scene = judged(STEPPING, FAILED).felt(vitals(throttled_ratio=0.83, pool_queue=3), 60.0)
    assert shown(scene, 120, 40)[0].rstrip() == (
        "io 1/2 · 8 at once, hold · CPU throttled 83% · 3 wait for a worker · threshold 4 to 7 · "
        "about 4 min left"
    )


def test_a_narrow_first_line_keeps_what_is_measured_and_what_is_wrong() -> None:
    scene = judged(STEPPING, FAILED).felt(DROWNING, 60.0)
    assert shown(scene, 40, 12)[0] == "io 1/2 · 8 at once, hold · 4 OOM kills"
    assert shown(scene, 30, 12)[0] == "8 at once, hold · 4 OOM kills"


def test_a_large_terminal_shows_all_there_is() -> None:
    page = "\n".join(shown(judged(STEPPING, *CURVE[:3], FAILED), 120, 40))
    for words in (
        "quick: cell 1 of 2", "▶ io · cpu", "step: 8 at once", "21 of 30 s",
        "8 in flight · 20 sent · 12 completed · 0 failed", "the model expects 8",
        "25% of 2 GiB: 512 MiB, peak 768", "50% of 1 vCPU, throttled 10%",
        "pool 0 · run queue 0 · starting 1 · 8 resident", "3 ms · none lost",
        "said 4 queued · asked 10 s ago", "threshold 4 to 7  4 holds, P = 0.97",
        "9.1 s 0.41/s fail launch_s_p95", "no event in this cell",
    ):  # fmt: skip
        assert words in page


PRIORITIES = [
    "8 at once", "21 of 30 s", "memory", "CPU", "threshold 4 to 7  4", "no event", "cell 1 of 2",
]  # fmt: skip
"""From what stays longest to what goes first."""


def test_a_small_terminal_drops_the_least_important_first() -> None:
    scene = judged(STEPPING, FAILED)
    seen_at = {
        height: [words in "\n".join(shown(scene, 60, height)) for words in PRIORITIES]
        for height in range(2, 16)
    }
    assert seen_at[2] == [True] + [False] * 6
    assert all(seen_at[12])
    for height in range(2, 15):
        gained = zip(seen_at[height], seen_at[height + 1], strict=True)
        assert all(after or not before for before, after in gained), height


def test_at_40_by_12_the_essentials_are_there() -> None:
    page = "\n".join(shown(judged(STEPPING, FAILED), 40, 12))
    for words in ("8 at once", "21 of 30 s", "8 in flight", "memory", "CPU", "throttled 10%",
                  "threshold 4 to 7", "fail", "4 min left"):  # fmt: skip
        assert words in page


def test_rows_stay_in_their_place_while_a_step_goes_on() -> None:
    heights = {
        len(shown(scene, width, height))
        for width, height in [(80, 24)]
        for scene in (LAUNCHING, STEPPING, STEPPING.felt(DROWNING, 60.0).felt(vitals(), 61.0))
    }
    assert len(heights) == 1


def test_old_readings_say_how_old_they_are() -> None:
    assert "server, 14 s ago" in "\n".join(shown(STEPPING, 120, 40, now_s=74.0))
    assert "no reading yet" in "\n".join(shown(LAUNCHING, 120, 40))


def test_a_drain_says_that_it_waits() -> None:
    assert "waiting for the last runs, 5 s" in "\n".join(shown(STEPPING, 120, 40, now_s=75.0))


def test_failed_runs_are_never_left_out() -> None:
    failing = Progress(phase="hold", in_flight=8, sent=20, completed=12, failed=3)
    assert "3 failed" in "\n".join(shown(STEPPING.progressed(failing), 40, 12))


def test_the_newest_step_is_marked_and_stays_in_sight() -> None:
    rows = shown(judged(STEPPING, *CURVE, opinion(3, low=20, high=21)), 80, 24)
    marked = [row for row in rows if row.startswith("▶ ")]
    assert len(marked) == 1
    assert marked[0].split()[1] == "3"


def test_repetitions_are_one_point_of_the_curve() -> None:
    points = points_of(
        [
            opinion(8, response_p95_s=10.0, verdict="pass"),
            opinion(4, response_p95_s=None),
            opinion(8, response_p95_s=14.0, verdict="fail", broken=("launch_s_p95",)),
            opinion(8, response_p95_s=None, throughput_runs_per_s=None, verdict="pass"),
        ]
    )
    assert [point.concurrency for point in points] == [4, 8]
    assert points[0].response_p95_s is None
    assert points[1].response_p95_s == 12.0
    assert points[1].verdicts == (("pass", 2), ("fail", 1))
    assert points[1].broken == ("launch_s_p95",)


def test_one_slow_repetition_does_not_move_the_curve_more_than_in_the_report() -> None:
    slow = [opinion(8, response_p95_s=seconds) for seconds in (10.0, 11.0, 90.0)]
    assert points_of(slow)[0].response_p95_s == 11.0


@pytest.mark.parametrize(
    ("concurrency", "most", "expected"),
    [(5, 3, [4, 5, 6]), (1, 3, [1, 2, 3]), (9, 3, [7, 8, 9]), (5, 20, list(range(1, 10))),
     (5, 1, [5]), (5, 0, [])],
)  # fmt: skip
def test_a_long_curve_is_shown_around_the_newest_step(
    concurrency: int, most: int, expected: list[int]
) -> None:
    points = points_of([opinion(n) for n in range(1, 10)])
    assert [point.concurrency for point in around(points, concurrency, most)] == expected


def block(rank: int, least: int, most: int) -> Block:
    def rows(count: int) -> Sequence[Text]:
        return [Text(str(rank))] * count

    return Block(title=str(rank), rank=rank, least=least, most=most, rows=rows)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [(0, {}), (1, {0: 1}), (3, {0: 1, 1: 2}), (4, {0: 1, 1: 2, 2: 1}), (6, {0: 1, 1: 4, 2: 1}),
     (99, {0: 1, 1: 4, 2: 3})],
)  # fmt: skip
def test_rows_are_granted_by_rank(budget: int, expected: dict[int, int]) -> None:
    blocks = [block(2, 1, 3), block(0, 1, 1), block(1, 2, 4)]
    assert {each.rank: rows for each, rows in fit(blocks, budget)} == expected


@pytest.mark.parametrize(
    ("ratio", "mark", "expected"),
    [(0.0, None, "────"), (0.5, None, "━━──"), (0.625, None, "━━╸─"), (1.0, None, "━━━━"),
     (7.0, None, "━━━━"), (-1.0, None, "────"), (0.5, 0.75, "━━─┃"), (0.5, 9.0, "━━─┃"),
     (1.0, 0.0, "┃━━━")],
)  # fmt: skip
def test_a_bar_is_filled_by_its_ratio(ratio: float, mark: float | None, expected: str) -> None:
    assert bar(ratio, 4, "green", mark=mark).plain == expected


@pytest.mark.parametrize(
    ("width", "expected"),
    [(30, "CPU ━━━━━━━━──────── long word"), (17, "CPU ━━━╸─── short"), (10, "CPU short"),
     (5, "CPU short")],
)  # fmt: skip
def test_a_gauge_takes_the_longest_words_that_leave_a_bar(width: int, expected: str) -> None:
    assert gauge("CPU ", 0.5, ("long word", "short"), width, style="green").plain == expected


def test_parts_that_do_not_fit_are_left_out_by_rank() -> None:
    parts: list[tuple[int, str | tuple[str, str]]] = [(2, "aa"), (0, ("bb", "bold")), (1, "cc")]
    assert joined(parts, 12).plain == "aa · bb · cc"
    assert joined(parts, 11).plain == "bb · cc"
    assert joined(parts, 2).plain == "bb"


def test_a_server_at_ease_has_no_strain_and_the_worst_comes_first() -> None:
    assert strain(None) == strain(vitals()) == []
    words = [each for each, _ in strain(DROWNING)]
    assert words == [
        "4 OOM kills", "health probe unanswered", "memory 98%", "CPU throttled 100%",
        "123 wait for a worker",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["1vcpu_io_w6", "1vcpu_cpu_w6"], ["io", "cpu"]),
        (["1vcpu_io_w6", "2vcpu_io_w4"], ["1vcpu w6", "2vcpu w4"]),
        (["1vcpu_io_w6"], ["1vcpu_io_w6"]),
        (["1vcpu_io", "1vcpu_io_q4"], ["1vcpu_io", "1vcpu_io_q4"]),
        (["same", "same"], ["same", "same"]),
    ],
)
def test_cells_are_called_by_what_tells_them_apart(ids: list[str], expected: list[str]) -> None:
    names = short_names(ids)
    assert [names[each] for each in ids] == expected


@pytest.mark.parametrize(
    ("kind", "detail", "words"),
    [
        ("oom_kill", {"count": 2}, "OOM: the kernel killed 2 (code-server-1)"),
        ("server_died", {"exit_code": 137, "oom": True},
         "died of OOM, exit code 137 (code-server-1)"),
        ("server_died", {"exit_code": None, "oom": False}, "died (code-server-1)"),
        ("fresh_server", {"why": "3 runs\nstill ran"}, "fresh server: 3 runs still ran"),
        ("device_error", {"error": "OSError: \x1b[2Jgone"},
         "device_error: OSError: [2Jgone (code-server-1)"),
    ],
)  # fmt: skip
def test_an_event_is_one_plain_phrase(kind: str, detail: dict[str, Any], words: str) -> None:
    assert event_words(event(kind, **detail)) == words
