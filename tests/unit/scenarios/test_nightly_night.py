"""One night after the other, in simulated time: what is asked, what is told, which exit code."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from factory_nightly import (
    FOLDER,
    NEWEST,
    SECRET,
    World,
    alarm_of,
    entry_at,
    figure,
    findings_of,
    plainly,
    raising,
    stored,
)

from harness.analysis.history.types import Annotation
from harness.errors import (
    CampaignError,
    EnvironmentProblem,
    ExitCode,
    GeneratorFailed,
    HarnessError,
    Interrupted,
    TargetFailed,
)
from harness.scenarios.nightly.mark import read_mark
from harness.scenarios.nightly.night import night
from harness.scenarios.nightly.webhook import Webhook
from harness.units import GIB

pytestmark = pytest.mark.unit

SCHEMA = Path(__file__).parents[3] / "results/nightly.schema.json"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(root=tmp_path / "results").install(monkeypatch)


def test_a_night_in_which_nothing_is_worse_is_green_and_tells_so_in_three_formats(
    world: World,
) -> None:
    world.before = (entry_at(2), entry_at(1))
    summary = world.night()
    assert (summary.status, summary.exit_code) == ("green", ExitCode.PASS)
    assert summary.headline == (
        "GREEN: nothing is worse for sure in 2 gating figures, held against Dagster 1.13.27 of the "
        "same night and 2 earlier nights."
    )
    assert stored(world) == stored(world, inside=True) == plainly(summary)
    for text in ("nightly-nightly.md", f"{FOLDER}/nightly.md"):
        assert summary.headline in (world.root / text).read_text(encoding="utf-8")
    for text in ("nightly-nightly.xml", f"{FOLDER}/nightly.xml"):
        root = ET.parse(world.root / text).getroot()
        assert (root.get("failures"), root.get("errors")) == ("0", "0")


def test_things_are_done_in_an_order_that_spoils_nothing(world: World) -> None:
    world.night(webhook=Webhook(url=SECRET))
    assert [call.split()[0] for call in world.calls] == [
        "remove_abandoned", "check_root", "pin", "measure", "judge", "judge", "entries", "alarms",
        "history", "compare", "keep_comparison", "write_reports", "write_trends", "prune", "post",
    ]  # fmt: skip


def test_a_regression_is_red_and_says_what_by_how_much_since_when_and_with_what(
    world: World,
) -> None:
    good, first = entry_at(3, subject="1.13.28"), entry_at(2, figures=(figure(1.11),))
    world.before = (good, first, entry_at(1, figures=(figure(1.12),)))
    world.tonight = {"figures": (figure(1.12),)}
    world.said = (alarm_of(1.12, nights=3), alarm_of(key="base_mib"))
    world.annotations = (
        Annotation(folder=first.folder, at_s=0, what="dagster", before="1.13.28", now=NEWEST),
    )
    summary = world.night()
    assert (summary.status, summary.exit_code) == ("red", ExitCode.BREACH)
    assert summary.headline == (
        "RED: launch CPU, io on 1 vCPU / 2 GiB: +12 % (+8.6 to +15) over 3 nights, since "
        f"the night of 2026-11-23, with Dagster 1.13.28 → {NEWEST}."
    )
    bisect = (
        f"harness bisect --good 1.13.28 --bad {NEWEST} --metric launch_cpu_s --workload io "
        "--profile 1vcpu-2gb"
    )
    assert summary.series[0].bisect == bisect
    assert bisect in (world.root / "nightly-nightly.md").read_text(encoding="utf-8")
    suites = ET.parse(world.root / "nightly-nightly.xml").getroot()
    (failure,) = suites.iter("failure")
    assert bisect in (failure.text or "")


def test_failed_runs_where_there_were_none_are_a_regression(world: World) -> None:
    world.judged = findings_of(world.plan(), broke={(NEWEST, 3): "failed_runs"})
    summary = world.night()
    assert summary.exit_code == ExitCode.BREACH
    assert summary.headline.startswith("RED: failed runs at 3 runs, ")
    assert {breach.slo for breach in summary.breaches} == {"failed_runs"}


def test_the_first_night_of_a_single_version_is_green_and_says_that_nothing_was_compared(
    world: World,
) -> None:
    world.said = ()
    world.judged = findings_of(world.plan("dagster=[1.13.27]", "baseline=null"))
    summary = world.night("dagster=[1.13.27]", "baseline=null")
    assert summary.exit_code == ExitCode.PASS
    assert summary.headline == (
        "GREEN: nothing is worse for sure, but nothing could be compared yet: it is the first "
        "night."
    )
    assert "compare" not in world.calls


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EnvironmentProblem("The index cannot be read."), ExitCode.ENVIRONMENT),
        (CampaignError("There is no such release."), ExitCode.BAD_INPUT),
    ],
)
def test_what_keeps_a_night_from_beginning_is_told_all_the_same(
    world: World, error: HarnessError, code: ExitCode
) -> None:
    world.fail["pin"] = raising(error)
    summary = world.night(webhook=Webhook(url=SECRET))
    assert (summary.status, summary.exit_code) == ("grey", code)
    assert summary.headline == f"GREY: {error.what}"
    assert stored(world)["folder"] is None
    assert [payload["status"] for payload in world.posted] == ["grey"]
    assert not any(call.startswith("measure") for call in world.calls)


def test_a_budget_that_cannot_be_kept_is_bad_input_and_nothing_is_started(world: World) -> None:
    summary = world.night(budget_s=60.0)
    assert summary.exit_code == ExitCode.BAD_INPUT
    assert "does not fit into 60 s" in summary.headline
    assert not any(call.startswith("measure") for call in world.calls)


def test_a_night_that_is_too_long_is_shortened_and_says_so(world: World) -> None:
    summary = world.night(budget_s=1200.0)
    assert summary.exit_code == ExitCode.PASS
    assert summary.shortened[0].startswith("3 instead of 4 repetitions")
    assert summary.shortened[0] in (world.root / "nightly-nightly.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("error", [TargetFailed("It never came up."), GeneratorFailed("It died.")])
def test_a_target_that_fails_is_no_regression(world: World, error: HarnessError) -> None:
    world.complete = 3
    world.fail["measure"] = raising(error)
    summary = world.night()
    assert (summary.status, summary.exit_code) == ("grey", ExitCode.TARGET)
    assert summary.folder == FOLDER
    assert len(summary.series) == 2
    assert summary.commands.resume == f"harness resume {world.root / FOLDER}"


def test_what_is_worse_for_sure_stays_so_when_the_night_breaks_off_later(world: World) -> None:
    world.said = (alarm_of(1.2),)
    world.fail["measure"] = raising(TargetFailed("The engine is gone."))
    summary = world.night()
    assert summary.exit_code == ExitCode.BREACH
    assert summary.headline.endswith("The night broke off: The engine is gone.")


def test_a_fault_of_ours_while_measuring_is_told_and_is_no_pass(world: World) -> None:
    world.fail["measure"] = raising(ZeroDivisionError("of something"))
    summary = world.night()
    assert summary.exit_code == ExitCode.TARGET
    assert summary.trouble
    assert summary.trouble.evidence.startswith(
        "ZeroDivisionError: of something (factory_nightly.py, line "
    )


def test_a_night_without_a_valid_step_says_nothing_about_the_server(world: World) -> None:
    world.judged = findings_of(world.plan(), void=True)
    summary = world.night("nightly.retries=0")
    assert (summary.status, summary.exit_code) == ("grey", ExitCode.INCONCLUSIVE)


@pytest.mark.parametrize("part", ["entries", "alarms"])
def test_a_night_that_could_not_be_held_against_others_is_never_green(
    world: World, part: str
) -> None:
    world.fail[part] = raising(ValueError("a damaged index"))
    summary = world.night()
    assert (summary.status, summary.exit_code) == ("grey", ExitCode.INCONCLUSIVE)
    assert "a damaged index" in summary.headline


def test_a_night_that_could_not_be_judged_is_never_green(world: World) -> None:
    world.fail["judge"] = raising(ValueError("a number that is none"))
    summary = world.night()
    assert summary.exit_code == ExitCode.INCONCLUSIVE
    assert any("a number that is none" in failure for failure in summary.failures)


@pytest.mark.parametrize(
    "part",
    ["write_reports", "write_trends", "prune", "compare", "keep_comparison", "history", "post"],
)
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyError("x")])
def test_what_fails_after_measuring_is_told_and_changes_no_verdict(
    world: World, part: str, error: Exception
) -> None:
    world.fail[part] = raising(error)
    summary = world.night(webhook=Webhook(url=SECRET))
    assert summary.exit_code == ExitCode.PASS
    assert len(summary.failures) == 1
    assert stored(world)["failures"] == list(summary.failures)
    assert "Went wrong after measuring" in (world.root / "nightly-nightly.md").read_text()


def test_pinned_results_that_must_not_be_compared_are_named_and_no_error(world: World) -> None:
    world.fail["compare_pinned"] = raising(
        CampaignError("These results must not be compared.", evidence="host CPU: 2 → 4")
    )
    summary = world.night(pinned=Path("results/20260101T000000Z-nightly"))
    assert summary.exit_code == ExitCode.PASS
    refused = summary.comparisons[-1]
    assert (refused.verdict, refused.differences) == ("refused", ("host CPU: 2 → 4",))
    assert "host CPU: 2 → 4" in (world.root / "nightly-nightly.md").read_text(encoding="utf-8")


def test_pinned_results_stand_beside_tonight_version_by_version(world: World) -> None:
    summary = world.night(pinned=Path("results/20260101T000000Z-nightly"))
    asked = [call for call in world.calls if call.startswith("compare_pinned")]
    assert asked == [f"compare_pinned 1.13.28 {NEWEST}", "compare_pinned 1.13.27 1.13.27"]
    assert [each.file for each in summary.comparisons] == [
        "comparison.json", "pinned/comparison.json", "pinned/comparison.json"
    ]  # fmt: skip


def test_an_interrupted_night_is_held_against_nothing_and_may_go_on(world: World) -> None:
    world.complete = 5
    world.fail["measure"] = raising(Interrupted("Interrupted; everything was taken down."))
    summary = world.night()
    assert (summary.status, summary.exit_code) == ("grey", ExitCode.INTERRUPTED)
    assert "alarms" not in " ".join(world.calls)
    mark = read_mark(world.root, "nightly")
    assert mark
    assert not mark.ended


def test_ctrl_c_while_it_is_judged_still_gets_a_summary(world: World) -> None:
    world.fail["alarms"] = raising(KeyboardInterrupt())
    summary = world.night()
    assert summary.exit_code == ExitCode.INTERRUPTED
    assert stored(world)["status"] == "grey"


def test_sigterm_ends_a_night_like_ctrl_c_wherever_it_is(world: World) -> None:
    before = signal.getsignal(signal.SIGTERM)
    world.fail["write_reports"] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    assert world.night().exit_code == ExitCode.INTERRUPTED
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_night_does_not_begin_and_says_who_is_at_work(world: World) -> None:
    def second() -> None:
        with pytest.raises(EnvironmentProblem, match="Another night is at work") as caught:
            night(world.order("name=other"), listener=world.listener)
        assert f"process {os.getpid()}: night nightly, since 2026-11-25 02:00 UTC" in (
            caught.value.evidence
        )
        assert not (world.root / "nightly-other.json").exists()

    world.fail["measure"] = second
    assert world.night().exit_code == ExitCode.PASS


def test_a_lock_that_cannot_be_made_is_not_taken_for_another_night(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_LOAD_HARNESS_STATE", "/proc/nowhere")
    with pytest.raises(EnvironmentProblem, match="The lock file cannot be written"):
        world.night()


def test_the_lock_is_free_after_a_night(world: World) -> None:
    world.night()
    world.now += 86400
    assert world.night().exit_code == ExitCode.PASS


def test_a_busy_machine_is_a_remark(world: World) -> None:
    world.found = replace(world.found, load1=1.4, memory_available_bytes=3 * GIB)
    summary = world.night()
    assert summary.exit_code == ExitCode.PASS
    assert "load average 1.4 on 2 CPUs" in summary.remarks[0]
    assert "Memory was tight" in summary.remarks[1]


def test_what_a_crash_left_running_is_removed_first_and_told(world: World) -> None:
    world.abandoned = ("compose dlh-1: removed (4)",)
    assert world.night().left == ("left running: compose dlh-1: removed (4)",)
    assert world.calls.index("remove_abandoned") < world.calls.index("pin")


def test_a_full_disk_is_helped_by_retention_first(world: World) -> None:
    world.old = ("20260101T000000Z-nightly",)
    world.free = [1.0 * GIB, 3.0 * GIB]
    summary = world.night()
    assert summary.exit_code == ExitCode.PASS
    assert summary.pruned[0] == "20260101T000000Z-nightly"
    assert world.calls.index("prune 30") < world.calls.index("pin")


def test_a_disk_that_stays_full_is_the_environments_fault(world: World) -> None:
    world.free = [1.0 * GIB]
    summary = world.night()
    assert summary.exit_code == ExitCode.ENVIRONMENT
    assert summary.headline == "GREY: There is not enough room for a night."
    assert summary.trouble
    assert "1 GiB free, 2 GiB needed" in summary.trouble.evidence


def test_retention_spares_other_campaigns_the_pinned_night_and_tonight(world: World) -> None:
    mine = ["20260101T000000Z-nightly", "20260102T000000Z-nightly"]
    world.old = (*mine, "20260101T000000Z-quick", "20260101T000000Z-nightly-long")
    for name in world.old:
        (world.root / name).mkdir(parents=True)
    world.before = tuple(entry_at(9 - n, folder=name) for n, name in enumerate(mine))
    assert world.night(pinned=world.root / mine[1]).pruned == (mine[0],)


def test_the_newest_release_may_be_the_pinned_one(world: World) -> None:
    summary = world.night(f"dagster=[{NEWEST}, latest]", f"baseline={NEWEST}")
    assert (summary.dagster, summary.baseline) == ((NEWEST,), "")
    assert f"latest is {NEWEST}" in summary.remarks[0]


def test_figures_that_cannot_tell_are_told_with_the_reason(world: World) -> None:
    silent = alarm_of(None, key="base_mib", why="one round, and no nights before")
    world.said = (alarm_of(), silent, alarm_of(1.02, key="launch_s@3", verdict="cannot_tell"))
    summary = world.night()
    assert "(2 of them cannot tell)" in summary.headline
    assert "1 figure: one round, and no nights before" in summary.unknown
    skipped = list(ET.parse(world.root / "nightly-nightly.xml").getroot().iter("skipped"))
    assert len(skipped) == 2


def test_the_campaigns_own_wishes_reach_the_alarms(world: World) -> None:
    world.before = tuple(entry_at(20 - n) for n in range(20))
    summary = world.night("nightly.nights=7", "nightly.gates=[probe_s]")
    assert "alarms 21 7 probe_s" in world.calls
    assert summary.nights == 7


def test_better_is_worth_a_word(world: World) -> None:
    world.said = (alarm_of(0.9, verdict="better"),)
    assert "Better: launch CPU, io on 1 vCPU / 2 GiB: -10 % (-13 to -7.3)" in world.night().headline
