"""`--metrics-port`: what is going on, as OpenMetrics for Prometheus.

`prometheus_client` serves, negotiates the format and writes it; here facts become metrics.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Thread
from types import TracebackType
from typing import Self
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from harness import __version__
from harness.errors import EnvironmentProblem
from harness.facts.model import Event, Run, Step
from harness.rig.orders import Progress
from harness.rig.protocols import Expectation, Opinion, StepOrder, Vitals
from harness.watch import openmetrics_names as names
from harness.watch.openmetrics_board import Board, Climb

ADDRESS = "127.0.0.1"
FRESH_S = 10.0
"""How long a reading counts as the present; readings come about once a second."""

_ENDED = ("SUCCESS", "FAILURE", "CANCELED")
_BAD = ("FAILURE", "CANCELED", "REJECTED")


class MetricsListener:
    """Serves live gauges while it is entered. Implements `harness.rig.protocols.Listener`.

    Readings live as long as what they speak of: those of a step until it is done, those of a cell
    until it is done, and none longer than `FRESH_S`. Counters, and what was found about a cell,
    stay until the end. `registry` holds what is served, and nothing else.

    Args:
        port: where to listen on 127.0.0.1; 0 for one that is free.
        clock: monotonic seconds.
        now: epoch seconds.
    """

    def __init__(
        self,
        port: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._port = port
        self._now = now
        self._board = Board(clock)
        self.registry = CollectorRegistry()
        self.registry.register(self._board)
        self._server: WSGIServer | None = None
        self._thread: Thread | None = None
        self._campaign = ""
        self._cell, self._number = "", 0
        self._of_cell = _CellCounts()
        self._of_step = _StepCounts()
        self._tell()

    def __enter__(self) -> Self:
        """Start serving.

        Raises:
            EnvironmentProblem: the port cannot be had.
        """
        try:
            self._server, self._thread = start_http_server(self._port, ADDRESS, self.registry)
        except (OSError, OverflowError) as error:
            raise EnvironmentProblem(
                "The metrics cannot be served on this port.",
                evidence=f"{ADDRESS}:{self._port}: {getattr(error, 'strerror', None) or error}",
                hint="Choose another --metrics-port, or 0 for one that is free.",
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Stop serving; the port is free when this returns."""
        server, self._server = self._server, None
        if server is not None and self._thread is not None:
            server.shutdown()
            server.server_close()
            self._thread.join()

    @property
    def url(self) -> str:
        """Where to scrape.

        Raises:
            RuntimeError: nothing is served now.
        """
        if self._server is None:
            raise RuntimeError("the metrics are served only inside of `with`")
        return f"http://{ADDRESS}:{self._server.server_port}/metrics"

    def say(self, text: str) -> None:
        """Sentences are for people."""

    def campaign_started(self, name: str, cells: Sequence[Expectation]) -> None:
        """What is ahead: how many cells, how long."""
        self._campaign = name
        self._tell()
        self._board.show(names.CAMPAIGN_START, self._now())
        self._board.show(names.CAMPAIGN_CELLS, len(cells))
        self._board.show(names.CAMPAIGN_CELLS_DONE, 0)
        self._board.show(names.CAMPAIGN_EXPECTED, sum(cell.expected_s for cell in cells))
        self._board.show(names.CAMPAIGN_LONGEST, sum(cell.longest_s for cell in cells))

    def cell_started(self, cell_id: str, number: int, total: int) -> None:
        """Everything countable begins at 0, so that the first of it is seen to rise."""
        self._board.forget(names.LIVE_GAUGES)
        self._cell, self._number = cell_id, number
        self._of_cell = _CellCounts()
        self._tell(cell_id)
        self._board.show(names.CAMPAIGN_CELLS, total)
        self._board.show(names.CAMPAIGN_CELLS_DONE, number - 1)
        for counter in names.CELL_COUNTERS:
            self._board.count(counter, 0, cell_id)
        for verdict in names.VERDICTS:
            self._board.count(names.STEP_VERDICT, 0, cell_id, verdict)

    def step_started(self, order: StepOrder, duration_s: float) -> None:
        """The load of the step; its counts begin anew, ours go on."""
        del duration_s
        self._of_step = _StepCounts()
        self._board.forget(names.STEP_GAUGES)
        self._board.count(names.STEPS_STARTED, 1, self._cell)
        self._board.show(names.STEP_CONCURRENCY, order.concurrency, self._cell)

    def progress(self, progress: Progress) -> None:
        """Phase and runs in flight now; runs sent and ended so far."""
        board, cell = self._board, self._cell
        board.show(names.RUNS_IN_FLIGHT, progress.in_flight, cell, for_s=FRESH_S)
        for phase in names.PHASES:
            known = float(progress.phase == phase) if progress.phase in names.PHASES else None
            board.show(names.STEP_PHASE, known, cell, phase, for_s=FRESH_S)
        self._count_runs(progress.sent, progress.completed, progress.failed)

    def vitals(self, vitals: Vitals) -> None:
        """The readings now; kills, lost probes and events so far."""
        board, cell = self._board, self._cell
        for field, metric in names.VITALS.items():
            board.show(metric, getattr(vitals, field), cell, for_s=FRESH_S)
        board.count(names.PROBES_LOST, self._of_cell.probes_lost.to(vitals.probes_lost), cell)
        board.count(names.OOM_KILLS, self._of_cell.oom_kills.to(vitals.oom_kills), cell)
        for kind, source in self._of_cell.news(vitals.events):
            board.count(names.EVENTS, 1, cell, kind, source)

    def step_done(self, step: Step, runs: Sequence[Run]) -> None:
        """The facts have the last word about what the live counts missed."""
        board, cell = self._board, self._cell
        by_status: Counter[str] = Counter(run.status for run in runs)
        ended = sum(by_status[status] for status in _ENDED)
        bad = sum(by_status[status] for status in _BAD)
        self._count_runs(len(runs), ended, bad)
        board.count(names.RUNS_LOST, by_status["LOST"], cell)
        board.count(names.DROPPED_ARRIVALS, step.dropped_arrivals, cell)
        board.count(names.SERVER_DEATHS, step.restarts, cell)
        # A container that died took its counter along: its step may know of more kills.
        self._of_cell.oom_kills_of_steps += step.oom_kills
        kills = self._of_cell.oom_kills.to(self._of_cell.oom_kills_of_steps)
        board.count(names.OOM_KILLS, kills, cell)
        board.forget(names.STEP_GAUGES)

    def step_judged(self, opinion: Opinion) -> None:
        """The verdict, a point of each curve, and where the capacity lies so far."""
        board, cell = self._board, self._cell
        board.count(names.STEP_VERDICT, 1, cell, opinion.verdict)
        for slo in opinion.broken:
            board.count(names.SLO_BROKEN, 1, cell, slo)
        point = (cell, str(opinion.concurrency))
        board.show(names.RESPONSE_P95, opinion.response_p95_s, *point)
        board.show(names.LAUNCH_P95, opinion.launch_p95_s, *point)
        board.show(names.SLOWDOWN_P95, opinion.slowdown_p95, *point)
        board.show(names.THROUGHPUT, opinion.throughput_runs_per_s, *point)
        board.show(names.CAPACITY_LOW, opinion.low, cell)
        board.show(names.CAPACITY_HIGH, opinion.high, cell)
        board.show(names.CAPACITY_PROBABILITY, opinion.probability, cell)

    def cell_done(self, cell_id: str, ended: str) -> None:
        """The server is gone, and so are its readings; what happened stays."""
        del cell_id, ended
        self._board.forget(names.LIVE_GAUGES)
        self._board.show(names.CAMPAIGN_CELLS_DONE, self._number)
        self._tell()

    def _tell(self, cell: str = "") -> None:
        self._board.tell(names.INFO, version=__version__, campaign=self._campaign, cell=cell)

    def _count_runs(self, sent: int, completed: int, failed: int) -> None:
        step = self._of_step
        self._board.count(names.RUNS_SENT, step.sent.to(sent), self._cell)
        self._board.count(names.RUNS_COMPLETED, step.completed.to(completed), self._cell)
        self._board.count(names.RUNS_FAILED, step.failed.to(failed), self._cell)


class _StepCounts:
    """What was told about this step so far."""

    def __init__(self) -> None:
        self.sent, self.completed, self.failed = Climb(), Climb(), Climb()


class _CellCounts:
    """What was told about this cell so far."""

    def __init__(self) -> None:
        self.probes_lost, self.oom_kills = Climb(), Climb()
        self.oom_kills_of_steps = 0
        self._events: Counter[tuple[float, str, str]] = Counter()

    def news(self, events: Sequence[Event]) -> list[tuple[str, str]]:
        """Kind and source of those events that were not told the last time.

        Only the latest ones are told, so their number says nothing.
        """
        told = Counter((event.at_s, event.kind, event.source) for event in events)
        new, self._events = told - self._events, told
        return [(kind, source) for _, kind, source in new.elements()]
