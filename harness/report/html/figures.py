"""The charts of a cell: what each shows, what to look for, and what stands in where it cannot.

The page holds their places; `charts.charts_block` brings what fills them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.analysis.findings.types import CellFinding, StepFinding
from harness.analysis.picture.types import CellPicture, Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What is the same for this chart in every cell. `key`: of its definition."""

    kind: str
    title: str
    unit: str
    look_for: str
    key: str


CURVE = Sketch(
    kind="curve", title="Response curve", unit="seconds and runs/s over concurrency",
    key="capacity.concurrency",
    look_for="Where a line crosses its limit an objective breaks; the capacity lies just before.",
)  # fmt: skip
PHASES = Sketch(
    kind="phases", title="What a launch consists of", unit="seconds, medians by step",
    key="launch_s",
    look_for="The part that grows with concurrency is the one that starves.",
)  # fmt: skip
GANTT = Sketch(
    kind="gantt", title="Runs of one step", unit="seconds since the step began", key="step",
    look_for="Long waits before a run starts show what a launch costs; rows show how many are in "
    "flight.",
)  # fmt: skip
OVER_TIME = (
    Sketch(
        kind="memory", title="Memory", unit="MiB over time", key="memory_peak_mib",
        look_for="How near the kernel peak comes to the limit, step by step.",
    ),
    Sketch(
        kind="cpu", title="CPU", unit="vCPU over time", key="cpu_cores",
        look_for="Flat at the limit, the server has no CPU left to start runs with.",
    ),
    Sketch(
        kind="throttling", title="Throttling", unit="share of quota periods", key="throttled_ratio",
        look_for="High shares say that the quota, not the machine, holds the server back.",
    ),
    Sketch(
        kind="queues", title="Queues", unit="three depths, never added up", key="pool_queue",
        look_for="What waits where; Dagster's own Ping shows how late it says so.",
    ),
    Sketch(
        kind="probe", title="Probe time", unit="seconds", key="probe_s",
        look_for="A probe that is slow or lost is what a health check would have seen.",
    ),
    Sketch(
        kind="processes", title="Memory by process", unit="MiB, stacked", key="server_rss_bytes",
        look_for="What the server itself takes, and what its runs add.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart of one cell. `absent` says why there is nothing to draw, empty where there is.

    `group` holds the lines of a chart over time, `step` the index of the step shown first.
    """

    sketch: Sketch
    absent: str = ""
    group: Group | None = None
    step: int | None = None


def curve_of(cell: CellFinding) -> Chart:
    """The response curve."""
    return Chart(sketch=CURVE, absent="" if cell.steps else "No step was judged.")


def phases_of(cell: CellFinding) -> Chart:
    """Launch time by phases."""
    known = any(
        value is not None
        for step in cell.steps
        for value in (step.phases.accept_s, step.phases.spawn_s, step.phases.import_s)
    )
    return Chart(sketch=PHASES, absent="" if known else "No phase of a launch is known.")


def gantt_of(cell: CellFinding, picture: CellPicture | None) -> Chart:
    """Runs as a timeline, the step that set the bound shown first."""
    lanes = picture.runs if picture is not None else ()
    if not any(each.lane for each in lanes):
        return Chart(sketch=GANTT, absent="No run was recorded.")
    drawn = {each.step for each in lanes if each.lane}
    telling = [step.index for step in cell.steps if step.index in drawn]
    failing = [step.index for step in cell.steps if decides(cell, step)]
    first = next((index for index in failing if index in drawn), telling[-1] if telling else None)
    return Chart(sketch=GANTT, step=lanes[0].step if first is None else first)


def decides(cell: CellFinding, step: StepFinding) -> bool:
    """Whether this step is one that failed where the capacity found its end."""
    return step.verdict == "fail" and step.concurrency == cell.capacity.first_failing


def tells(cell: CellFinding, step: StepFinding) -> bool:
    """Whether this step is one the answer stands on: at the capacity, or where it breaks."""
    return decides(cell, step) or (
        step.verdict == "pass" and step.concurrency == cell.capacity.concurrency
    )


def over_time(picture: CellPicture | None) -> Iterator[Chart]:
    """The charts along the clock, in the order of the page."""
    for sketch in OVER_TIME:
        if picture is None:
            yield Chart(sketch=sketch, absent="Nothing was drawn over time for this cell.")
            continue
        group: Group = getattr(picture, sketch.kind)
        absent = "" if group.lines else group.missing or "Nothing was read."
        yield Chart(sketch=sketch, absent=absent, group=group)
