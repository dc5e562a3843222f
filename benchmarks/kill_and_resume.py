"""Does `harness resume` bring a campaign to the same end whenever it is killed?

A small real campaign is measured once in one go. Then, trial after trial, it is begun, killed with
signal 9 at a random moment and gone on with. Its record must have the shape of the unbroken one,
and nothing may be left running.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from harness.errors import ExitCode, HarnessError
from harness.facts.layout import CellFolder, ResultsFolder
from harness.facts.store import read_journal, read_results
from harness.rig.assets import state_dir
from harness.rig.cgroup.create import list_boxes
from harness.rig.environment import record_environment
from harness.rig.ledger import Ledger
from harness.rig.lock import campaign_lock
from harness.rig.target import engine

WHAT = "a campaign killed with signal 9 at a random moment and gone on with, against one in one go"
HARNESS = (sys.executable, "-m", "harness")
JUDGED = (ExitCode.PASS, ExitCode.BREACH, ExitCode.INCONCLUSIVE)
LONGEST_S = 900.0
GONE_WITHIN_S = 10.0
CAMPAIGN = """
name: kill-and-resume
profiles: 1vcpu-2gb
workloads:
  - {name: io, params: {requests: 2, wait_s: 0.5}, concurrencies: [1, 2]}
  - {name: cpu, params: {work_units: 3}, concurrencies: [1, 2]}
warmup_runs: 1
idle_s: 2
step: {ramp_s: 1, settle_s: 0, hold_s: 6, drain_s: 20}
search: ladder
slos: {launch_s_p95: 60, slowdown_p95: 50, probe_s_p99: 60, pool_queue: null, backlog_trend: null}
"""

Shape = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One kill. `recorded`: steps on disk of each cell then, the warm-up among them."""

    after_s: float
    under_way: str
    recorded: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One campaign, killed once or more, and how it ended. `problems` is empty when all is well.

    `kept`: what `resume` made of each cell, for each time it went on.
    """

    number: int
    kills: tuple[Kill, ...]
    kept: tuple[dict[str, str], ...] = ()
    took_s: float = 0.0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a trial happens: a folder with results and a state of its own."""

    root: Path
    target: str
    boxes: frozenset[str] = field(default_factory=lambda: frozenset(b.name for b in list_boxes()))

    @property
    def results(self) -> Path:
        """The results root."""
        return self.root / "results"

    def folder(self) -> ResultsFolder | None:
        """The newest results folder that knows its campaign."""
        known = sorted(path.parent for path in self.results.glob("*Z-*/campaign.yaml"))
        return ResultsFolder(known[-1]) if known else None

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start the command; what it says goes to a log."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "said.log").open("ab") as log:
            return subprocess.Popen(
                [*HARNESS, *words], cwd=self.root, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "DAGSTER_LOAD_HARNESS_STATE": str(self.root / "state")},
            )  # fmt: skip

    def begin(self) -> subprocess.Popen[bytes]:
        """Start the campaign."""
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "campaign.yaml").write_text(CAMPAIGN, encoding="utf-8")
        return self.start("run", "campaign.yaml", "--target", self.target, "--plain")

    def go_on(self, folder: ResultsFolder) -> subprocess.Popen[bytes]:
        """Go on with it."""
        return self.start("resume", str(folder.path), "--plain")


def shape_of(folder: ResultsFolder) -> Shape:
    """What must not depend on kills: each cell's end and its steps, the warm-ups left out."""
    return {
        facts.cell.id: {
            "sealed": facts.cell.sealed,
            "ended": facts.cell.ended,
            "steps": [
                [s.kind, s.concurrency, s.repetition] for s in facts.steps if s.kind != "warmup"
            ],
        }
        for facts in read_results(folder.path).cells
    }


def recorded_in(folder: ResultsFolder | None) -> dict[str, int]:
    """How many steps of each cell are on disk."""
    if folder is None or not folder.cells.exists():
        return {}
    return {path.name: _lines(CellFolder(path)) for path in sorted(folder.cells.iterdir())}


def under_way(folder: ResultsFolder | None) -> str:
    """What the journal says was done when the harness died."""
    if folder is None:
        return "nothing written yet"
    lines = [line for line in read_journal(folder) if line.get("kind") != "note"]
    if not lines:
        return "starting the first server"
    last = lines[-1]
    cell = str(last.get("cell", ""))
    if "environment" in last or last.get("kind") in ("resumed", "again"):
        return f"going on: {cell}".strip(": ")
    if "done" in last:
        sealed = not folder.cell(cell).parts.exists()
        return f"after {cell}, or starting the next" if sealed else f"sealing {cell}"
    since = max((i for i, line in enumerate(lines) if line.get("kind") == "again"), default=-1)
    ordered = sum(line.get("cell") == cell and "reason" in line for line in lines[since + 1 :])
    step = f"{last['kind']} {last['concurrency']} of {cell}"
    return f"step {step}" if ordered > _lines(folder.cell(cell)) else f"after step {step}"


def problems_of(place: Place, wanted: Shape) -> Iterator[str]:
    """What is wrong with a record, and what still runs."""
    folder = place.folder()
    if folder is None:
        yield "there is no results folder"
        return
    try:
        found = shape_of(folder)
    except HarnessError as error:
        yield f"it cannot be read: {error.what}"
    else:
        yield from (
            f"{cell} is {found.get(cell)}, not {wanted.get(cell)}"
            for cell in sorted({*wanted, *found})
            if found.get(cell) != wanted.get(cell)
        )
    yield from (f"{path} is left" for path in folder.path.glob("cells/*/parts"))
    yield from (f"{path} is left" for path in folder.path.glob("cells/*/work"))
    if not folder.findings_json.exists() or not folder.report_html.exists():
        yield "it was not reported"
    yield from (f"still running: {what}" for what in _left_running(place))


def _left_running(place: Place) -> list[str]:
    deadline_s = time.monotonic() + GONE_WITHIN_S
    while (left := list(_running(place))) and time.monotonic() < deadline_s:
        time.sleep(0.5)
    return left


def _running(place: Place) -> Iterator[str]:
    """Ledger entries, processes that know the trial's folder, new cgroups, containers."""
    for entry in Ledger(place.root / "state" / "ledger.jsonl").entries():
        yield f"{entry.kind} {entry.name} in the ledger"
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            told = [*process.environ().values(), *process.cmdline()]
            if process.pid != os.getpid() and any(str(place.root) in text for text in told):
                yield f"process {process.pid} {process.name()}"
    yield from (f"cgroup {b.name}" for b in list_boxes() if b.name not in place.boxes)
    if place.target != "process" and not engine.probe().problem:
        with contextlib.closing(engine.client()) as client:
            found = client.containers.list(all=True, filters={"label": engine.LABEL})
            yield from (f"container {container.name}" for container in found)


def one_trial(
    number: int, place: Place, *, wanted: Shape, moments_s: Sequence[float], longest_s: float
) -> Trial:
    """Begin, kill as often as there are moments, go on to the end, look.

    Args:
        number: of the trial, from 1.
        place: where.
        wanted: the shape of the unbroken campaign.
        moments_s: after so many seconds each of the first processes is killed.
        longest_s: no process may take longer.
    """
    kills, begun_s, problems = [], time.monotonic(), []
    process = place.begin()
    for after_s in moments_s:
        if not _killed(process, after_s):
            break
        folder = place.folder()
        recorded = recorded_in(folder)
        kills.append(Kill(after_s=after_s, under_way=under_way(folder), recorded=recorded))
        process = place.go_on(folder) if folder else place.begin()
    try:
        code = process.wait(longest_s)
        if code not in JUDGED:
            problems.append(f"exit code {code}; see {place.root / 'said.log'}")
    except subprocess.TimeoutExpired:
        process.kill()
        problems.append(f"it did not end in {longest_s:.0f} s")
    folder = place.folder()
    went_on = [line for line in read_journal(folder) if "resumed" in line] if folder else []
    return Trial(
        number=number,
        kills=tuple(kills),
        kept=tuple(line["cells"] for line in went_on),
        took_s=round(time.monotonic() - begun_s, 1),
        problems=(*problems, *problems_of(place, wanted)),
    )


def _killed(process: subprocess.Popen[bytes], after_s: float) -> bool:
    """Whether it still ran then, and was killed."""
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


def _lines(folder: CellFolder) -> int:
    file = folder.steps_jsonl
    return file.read_bytes().count(b"\n") if file.exists() else 0


def run(options: argparse.Namespace, root: Path) -> dict[str, Any]:
    """The unbroken campaign, then all trials.

    Raises:
        HarnessError: the unbroken campaign cannot be had.
    """
    whole = Place(root=root / "whole", target=options.target)
    begun_s = time.monotonic()
    code = whole.begin().wait(LONGEST_S)
    folder = whole.folder()
    if code not in JUDGED or folder is None:
        raise HarnessError(
            "The unbroken campaign could not be measured.",
            evidence=(whole.root / "said.log").read_text(encoding="utf-8")[-2000:],
        )
    unbroken_s, wanted = time.monotonic() - begun_s, shape_of(folder)
    rng, trials = random.Random(options.seed), []
    for number in range(1, options.trials + 1):
        moments_s = [round(rng.uniform(0, unbroken_s), 1) for _ in range(options.kills)]
        place = Place(root=root / f"trial-{number}", target=options.target)
        trials.append(
            one_trial(number, place, wanted=wanted, moments_s=moments_s, longest_s=LONGEST_S)
        )
        _tell(trials[-1])
        place.start("down").wait(60)
    return {
        "what": WHAT,
        "seed": options.seed,
        "target": options.target,
        "unbroken_s": round(unbroken_s, 1),
        "shape": wanted,
        "trials": [asdict(trial) for trial in trials],
        "good": sum(not trial.problems for trial in trials),
        "problems": [f"trial {t.number}: {text}" for t in trials for text in t.problems],
        "environment": record_environment(sys.argv)["host"],
    }


def _tell(trial: Trial) -> None:
    for kill in trial.kills:
        print(f"{trial.number}: killed after {kill.after_s} s, {kill.under_way}", file=sys.stderr)
    kept = "; ".join(json.dumps(each) for each in trial.kept) or "nothing to go on with"
    said = "; ".join(trial.problems) or "as in one go, nothing left running"
    print(f"{trial.number}: {kept}; {trial.took_s} s; {said}", file=sys.stderr)


def main() -> int:
    """0: every trial came to the same end; 1: one did not; else as `harness run`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=("compose", "process"), default="process")
    parser.add_argument("--trials", type=int, choices=range(1, 201), metavar="N", default=20)
    parser.add_argument("--kills", type=int, choices=range(1, 6), default=1, help="in each trial")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--keep", type=Path, help="keep all results and logs here")
    parser.add_argument("--out", type=Path, help="write the JSON here, not to standard output")
    options = parser.parse_args()
    try:
        with (
            campaign_lock(state_dir() / "campaign.lock", holder="kill_and_resume"),
            tempfile.TemporaryDirectory(prefix="kill-and-resume-") as scratch,
        ):
            document = run(options, (options.keep or Path(scratch)).resolve())
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    sys.stdout.write(text) if options.out is None else options.out.write_text(text, "utf-8")
    return ExitCode.BREACH if document["problems"] else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
