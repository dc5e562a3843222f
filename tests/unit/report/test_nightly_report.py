"""A night in every format says the same, whatever its facts hold."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness.analysis.comparison.metrics import metric_of
from harness.analysis.history.types import Alarm, SeriesKey
from harness.report.nightly.junit import night_junit
from harness.report.nightly.markdown import MOST_ROWS, night_markdown
from harness.report.nightly.phrases import commands, headline
from harness.report.nightly.summary import (
    Breach,
    Commands,
    Compared,
    Retried,
    Series,
    Since,
    Summary,
    Trouble,
    nightly_json,
)
from harness.report.nightly.text import MOST_CHARACTERS, chat_text, night_lines

pytestmark = pytest.mark.unit

KIND = "io (requests 4) on 1 vCPU / 2 GiB, compose, direct feed, 6 workers"
FOLDER = "20261125T020000Z-nightly"
BISECT = "harness bisect --good 1.13.27 --bad 1.13.29 --metric launch_s@3"


def series(ratio: float | None = 1.1, *, key: str = "launch_s@3", **changes: Any) -> Series:
    red = ratio is not None and ratio > 1.05
    verdict: Any = "worse" if red else "cannot_tell" if ratio is None else "same"
    given: dict[str, Any] = {
        "key": SeriesKey(campaign="nightly", kind=KIND, key=key, role="subject", form="ratio"),
        "metric": metric_of(key), "nights": 1, "ratio": ratio, "low": ratio and ratio - 0.02,
        "high": ratio and ratio + 0.02, "p_adjusted": 0.002, "verdict": verdict, "red": red,
        "why": "so it was seen",
    }  # fmt: skip
    moved = Since(folder=FOLDER, started_utc="2026-11-25T02:00:00+00:00",
                  changed=("Dagster 1.13.28 → 1.13.29",))  # fmt: skip
    return Series(
        alarm=Alarm(**{**given, **changes}), since=moved if red else None,
        bisect=BISECT if red else "",
    )  # fmt: skip


def summary(**changes: Any) -> Summary:
    given: dict[str, Any] = {
        "status": "green", "headline": "", "exit_code": 0, "campaign": "nightly", "folder": FOLDER,
        "started_utc": "2026-11-25T02:00:00+00:00", "ended_utc": "2026-11-25T02:35:00+00:00",
        "lasted_s": 2100.0, "budget_s": 3600.0, "dagster": ("1.13.27", "1.13.29"),
        "baseline": "1.13.27", "nights": 9, "host": "2 CPUs, 8 GiB", "harness": "harness 0.5",
        "series": (series(1.0), series(1.01, key="base_mib")),
        "commands": Commands(report=f"harness report results/{FOLDER}",
                             reproduce=f"harness run results/{FOLDER}/campaign.yaml"),
    }  # fmt: skip
    made = Summary(**{**given, **changes})
    return made if made.headline else replace(made, headline=headline(made))


BREACH = Breach(kind=KIND, slo="no_oom", concurrency=3, dagster="1.13.29", steps=4, of=4, held=12,
                red=True, why="it held in 12 steps before")  # fmt: skip
RED = summary(
    status="red", exit_code=1, series=(series(1.05), series(1.2), series(1.3, key="base_mib")),
    breaches=(BREACH,), changed=("Dagster 1.13.28 → 1.13.29",),
    comparisons=(
        Compared(with_what="within the night", verdict="worse", sentence="worse in launch time.",
                 file="comparison.json"),
        Compared(with_what="20260101T000000Z-nightly", verdict="refused",
                 sentence="These results must not be compared.", differences=("host CPU: 2 → 4",)),
    ),
    shortened=("2 instead of 4 repetitions of every cell: about 18 min in all.",),
    retried=(Retried(cell="io_1", why="host_steal", again=True, outcome="valid now"),),
    unknown=("1 figure: not known tonight",), remarks=("The webhook could not be told.",),
    failures=("The reports could not be written: No space left",),
    left=("left running: compose dlh-1: removed (4)",), pruned=("20260901T020000Z-nightly",),
)  # fmt: skip
GREY = summary(
    status="grey", exit_code=3, folder=None, series=(), commands=Commands(),
    trouble=Trouble(what="No engine answers.", evidence="connection refused", hint="Start it."),
)  # fmt: skip


@pytest.mark.parametrize("night", [summary(), RED, GREY], ids=["green", "red", "grey"])
def test_the_first_line_of_everything_is_the_colour_and_why(night: Summary) -> None:
    colour = night.status.upper()
    assert night.headline.startswith(f"{colour}: ")
    assert next(iter(night_lines(night))) == night.headline
    assert f"**{night.headline}**" in night_markdown(night).replace("\\", "")
    assert night_markdown(night).startswith(f"## Night nightly: {colour}\n")
    assert chat_text(night).startswith(f"*Night nightly* {colour}: ")
    assert json.loads(nightly_json(night))["headline"] == night.headline


def test_what_must_never_break_is_told_before_figures_and_the_largest_first() -> None:
    assert RED.headline == (
        "RED: OOM kills at 3 runs, io on 1 vCPU / 2 GiB: in 4 of 4 steps of Dagster 1.13.29; it "
        "held in 12 steps before; idle server memory, io on 1 vCPU / 2 GiB: +30 % (+28 to +32), "
        "since tonight, with Dagster 1.13.28 → 1.13.29; and 1 more."
    )


@pytest.mark.parametrize("told", [lambda n: "\n".join(night_lines(n)), night_markdown, night_junit])
def test_everything_that_happened_is_in_every_text(told: Any) -> None:
    text = told(RED).replace("\\", "").replace("\u200b", "")
    for said in (
        "host CPU: 2 → 4", "2 instead of 4 repetitions", "io_1: host_steal: valid now",
        "1 figure: not known tonight", "The webhook could not be told", "No space left",
        "left running: compose dlh-1", "20260901T020000Z-nightly", "worse in launch time",
        "Dagster 1.13.29 beside 1.13.27", "35 min of 60 min", "2 CPUs, 8 GiB", BISECT,
    ):  # fmt: skip
        assert said in text


def test_what_did_not_happen_has_no_heading() -> None:
    text = night_markdown(summary())
    for heading in ("Broke off", "Shortened", "Measured again", "Went wrong", "Left by", "Remarks"):
        assert heading not in text


def test_a_gating_figure_is_a_test_case_with_a_name_that_stays() -> None:
    silent = series(None, key="base_mib")
    better = series(0.9, key="run_rss_mib@3", verdict="better")
    root = ET.fromstring(night_junit(summary(series=(series(), silent, better))))
    suite = root.find("testsuite[@name='nightly.nightly.figures']")
    assert suite is not None
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert list(cases) == [f"launch time p50 at 3 runs, {KIND}", f"idle server memory, {KIND}",
                           f"RSS of a run at work at 3 runs, {KIND}"]  # fmt: skip
    kinds = [[child.tag for child in case] for case in cases.values()]
    assert kinds == [["failure"], ["skipped", "system-out"], ["system-out"]]
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == [
        "4", "1", "0", "1"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("night", "failures", "errors"), [(summary(), 0, 0), (RED, 3, 0), (GREY, 0, 1)]
)
def test_failures_are_what_is_red_and_errors_what_is_grey(
    night: Summary, failures: int, errors: int
) -> None:
    root = ET.fromstring(night_junit(night))
    assert (root.get("failures"), root.get("errors")) == (str(failures), str(errors))
    assert all(suite.find("properties/property[@name='status']") is not None for suite in root)


def test_a_breach_that_proves_nothing_is_skipped() -> None:
    root = ET.fromstring(night_junit(summary(breaches=(replace(BREACH, red=False),))))
    assert (root.get("failures"), root.get("skipped")) == ("0", "1")


def test_a_grey_night_says_what_happened_what_was_seen_and_the_way_out() -> None:
    text = "\n".join(night_lines(GREY))
    assert "Broke off\n  No engine answers.\n  connection refused\n  Start it." in text


def test_what_to_type_next_is_told_once() -> None:
    assert commands(RED) == (
        f"harness report results/{FOLDER}", f"harness run results/{FOLDER}/campaign.yaml", BISECT
    )  # fmt: skip
    assert commands(GREY) == ()


NASTY = "a | b <script> @everyone `x` & \x00\x1b[31m\n# title *bold* ]]>"


def test_a_fact_can_break_no_format() -> None:
    night = summary(
        status="grey", exit_code=5, unknown=(NASTY,), failures=(NASTY,), host=NASTY,
        series=(series(None, why=NASTY),), trouble=Trouble(what=NASTY, evidence=NASTY),
    )  # fmt: skip
    ET.fromstring(night_junit(night))
    markdown = night_markdown(night)
    assert "<script>" not in markdown
    assert "@everyone" not in markdown
    assert "\x1b" not in markdown
    for line in night_lines(night):
        assert line.isprintable()
    chat = chat_text(night)
    assert "<" not in chat
    assert "&lt;script&gt;" in chat


def test_a_chat_gets_no_more_than_it_shows() -> None:
    many = tuple(series(1.1 + n / 100) for n in range(60))
    text = chat_text(summary(status="red", exit_code=1, series=many))
    assert len(text) <= MOST_CHARACTERS + 2
    assert text.endswith("…")


def test_a_long_night_stays_readable() -> None:
    many = tuple(series(1.1 + n / 100) for n in range(80))
    text = night_markdown(summary(status="red", exit_code=1, series=many,
                                  unknown=tuple(f"reason {n}" for n in range(90))))  # fmt: skip
    assert len(text.encode()) < 60_000
    assert f"and {90 - MOST_ROWS} more" in text
    assert f"All 80 gating figures, the first {MOST_ROWS}" in text


def test_there_is_no_number_that_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        nightly_json(summary(lasted_s=float("nan")))
