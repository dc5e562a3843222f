"""A bisection round by round, with rounds that measure nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from factory_bisect import FakeRounds, plan, record
from fakes import Clock
from rich.console import Console

from harness.analysis.bisecting.types import BisectFinding
from harness.errors import (
    CampaignError,
    EnvironmentProblem,
    ExitCode,
    HarnessError,
    Interrupted,
    StoredDataError,
    TargetFailed,
)
from harness.scenarios.bisecting import Budget, bisect, exit_code
from harness.scenarios.bisecting_plan import BisectPlan
from harness.watch.plain import PlainListener

pytestmark = pytest.mark.unit

ENOUGH_S = 6 * 3600


class Bisection:
    """One command, given as often as a test likes."""

    def __init__(self, root: Path, made: BisectPlan | None = None) -> None:
        self.plan = made or plan()
        self.record = record(self.plan, root)
        self.out = io.StringIO()

    def run(self, rounds: FakeRounds, budget_s: float = ENOUGH_S) -> BisectFinding:
        clock = Clock()
        rounds.pass_time = clock.sleep
        return bisect(
            self.plan, record=self.record, budget=Budget(budget_s, clock.time), rounds=rounds,
            listener=PlainListener(Console(file=self.out, width=200)),
        )  # fmt: skip

    @property
    def said(self) -> str:
        return self.out.getvalue()


@pytest.fixture
def bisection(tmp_path: Path) -> Bisection:
    return Bisection(tmp_path / "results")


def test_the_release_is_found_with_few_of_them(bisection: Bisection) -> None:
    found = bisection.run(FakeRounds())
    assert found.status == "found"
    assert (found.steps[0].after, found.steps[0].upto) == ("1.12.4", "1.12.5")
    assert len(found.measured) < 10
    assert exit_code(found) == ExitCode.PASS


def test_every_round_is_announced_and_what_it_said_is_told(bisection: Bisection) -> None:
    found = bisection.run(FakeRounds())
    lines = bisection.said.splitlines()
    assert sum(line.startswith("Round ") for line in lines) == len(found.rounds)
    assert lines[0].startswith("Round 1: 1.11.16, 1.13.28: do the two ends differ at all?; about ")
    assert any(line.startswith("  1.12.5: ") and "like 1.13.28" in line for line in lines)


def test_the_answer_is_kept_for_programs_and_people(bisection: Bisection) -> None:
    found = bisection.run(FakeRounds())
    stored = json.loads(bisection.record.path.read_text(encoding="utf-8"))
    assert stored["status"] == "found"
    assert stored["ended"] == found.ended == "the answer is sure"
    assert bisection.record.markdown.read_text(encoding="utf-8").startswith("## per_run_mib rose")


def test_equal_ends_leave_nothing_to_bisect(bisection: Bisection) -> None:
    found = bisection.run(FakeRounds(ratio=1.0))
    assert found.status == "same"
    assert found.steps == ()
    assert {each.release for each in found.measured} == {"1.11.16", "1.13.28"}
    assert exit_code(found) == ExitCode.INCONCLUSIVE


def test_a_killed_bisection_goes_on_where_it_was_and_comes_to_the_same(tmp_path: Path) -> None:
    whole = Bisection(tmp_path / "whole").run(FakeRounds())
    for at in range(2, len(whole.rounds) + 1):
        broken = Bisection(tmp_path / f"killed-{at}")
        with pytest.raises(KeyboardInterrupt):
            broken.run(FakeRounds(error_at={at: KeyboardInterrupt()}))  # type: ignore[dict-item]
        again = Bisection(tmp_path / f"killed-{at}")
        rounds = FakeRounds()
        assert again.run(rounds) == whole
        assert len(rounds.asked) == len(whole.rounds) - at + 1
        assert again.said.startswith(f"Going on after {at - 1} round")


def test_a_finished_bisection_measures_nothing_when_asked_again(bisection: Bisection) -> None:
    found = bisection.run(FakeRounds())
    rounds = FakeRounds()
    assert bisection.run(rounds) == found
    assert rounds.asked == []


def test_out_of_time_it_says_what_is_known_and_goes_on_later(bisection: Bisection) -> None:
    cut = bisection.run(FakeRounds(), budget_s=1200)
    assert cut.status == "cannot_tell"
    assert "does not fit into 20 min; the same command goes on from here" in cut.ended
    assert sum(each.took_s for each in cut.rounds) <= 1200
    assert cut.steps[0].unmeasured
    assert exit_code(cut) == ExitCode.INCONCLUSIVE
    assert bisection.run(FakeRounds()).status == "found"


def test_a_budget_too_small_for_one_round_is_refused_before_anything(bisection: Bisection) -> None:
    rounds = FakeRounds()
    with pytest.raises(CampaignError, match="not enough for one") as refused:
        bisection.run(rounds, budget_s=60)
    assert refused.value.hint.startswith("Give it more time, for example --budget ")
    assert rounds.asked == []
    assert not bisection.record.path.exists()


def test_rounds_that_took_longer_than_planned_are_planned_as_they_took(
    bisection: Bisection,
) -> None:
    found = bisection.run(FakeRounds(cell_s=400), budget_s=3600)
    assert [len(each.releases) for each in found.rounds] == [2, 2, 2, 3]


def test_a_release_that_cannot_be_measured_is_skipped_and_a_neighbour_taken(
    bisection: Bisection,
) -> None:
    rounds = FakeRounds(broken=("1.12.4", "1.12.5"))
    found = bisection.run(rounds)
    assert found.status == "found"
    (step,) = found.steps
    assert (step.after, step.upto, step.unmeasured) == ("1.12.3", "1.12.6", ("1.12.4", "1.12.5"))
    assert {each.release for each in found.skipped} == {"1.12.4", "1.12.5"}
    assert found.skipped[0].why == "The image cannot be built. line 1"
    assert "Skipped 1.12.5: The image cannot be built." in bisection.said


def test_what_was_skipped_stays_so_when_it_goes_on(bisection: Bisection) -> None:
    bisection.run(FakeRounds(broken=("1.12.4", "1.12.5")))
    rounds = FakeRounds()
    assert len(bisection.run(rounds).skipped) == 2
    assert rounds.asked == []


def test_a_release_without_a_value_is_tried_again_and_then_skipped(bisection: Bisection) -> None:
    rounds = FakeRounds(silent=("1.12.5",))
    found = bisection.run(rounds)
    assert rounds.asked.count(("1.12.5",)) == 2
    assert [(each.release, each.why) for each in found.skipped] == [
        ("1.12.5", "no line through the steps' memory")
    ]


def test_an_end_without_a_value_ends_it_with_the_reason(bisection: Bisection) -> None:
    found = bisection.run(FakeRounds(silent=("1.11.16",)))
    assert found.status == "cannot_tell"
    assert "1.11.16: no line through the steps' memory" in found.ended


def test_three_releases_in_a_row_are_the_machines_fault(bisection: Bisection) -> None:
    between = plan().known.releases[1:-1]
    with pytest.raises(EnvironmentProblem, match="3 releases in a row") as failed:
        bisection.run(FakeRounds(broken=between))
    assert "The image cannot be built." in failed.value.evidence
    assert "3 rounds are kept" in failed.value.evidence
    assert bisection.run(FakeRounds()).skipped == ()


@pytest.mark.parametrize(
    "error", [TargetFailed("The database is gone.", evidence="exit 1", hint="Look."),
              EnvironmentProblem("No room is left.")],
)  # fmt: skip
def test_what_breaks_off_a_round_says_what_is_kept(
    bisection: Bisection, error: HarnessError
) -> None:
    with pytest.raises(type(error), match=error.what) as failed:
        bisection.run(FakeRounds(error_at={4: error}))
    assert failed.value.evidence.endswith(
        f"3 rounds are kept in {bisection.record.path}; the same command goes on after them."
    )
    assert failed.value.hint == error.hint


def test_an_interrupted_one_says_how_to_go_on(bisection: Bisection) -> None:
    stopped = Interrupted("Interrupted.", evidence="in results/x", hint="harness resume x")
    with pytest.raises(Interrupted) as failed:
        bisection.run(FakeRounds(error_at={3: stopped}))
    assert failed.value.hint.startswith("2 rounds are kept in ")


def test_rounds_of_another_question_are_not_gone_on_with(bisection: Bisection) -> None:
    bisection.run(FakeRounds())
    text = bisection.record.path.read_text(encoding="utf-8")
    bisection.record.path.write_text(text.replace('"loads": "1, 5"', '"loads": "1, 3"'))
    with pytest.raises(StoredDataError, match="another question") as refused:
        bisection.run(FakeRounds())
    assert "'loads': '1, 3'" in refused.value.evidence
    assert f"remove {bisection.record.path}" in refused.value.hint


def test_rounds_judged_by_another_method_are_not_either(bisection: Bisection) -> None:
    bisection.run(FakeRounds())
    text = bisection.record.path.read_text(encoding="utf-8")
    bisection.record.path.write_text(text.replace('"method": 2', '"method": 1'))
    with pytest.raises(StoredDataError) as refused:
        bisection.run(FakeRounds())
    assert "method: 1 before, 2 now" in refused.value.evidence


def test_a_damaged_record_is_refused_with_the_way_out(bisection: Bisection) -> None:
    bisection.record.path.parent.mkdir(parents=True)
    bisection.record.path.write_text("{", encoding="utf-8")
    with pytest.raises(StoredDataError, match="is damaged") as refused:
        bisection.run(FakeRounds())
    assert "Begin anew: remove " in refused.value.hint


def test_asked_the_other_way_round_it_goes_on_with_the_same_rounds(tmp_path: Path) -> None:
    Bisection(tmp_path).run(FakeRounds(), budget_s=1200)
    turned = Bisection(tmp_path, plan(good="1.13.28", bad="1.11.16"))
    rounds = FakeRounds()
    found = turned.run(rounds)
    assert found.status == "found"
    assert found.question.turned
    assert len(rounds.asked) < len(found.rounds)


def test_minors_alone_end_between_two_of_them(tmp_path: Path) -> None:
    found = Bisection(tmp_path, plan(only_minor="first")).run(FakeRounds())
    (step,) = found.steps
    assert (step.after, step.upto) == ("1.12.0", "1.13.0")
    assert len(step.unmeasured) == 22
    assert {each.release for each in found.measured} == {"1.11.16", "1.12.0", "1.13.0", "1.13.28"}
