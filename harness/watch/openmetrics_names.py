"""Every metric of the live gauges: its name, type, unit, labels and meaning.

Names follow Prometheus: one prefix, base units, the unit last. `docs/metrics.md` has the same list
for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

PREFIX = "dagster_load_harness"
PHASES = ("ramp", "settle", "hold", "drain")
VERDICTS = ("pass", "fail", "inconclusive", "invalid")

Kind = Literal["gauge", "counter", "info"]
_SUFFIX: dict[Kind, str] = {"gauge": "", "counter": "_total", "info": "_info"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: `name` without the suffix its kind adds, `labels` in the order of their values.

    `unit` is empty where the name says what is counted.
    """

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ("cell",)
    unit: str = ""

    @property
    def series(self) -> str:
        """The name to ask Prometheus for."""
        return self.name + _SUFFIX[self.kind]


def _gauge(
    name: str, meaning: str, unit: str = "", *, labels: tuple[str, ...] = ("cell",)
) -> Metric:
    full = "_".join(part for part in (PREFIX, name, unit) if part)
    return Metric(name=full, kind="gauge", meaning=meaning, unit=unit, labels=labels)


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(
        name=f"{PREFIX}_{name}", kind="counter", meaning=meaning, labels=("cell", *labels)
    )


INFO = Metric(
    name=PREFIX,
    kind="info",
    meaning="What is being measured: harness version, campaign, current cell.",
    labels=(),
)

VITALS = MappingProxyType(
    {
        "memory_bytes": _gauge("memory", "Memory charged to the fullest replica.", "bytes"),
        "memory_peak_bytes": _gauge(
            "memory_peak", "Its highest memory since the step began.", "bytes"
        ),
        "memory_limit_bytes": _gauge("memory_limit", "The memory limit of a replica.", "bytes"),
        "cpu_cores": _gauge("cpu", "CPU the busiest replica uses.", "cores"),
        "cpu_limit_cores": _gauge("cpu_limit", "The CPU limit of a replica.", "cores"),
        "throttled_ratio": _gauge(
            "throttled", "Share of quota periods that ran out of CPU quota.", "ratio"
        ),
        "run_queue": _gauge("run_queue", "Runs QUEUED in Dagster.", "runs"),
        "pool_queue": _gauge("pool_queue", "Requests waiting for a gRPC worker.", "requests"),
        "starting": _gauge("starting", "Runs STARTING.", "runs"),
        "ping_queued": _gauge(
            "ping_queued", "Waiting requests, as Dagster's own Ping last said.", "requests"
        ),
        "ping_age_s": _gauge("ping_age", "How long ago that Ping was asked.", "seconds"),
        "resident_runs": _gauge("resident", "Run processes alive in the containers.", "runs"),
        "probe_s": _gauge("probe", "Time of the last cheap request, as a health check.", "seconds"),
    }
)
"""The gauges of `harness.rig.protocols.Vitals`, by its fields."""

RUNS_IN_FLIGHT = _gauge("runs_in_flight", "Runs sent and not ended in this step.")
STEP_CONCURRENCY = _gauge("step_concurrency", "Load of the step under way, in runs.")
STEP_PHASE = _gauge(
    "step_phase", "1 for the phase the step is in, 0 for the others.", labels=("cell", "phase")
)

STEPS_STARTED = _counter("steps_started", "Steps begun, warm-up included.")
RUNS_SENT = _counter("runs_sent", "Runs whose launch was sent.")
RUNS_COMPLETED = _counter("runs_completed", "Runs that ended, well or badly.")
RUNS_FAILED = _counter("runs_failed", "Runs that ended badly, or whose launch was refused.")
RUNS_LOST = _counter("runs_lost", "Runs whose server died under them.")
DROPPED_ARRIVALS = _counter("dropped_arrivals", "Arrivals no free user was there to send.")
PROBES_LOST = _counter("probes_lost", "Cheap requests without an answer in time.")
OOM_KILLS = _counter("oom_kills", "Processes of the server the kernel killed for memory.")
SERVER_DEATHS = _counter("server_deaths", "Servers that died.")
EVENTS = _counter("events", "Moments the telemetry noticed.", "kind", "source")
STEP_VERDICT = _counter("step_verdict", "Steps judged, by verdict.", "verdict")
SLO_BROKEN = _counter("slo_broken", "Steps in which the objective broke.", "slo")

CAPACITY_LOW = _gauge("capacity_low", "Capacity so far: at least so many runs at once.")
CAPACITY_HIGH = _gauge("capacity_high", "Capacity so far: at most so many runs at once.")
CAPACITY_PROBABILITY = _gauge(
    "capacity_probability", "How probable it is that the low end really holds, 0 to 1."
)
_CURVE = ("cell", "concurrency")
RESPONSE_P95 = _gauge(
    "response_p95", "95th percentile of response time, last judged step.", "seconds", labels=_CURVE
)
LAUNCH_P95 = _gauge(
    "launch_p95", "95th percentile of launch time, last judged step.", "seconds", labels=_CURVE
)
SLOWDOWN_P95 = _gauge(
    "slowdown_p95", "95th percentile of slowdown, last judged step.", "ratio", labels=_CURVE
)
THROUGHPUT = _gauge(
    "throughput", "Runs that ended well per second, last judged step.", "runs_per_second",
    labels=_CURVE,
)  # fmt: skip

CAMPAIGN_CELLS = _gauge("campaign_cells", "Cells the campaign has.", labels=())
CAMPAIGN_CELLS_DONE = _gauge("campaign_cells_done", "Cells measured to their end.", labels=())
CAMPAIGN_EXPECTED = _gauge(
    "campaign_expected", "Time the campaign is expected to take in all.", "seconds", labels=()
)
CAMPAIGN_LONGEST = _gauge(
    "campaign_longest", "Time the campaign takes at most.", "seconds", labels=()
)
CAMPAIGN_START = _gauge(
    "campaign_start_time", "When the campaign began, since the epoch.", "seconds", labels=()
)

STEP_GAUGES = (RUNS_IN_FLIGHT, STEP_CONCURRENCY, STEP_PHASE)
"""True only while a step is under way."""

LIVE_GAUGES = (*VITALS.values(), *STEP_GAUGES)
"""True only while a cell is under way."""

CELL_COUNTERS = (
    STEPS_STARTED, RUNS_SENT, RUNS_COMPLETED, RUNS_FAILED, RUNS_LOST, DROPPED_ARRIVALS,
    PROBES_LOST, OOM_KILLS, SERVER_DEATHS,
)  # fmt: skip
"""Counters whose only label is the cell."""

FOUND_GAUGES = (
    CAPACITY_LOW, CAPACITY_HIGH, CAPACITY_PROBABILITY,
    RESPONSE_P95, LAUNCH_P95, SLOWDOWN_P95, THROUGHPUT,
)  # fmt: skip
"""What was found about a cell: as true after its end as before."""

METRICS = (
    INFO, CAMPAIGN_CELLS, CAMPAIGN_CELLS_DONE, CAMPAIGN_EXPECTED, CAMPAIGN_LONGEST, CAMPAIGN_START,
    *LIVE_GAUGES, *CELL_COUNTERS, EVENTS, STEP_VERDICT, SLO_BROKEN, *FOUND_GAUGES,
)  # fmt: skip
"""All of them, in the order they are shown."""
