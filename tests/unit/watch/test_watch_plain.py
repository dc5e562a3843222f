"""What a log gets: one line a step, with its verdict, and nothing but lines."""

from __future__ import annotations

import io
import unicodedata

import pytest
from fakes import Clock
from hypothesis import given
from hypothesis import strategies as st
from listening import CELLS, FAILED, IO, opinion, play, runs, step
from rich.console import Console

from harness.watch.plain import PlainListener
from harness.watch.words import about, one_line, sure_words, threshold_words

pytestmark = pytest.mark.unit


class Log:
    """A listener that writes into a string."""

    def __init__(self) -> None:
        self.file = io.StringIO()
        self.clock = Clock(0.0)
        self.listener = PlainListener(Console(file=self.file, width=40), clock=self.clock.time)

    @property
    def lines(self) -> list[str]:
        return self.file.getvalue().splitlines()


def test_a_step_is_one_line_with_its_verdict_the_threshold_and_the_time_left() -> None:
    log = Log()
    with log.listener as listener:
        play(listener)
    assert log.lines == [
        "Images are there",
        f"[1/2] {IO}, about 5 min left",
        "  warm-up: 1 succeeded in 31 s, peak 512 MiB",
        "  8 at once: fail (launch_s_p95, slowdown_p95): 2 succeeded, 1 lost in 31 s, "
        "peak 512 MiB; response p95 9.1 s, 0.41 runs/s; threshold 4 to 7 (4 holds, P = 0.97); "
        "about 5 min left",
        f"  {IO}: 4 holds (P = 0.97), 8 does not (0.99)",
    ]


def test_what_the_rig_said_of_a_step_stands_at_its_end() -> None:
    log = Log()
    log.listener.step_done(step(outcome_detail="code-server-1 died"), runs("LOST"))
    log.listener.step_judged(FAILED)
    assert log.lines[0].endswith("threshold 4 to 7 (4 holds, P = 0.97) — code-server-1 died")


def test_a_repetition_and_an_open_model_are_told_apart() -> None:
    log = Log()
    with log.listener as listener:
        listener.step_done(step(repetition=2, rate_per_s=0.5), runs("SUCCESS"))
    assert log.lines == ["  8 offered at 0.50/s, repetition 2: 1 succeeded in 31 s, peak 512 MiB"]


def test_a_soak_speaks_of_no_threshold_and_names_the_fault_beside_the_load() -> None:
    log = Log()
    sought = opinion(kind="fault", low=None, high=None, probability=None, seeks=False)
    log.listener.step_done(step(kind="fault"), runs("SUCCESS"))
    log.listener.step_judged(sought)
    (line,) = log.lines
    assert line.startswith("  8 at once, beside a fault: ")
    assert "threshold" not in line
    assert ";;" not in line.replace(" ", "")


@pytest.mark.parametrize("then", ["step", "sentence", "cell", "end", "next cell"])
def test_a_step_nobody_judges_is_said_before_anything_else(then: str) -> None:
    log = Log()
    with log.listener as listener:
        listener.step_done(step(), runs("SUCCESS"))
        if then == "step":
            listener.step_done(step(index=2), runs("FAILURE"))
        elif then == "sentence":
            listener.say("A sentence")
        elif then == "cell":
            listener.cell_done(IO, "over")
        elif then == "next cell":
            listener.cell_started(IO, 1, 1)
    assert log.lines[0] == "  8 at once: 1 succeeded in 31 s, peak 512 MiB"


def test_a_failure_in_the_middle_leaves_no_step_unsaid() -> None:
    log = Log()

    def interrupted() -> None:
        with log.listener as listener:
            listener.step_done(step(), runs("SUCCESS"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(log.lines) == 1


def test_an_opinion_about_another_step_is_no_verdict_on_this_one() -> None:
    log = Log()
    with log.listener as listener:
        listener.step_done(step(index=3), runs("SUCCESS"))
        listener.step_judged(opinion(step=2))
    assert log.lines == ["  8 at once: 1 succeeded in 31 s, peak 512 MiB"]


def test_the_time_left_follows_the_clock() -> None:
    log = Log()
    log.listener.campaign_started("quick", CELLS)
    log.listener.cell_started(IO, 1, 2)
    log.clock.sleep(360)
    log.listener.cell_done(IO, "over")
    log.listener.cell_started(CELLS[1].cell_id, 2, 2)
    assert log.lines[-1].endswith(", about 3 min left")  # 120 s expected, 200 s at the longest


@given(st.text())
def test_whatever_is_said_stays_on_a_line_and_moves_no_cursor(text: str) -> None:
    log = Log()
    with log.listener as listener:
        listener.say(text)
        listener.step_done(step(outcome_detail=text), runs("LOST"))
        listener.step_judged(opinion(verdict="fail", broken=(one_line(text),)))
        listener.cell_done(IO, text)
    assert log.file.getvalue().count("\n") == 3
    odd = {c for c in log.file.getvalue() if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}
    assert odd <= {"\n"}


def test_markup_is_only_text() -> None:
    log = Log()
    log.listener.say("  [bold]:smile: [/] done")
    assert log.lines == ["  [bold]:smile: [/] done"]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (None, None, "threshold not known yet"),
        (0, None, "threshold not known yet"),
        (3, None, "threshold 3 or more"),
        (0, 0, "threshold below 1"),
        (0, 2, "threshold 0 to 2"),
        (4, 4, "threshold 4"),
        (4, 7, "threshold 4 to 7"),
    ],
)
def test_where_the_threshold_lies(low: int | None, high: int | None, words: str) -> None:
    assert threshold_words(opinion(low=low, high=high)) == words


@pytest.mark.parametrize(
    ("low", "probability", "words"),
    [
        (4, 0.97, "4 holds, P = 0.97"),
        (4, 0.9999, "4 holds, P > 0.99"),
        (4, None, ""),
        (0, 1.0, ""),
        (None, None, ""),
    ],
)
def test_how_sure_that_is(low: int | None, probability: float | None, words: str) -> None:
    assert sure_words(opinion(low=low, probability=probability)) == words


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [
        (0, "about 10 s"), (42, "about 50 s"), (94, "about 100 s"), (96, "about 2 min"),
        (3600, "about 60 min"), (7860, "about 2 h 10 min"), (7200, "about 2 h"),
    ],
)  # fmt: skip
def test_a_time_nobody_knows_exactly_is_round(duration_s: float, words: str) -> None:
    assert about(duration_s) == words
