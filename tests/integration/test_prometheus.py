"""A real Prometheus scrapes a short campaign by the configuration people are given."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from observability_files import FOLDER, alerts, queries, variables
from prometheus_server import Prometheus, running, until

from harness import __version__
from harness.facts.model import Event, Run, Step
from harness.rig.orders import Progress
from harness.rig.protocols import Expectation, Opinion, StepOrder, Vitals
from harness.watch.openmetrics import MetricsListener

pytestmark = [pytest.mark.integration, pytest.mark.prometheus]

TARGET = "127.0.0.1:9464"
CELL = "1vcpu-2gb_io"
CELLS = [
    Expectation(cell_id=CELL, expected_s=60, longest_s=90),
    Expectation(cell_id="next", expected_s=30, longest_s=60),
]
PATIENCE_S = 30.0
MACROS = {
    "$__rate_interval": "10s", "$__interval": "2s", "$__range": "2m",
    "$instance": ".*", "$cell": ".*",
}  # fmt: skip
CALM = Vitals(
    at_s=1.0, memory_bytes=300e6, memory_peak_bytes=400e6, memory_limit_bytes=500e6,
    cpu_cores=0.75, cpu_limit_cores=1.0, throttled_ratio=0.25, run_queue=0, pool_queue=0,
    starting=1, ping_queued=0, ping_age_s=2.5, resident_runs=7, probe_s=0.004,
)  # fmt: skip
TROUBLE = replace(
    CALM, memory_peak_bytes=490e6, pool_queue=6, run_queue=5, probe_s=None, probes_lost=2,
    oom_kills=1, events=(Event(at_s=2.0, kind="oom_kill", source="code-server"),),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What Prometheus answered in the second step, and after the cell."""

    values: dict[str, float | None]
    answers: dict[str, list[dict[str, Any]]]
    variables: dict[str, list[str]]
    firing: set[str]
    after: dict[str, float | None]


VALUES = {
    "memory_bytes": 300e6, "memory_peak_bytes": 490e6, "memory_limit_bytes": 500e6,
    "cpu_cores": 0.75, "throttled_ratio": 0.25, "run_queue_runs": 5, "pool_queue_requests": 6,
    "starting_runs": 1, "ping_queued_requests": 0, "ping_age_seconds": 2.5, "resident_runs": 7,
    "probe_seconds": None, "probes_lost_total": 2, "oom_kills_total": 1, "runs_in_flight": 3,
    "runs_sent_total": 10, "runs_completed_total": 5, "runs_failed_total": 1, "runs_lost_total": 2,
    "step_concurrency": 8, 'step_phase{phase="hold"}': 1, 'step_phase{phase="ramp"}': 0,
    'step_verdict_total{verdict="fail"}': 1, 'step_verdict_total{verdict="pass"}': 0,
    "steps_started_total": 2, "capacity_low": 3, "capacity_high": 4, "capacity_probability": 0.75,
    'response_p95_seconds{concurrency="4"}': 6.5, 'launch_p95_seconds{concurrency="4"}': 2.5,
    "campaign_cells": 2, "campaign_cells_done": 0, "campaign_expected_seconds": 90,
    f'info{{campaign="quick", cell="{CELL}", version="{__version__}"}}': 1,
}  # fmt: skip
AFTER = {
    "memory_bytes": None, "pool_queue_requests": None, "step_concurrency": None,
    "capacity_low": 3, "runs_sent_total": 10, "oom_kills_total": 1, "campaign_cells_done": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def seen(prometheus_command: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("prometheus")
    with MetricsListener(0) as listener:
        config = configured(folder, listener.url)
        with running(prometheus_command, config, folder) as prometheus:
            yield campaign(listener, prometheus)


def configured(folder: Path, url: str) -> Path:
    """The committed configuration with another port."""
    (folder / "rules.yml").write_bytes((FOLDER / "rules.yml").read_bytes())
    text = (FOLDER / "prometheus.yml").read_text(encoding="utf-8")
    assert text.count(f'"{TARGET}"') == 1
    config = folder / "prometheus.yml"
    target = url.removeprefix("http://").removesuffix("/metrics")
    config.write_text(text.replace(f'"{TARGET}"', f'"{target}"'), encoding="utf-8")
    return config


def campaign(listener: MetricsListener, prometheus: Prometheus) -> Seen:
    """Two steps of one cell: the first ends in a killed server, the second is watched."""
    listener.campaign_started("quick", CELLS)
    listener.cell_started(CELL, 1, 2)
    listener.step_started(order(4), 20)

    def beat(vitals: Vitals, sent: int, ended: int, failed: int) -> None:
        listener.vitals(vitals)
        listener.progress(
            Progress(
                phase="hold", in_flight=sent - ended, sent=sent, completed=ended, failed=failed
            )
        )

    until(
        lambda: value(prometheus, "memory_peak_bytes") == CALM.memory_peak_bytes,
        lambda: beat(CALM, 3, 1, 0),
        patience_s=PATIENCE_S,
    )
    ends = ("SUCCESS", "FAILURE", "SUCCESS", "LOST", "LOST")
    listener.step_done(killed(), [run(status) for status in ends])
    listener.step_judged(opinion())
    listener.step_started(order(8), 20)
    until(
        lambda: (
            value(prometheus, "runs_sent_total") == 10
            and {"DagsterLoadHarnessOomKill", "DagsterLoadHarnessServerDied"} <= firing(prometheus)
        ),
        lambda: beat(TROUBLE, 5, 2, 0),
        patience_s=PATIENCE_S,
    )
    during = {name: value(prometheus, name) for name in VALUES}
    answers = all_answers(prometheus, lambda: beat(TROUBLE, 5, 2, 0))
    found = {name: choices(prometheus, asked) for name, asked in variables().items()}
    alarms = firing(prometheus)
    listener.cell_done(CELL, "found")
    until(
        lambda: value(prometheus, "campaign_cells_done") == 1, lambda: None, patience_s=PATIENCE_S
    )
    after = {name: value(prometheus, name) for name in AFTER}
    return Seen(values=during, answers=answers, variables=found, firing=alarms, after=after)


def value(prometheus: Prometheus, name: str) -> float | None:
    return prometheus.value(f"dagster_load_harness_{name}")


def all_answers(
    prometheus: Prometheus, meanwhile: Callable[[], None]
) -> dict[str, list[dict[str, Any]]]:
    """What every panel would show, once rates have two scrapes to be made of.

    A panel that stays empty is left for its test to tell.
    """
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        meanwhile()
        found = {query.place: answer(prometheus, query.expr, query.instant) for query in queries()}
        if all(found.values()) or time.monotonic() > deadline_s:
            return found
        time.sleep(0.5)


def answer(prometheus: Prometheus, expr: str, instant: bool) -> list[dict[str, Any]]:
    asked = filled(expr)
    return prometheus.now(asked) if instant else prometheus.lately(asked)


def filled(text: str) -> str:
    """An expression as Grafana sends it, with everything chosen."""
    for macro, meaning in MACROS.items():
        text = text.replace(macro, meaning)
    assert "$" not in text
    return text


def choices(prometheus: Prometheus, asked: str) -> list[str]:
    """What `label_values(selector, label)` of Grafana would offer."""
    selector, _, label = asked.removeprefix("label_values(").removesuffix(")").rpartition(", ")
    found: list[str] = prometheus.ask(f"label/{label}/values", **{"match[]": filled(selector)})
    return found


def firing(prometheus: Prometheus) -> set[str]:
    active = prometheus.ask("alerts")["alerts"]
    return {alert["labels"]["alertname"] for alert in active if alert["state"] == "firing"}


def order(concurrency: int) -> StepOrder:
    return StepOrder(kind="load", concurrency=concurrency, repetition=1, reason="")


def killed() -> Step:
    return Step(
        index=1, kind="load", concurrency=4, repetition=1, reason="", phases=(),
        outcome="aborted", oom_kills=1, restarts=1, dropped_arrivals=1,
    )  # fmt: skip


def run(status: Any) -> Run:
    return Run(step=1, user=0, run_id=None, intended_s=0, sent_s=0, status=status)


def opinion() -> Opinion:
    return Opinion(
        step=1, kind="load", concurrency=4, repetition=1, verdict="fail", broken=("no_oom",),
        throughput_runs_per_s=0.5, response_p95_s=6.5, launch_p95_s=2.5, slowdown_p95=1.5,
        low=3, high=4, probability=0.75,
    )  # fmt: skip


def test_every_series_arrives_with_its_value(seen: Seen) -> None:
    assert seen.values == VALUES


def test_every_expression_of_the_dashboard_parses_and_finds_data(seen: Seen) -> None:
    assert len(seen.answers) == len(list(queries()))
    assert [place for place, found in seen.answers.items() if not found] == []


def test_the_dashboard_offers_the_cell_to_choose(seen: Seen) -> None:
    assert seen.variables["cell"] == [CELL]
    assert len(seen.variables["instance"]) == 1


def test_what_went_wrong_raises_its_alert_and_a_queue_of_seconds_does_not(seen: Seen) -> None:
    assert seen.firing == set(alerts()) - {"DagsterLoadHarnessPoolQueue"}


def test_after_the_cell_its_readings_are_gone_at_once_and_what_happened_stays(seen: Seen) -> None:
    assert seen.after == AFTER


def promtool(prometheus_command: str, *words: str) -> str:
    tool = Path(prometheus_command).with_name("promtool")
    done = subprocess.run([tool, *words], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_configuration_and_rules(prometheus_command: str) -> None:
    said = promtool(prometheus_command, "check", "config", str(FOLDER / "prometheus.yml"))
    assert f"{len(alerts())} rules found" in said


def test_a_queue_that_stands_for_30_s_raises_its_alert(
    prometheus_command: str, tmp_path: Path
) -> None:
    script = tmp_path / "standing.yml"
    rules = FOLDER / "rules.yml"
    script.write_text(STANDING_QUEUE.format(rules=rules), encoding="utf-8")
    assert "SUCCESS" in promtool(prometheus_command, "test", "rules", str(script))


STANDING_QUEUE = """
rule_files: ["{rules}"]
evaluation_interval: 2s
tests:
  - interval: 2s
    input_series:
      - series: dagster_load_harness_pool_queue_requests{{cell="full"}}
        values: 0x4 3x30
      - series: dagster_load_harness_pool_queue_requests{{cell="busy"}}
        values: 3x12 0 3x12
    alert_rule_test:
      - {{eval_time: 36s, alertname: DagsterLoadHarnessPoolQueue, exp_alerts: []}}
      - eval_time: 42s
        alertname: DagsterLoadHarnessPoolQueue
        exp_alerts:
          - exp_labels: {{severity: warning, cell: full}}
            exp_annotations:
              summary: Requests have waited for a gRPC worker for 30 s (full).
              description: >-
                3 wait now. Launches, sensors and health checks share these workers
                (DAGSTER_GRPC_MAX_WORKERS).
"""
