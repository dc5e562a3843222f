"""`harness size` as it is typed, on the committed baseline."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli.app import main
from harness.cli.size_options import (
    DurationTexts,
    Problems,
    by_workload,
    duration_in,
    durations_of,
    price_of,
    ratio_of,
    seconds_of,
    shares_of,
    sizes_of,
)

pytestmark = pytest.mark.unit

Size = Callable[..., int]


@pytest.fixture
def size(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Size:
    """Run the command on the baseline, 200 runs/h of 45 s unless said otherwise."""
    monkeypatch.setenv("COLUMNS", "140")

    def run(*options: str, usual: bool = True) -> int:
        often = ["--runs-per-hour", "200", "--duration", "45s"] if usual else []
        baseline = str(repo_root / "results/baselines/quick-compose")
        with pytest.raises(SystemExit) as ended:
            main(["size", *often, "--results", baseline, *options])
        return int(ended.value.code or 0)

    return run


def test_the_first_line_is_the_answer(size: Size, capsys: pytest.CaptureFixture[str]) -> None:
    assert size("--paste") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "Ship 1 × 1vcpu-2gb: DAGSTER_GRPC_MAX_WORKERS=4, max_concurrent_runs=12; $36.04 a month, "
        "$0.25 per 1,000 runs (predicted)."
    )
    order = ["Why", "What was looked at", "The sizing guide's rules", "What this cannot know",
             "To paste", "dagster_cloud.yaml"]  # fmt: skip
    places = [next(n for n, line in enumerate(lines) if line.startswith(w)) for w in order]
    assert places == sorted(places)


def test_files_are_named_and_not_printed_unless_asked_for(
    size: Size, capsys: pytest.CaptureFixture[str]
) -> None:
    assert size() == 0
    out = capsys.readouterr().out
    assert "- dagster_cloud.yaml: " in out
    assert "locations:" not in out


def test_the_defaults_find_the_baseline_below_the_root(
    repo_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "results"
    root.mkdir()
    (root / "baselines").symlink_to(repo_root / "results/baselines")
    with pytest.raises(SystemExit) as ended:
        main(["size", "--runs-per-hour", "200", "--duration", "45s", "--root", str(root)])
    assert ended.value.code == 0
    assert "baseline quick-compose" in " ".join(capsys.readouterr().out.split())


def test_json_is_the_document_alone(size: Size, capsys: pytest.CaptureFixture[str]) -> None:
    assert size("--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert document["choice"]["profile"] == "1vcpu-2gb"
    assert document["choice"]["per_month"] == pytest.approx(36.04, abs=0.005)


def test_markdown_begins_with_the_answer(size: Size, capsys: pytest.CaptureFixture[str]) -> None:
    assert size("--format", "markdown") == 0
    assert capsys.readouterr().out.startswith("## Ship 1 × 1vcpu-2gb: ")


def test_a_mix_with_growth_costs_more(size: Size, capsys: pytest.CaptureFixture[str]) -> None:
    mix = ("--runs-per-hour", "200", "--mix", "io=70%,cpu=0.2,mixed=0.1", "--duration", "45s",
           "--duration", "cpu=2m", "--growth", "50%", "--json")  # fmt: skip
    assert size(*mix, usual=False) == 0
    document = json.loads(capsys.readouterr().out)
    assert [part["share"] for part in document["demand"]["parts"]] == [0.7, 0.2, 0.1]
    assert [part["duration"]["mean_s"] for part in document["demand"]["parts"]] == [45, 120, 45]
    assert document["demand"]["growth"] == 1.5
    assert document["choice"]["per_month"] > 100


def test_what_nothing_holds_is_a_breach(size: Size, capsys: pytest.CaptureFixture[str]) -> None:
    assert size("--slo", "launch_s_p95=2") == 1
    out = capsys.readouterr().out
    assert out.startswith("Nothing to ship: ")
    assert "To paste" not in out


def test_results_that_support_no_answer_are_inconclusive(
    size: Size, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert size("--workload", "frob") == 2
    assert "Measured there: cpu, io, mixed." in capsys.readouterr().err


def test_every_problem_is_told_at_once(size: Size, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ("--runs-per-hour", "-5", "--duration", "soon", "--mix", "io=0.7,cpu=0.2",
             "--burst", "0.5", "--growth", "much", "--slo", "foo=3", "--price", "vcpu=x",
             "--region", "mars", "--max-replicas", "0", "--dagster", "new", "--per-run-mib", "q",
             "--format", "xml", "--image", "")  # fmt: skip
    assert size(*wrong, usual=False) == 2
    told = capsys.readouterr().err
    for words in ("runs per hour", "--duration soon", "add up to 1", "burst", "--growth much",
                  "--slo foo=3", "objectives: no_oom, failed_runs,", "--price vcpu=x", "'mars'",
                  "--max-replicas 0", "--dagster new",
                  "--per-run-mib q", "--format xml", "--image"):  # fmt: skip
        assert words in told
    assert told.count("--duration soon") == 1
    assert "harness size --runs-per-hour 200 --duration 45s" in told


def test_files_to_paste_are_written_once(
    size: Size, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "ship" / "it"
    emit = ("--emit", str(folder), "--image", "etl:3", "--location", "etl", "--json")
    assert size(*emit) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["shipping"]["image"] == "etl:3"
    assert "ship" in told.err
    written = {each.name: each.read_text() for each in folder.iterdir()}
    assert {"dagster_cloud.yaml", "dagster.yaml"} <= set(written)
    assert '"etl:3"' in written["dagster_cloud.yaml"]
    assert size(*emit) == 2
    assert "Nothing was written" in capsys.readouterr().err
    assert {each.name: each.read_text() for each in folder.iterdir()} == written


def test_where_nothing_holds_no_file_is_written(size: Size, tmp_path: Path) -> None:
    folder = tmp_path / "ship"
    assert size("--emit", str(folder), "--slo", "launch_s_p95=2") == 1
    assert not folder.exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45s", 45), ("45", 45), ("0.5", 0.5), ("2m", 120), ("2min", 120), ("1h30m", 5400),
        ("1h 2m 3s", 3723), ("500ms", 0.5), (" 1.5 H ", 5400), ("soon", None), ("", None),
        ("-5", -5), ("5x", None), ("m", None), ("inf", None), ("1m1h", None),
    ],
)  # fmt: skip
def test_durations_as_people_write_them(text: str, expected: float | None) -> None:
    assert seconds_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1.5", 1.5), ("50%", 1.5), ("0%", 1), ("-10%", 0.9), ("x", None)]
)
def test_growth_as_a_factor_or_as_more(text: str, expected: float | None) -> None:
    found = ratio_of(text)
    assert found == (expected if expected is None else pytest.approx(expected))


def noted(call: Callable[[Problems], Any]) -> tuple[Any, str]:
    problems = Problems()
    return call(problems), " / ".join(problems.told)


def test_without_a_mix_all_runs_are_of_one_kind() -> None:
    assert noted(lambda p: shares_of("io", "", p)) == ({"io": 1.0}, "")


@pytest.mark.parametrize("mix", ["io", "io=x", "=0.5", "io=0.5,io=0.5"])
def test_a_mix_that_cannot_be_meant_is_noted(mix: str) -> None:
    assert f"--mix {mix}" in noted(lambda p: shares_of("io", mix, p))[1]


def test_a_value_is_for_one_kind_or_for_all_others() -> None:
    found, told = noted(lambda p: by_workload("--d", ["1", "cpu=2"], ["io", "cpu", "mixed"], p))
    assert found == {"io": "1", "mixed": "1", "cpu": "2"}
    assert told == ""
    assert "frob is not among" in noted(lambda p: by_workload("--d", ["frob=1"], ["io"], p))[1]
    assert "given for all already" in noted(lambda p: by_workload("--d", ["1", "2"], ["io"], p))[1]


def test_every_kind_needs_a_duration() -> None:
    texts = DurationTexts(mean=["io=45s"], p95=["io=2m"])
    found, told = noted(lambda p: durations_of(texts, ["io", "cpu"], p))
    assert (found["io"].mean_s, found["io"].p95_s) == (45, 120)
    assert told == "--duration: how long do runs of cpu take? --duration cpu=45s"


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "runs.csv"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("\n".join(str(n) for n in range(1, 21)), ""),
        ("seconds\n" + "\n".join(f"{n}s" for n in range(1, 21)) + "\n\n", ""),
        ("job,took\n" + "\n".join(f"etl,{n}" for n in range(1, 21)), ":took"),
    ],
)
def test_durations_from_a_file(file: Callable[[str], Path], text: str, column: str) -> None:
    found, told = noted(lambda p: duration_in(f"{file(text)}{column}", p))
    assert told == ""
    assert (found.mean_s, found.p95_s) == (10.5, 19)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("job,took\netl,5", "", "runs.csv:took; it has job, took"),
        ("job,took\netl,5", ":frob", "name one of its columns"),
        ("1,45\n2,46", ":2", "its columns have no names"),
        ("5\nsoon\n", "", "line 2: 'soon' is no duration"),
        ("job,took\n\netl", ":took", "line 3: '' is no duration"),
        ("5\n-1\n", "", "is no duration"),
        ("seconds\n", "", "there is no duration in it"),
        ("", "", "nothing in it"),
    ],
)
def test_a_file_that_says_no_durations_is_noted(
    file: Callable[[str], Path], text: str, column: str, words: str
) -> None:
    found, told = noted(lambda p: duration_in(f"{file(text)}{column}", p))
    assert found is None
    assert words in told


def test_a_file_that_is_not_there_is_noted(tmp_path: Path) -> None:
    found, told = noted(lambda p: duration_in(str(tmp_path / "none.csv"), p))
    assert found is None
    assert "cannot be read" in told


def test_a_file_and_a_duration_contradict_each_other(size: Size, tmp_path: Path) -> None:
    path = tmp_path / "runs.txt"
    path.write_text("40\n50\n")
    assert size("--duration-file", str(path)) == 2
    alone = ("--runs-per-hour", "200", "--duration-file", str(path), "--json")
    assert size(*alone, usual=False) == 0
    assert size(*alone, "--duration-p95", "60s", usual=False) == 2


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--growth", "-100%", "growth must be above 0, not 0"),
        ("--price", "vcpu=0,gib=0", "vcpu must cost something"),
        ("--max-replicas", "100000", "--max-replicas 100000: 1 to 100"),
        ("--workload", "", "--workload: it needs a name"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    size: Size, capsys: pytest.CaptureFixture[str], option: str, value: str, words: str
) -> None:
    assert size(option, value) == 2
    assert words in capsys.readouterr().err


def test_sizes_and_prices() -> None:
    assert noted(lambda p: sizes_of(["350", "cpu=500"], ["io", "cpu"], p)) == (
        {"io": 350.0, "cpu": 500.0}, "",
    )  # fmt: skip
    assert "above 0" in noted(lambda p: sizes_of(["0"], ["io"], p))[1]
    assert noted(lambda p: price_of("vcpu=0.04, gib=0.004", p)) == (
        {"vcpu": 0.04, "gib": 0.004},
        "",
    )
    assert noted(lambda p: price_of("", p)) == ({}, "")
    for text in ("cpu=1", "vcpu", "vcpu=-1", "vcpu=0,gib=0"):
        assert "--price" in noted(lambda p, text=text: price_of(text, p))[1]


def test_the_help_teaches_by_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["size", "--help"])
    assert ended.value.code == 0
    assert "harness size --runs-per-hour 200 --duration 45s" in " ".join(
        capsys.readouterr().out.split()
    )
