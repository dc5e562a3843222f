"""The parent side of the load: one Locust child per step, watched until it is gone.

The conductor never imports Locust or gevent; it starts a child, reads the lines the child
writes and turns them into facts. Whatever happens to either process, the other one ends.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import GeneratorFailed, TargetFailed
from harness.rig.load import dagster_graphql as graphql
from harness.rig.load.arrivals import sends_any
from harness.rig.load.cancelling import give_up_runs
from harness.rig.load.children import Children
from harness.rig.load.commands import Outputs, Staff, spawns
from harness.rig.load.crew_record import CrewRecord
from harness.rig.orders import Access, LoadOrder, LoadOutcome, Progress
from harness.rig.protocols import Endpoints

TICK_S = 0.1
ABORT_INTERVAL_S = 0.5
SPARE_S = 60.0
QUIT_PATIENCE_S = 5.0
LOCATION_INTERVAL_S = 1.0
LOCATION_TIMEOUT_S = 10.0
LOG_TAIL_LINES = 8

Connect = Callable[[str, float, Access], graphql.Transport]


class LocustDriver:
    """Drives one step at a time with a Locust child of its own.

    Args:
        folder: where each step's records and log go (`load-step-003.jsonl`, `….log`); made
            when missing.
        secrets: a file of variables whose values are masked in everything written.
        staff: who generates the load; one process where left out.
        clock: monotonic seconds.
        sleep: waits.
        connect: opens a transport to a webserver: (its address, timeout in seconds, access).
    """

    def __init__(
        self,
        folder: Path,
        *,
        secrets: Path | None = None,
        staff: Staff | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        connect: Connect = graphql.connect,
    ) -> None:
        self._folder = folder
        self._secrets = secrets
        self._clock = clock
        self._sleep = sleep
        self._connect = connect
        self._staff = staff or Staff()
        self._children = Children()

    def wait_until_loadable(self, endpoints: Endpoints, timeout_s: float) -> None:
        """Block until the webserver can launch the location's job.

        A server that cannot be reached may come (the webserver is told to look again, since old
        ones never do by themselves); code that does not load, or a location the workspace does
        not know, never will.

        Raises:
            TargetFailed: the location reports an error, or time is up.
        """
        post = self._connect(endpoints.webserver_url, LOCATION_TIMEOUT_S, endpoints.access)
        deadline_s = self._clock() + timeout_s
        while True:
            seen = _look(post, endpoints.location)
            if seen.state == "loaded":
                return
            _give_up_on(seen, endpoints.location)
            if self._clock() >= deadline_s:
                raise TargetFailed(
                    f"Dagster could not load {endpoints.location!r} in {timeout_s:g} s.",
                    evidence=f"Last seen: {seen.state} {seen.error}".strip(),
                    hint="The logs of webserver and code server in the results folder say more.",
                )
            if seen.state == "unreachable":
                with contextlib.suppress(graphql.GraphQLError):
                    post(graphql.reload_location(endpoints.location))
            self._sleep(LOCATION_INTERVAL_S)

    def execute(
        self,
        order: LoadOrder,
        *,
        abort: Callable[[], str],
        progress: Callable[[Progress], None],
    ) -> LoadOutcome:
        """Run one step; returns when its child is gone.

        `abort()` is asked twice a second; a non-empty answer ends the step and leaves the runs
        in flight `LOST`. `progress` is called about once a second.

        Raises:
            GeneratorFailed: the child could not start, died, hung, or sent nothing where
                something was to be sent.
            ValueError: the order makes no sense, as an open model without a rate.
            KeyboardInterrupt: after the child is gone.
        """
        self.stop()
        must_send = sends_any(order)
        self._folder.mkdir(parents=True, exist_ok=True)
        files = _Files.of(self._folder, order.step)
        record = CrewRecord(order.step, self._staff.at_work(order))
        with files.lines.open("w+b") as lines:
            reader = LineReader(lines.read)
            try:
                place = Outputs(lines=files.lines, log=files.log, secrets=self._secrets)
                started = spawns(order, self._staff, place)
                self._children.start(started, cwd=self._folder)
                watch = _Watch(order=order, abort=abort, progress=progress, files=files)
                reason = self._follow(watch, record, reader)
                if not reason:  # let it print its tables; what it measured is on file
                    self._children.wait(QUIT_PATIENCE_S)
            finally:
                self.stop()
            # Reason: lines written between the last look and the child's end count too.
            _take(reader, record)
        if not reason and must_send and record.sent_count == 0:
            raise GeneratorFailed(
                "The load generator sent nothing.", evidence=tail(files.log), hint=files.hint
            )
        end_s = record.done_s if record.done_s is not None else time.time()
        return record.outcome(abort_reason=reason, end_s=end_s)

    def give_up(self, endpoints: Endpoints, tags: Mapping[str, str]) -> int:
        """See `give_up_runs`."""
        return give_up_runs(endpoints.webserver_url, endpoints.access, tags)

    def stop(self) -> None:
        """End the children at once, if there are any, in at most 3 s. Safe to call twice."""
        self._children.stop()

    def _follow(self, watch: _Watch, record: CrewRecord, reader: LineReader) -> str:
        """Read along until the child is done (empty answer) or the step is aborted (why)."""
        asked_s = self._clock()
        deadline_s = asked_s + total_s(watch.order) + SPARE_S + self._staff.patience_s
        while True:
            # Asked before reading: a child seen dead has written everything we then read.
            exit_code = self._children.exit_code()
            if _take(reader, record) and record.progress is not None:
                watch.progress(record.progress)
            if record.done_s is not None:
                return ""
            if record.error or exit_code is not None:
                raise _died(record, exit_code, watch.files)
            if too_many := _too_many_failures(record, watch.order):
                return too_many
            now_s = self._clock()
            if now_s >= deadline_s:
                raise _died(record, None, watch.files, said="it did not end in time")
            if now_s - asked_s >= ABORT_INTERVAL_S:
                asked_s = now_s
                if reason := watch.abort():
                    return reason
            self._sleep(TICK_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    lines: Path
    log: Path

    @classmethod
    def of(cls, folder: Path, step: int) -> _Files:
        stem = folder.resolve() / f"load-step-{step:03d}"
        return cls(lines=stem.with_suffix(".jsonl"), log=stem.with_suffix(".log"))

    @property
    def hint(self) -> str:
        return f"Full log: {self.log}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    order: LoadOrder
    abort: Callable[[], str]
    progress: Callable[[Progress], None]
    files: _Files


class LineReader:
    """Complete JSON lines out of a file that still grows; a half line waits for its rest."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._rest = b""

    def lines(self) -> Iterator[dict[str, Any]]:
        """Every line completed since the last call."""
        *complete, self._rest = (self._rest + self._read()).split(b"\n")
        for line in complete:
            yield json.loads(line)


def total_s(order: LoadOrder) -> float:
    """The longest a step may take by its order, in seconds."""
    return order.ramp_s + order.settle_s + order.hold_s + order.drain_s


def tail(log: Path) -> str:
    """The last lines of a log, for an error's evidence."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LOG_TAIL_LINES:])


def _take(reader: LineReader, record: CrewRecord) -> bool:
    """Whether there was news of the step's progress."""
    news = False
    for line in reader.lines():
        record.add(line)
        news = news or line["kind"] == "status"
    return news


def _too_many_failures(record: CrewRecord, order: LoadOrder) -> str:
    """Why a step is ended for its failures; empty while it is not."""
    failed = record.progress.failed if record.progress else 0
    if order.most_failures is None or failed < order.most_failures:
        return ""
    return f"{failed} runs failed: no more are sent"


def _died(
    record: CrewRecord, exit_code: int | None, files: _Files, *, said: str = ""
) -> GeneratorFailed:
    how = f"exit code {exit_code}" if exit_code is not None else ""
    said = said or record.error or "it wrote nothing about why"
    when = "ended before its step was over" if record.sent_count else "could not begin its step"
    return GeneratorFailed(
        f"The load generator {when}.",
        evidence="\n".join(part for part in (said, how, tail(files.log)) if part),
        hint=files.hint,
    )


def _look(post: graphql.Transport, location: str) -> graphql.LocationStatus:
    """A webserver that does not answer (well) yet counts as loading."""
    try:
        return graphql.parse_location_status(post(graphql.location_status()), location)
    except graphql.GraphQLError as error:
        return graphql.LocationStatus(state="loading", error=str(error))


def _give_up_on(seen: graphql.LocationStatus, location: str) -> None:
    if seen.state == "broken":
        raise TargetFailed(
            f"The code location {location!r} does not load.",
            evidence=seen.error,
            hint="Load the same code with `dagster definitions validate` to see it alone.",
        )
    if seen.state == "absent" and seen.known:
        raise TargetFailed(
            f"The webserver knows no code location {location!r}.",
            evidence=f"It knows: {', '.join(seen.known)}",
            hint="Its workspace file must name the location the same way.",
        )
