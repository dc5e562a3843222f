"""Does the harness measure what is known beforehand? A server of c workers and s seconds a run.

The real generator drives a fake webserver whose runs wait in line for one of c workers and hold
it for s seconds, closed at N runs in flight and open at rates around the capacity c/s, and the
harness's own analysis says the throughput. It must be min(N/s, c/s), or min(rate, c/s). In the
closed model a user pauses between a run's end and its next launch (the poll every 0.5 s), so below
saturation N/(s + pause) is what can be had, with the pause that was measured.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from harness.analysis.measures.steady_state import steady_of
from harness.analysis.measures.steps import summarise
from harness.campaign.plan import LoadModel
from harness.errors import ExitCode, HarnessError
from harness.facts.model import Cell, Limits, Run, Step
from harness.facts.table import SamplesTable
from harness.rig.assets import state_dir
from harness.rig.load.arrivals import arrivals
from harness.rig.load.driver import LocustDriver
from harness.rig.lock import campaign_lock
from harness.rig.orders import JobOrder, LoadOrder, LoadOutcome

REPO = Path(__file__).resolve().parents[1]
POLL_INTERVAL_S = 0.5  # as the locustfile polls, which may be imported only by Locust
RAMP_S, SETTLE_S, DRAIN_S = 2.0, 2.0, 60.0
TOLERANCE = 0.05
SATURATED = 1.2
"""Times the capacity, even with the longest pause: so much must be offered to be sure of it."""

OPEN_STEPS: tuple[tuple[LoadModel, float], ...] = (
    ("uniform", 0.6), ("uniform", 0.9), ("uniform", 1.25), ("poisson", 0.6), ("poisson", 1.5),
)  # fmt: skip
"""Model and rate ÷ capacity. Chance needs more to keep the server busy from the start."""

NO_LIMITS = Limits(cpu_cores=None, memory_bytes=None)
CELL = Cell(
    id="known", profile="none", vcpu=0, memory_bytes=0, workload="known", params={}, dagster="",
    max_workers=0, replicas=1, feed="direct", target="fake", requested_limits=NO_LIMITS,
    effective_limits=None, limits_enforced=False, overcommitted=False, devices=(), slos={},
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`workers` at a time, `service_s` seconds each, first come first served."""

    workers: int
    service_s: float

    @property
    def capacity_per_s(self) -> float:
        """Runs a second, at most."""
        return self.workers / self.service_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One step: what was offered, what must come of it, what was measured over the hold.

    `offered` is runs in flight (`closed`) or runs a second. `expected_per_s` is min(offered, c/s)
    without any pause, `reachable_per_s` with the mean `pause_s` that was measured; `ratio` is
    measured ÷ reachable. Only `judged` points must agree: those at saturation, and evenly spaced
    arrivals, for chance and pauses have no part in them. `unaccounted` are arrivals neither sent
    nor counted as dropped.
    """

    model: LoadModel
    offered: float
    expected_per_s: float
    reachable_per_s: float
    measured_per_s: float
    ratio: float
    saturated: bool
    judged: bool
    pause_s: float | None
    runs: int
    failed: int
    dropped: int
    unaccounted: int

    @property
    def wrong(self) -> str:
        """What does not agree; empty when all does."""
        said = []
        if self.judged and abs(self.ratio - 1) > TOLERANCE:
            said.append(f"off by {self.ratio - 1:+.1%}")
        if self.failed:
            said.append(f"{self.failed} of {self.runs} runs did not succeed")
        if self.unaccounted:
            said.append(f"{self.unaccounted} arrivals neither sent nor dropped")
        return ", ".join(said)


def orders(server: Server, *, hold_s: float) -> Iterator[LoadOrder]:
    """Closed from 1 to 4c in flight, then open around the capacity; not yet addressed."""
    c = server.workers
    plans: list[tuple[LoadModel, int, float | None]] = [
        ("closed", n, None) for n in sorted({1, max(1, c // 2), c, 2 * c, 3 * c, 4 * c})
    ]
    plans += [
        (model, max(1, math.ceil(share * c)), share * server.capacity_per_s)
        for model, share in OPEN_STEPS
    ]
    for step, (model, concurrency, rate_per_s) in enumerate(plans):
        yield LoadOrder(
            step=step, webserver_url="", location="", tags={}, burst=False,
            jobs=(JobOrder(job="load", share=1, run_config={}),), concurrency=concurrency,
            ramp_s=RAMP_S, settle_s=SETTLE_S, hold_s=hold_s, drain_s=DRAIN_S,
            model=model, rate_per_s=rate_per_s,
        )  # fmt: skip


def point_of(server: Server, order: LoadOrder, outcome: LoadOutcome) -> Point:
    """What a step says, by the harness's own analysis over its whole hold.

    Raises:
        ValueError: the step never reached its hold.
    """
    measured = _throughput(order, outcome)
    capacity = server.capacity_per_s
    pause_s = _pause_s(outcome.runs) if order.model == "closed" else None
    if order.rate_per_s is None:
        offered = float(order.concurrency)
        free, paused, least = (
            offered / (server.service_s + pause) for pause in (0.0, pause_s or 0.0, POLL_INTERVAL_S)
        )
    else:
        offered = free = paused = least = order.rate_per_s
    reachable = min(paused, capacity)
    saturated = least >= SATURATED * capacity
    return Point(
        model=order.model,
        offered=offered,
        expected_per_s=min(free, capacity),
        reachable_per_s=reachable,
        measured_per_s=measured,
        ratio=measured / reachable,
        saturated=saturated,
        judged=saturated or order.model == "uniform",
        pause_s=pause_s,
        runs=len(outcome.runs),
        failed=sum(run.status != "SUCCESS" for run in outcome.runs),
        dropped=outcome.dropped_arrivals,
        unaccounted=_unaccounted(order, outcome),
    )


def _throughput(order: LoadOrder, outcome: LoadOutcome) -> float:
    step = Step(
        index=order.step, kind="load", concurrency=order.concurrency, repetition=1, reason="",
        phases=outcome.phases, outcome="completed", load_model=order.model,
        rate_per_s=order.rate_per_s,
    )  # fmt: skip
    samples = SamplesTable.of([])
    # The server needs no warming up, and cutting would leave fewer runs to count.
    steady = steady_of(step, runs=outcome.runs, samples=samples, warmup=None)
    found = summarise(
        CELL, step, runs=outcome.runs, samples=samples, unloaded_s=None, steady=steady
    ).throughput_runs_per_s
    if found is None:
        raise ValueError("the step has no hold")
    return found


def _pause_s(runs: Sequence[Run]) -> float | None:
    """Mean time between the end of a run and the moment its user's next one reached the server."""
    last: dict[int, float] = {}
    pauses = []
    for run in sorted(runs, key=lambda run: run.sent_s):
        if run.user in last and run.accepted_s is not None:
            pauses.append(run.accepted_s - last[run.user])
        if run.ended_s is not None:
            last[run.user] = run.ended_s
    return sum(pauses) / len(pauses) if pauses else None


def _unaccounted(order: LoadOrder, outcome: LoadOutcome) -> int:
    if order.model == "closed":
        return 0
    planned = sum(1 for _ in arrivals(order, outcome.phases[0].start_s))
    return planned - len(outcome.runs) - outcome.dropped_arrivals


def measure(server: Server, *, hold_s: float) -> Iterator[Point]:
    """All steps, each against a fresh server.

    Raises:
        GeneratorFailed: the generator could not run.
        EnvironmentProblem: a campaign is measuring on this machine.
    """
    sys.path.insert(0, str(REPO / "tests/integration"))
    fake: Any = importlib.import_module("fake_webserver")
    behaviour = fake.Behaviour(run_s=server.service_s, workers=server.workers)
    with (
        campaign_lock(state_dir() / "campaign.lock", holder="known_server"),
        tempfile.TemporaryDirectory(prefix="known-server-") as folder,
    ):
        for order in orders(server, hold_s=hold_s):
            with fake.serving(behaviour) as webserver:
                addressed = {"webserver_url": webserver.url, "location": fake.LOCATION}
                sent = replace(order, **addressed)
                outcome = LocustDriver(Path(folder)).execute(
                    sent, abort=lambda: "", progress=lambda _: None
                )
            yield point_of(server, order, outcome)


HEAD = f"{'model':8}{'offered':>8}{'expected':>10}{'reachable':>11}{'measured':>10}{'ratio':>7}"


def row(point: Point) -> str:
    """A line of the table, under `HEAD`."""
    numbers = (
        f"{point.model:8}{point.offered:8.2f}{point.expected_per_s:10.3f}"
        f"{point.reachable_per_s:11.3f}{point.measured_per_s:10.3f}{point.ratio:7.3f}"
    )
    notes = [
        "saturated" if point.saturated else "",
        "" if point.judged else "not judged",
        f"{point.dropped} dropped" if point.dropped else "",
        point.wrong and f"WRONG: {point.wrong}",
    ]
    return f"{numbers}  {'; '.join(note for note in notes if note)}".rstrip()


def main() -> int:
    """0: all judged steps agree within 5 %; 5: one does not; else the error's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=4, help="c, 1 to 20")
    parser.add_argument("--service", type=float, default=0.8, help="s, 0.5 to 5 seconds")
    parser.add_argument("--hold", type=float, default=24.0, help="5 to 120 seconds a step")
    options = parser.parse_args()
    sound = 1 <= options.workers <= 20 and 0.5 <= options.service <= 5 and 5 <= options.hold <= 120
    if not sound:
        parser.error("--workers must be 1 to 20, --service 0.5 to 5, --hold 5 to 120")
    server = Server(workers=options.workers, service_s=options.service)
    print(HEAD, file=sys.stderr)
    points = []
    try:
        for point in measure(server, hold_s=options.hold):
            points.append(point)
            print(row(point), file=sys.stderr, flush=True)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(json.dumps({"server": asdict(server), "points": [asdict(p) for p in points]}, indent=2))
    wrong = sum(bool(point.wrong) for point in points)
    said = f"{wrong} of {len(points)} steps do not agree" if wrong else "All judged steps agree"
    print(f"{said} (tolerance {TOLERANCE:.0%}).", file=sys.stderr)
    return ExitCode.INCONCLUSIVE if wrong else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
