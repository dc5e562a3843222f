"""What parent and child of the load generator say to each other, and what is made of it.

The child appends JSON lines to a file, each flushed; the parent reads them while they come.
Times are epoch seconds. Kinds:

    phase     name, at_s                              a phase begins
    sent      n, user, job, intended_s, sent_s        `launchRun` goes out as number `n`
    dropped   n, intended_s                           arrival nobody could send, `n` of its own
    accepted  n, run_id, at_s                         it was answered with a run
    rejected  n, at_s, error_class, error             it was answered with anything else
    ended     n, at_s, status, start_s, end_s         the poll saw the run ended
    status    phase, in_flight, sent, completed, failed, poll_errors, cpu_s, at_s   every second
    done      at_s, reason                            `drained` or `drain_limit`
    failed    at_s, error                             the generator cannot go on
    clock     at_s, host, offset_s, uncertainty_s     what a worker's clock lacks to the master's

Of several workers each line has its worker's index as `w`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.facts.model import Phase, Run, RunStatus
from harness.masking import masked
from harness.rig.load.dagster_graphql import Launch, RunReport
from harness.rig.load.phases import failure_class
from harness.rig.orders import Access, JobOrder, LoadOrder, LoadOutcome, Progress

Line = dict[str, Any]

_ENDS: Mapping[str, RunStatus] = {
    "SUCCESS": "SUCCESS",
    "FAILURE": "FAILURE",
    "CANCELED": "CANCELED",
}


def encode_order(order: LoadOrder) -> str:
    """The order as JSON text."""
    return json.dumps(dataclasses.asdict(order))


def decode_order(text: str) -> LoadOrder:
    """The order `encode_order` wrote.

    Raises:
        ValueError, TypeError, KeyError: it is not one.
    """
    fields = json.loads(text)
    jobs = tuple(_job(job) for job in fields.pop("jobs"))
    access = Access(**fields.pop("access"))
    return LoadOrder(**fields, jobs=jobs, access=access)


def _job(fields: Mapping[str, Any]) -> JobOrder:
    lists = {key: tuple(fields[key]) for key in ("partitions", "assets")}
    return JobOrder(**{**fields, **lists})


def write_lines(path: Path) -> Callable[[Line], None]:
    """A new file at `path`, open as long as the process; takes lines, masks and flushes each."""
    stream = path.open("w", encoding="utf-8")

    def write(line: Line) -> None:
        stream.write(masked(json.dumps(line)) + "\n")
        stream.flush()

    return write


class Recorder:
    """The child's side: counts what happens and writes one line for it.

    Args:
        write: takes each line.
        clock: epoch seconds.
        cpu: CPU seconds this process has used.
    """

    def __init__(
        self,
        write: Callable[[Line], None],
        *,
        clock: Callable[[], float],
        cpu: Callable[[], float],
    ) -> None:
        self._write = write
        self._clock = clock
        self._cpu = cpu
        self._runs: dict[str, int] = {}
        self.phase_name = ""
        self.sent_count = 0
        self.dropped_count = 0
        self.completed = 0
        self.failed = 0
        self.in_flight = 0
        self.poll_errors = 0

    @property
    def waiting(self) -> list[str]:
        """Ids of accepted runs not yet seen ended, oldest first."""
        return list(self._runs)

    def phase(self, name: str, at_s: float) -> None:
        """A phase begins."""
        self.phase_name = name
        self._write({"kind": "phase", "name": name, "at_s": at_s})

    def sent(self, user: int, intended_s: float, job: str) -> int:
        """A launch goes out now; returns its number."""
        number = self.sent_count
        self.sent_count += 1
        self.in_flight += 1
        self._write(
            {
                "kind": "sent",
                "n": number,
                "user": user,
                "job": job,
                "intended_s": intended_s,
                "sent_s": self._clock(),
            }
        )
        return number

    def dropped(self, intended_s: float) -> None:
        """An arrival was due and no user was free to send it."""
        self._write({"kind": "dropped", "n": self.dropped_count, "intended_s": intended_s})
        self.dropped_count += 1

    def answered(self, number: int, launch: Launch) -> None:
        """The launch was answered, with a run or without."""
        line: Line = {"n": number, "at_s": self._clock()}
        if launch.run_id is not None:
            self._runs[launch.run_id] = number
            self._write({"kind": "accepted", **line, "run_id": launch.run_id})
            return
        self.in_flight -= 1
        self.failed += 1
        error = {"error_class": launch.error_class, "error": launch.error}
        self._write({"kind": "rejected", **line, **error})

    def ended(self, report: RunReport) -> float:
        """The run was seen ended now; returns that moment."""
        number = self._runs.pop(report.run_id)
        self.in_flight -= 1
        self.completed += 1
        self.failed += report.status != "SUCCESS"
        line: Line = {"kind": "ended", "n": number, "at_s": self._clock(), "status": report.status}
        self._write({**line, "start_s": report.start_s, "end_s": report.end_s})
        return float(line["at_s"])

    def status(self) -> None:
        """Where things stand."""
        self._write(
            {
                "kind": "status",
                "phase": self.phase_name,
                "in_flight": self.in_flight,
                "sent": self.sent_count,
                "completed": self.completed,
                "failed": self.failed,
                "poll_errors": self.poll_errors,
                "cpu_s": self._cpu(),
                "at_s": self._clock(),
            }
        )

    def done(self, reason: str) -> None:
        """The step ran to its end."""
        self._write({"kind": "done", "at_s": self._clock(), "reason": reason})

    def broken(self, error: str) -> None:
        """The generator cannot go on."""
        self._write({"kind": "failed", "at_s": self._clock(), "error": error})


class StepRecord:
    """The parent's side: takes the child's lines as they come and turns them into facts.

    `progress` is the latest one, `done_s` when the child said it was done, `error` why it
    cannot go on.
    """

    def __init__(self, step: int) -> None:
        self._step = step
        self._runs: dict[int, Run] = {}
        self._phases: list[tuple[str, float]] = []
        self._cpu: list[tuple[float, float]] = []
        self._dropped = 0
        self._ends_seen: set[int] = set()
        self.progress: Progress | None = None
        self.done_s: float | None = None
        self.error = ""

    @property
    def sent_count(self) -> int:
        """Launches sent so far."""
        return len(self._runs)

    def add(self, line: Mapping[str, Any]) -> None:
        """Take one line; kinds this version does not know are passed over."""
        kind = line["kind"]
        if kind == "sent":
            self._runs[line["n"]] = Run(
                step=self._step,
                user=line["user"],
                job=line["job"],
                run_id=None,
                intended_s=line["intended_s"],
                sent_s=line["sent_s"],
            )
        elif kind in _CHANGES:
            number = line["n"]
            changes = _CHANGES[kind](line)
            self._runs[number] = dataclasses.replace(self._runs[number], **changes)
            if kind == "ended" and line["end_s"] is None:
                self._ends_seen.add(number)
        elif kind == "dropped":
            self._dropped += 1
        elif kind == "phase":
            self._phases.append((line["name"], line["at_s"]))
        elif kind == "status":
            self._cpu.append((line["at_s"], line["cpu_s"]))
            counts = {name: line[name] for name in ("in_flight", "sent", "completed", "failed")}
            self.progress = Progress(phase=line["phase"], **counts)
        elif kind == "done":
            self.done_s = line["at_s"]
        elif kind == "failed":
            self.error = line["error"]

    def outcome(self, *, abort_reason: str, end_s: float) -> LoadOutcome:
        """Everything as facts, runs in the order they were sent.

        Args:
            abort_reason: empty when the step ran to its end. A step is aborted only because a
                server died, so runs in flight are then `LOST`, else `UNFINISHED`.
            end_s: when the step ended; closes its last phase.
        """
        runs = [self._runs[number] for number in sorted(self._runs)]
        if abort_reason:
            runs = [_lost(run) if run.status == "UNFINISHED" else run for run in runs]
        return LoadOutcome(
            runs=tuple(runs),
            phases=self._closed_phases(end_s),
            abort_reason=abort_reason,
            dropped_arrivals=self._dropped,
            generator_cpu_cores=self._cpu_cores(),
            ends_seen=frozenset(self._runs[n].run_id or "" for n in self._ends_seen),
        )

    def _closed_phases(self, end_s: float) -> tuple[Phase, ...]:
        marks = [*self._phases, ("", end_s)]
        return tuple(
            Phase(name=name, start_s=start_s, end_s=max(start_s, next_s))
            for (name, start_s), (_, next_s) in pairwise(marks)
        )

    def _cpu_cores(self) -> float | None:
        """CPU of the child while it was sending: an idle drain would dilute it."""
        drain_s = next((at_s for name, at_s in self._phases if name == "drain"), float("inf"))
        marks = [mark for mark in self._cpu if mark[0] <= drain_s]
        if len(marks) < 2:
            marks = self._cpu
        if len(marks) < 2:
            return None
        (first_s, first_cpu_s), (last_s, last_cpu_s) = marks[0], marks[-1]
        return (last_cpu_s - first_cpu_s) / (last_s - first_s) if last_s > first_s else None


def _lost(run: Run) -> Run:
    return dataclasses.replace(run, status="LOST", error_class="server_died")


def _accepted(line: Mapping[str, Any]) -> Line:
    return {"run_id": line["run_id"], "accepted_s": line["at_s"]}


def _rejected(line: Mapping[str, Any]) -> Line:
    """A `PythonError` may hide a family worth naming, such as a missed start deadline."""
    error_class, error = line["error_class"], line["error"] or ""
    if error_class == "PythonError":
        family = failure_class(error)
        error_class = error_class if family == "unknown" else family
    return {
        "status": "REJECTED",
        "ended_s": line["at_s"],
        "error_class": error_class,
        "error": error,
    }


def _ended(line: Mapping[str, Any]) -> Line:
    """The server's own stamps where it gave any, else the moment the poll saw the end."""
    end_s = line["end_s"]
    return {
        "status": _ENDS[line["status"]],
        "started_s": line["start_s"],
        "ended_s": line["at_s"] if end_s is None else end_s,
    }


_CHANGES: Mapping[str, Callable[[Mapping[str, Any]], Line]] = {
    "accepted": _accepted,
    "rejected": _rejected,
    "ended": _ended,
}
