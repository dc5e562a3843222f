"""What charts are drawn from: a cell's facts, thinned so that a page can carry them.

Times are seconds since the cell's `origin_s` (epoch seconds of its first phase or sample), rounded
to what can be seen; values are in the unit people read (MiB, vCPU, seconds, counts). Thinning keeps
the lowest and highest reading of every bucket, so a peak is never lost. `None` inside `values` is a
gap: nothing was read there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series. `times_s` ascends and is as long as `values`.

    `name`: what it is, in words of the glossary; `source`: which replica or service; `unit`: of
    the values; `metric`: its key in docs/metrics.md; `peak`: the highest value ever read.
    """

    name: str
    source: str
    unit: str
    metric: str
    times_s: tuple[float, ...]
    values: tuple[float | None, ...]
    peak: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """`[start_s, end_s)` of a step, with its phases and the part that was judged.

    `judged_s` is (start, end) of the judged window, `None` without one.
    """

    index: int
    kind: str
    concurrency: int
    repetition: int
    outcome: str
    start_s: float
    end_s: float
    phases: tuple[tuple[str, float, float], ...]
    judged_s: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment worth a mark: `kind` as in `events.jsonl`, `text` for people."""

    at_s: float
    kind: str
    source: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """The runs of one step as a timeline, in columns of one length, ordered by intended start.

    `lane`: the lowest row that is free when the run is sent, so that rows show how many were in
    flight. Times as in `Line`; `None` where the run never came so far. A run without an end lasts
    to the end of its step. `omitted`: runs left out (never the slowest, nor any that did not
    succeed), 0 as a rule.
    """

    step: int
    concurrency: int
    repetition: int
    lane: tuple[int, ...]
    intended_s: tuple[float, ...]
    sent_s: tuple[float, ...]
    process_started_s: tuple[float | None, ...]
    started_s: tuple[float | None, ...]
    ended_s: tuple[float | None, ...]
    status: tuple[str, ...]
    job: tuple[str, ...]
    omitted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lines that belong in one chart, and the limit they are held against, if there is one.

    `missing` says why there is nothing to draw, empty where there is.
    """

    lines: tuple[Line, ...]
    limit: float | None = None
    limit_name: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCurve:
    """What leads the eye through a cell's steps: medians over the repetitions at a concurrency.

    `concurrency` ascends, the others are as long; `None` where no step that counts tells it.
    Invalid steps do not count. `response_limit_s`: the slowdown objective as a response time,
    `None` without that objective, and in a mix, where each job has a limit of its own.
    """

    concurrency: tuple[int, ...] = ()
    response_p95_s: tuple[float | None, ...] = ()
    launch_p95_s: tuple[float | None, ...] = ()
    throughput_runs_per_s: tuple[float | None, ...] = ()
    response_limit_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPicture:
    """Everything drawn for one cell beside its findings, most of it over time.

    `memory`: working set, anonymous memory and the kernel's peak of each replica, MiB, against the
    enforced limit. `cpu`: cores used and `throttling` (share of quota periods). `queues`: the three
    queue depths and what Dagster's own Ping said, the latter at the moment it was *answered*.
    `probe`: probe time. `processes`: memory of server, runs and steps, to be stacked; their sum is
    one replica's. `missing`: what this cell should have and does not, in sentences.
    `curve`: of its findings.
    """

    cell: str
    origin_s: float
    end_s: float
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]
    memory: Group
    cpu: Group
    throttling: Group
    queues: Group
    probe: Group
    processes: Group
    runs: tuple[Lanes, ...]
    missing: tuple[str, ...]
    curve: ResponseCurve
