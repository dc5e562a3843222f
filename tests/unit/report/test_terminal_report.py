from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.analysis.findings.document import Findings, findings_of
from harness.campaign.plan import Campaign, Workload
from harness.campaign.profiles import Profile
from harness.report.terminal import FEW_MARK, LIMIT_MARK, render

pytestmark = pytest.mark.unit

WIDTHS = [60, 80, 116, 200]


def text_of(findings: Findings, width: int = 120, *, steps: bool = True) -> str:
    out = io.StringIO()
    render(findings, Console(file=out, width=width), steps=steps)
    return out.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_window(width: int, everything: Findings) -> None:
    lines = text_of(everything, width).splitlines()
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_a_pipe_gets_no_control_codes(width: int, everything: Findings) -> None:
    text = text_of(everything, width)
    assert not [c for c in text if ord(c) < 32 and c != "\n"]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_word_is_cut_off(width: int, everything: Findings) -> None:
    text = text_of(everything, width)
    assert "…" not in text
    for cell in everything.cells:
        for step in cell.steps:
            for name in step.broken if step.verdict == "fail" else ():
                assert name in text


def test_a_terminal_gets_colours(bracketed: Findings) -> None:
    out = io.StringIO()
    render(bracketed, Console(file=out, width=120, force_terminal=True, color_system="standard"))
    assert "\x1b[" in out.getvalue()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_kind_of_answer_is_said_in_words(width: int, everything: Findings) -> None:
    text = flat(text_of(everything, width))
    for words in ("(90 %: 4 to 6)", "≥ 10", "< 1", "(invalid"):
        assert words in text


@pytest.mark.parametrize("width", [116, 160])
def test_a_wide_table_keeps_every_column(width: int, bracketed: Findings) -> None:
    text = flat(text_of(bracketed, width))
    for words in ("worker_pool", "launch_s_p95", "14 s, limit 10", "(90 %:", "(100 to 100)"):
        assert words in text
    assert "runs" in text.split("cell", 1)[1]


@pytest.mark.parametrize("width", [60, 80])
def test_what_broke_is_shown_against_its_limit(width: int, bracketed: Findings) -> None:
    text = flat(text_of(bracketed, width))
    assert "broke: launch_s_p95 14 s, limit 10 s" in text
    assert "first failing: 8" in text
    assert "max_concurrent_runs 4" in text
    assert "memory a run: 100 MiB (100 to 100)" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_doubts_stand_above_everything_they_void(width: int, everything: Findings) -> None:
    text = text_of(everything, width)
    assert "generator_late" in text
    last_doubt = max(text.index(issue.code) for issue in everything.validity)
    assert last_doubt < text.index("(invalid")
    assert last_doubt < text.index("pass")


def test_fatal_doubts_come_before_warnings(everything: Findings) -> None:
    text = text_of(everything)
    assert text.index("fatal:") < text.index("warning:")


@pytest.mark.parametrize("width", WIDTHS)
def test_unenforced_limits_are_said_in_the_first_lines(width: int, unenforced: Findings) -> None:
    assert flat(text_of(unenforced, width)).startswith(LIMIT_MARK)


def test_enforced_limits_need_no_mark(bracketed: Findings) -> None:
    assert LIMIT_MARK not in flat(text_of(bracketed))


@pytest.mark.parametrize("width", [60, 120])
def test_a_percentile_of_few_values_is_marked_and_explained(
    width: int, bracketed: Findings
) -> None:
    text = flat(text_of(bracketed, width))
    assert "10 ms*" in text
    assert FEW_MARK in text


def test_the_steps_can_be_left_out(bracketed: Findings) -> None:
    assert "slowdown" in text_of(bracketed)
    assert "slowdown" not in text_of(bracketed, steps=False)


def test_words_in_brackets_are_printed_and_not_read_as_style(bracketed: Findings) -> None:
    issue = "[bold]not a style[/bold]"
    cell = bracketed.cells[0]
    capacity = type(cell.capacity)(
        concurrency=4, low=4, high=7, first_failing=8, status="bracketed", evidence=(issue,)
    )
    from dataclasses import replace

    changed = replace(bracketed, cells=(replace(cell, capacity=capacity),))
    assert issue in text_of(changed)


def test_an_empty_campaign_says_so() -> None:
    campaign = Campaign(
        name="empty",
        profiles=(Profile(name="1vcpu-2gb", vcpu=1, memory_mib=2048),),
        workloads=(Workload(name="io"),),
    )
    assert "No cell was measured." in text_of(findings_of(campaign, {}, []))
