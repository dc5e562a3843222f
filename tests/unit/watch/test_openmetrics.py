"""The live gauges as a scraper reads them, by the client library's own parser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from harness import __version__
from harness.facts.model import Event, Run, RunStatus, Step
from harness.rig.orders import Progress
from harness.rig.protocols import Expectation, Opinion, StepOrder, Vitals
from harness.watch.openmetrics import FRESH_S, MetricsListener
from harness.watch.openmetrics_names import METRICS, PREFIX, VITALS

pytestmark = pytest.mark.unit

CELLS = [
    Expectation(cell_id="io", expected_s=60, longest_s=100),
    Expectation(cell_id="cpu", expected_s=30, longest_s=50),
]
FULL = Vitals(
    at_s=1000.0, memory_bytes=3e8, memory_peak_bytes=4e8, memory_limit_bytes=5e8,
    cpu_cores=0.75, cpu_limit_cores=1.0, throttled_ratio=0.25, run_queue=5, pool_queue=2,
    starting=3, ping_queued=1, ping_age_s=12.5, resident_runs=7, probe_s=0.004, probes_lost=1,
    oom_kills=0,
)  # fmt: skip
Labels = frozenset[tuple[str, str]]


@dataclass
class Watch:
    """A listener, what it serves, and a clock that moves when told."""

    listener: MetricsListener
    time_s: list[float] = field(default_factory=lambda: [0.0])

    def text(self) -> str:
        body: bytes = generate_latest(self.listener.registry)
        return body.decode()

    def samples(self) -> Mapping[tuple[str, Labels], float]:
        families = text_string_to_metric_families(self.text())
        found = [
            ((sample.name.removeprefix(f"{PREFIX}_"), frozenset(sample.labels.items())), sample)
            for family in families
            for sample in family.samples
        ]
        assert len({key for key, _ in found}) == len(found)
        return {key: sample.value for key, sample in found}

    def value(self, name: str, **labels: str) -> float | None:
        return self.samples().get((name, frozenset(labels.items())))

    def names(self) -> set[str]:
        return {name for name, _ in self.samples()}


@pytest.fixture
def watch() -> Watch:
    time_s = [0.0]
    return Watch(MetricsListener(0, clock=lambda: time_s[0], now=lambda: 1234.5), time_s)


@pytest.fixture
def measuring(watch: Watch) -> Watch:
    """In a step of the first of two cells."""
    watch.listener.campaign_started("quick", CELLS)
    watch.listener.cell_started("io", 1, 2)
    watch.listener.step_started(order(4), 20.0)
    return watch


def order(concurrency: int) -> StepOrder:
    return StepOrder(kind="load", concurrency=concurrency, repetition=1, reason="gallop")


def progress(sent: int, completed: int, failed: int = 0, *, phase: str = "hold") -> Progress:
    return Progress(
        phase=phase, in_flight=sent - completed, sent=sent, completed=completed, failed=failed
    )


def step(*, oom_kills: int = 0, restarts: int = 0, dropped_arrivals: int = 0) -> Step:
    return Step(
        index=1, kind="load", concurrency=4, repetition=1, reason="", phases=(),
        outcome="completed", oom_kills=oom_kills, restarts=restarts,
        dropped_arrivals=dropped_arrivals,
    )  # fmt: skip


def runs(*statuses: RunStatus) -> list[Run]:
    return [
        Run(step=1, user=0, run_id=None, intended_s=0, sent_s=0, status=status)
        for status in statuses
    ]


def event(at_s: float, kind: str) -> Event:
    return Event(at_s=at_s, kind=kind, source="code-server")


def opinion(concurrency: int = 4, verdict: str = "pass", **changes: object) -> Opinion:
    fields: dict[str, object] = {
        "step": 1, "kind": "load", "concurrency": concurrency, "repetition": 1,
        "verdict": verdict, "broken": (), "throughput_runs_per_s": 0.5, "response_p95_s": 6.5,
        "launch_p95_s": 2.5, "slowdown_p95": 1.25, "low": 4, "high": 9, "probability": 0.75,
    }  # fmt: skip
    return Opinion(**{**fields, **changes})  # type: ignore[arg-type]


def test_before_anything_is_measured_only_the_version_is_known(watch: Watch) -> None:
    assert watch.samples() == {("info", frozenset({("version", __version__)})): 1.0}


def test_a_campaign_says_how_much_is_ahead(watch: Watch) -> None:
    watch.listener.campaign_started("quick", CELLS)
    assert watch.value("info", version=__version__, campaign="quick") == 1
    assert watch.value("campaign_cells") == 2
    assert watch.value("campaign_cells_done") == 0
    assert watch.value("campaign_expected_seconds") == 90
    assert watch.value("campaign_longest_seconds") == 150
    assert watch.value("campaign_start_time_seconds") == 1234.5


def test_every_vital_sign_arrives_with_its_value(measuring: Watch) -> None:
    measuring.listener.vitals(FULL)
    shown = {
        metric.series.removeprefix(f"{PREFIX}_"): getattr(FULL, name)
        for name, metric in VITALS.items()
    }
    assert len(shown) == 13
    assert {name: measuring.value(name, cell="io") for name in shown} == shown
    assert measuring.value("probes_lost_total", cell="io") == 1


@pytest.mark.parametrize("missing", sorted(VITALS))
def test_what_is_not_known_is_absent_rather_than_zero(measuring: Watch, missing: str) -> None:
    known = {name: getattr(FULL, name) for name in VITALS if name != missing}
    measuring.listener.vitals(FULL)
    measuring.listener.vitals(Vitals(at_s=1001.0, **known))
    absent = VITALS[missing].series.removeprefix(f"{PREFIX}_")
    assert measuring.value(absent, cell="io") is None
    assert (
        sum(m.series.removeprefix(f"{PREFIX}_") in measuring.names() for m in VITALS.values()) == 12
    )


def test_a_reading_that_is_not_a_number_is_absent(measuring: Watch) -> None:
    measuring.listener.vitals(Vitals(at_s=1.0, cpu_cores=float("nan")))
    assert "cpu_cores" not in measuring.names()


def test_a_metric_without_a_value_leaves_no_trace_in_the_text(watch: Watch) -> None:
    assert "memory" not in watch.text()


def test_readings_of_long_ago_are_not_taken_for_the_present(measuring: Watch) -> None:
    measuring.listener.vitals(FULL)
    measuring.listener.progress(progress(5, 2))
    measuring.time_s[0] += FRESH_S - 1
    assert measuring.value("memory_bytes", cell="io") == 3e8
    measuring.time_s[0] += 2
    gone = {"memory_bytes", "probe_seconds", "runs_in_flight", "step_phase"}
    assert gone & measuring.names() == set()
    assert measuring.value("step_concurrency", cell="io") == 4
    assert measuring.value("runs_sent_total", cell="io") == 5


def test_the_phase_is_one_of_four(measuring: Watch) -> None:
    measuring.listener.progress(progress(1, 0, phase="settle"))
    phases = {p: measuring.value("step_phase", cell="io", phase=p) for p in
              ("ramp", "settle", "hold", "drain")}  # fmt: skip
    assert phases == {"ramp": 0, "settle": 1, "hold": 0, "drain": 0}


def test_before_the_first_phase_there_is_none(measuring: Watch) -> None:
    measuring.listener.progress(progress(0, 0, phase=""))
    assert "step_phase" not in measuring.names()
    assert measuring.value("runs_in_flight", cell="io") == 0


def test_counters_begin_at_zero_so_that_the_first_rise_is_seen(measuring: Watch) -> None:
    for name in ("oom_kills_total", "probes_lost_total", "runs_failed_total", "runs_lost_total"):
        assert measuring.value(name, cell="io") == 0
    for verdict in ("pass", "fail", "inconclusive", "invalid"):
        assert measuring.value("step_verdict_total", cell="io", verdict=verdict) == 0


def test_counts_of_steps_add_up_over_a_cell(measuring: Watch) -> None:
    listener = measuring.listener
    listener.progress(progress(3, 1))
    listener.progress(progress(5, 2, 1))
    listener.step_done(step(), runs("SUCCESS", "FAILURE", "SUCCESS", "SUCCESS", "UNFINISHED"))
    listener.step_started(order(8), 20.0)
    listener.progress(progress(2, 1))
    assert measuring.value("runs_sent_total", cell="io") == 5 + 2
    assert measuring.value("runs_completed_total", cell="io") == 4 + 1
    assert measuring.value("runs_failed_total", cell="io") == 1
    assert measuring.value("steps_started_total", cell="io") == 2


def test_the_facts_of_a_step_complete_what_the_last_look_missed(measuring: Watch) -> None:
    measuring.listener.progress(progress(2, 0))
    facts = runs("SUCCESS", "REJECTED", "CANCELED", "LOST", "LOST")
    measuring.listener.step_done(step(dropped_arrivals=3, restarts=1), facts)
    counted = {
        name: measuring.value(f"{name}_total", cell="io")
        for name in ("runs_sent", "runs_completed", "runs_failed", "runs_lost",
                     "dropped_arrivals", "server_deaths")
    }  # fmt: skip
    assert counted == {
        "runs_sent": 5, "runs_completed": 2, "runs_failed": 2, "runs_lost": 2,
        "dropped_arrivals": 3, "server_deaths": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "of_step", "counted"), [(2, 2, 2), (0, 1, 1), (3, 1, 3)],
    ids=["both saw them", "the counter died with its container", "some came between steps"],
)  # fmt: skip
def test_an_oom_kill_is_counted_once_whoever_saw_it(
    measuring: Watch, seen: int, of_step: int, counted: int
) -> None:
    measuring.listener.vitals(Vitals(at_s=1.0, oom_kills=seen))
    measuring.listener.step_done(step(oom_kills=of_step), [])
    assert measuring.value("oom_kills_total", cell="io") == counted


def test_a_counter_never_falls_whatever_is_told(measuring: Watch) -> None:
    listener, seen = measuring.listener, []
    told = [(9, 4), (3, 1), (0, 0), (12, 5)]
    for sent, probes_lost in told:
        listener.progress(progress(sent, sent, sent))
        listener.vitals(Vitals(at_s=1.0, probes_lost=probes_lost, oom_kills=probes_lost))
        seen.append({k: v for k, v in measuring.samples().items() if k[0].endswith("_total")})
    listener.cell_done("io", "found")
    listener.cell_started("io", 1, 1)  # `--verify` comes back to a cell
    seen.append({k: v for k, v in measuring.samples().items() if k[0].endswith("_total")})
    for before, after in pairwise(seen):
        assert set(before) <= set(after)
        assert all(after[key] >= value for key, value in before.items())
    assert measuring.value("runs_sent_total", cell="io") == 12


def test_events_are_counted_once_by_kind_and_source(measuring: Watch) -> None:
    first, second = event(1.0, "oom_kill"), event(2.0, "die")
    for told in [(first,), (first, second, second), (second, second, event(3.0, "die"))]:
        measuring.listener.vitals(Vitals(at_s=1.0, events=told))
    count = {k: measuring.value("events_total", cell="io", kind=k, source="code-server")
             for k in ("oom_kill", "die")}  # fmt: skip
    assert count == {"oom_kill": 1, "die": 3}


def test_a_judged_step_moves_the_capacity_and_gives_its_curves_a_point(measuring: Watch) -> None:
    measuring.listener.step_judged(opinion(4))
    measuring.listener.step_judged(
        opinion(8, "fail", broken=("launch_s_p95", "no_oom"), response_p95_s=None, high=7)
    )
    at = {"cell": "io", "concurrency": "4"}
    assert measuring.value("response_p95_seconds", **at) == 6.5
    assert measuring.value("launch_p95_seconds", **at) == 2.5
    assert measuring.value("slowdown_p95_ratio", **at) == 1.25
    assert measuring.value("throughput_runs_per_second", **at) == 0.5
    assert measuring.value("response_p95_seconds", cell="io", concurrency="8") is None
    assert measuring.value("launch_p95_seconds", cell="io", concurrency="8") == 2.5
    assert measuring.value("capacity_low", cell="io") == 4
    assert measuring.value("capacity_high", cell="io") == 7
    assert measuring.value("capacity_probability", cell="io") == 0.75
    verdicts = {v: measuring.value("step_verdict_total", cell="io", verdict=v)
                for v in ("pass", "fail")}  # fmt: skip
    assert verdicts == {"pass": 1, "fail": 1}
    broken = {s: measuring.value("slo_broken_total", cell="io", slo=s)
              for s in ("launch_s_p95", "no_oom", "probe_s_p99")}  # fmt: skip
    assert broken == {"launch_s_p95": 1, "no_oom": 1, "probe_s_p99": None}


def test_an_unbounded_capacity_has_no_high_end(measuring: Watch) -> None:
    measuring.listener.step_judged(opinion(high=9))
    measuring.listener.step_judged(opinion(high=None, probability=None))
    assert {"capacity_high", "capacity_probability"} & measuring.names() == set()


def test_between_steps_there_is_no_step(measuring: Watch) -> None:
    measuring.listener.progress(progress(2, 1))
    during = measuring.names()
    measuring.listener.step_done(step(), runs("SUCCESS", "SUCCESS"))
    assert during - measuring.names() == {
        "runs_in_flight", "step_concurrency", "step_phase"
    }  # fmt: skip


def test_after_a_cell_its_readings_are_gone_and_what_happened_stays(measuring: Watch) -> None:
    listener = measuring.listener
    listener.vitals(FULL)
    listener.progress(progress(2, 1))
    listener.step_judged(opinion())
    listener.cell_done("io", "found")
    live = {*(m.series.removeprefix(f"{PREFIX}_") for m in VITALS.values()), "step_concurrency"}
    assert live & measuring.names() == set()
    assert measuring.value("runs_sent_total", cell="io") == 2
    assert measuring.value("capacity_low", cell="io") == 4
    assert measuring.value("response_p95_seconds", cell="io", concurrency="4") == 6.5
    assert measuring.value("campaign_cells_done") == 1
    assert measuring.value("info", version=__version__, campaign="quick") == 1


def test_the_next_cell_has_counters_of_its_own(measuring: Watch) -> None:
    listener = measuring.listener
    listener.vitals(Vitals(at_s=1.0, probes_lost=3))
    listener.cell_done("io", "found")
    listener.cell_started("cpu", 2, 2)
    listener.vitals(Vitals(at_s=2.0, probes_lost=1, memory_bytes=1e6))
    assert measuring.value("probes_lost_total", cell="io") == 3
    assert measuring.value("probes_lost_total", cell="cpu") == 1
    assert measuring.value("memory_bytes", cell="cpu") == 1e6
    assert measuring.value("info", version=__version__, campaign="quick", cell="cpu") == 1


def test_names_that_need_quoting_survive(watch: Watch) -> None:
    name = 'a "quoted" \\ name'
    watch.listener.campaign_started(name, [])
    assert watch.value("info", version=__version__, campaign=name) == 1


def test_every_metric_explains_itself_and_ends_with_its_unit(measuring: Watch) -> None:
    show_everything(measuring.listener)
    families = list(text_string_to_metric_families(measuring.text()))
    assert {family.name for family in families} == {metric.name for metric in METRICS}
    assert all(family.documentation.endswith(".") for family in families)
    assert all(family.name.endswith(family.unit) for family in families)
    assert all(family.name.startswith(PREFIX) for family in families)


def show_everything(listener: MetricsListener) -> None:
    listener.vitals(Vitals(at_s=1.0, events=(event(1.0, "die"),)))
    listener.vitals(FULL)
    listener.progress(progress(1, 0))
    listener.step_judged(opinion(broken=("no_oom",)))


def test_two_listeners_do_not_share_what_they_count(measuring: Watch) -> None:
    assert "campaign_cells" in measuring.names()
    assert "campaign_cells" not in Watch(MetricsListener(0)).names()
