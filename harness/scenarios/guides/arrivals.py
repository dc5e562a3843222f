"""How many runs are there at once, and how much headroom do bursts need?

The same number of short runs comes evenly spread, at random, and all at once (as schedules of
minute 0 do). Counted are runs in flight (asked for and not ended) and run processes alive in the
container, against duration × rate.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations, Values
from harness.rig.lab.lab import Lab
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.scenario import Scenario

RUN_S = 4.0
PER_MINUTE = 20.0
WINDOW_S, QUICK_WINDOW_S = 90.0, 27.0
SETTLED_S = 3.0
"""A run's process outlives its last event."""

SEED = 20260401
GUIDE_RUN_S = 45.0
"""How long a run of the guide's own example lasts."""

MOST_OVERHEAD_S = 2 * RUN_S
"""Where starts take longer although arrivals are spread, the server does not keep up."""

LEAST_ENDED = 0.95
"""Where a smaller share of the runs ended, those that did are no picture of them all."""


def measure(bench: Bench) -> None:
    """One server; each pattern begins when the runs of the one before have ended."""
    window_s = QUICK_WINDOW_S if bench.quick else WINDOW_S
    server = ServerSpec(cpu_cores=1.0, memory_mib=6144, max_workers=8)
    with bench.lab(LabSpec(servers=(server,))) as lab:
        # The first run reads from disk what the others find in memory.
        first = lab.web.launch(Order(job="noop"))
        lab.web.wait([first.run_id or ""], timeout_s=60)
        bench.sleep(SETTLED_S)
        patterns = _patterns(window_s, repetitions=1 if bench.quick else 2)
        for part, (pattern, after_s) in enumerate(patterns):
            bench.say(f"{len(after_s)} runs, {pattern}")
            _send(bench, lab, f"{part}-{pattern}", after_s)
            bench.sleep(SETTLED_S)


def _patterns(window_s: float, *, repetitions: int) -> list[tuple[str, list[float]]]:
    """By name, when each run is sent. Arrivals at random, given how many, are uniform draws."""
    runs = round(PER_MINUTE * window_s / 60)
    draws = [random.Random(SEED + number) for number in range(repetitions)]
    drawn = [sorted(draw.uniform(0, window_s) for _ in range(runs)) for draw in draws]
    return [
        ("even", [number * window_s / runs for number in range(runs)]),
        *(("random", each) for each in drawn),
        ("together", [0.0] * runs),
    ]


def _send(bench: Bench, lab: Lab, part: str, after_s: Sequence[float]) -> None:
    orders = [Order(job="sleep", config={"seconds": RUN_S}, after_s=each) for each in after_s]
    pattern = part.split("-")[1]
    with lab.watch() as watch:
        launches = lab.web.launch_all(orders)
        ids = [each.run_id for each in launches if each.run_id]
        lab.web.wait(ids, timeout_s=180)
    rows = {row.run_id: row for row in lab.records.runs(ids)}
    for launch in launches:
        row = rows.get(launch.run_id or "")
        started_s, ended_s = (row.phases.started_s, row.phases.ended_s) if row else (None, None)
        bench.note("arrival", part=part, pattern=pattern, sent_s=launch.sent_s,
                   started_s=started_s, ended_s=ended_s,
                   status=row.status if row else launch.error_class)  # fmt: skip
    for look in watch.looks:
        bench.note("alive", part=part, pattern=pattern, look_s=look["at_s"],
                   runs=look.get("resident_runs"), usage_bytes=look.get("usage_bytes"))  # fmt: skip


class _Part:
    """One pattern sent once, from its first run sent to the last one's end."""

    def __init__(self, seen: Observations, part: str) -> None:
        sent = seen.of("arrival", part=part)
        self.sent = len(sent)
        self.runs = [e for e in sent if e["started_s"] is not None and e["ended_s"] is not None]
        self.began_s = min((e["sent_s"] for e in self.runs), default=0.0)
        self.ended_s = max((e["ended_s"] for e in self.runs), default=0.0)
        self._alive = [
            each["runs"]
            for each in seen.of("alive", part=part)
            if each["runs"] is not None and self.began_s <= each["look_s"] <= self.ended_s
        ]

    @property
    def usable(self) -> bool:
        return bool(self.runs and self._alive)

    def in_flight(self) -> float:
        return self._per_time(lambda run: float(run["ended_s"] - run["sent_s"]))

    def formula(self) -> float:
        """Mean duration, as Dagster's run page has it, × rate."""
        return self._per_time(lambda run: float(run["ended_s"] - run["started_s"]))

    def overhead_s(self) -> float:
        return fmean(run["started_s"] - run["sent_s"] for run in self.runs)

    def peak(self) -> float:
        changes = [(run["sent_s"], 1) for run in self.runs]
        changes += [(run["ended_s"], -1) for run in self.runs]
        now = highest = 0
        for _, change in sorted(changes):
            now += change
            highest = max(highest, now)
        return float(highest)

    def alive(self) -> float:
        return fmean(self._alive)

    def alive_peak(self) -> float:
        return float(max(self._alive))

    def _per_time(self, lasts_s: Callable[[Values], float]) -> float:
        return sum(map(lasts_s, self.runs)) / (self.ended_s - self.began_s)


def figures(seen: Observations) -> Figures:
    """From stamps of every run and counts of processes each half second."""
    parts = {
        pattern: [
            part
            for name in dict.fromkeys(e["part"] for e in seen.of("arrival", pattern=pattern))
            if (part := _Part(seen, name)).usable
        ]
        for pattern in ("even", "random", "together")
    }
    found = {**_concurrency_figures(parts["random"]), **_headroom_figures(parts)}
    why = _unsteady(parts)
    if not why:
        return found
    return {name: replace(figure, value=None, why=why) for name, figure in found.items()}


def _unsteady(parts: Mapping[str, Sequence[_Part]]) -> str:
    """Why counts say nothing: runs are missing, or starts queue although arrivals are spread."""
    sent = sum(part.sent for each in parts.values() for part in each)
    ended = sum(len(part.runs) for each in parts.values() for part in each)
    if ended < LEAST_ENDED * sent:
        return f"only {ended} of {sent} runs ended"
    late_s = max((part.overhead_s() for each in ("even", "random") for part in parts[each]),
                 default=0.0)  # fmt: skip
    if late_s > MOST_OVERHEAD_S:
        return f"the server did not keep up: {late_s:.1f} s to a run's start, though spread"
    return ""


def _concurrency_figures(parts: Sequence[_Part]) -> Figures:
    of = f"runs of {RUN_S:g} s at random, {PER_MINUTE:g} a minute"
    overhead = _mean(parts, _Part.overhead_s, "s", f"from sent to started, {of}")
    gap = None if overhead.value is None else overhead.value / GUIDE_RUN_S
    return {
        "in_flight_random": _mean(parts, _Part.in_flight, "runs", f"mean in flight, {of}"),
        "alive_random": _mean(parts, _Part.alive, "processes", f"mean run processes alive, {of}"),
        "formula_random": _mean(parts, _Part.formula, "runs", f"duration × rate, {of}"),
        "overhead_s": overhead,
        "gap_at_guide": Figure(
            value=gap, unit="share", n=overhead.n, predicted=True, why=overhead.why,
            meaning=f"what the same overhead adds to a run of {GUIDE_RUN_S:g} s",
        ),
    }  # fmt: skip


def _headroom_figures(parts: dict[str, list[_Part]]) -> Figures:
    average = _mean(parts["even"], _Part.in_flight, "runs", "mean in flight, evenly spread")
    words = {"even": "evenly spread", "random": "at random", "together": "all at once"}
    found = {"average": average}
    for pattern, how in words.items():
        for key, measured, what in (
            ("peak", _Part.peak, "most in flight"),
            ("alive_peak", _Part.alive_peak, "most run processes alive"),
        ):
            highest = _mean(parts[pattern], measured, "× average", "")
            found[f"{key}_{pattern}"] = Figure(
                value=_over(highest.value, average.value), unit="× average", n=highest.n,
                why=highest.why or average.why,
                meaning=f"{what}, {how}, over the mean in flight when evenly spread",
            )  # fmt: skip
    return found


def _over(value: float | None, by: float | None) -> float | None:
    return None if value is None or by is None else value / by


def _mean(
    parts: Sequence[_Part], measured: Callable[[_Part], float], unit: str, meaning: str
) -> Figure:
    if not parts:
        return Figure(value=None, unit=unit, meaning=meaning, n=0, why="no run of it ended")
    runs = sum(len(part.runs) for part in parts)
    return Figure(value=fmean(map(measured, parts)), unit=unit, meaning=meaning, n=runs)


SCENARIO = Scenario(
    name="arrivals",
    question="How many runs are there at once, and do 2.5 times the average cover bursts?",
    minutes=7,
    quick_minutes=None,
    measure=measure,
    figures=figures,
)
