"""What a person, or a log, sees while a campaign runs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.cli.progress import LiveListener, PlainListener, choose_listener
from harness.facts.model import Phase, Run, Step
from harness.rig.protocols import Progress, StepOrder

pytestmark = pytest.mark.unit

ORDER = StepOrder(kind="load", concurrency=8, repetition=1, reason="rung")
STEP = Step(
    index=1, kind="load", concurrency=8, repetition=1, reason="rung",
    phases=(Phase(name="hold", start_s=0, end_s=31),), outcome="aborted",
    outcome_detail="code-server-1 died with exit code 137", kernel_peak_bytes=512 * 2**20,
)  # fmt: skip
RUNS = [
    Run(step=1, user=n, run_id=str(n), intended_s=0, sent_s=0, status=status)
    for n, status in enumerate(["SUCCESS", "SUCCESS", "LOST"])
]


def watch(listener: PlainListener) -> None:
    with listener:
        listener.cell_started("cell", 1, 2)
        listener.step_started(ORDER, 30.0)
        listener.progress(Progress(phase="hold", in_flight=8, sent=9, completed=1, failed=0))
        listener.step_done(STEP, RUNS)
        listener.cell_done("cell", "the ladder is at its end")


def test_a_log_gets_one_plain_line_a_step() -> None:
    stream = io.StringIO()
    watch(PlainListener(Console(file=stream, width=40)))
    assert stream.getvalue().splitlines() == [
        "[1/2] cell",
        "  8 at once: 2 succeeded, 1 lost in 31 s, peak 512 MiB — "
        "code-server-1 died with exit code 137",
        "  cell: the ladder is at its end",
    ]


def test_a_pipe_gets_no_control_codes() -> None:
    stream = io.StringIO()
    watch(choose_listener(Console(file=stream)))
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_of_any_width_gets_a_moving_line_and_then_the_same_lines(width: int) -> None:
    stream = io.StringIO()
    listener = choose_listener(Console(file=stream, force_terminal=True, width=width))
    assert isinstance(listener, LiveListener)
    watch(listener)
    assert "8 at once: 2 succeeded" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("\x1b[?25h"), "the cursor is shown again"
