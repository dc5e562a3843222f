"""Does an asset that profiles itself tell what a run takes?

The sizing guide's asset traces allocations and reads resident memory before and after the work,
inside the asset. It runs alone, beside light work and beside rows of 50 MiB, in either executor.
What it says is held against what runs of the same work, not profiled, add to the container.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from statistics import median
from typing import Any

from harness.analysis.guides.types import Figure, Figures
from harness.facts.observations import Observations
from harness.rig.lab.lab import Lab
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.residents import Burst, hold
from harness.scenarios.guides.scenario import Scenario

MIB = 1024**2
WORK = {"light": 1, "heavy": 50}
"""MiB of rows."""

JOBS = {"in_process": "profiled", "multiprocess": "profiled_multi"}
LOG_LINES = """
SELECT run_id, event FROM event_logs
WHERE run_id = ANY(%s) AND dagster_event_type IS NULL ORDER BY id
"""
TOLD = re.compile(r"profile: rss_delta=(-?\d+) traced_peak=(-?\d+) built_s=([\d.]+)")
HAS_PSUTIL = "import importlib.util as u; print(int(u.find_spec('psutil') is not None))"


def measure(bench: Bench) -> None:
    """For each work and executor: profiled runs alone, then runs of it held at once."""
    server = ServerSpec(module="workloads.guides.profiled", cpu_cores=1.5, memory_mib=4096)
    with bench.lab(LabSpec(servers=(server,))) as lab:
        bench.note("image", psutil=int(lab.server().run("python3", "-c", HAS_PSUTIL)))
        for executor in JOBS:
            _profile(bench, lab, "light", executor=executor, profile=True, turn="first")
        for executor, work in product(JOBS, WORK):
            # What tracing costs shows where most is traced, and does not depend on the executor.
            both = (True, False) if (executor, work) == ("in_process", "heavy") else (True,)
            for profile in both * (1 if bench.quick else 3):
                _profile(bench, lab, work, executor=executor, profile=profile, turn="again")
            _real(bench, lab, work, executor=executor)


def _profile(bench: Bench, lab: Lab, work: str, **about: Any) -> None:
    """One run alone. `about`: `executor`; `profile`, whether it profiles itself as the guide does;
    `turn`: `first` runs read files from disk and are left out.
    """
    bench.say(f"One run, {work}, {', '.join(f'{key} {value}' for key, value in about.items())}")
    config = _config(work, seconds=0.0, profile=about["profile"])
    launched = lab.web.launch(Order(job=JOBS[about["executor"]], config=config))
    ids = [launched.run_id] if launched.run_id else []
    lab.web.wait(ids, timeout_s=120)
    for told in _told(lab, ids):
        bench.note("told", work=work, **about, **told)


def _real(bench: Bench, lab: Lab, work: str, *, executor: str) -> None:
    """Runs of the same work held at once, not profiled."""
    burst = Burst(
        job=JOBS[executor], runs=2 if bench.quick else 5,
        config=_config(work, seconds=900.0, profile=False),
    )  # fmt: skip
    hold(bench, lab, burst, work=work, executor=executor)


def _config(work: str, *, seconds: float, profile: bool) -> dict[str, Any]:
    return {
        "ops": {"rows": {"config": {"mib": WORK[work], "seconds": seconds, "profile": profile}}}
    }


def _told(lab: Lab, ids: Sequence[str]) -> list[dict[str, float]]:
    """What runs wrote into their log."""
    if not ids:
        return []
    found = (TOLD.search(str(event)) for _, event in lab.records.ask(LOG_LINES, [list(ids)]))
    return [
        {"rss_delta": int(each[1]), "traced_peak": int(each[2]), "built_s": float(each[3])}
        for each in found
        if each
    ]


def figures(seen: Observations) -> Figures:
    """Told against real, for light and heavy work and either executor (`_multi`).

    Told is the larger of the two numbers the asset logs. Real is what a run adds: the memory of
    the container (PSS, and the kernel's peak) with the runs held, less the idle server's, per run.
    """
    found: dict[str, Figure] = {}
    for executor, suffix in (("in_process", ""), ("multiprocess", "_multi")):
        for work in WORK:
            found |= _pair(seen, work, executor, suffix)
        found |= _sum(found, suffix)
    found["rss_delta_inflation"] = _inflation(seen, found)
    image = seen.first("image")
    if image is not None:
        found["psutil_there"] = Figure(
            value=image["psutil"], unit="1",
            meaning="whether psutil, which the asset imports, comes with Dagster here: 1 or 0",
        )  # fmt: skip
    heavy = {"work": "heavy", "executor": "in_process"}
    built = {flag: _median(seen, "built_s", profile=flag, **heavy) for flag in (True, False)}
    slow, plain = built[True], built[False]
    found["traced_slowdown"] = Figure(
        value=slow / plain if slow and plain else None, unit="1", why="nothing was told",
        meaning="how much longer building the heavy rows takes while allocations are traced",
    )  # fmt: skip
    return found


def _pair(seen: Observations, work: str, executor: str, suffix: str) -> Figures:
    match = {"work": work, "executor": executor}
    told = [_median(seen, key, profile=True, **match) for key in ("rss_delta", "traced_peak")]
    known = [each / MIB for each in told if each is not None]
    told_mib = max(known, default=None)
    row = next((r for r in seen.of("held", **match) if r["working"] == r["runs"]), None)
    pss_mib = _added(row, "pss_bytes", "idle_pss_bytes")
    peak_mib = _added(row, "peak_bytes", "idle_usage_bytes")
    what, name = f"{work} work, {executor.replace('_', ' ')}", work + suffix
    n = len(seen.of("told", turn="again", profile=True, **match))
    why = "no run told anything, or none was held"
    runs = row["runs"] if row else 0
    return {
        f"{name}_told_mib": Figure(
            value=told_mib, unit="MiB", n=n, why=why, meaning=f"what the asset says: {what}"
        ),
        f"{name}_real_mib": Figure(
            value=pss_mib, unit="MiB", n=runs, why=why, meaning=f"PSS a run really adds: {what}"
        ),
        f"{name}_peak_mib": Figure(
            value=peak_mib, unit="MiB", n=runs, why=why,
            meaning=f"what a run really adds to the kernel's peak: {what}",
        ),
        f"{name}_ratio": Figure(
            value=told_mib / pss_mib if told_mib is not None and pss_mib else None, unit="1",
            n=n, why=why, meaning=f"what the asset says ÷ the PSS a run really adds: {what}",
        ),
    }  # fmt: skip


def _sum(found: Figures, suffix: str) -> Figures:
    """What no asset can see: what is left of a run that does next to nothing."""
    told, real = found[f"light{suffix}_told_mib"].value, found[f"light{suffix}_real_mib"].value
    return {
        f"unseen{suffix}_mib": Figure(
            value=real - told if real is not None and told is not None else None,
            unit="MiB",
            why="no run told anything, or none was held",
            meaning="memory of a light run that the asset does not see"
            + (", in a process per step" if suffix else ""),
        )
    }


def _inflation(seen: Observations, found: Figures) -> Figure:
    """Tracing keeps a record of every allocation, in the memory that is being measured."""
    grown = _median(seen, "rss_delta", work="heavy", executor="in_process", profile=True)
    heavy, light = found["heavy_real_mib"].value, found["light_real_mib"].value
    really = None if heavy is None or light is None else heavy - light
    return Figure(
        value=grown / MIB / really if grown is not None and really else None, unit="1",
        why="no run told anything, or none was held",
        meaning="growth of resident memory the asset reads while it traces ÷ what the heavy rows "
        "really add",
    )  # fmt: skip


def _added(row: Any, key: str, idle_key: str) -> float | None:
    if row is None or row.get(key) is None or row.get(idle_key) is None:
        return None
    return float((row[key] - row[idle_key]) / row["runs"] / MIB)


def _median(seen: Observations, key: str, **match: Any) -> float | None:
    values = [row[key] for row in seen.of("told", turn="again", **match)]
    return float(median(values)) if values else None


SCENARIO = Scenario(
    name="profiling-asset",
    question="Does an asset that profiles itself tell what a run takes?",
    minutes=2.5,
    quick_minutes=1,
    measure=measure,
    figures=figures,
)
