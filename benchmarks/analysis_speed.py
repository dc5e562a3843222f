"""How long judging takes: a synthetic campaign of many steps, written, read back and judged.

The clock starts when the modules are loaded (that is timed apart) and the facts are on disk.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import ExitCode
from harness.facts.layout import ResultsFolder
from harness.facts.model import Cell, Limits, Phase, Run, Sample, Step
from harness.facts.store import ResultsWriter, read_results

BAR_S = 2.0
START_S, MIB, RUN_S, IDLE_S, SEED = 1_700_000_000.0, 2**20, 8.0, 5.0, 20260101
PHASES = (("ramp", 8.0), ("settle", 4.0), ("hold", 40.0), ("drain", 10.0))
STEP_S = sum(length_s for _, length_s in PHASES)
CONCURRENCY = 4
"""About 20 runs a step: each takes some 10 s."""

LIMITS = Limits(cpu_cores=1.0, memory_bytes=2048 * MIB)
DEVICES: Mapping[str, tuple[float, tuple[str, ...], tuple[str, ...]]] = {
    "cgroup": (5.0, ("code-server-1",), ("usage_bytes", "working_set_bytes", "anon_bytes",
               "oom_kills", "cpu_s", "periods", "throttled_periods", "throttled_s", "pids")),
    "pool": (5.0, ("code-server-1",), ("pool_queue", "pool_busy", "pool_threads", "pool_max",
             "pool_late_s")),
    "processes": (1.0, ("code-server-1",), ("resident_runs", "steps", "server_rss_bytes",
                  "runs_rss_bytes", "server_threads")),
    "probe": (1.0, ("code-server-1",), ("probe_s", "probe_lost")),
    "run_queue": (1.0, ("postgres",), ("queued", "starting", "started", "pg_connections")),
    "support": (1.0, ("webserver", "daemon", "postgres", "upstream"), ("cpu_s", "rss_bytes")),
    "host": (1.0, ("host",), ("load1", "cpu_used_cores", "cpu_steal_ratio")),
    "observer": (1.0, ("observer",), ("cpu_s", "rss_bytes")),
}  # fmt: skip
"""Rate in 1/s, sources and keys of each device, as a Compose target records them."""

COUNTERS = {"cpu_s": 0.4, "periods": 10.0, "throttled_periods": 1.0, "throttled_s": 0.05}
LEVELS = {"usage_bytes": 900 * MIB, "anon_bytes": 700 * MIB, "resident_runs": 4.0,
          "probe_s": 0.02, "cpu_used_cores": 1.0, "pool_max": 6.0}  # fmt: skip


def step_of(index: int, at_s: float, *, concurrency: int = CONCURRENCY) -> Step:
    """The unloaded one first, then repetitions of one load."""
    phases = []
    for name, length_s in PHASES:
        phases.append(Phase(name=name, start_s=at_s, end_s=at_s + length_s))
        at_s += length_s
    return Step(
        index=index, kind="load" if index > 1 else "unloaded",
        concurrency=concurrency if index > 1 else 1, repetition=index, reason="benchmark",
        phases=tuple(phases), outcome="completed", kernel_peak_bytes=900.0 * MIB,
        peak_source="kernel", generator_cpu_cores=0.1, observer_cpu_cores=0.05,
    )  # fmt: skip


def runs_of(step: Step, rng: random.Random) -> Iterator[Run]:
    """A closed loop: each user sends its next run when the last one ended."""
    start_s, end_s = step.phases[0].start_s, step.phases[2].end_s
    for user in range(step.concurrency):
        sent_s = start_s + 8.0 * user / step.concurrency
        while sent_s < end_s:
            started_s = sent_s + rng.uniform(1.0, 3.0)
            ended_s = started_s + RUN_S
            yield Run(
                step=step.index, user=user, run_id=f"{step.index}-{user}-{sent_s:.0f}",
                intended_s=sent_s, sent_s=sent_s, accepted_s=sent_s + 0.3,
                dequeued_s=sent_s + 0.1, process_started_s=sent_s + 0.5, started_s=started_s,
                first_step_s=started_s + 0.1, ended_s=ended_s, status="SUCCESS",
                work_cpu_s=0.05,
            )  # fmt: skip
            sent_s = ended_s + 0.2


def samples_of(start_s: float, length_s: float, rng: random.Random) -> Iterator[Sample]:
    """Every device at its rate; counters grow evenly, gauges waver."""
    for device, (rate, sources, keys) in DEVICES.items():
        for tick in range(int(length_s * rate)):
            due_s = start_s + tick / rate
            taken_s = due_s + rng.uniform(0, 0.01)
            for source in sources:
                for key in keys:
                    grown = COUNTERS.get(key, 0.0) * (taken_s - START_S)
                    value = grown + LEVELS.get(key, 0.0) * rng.uniform(0.9, 1.1)
                    yield Sample(device=device, source=source, key=key, due_s=due_s,
                                 taken_s=taken_s, value=value)  # fmt: skip


def cell_of(number: int, at_s: float) -> Cell:
    """A 1 vCPU, 2 GiB cell with every objective."""
    from harness.campaign.plan import Slos

    return Cell(
        id=f"1vcpu-2gb_io_1.13.27_w{number}_r1_direct", profile="1vcpu-2gb", vcpu=1.0,
        memory_bytes=2048 * MIB, workload="io", params={}, dagster="1.13.27",
        max_workers=number, replicas=1, feed="direct", target="compose",
        requested_limits=LIMITS, effective_limits=LIMITS, limits_enforced=True,
        overcommitted=False, devices=tuple(DEVICES), slos=Slos().model_dump(),
        idle_start_s=at_s, idle_end_s=at_s + IDLE_S,
    )  # fmt: skip


def write(
    root: Path, *, cells: int, steps: int, concurrency: int = CONCURRENCY
) -> tuple[Path, int]:
    """A sealed results folder, and how many samples are in it."""
    rng, samples, at_s = random.Random(SEED), 0, START_S
    folder = ResultsFolder(root / "20260101T000000Z-speed")
    writer = ResultsWriter(folder)
    workers = list(range(1, cells + 1))
    writer.write_campaign(
        f"name: speed\nprofiles: 1vcpu-2gb\nworkloads: [io]\nmax_workers: {workers}\n"
    )
    writer.write_environment({"host": {"cpus": 4}})
    for number in range(1, cells + 1):
        cell = cell_of(number, at_s)
        cell_writer = writer.cell(cell.id)
        cell_writer.write_cell(cell)
        cell_writer.append_loose(samples_of(at_s, IDLE_S, rng))
        at_s += IDLE_S
        for index in range(1, steps + 1):
            step = step_of(index, at_s, concurrency=concurrency)
            taken = list(samples_of(at_s, STEP_S, rng))
            cell_writer.append_step(step, runs_of(step, rng), taken, ())
            at_s, samples = at_s + STEP_S, samples + len(taken)
        cell_writer.seal(cell)
    return folder.path, samples


def timed(path: Path) -> dict[str, Any]:
    """Seconds to load the judges, to read the facts, and to judge them; verdicts counted."""
    started = time.perf_counter()
    from harness.analysis.findings.document import findings_of
    from harness.campaign.plan import Campaign, Workload
    from harness.campaign.profiles import parse_profile

    loaded = time.perf_counter()
    stored = read_results(path)
    read = time.perf_counter()
    campaign = Campaign(
        name="speed", profiles=(parse_profile("1vcpu-2gb"),), workloads=(Workload(name="io"),)
    )
    findings = findings_of(campaign, stored.environment, stored.cells)
    judged = time.perf_counter()
    verdicts = [step.verdict for cell in findings.cells for step in cell.steps]
    return {
        "import_s": loaded - started,
        "read_s": read - loaded,
        "judge_s": judged - read,
        "read_and_judge_s": judged - loaded,
        "verdicts": {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))},
    }


def main() -> int:
    """0: at or under the bar; 5: slower."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=10)
    parser.add_argument("--steps", type=int, default=10, help="of each cell")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="analysis-speed-") as root:
        path, samples = write(Path(root), cells=options.cells, steps=options.steps)
        found = timed(path)
    steps = options.cells * options.steps
    document = {"steps": steps, "samples": samples, "bar_s": BAR_S, **found}
    print(json.dumps(document, indent=2))
    slow = found["read_and_judge_s"] > BAR_S
    print(
        f"{steps} steps: read in {found['read_s']:.2f} s, judged in {found['judge_s']:.2f} s"
        + (f": slower than {BAR_S:g} s" if slow else ""),
        file=sys.stderr,
    )
    return ExitCode.INCONCLUSIVE if slow else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
