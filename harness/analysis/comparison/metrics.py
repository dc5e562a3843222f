"""What can be compared: figures of a cell, and figures of its steps at a concurrency."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from harness.analysis.comparison.types import Better, Metric
from harness.errors import CampaignError


def _of_a_cell(
    key: str, name: str, unit: str, *, better: Better = "lower", gates: bool = False
) -> Metric:
    return Metric(key=key, name=name, unit=unit, better=better, at_load=False, gates=gates)


def _at_load(
    key: str, name: str, unit: str, *, better: Better = "lower", gates: bool = False
) -> Metric:
    return Metric(key=key, name=name, unit=unit, better=better, at_load=True, gates=gates)


METRICS: tuple[Metric, ...] = (
    _at_load("launch_work", "launch CPU in bare Python starts", "starts", gates=True),
    _of_a_cell("launch_cpu_s", "launch CPU", "CPU-s", gates=True),
    _at_load("launch_s", "launch time p50", "s", gates=True),
    _at_load("throughput_runs_per_s", "throughput", "runs/s", better="higher", gates=True),
    _at_load("run_rss_mib", "RSS of a run at work", "MiB", gates=True),
    _of_a_cell("base_mib", "idle server memory", "MiB", gates=True),
    _of_a_cell("per_run_mib", "memory a run", "MiB"),
    _of_a_cell("peak_per_run_mib", "peak memory a run", "MiB"),
    _at_load("accept_s", "time to accept", "s"),
    _at_load("queue_s", "time in the run queue", "s"),
    _at_load("spawn_s", "time to a process", "s"),
    _at_load("import_s", "import time", "s"),
    _at_load("first_step_s", "time to the first step", "s"),
    _at_load("response_s", "response p50", "s"),
    _at_load("cpu_s_per_run", "CPU a run", "CPU-s"),
    _at_load("probe_s", "probe p50", "s"),
    _of_a_cell("idle_cores", "idle CPU", "cores"),
)
"""In the order they are shown, those that gate first. Fitted memory (`per_run_mib`) does not gate:
it is the slope of a line through few points; `run_rss_mib` sees the same with far less noise."""

_BY_KEY = {metric.key: metric for metric in METRICS}


def parse_key(key: str) -> tuple[Metric, int | None]:
    """The metric and the concurrency of `launch_s@4`; without `@` the concurrency is `None`.

    Raises:
        CampaignError: there is no such metric, the load is no whole number from 1, or the metric
            is not one of a step.
    """
    name, separator, load = key.partition("@")
    metric = _BY_KEY.get(name)
    if metric is None:
        raise _unknown(key)
    if not separator:
        return metric, None
    if not metric.at_load:
        raise CampaignError(
            f"{name} is a figure of a cell: it has no load.", hint=f"Leave out {separator}{load}."
        )
    if not load.isascii() or not load.isdigit() or int(load) < 1:
        raise CampaignError(
            f"{key}: the load after @ is a number of runs.", hint=f"For example {name}@4."
        )
    return metric, int(load)


def metric_of(key: str) -> Metric:
    """The metric of a key, with or without its load (`throughput_runs_per_s@4`).

    Raises:
        CampaignError: see `parse_key`.
    """
    return parse_key(key)[0]


def _unknown(key: str) -> CampaignError:
    near = get_close_matches(key.partition("@")[0], _BY_KEY, n=1)
    return CampaignError(
        f"There is no metric {key}." + (f" Did you mean {near[0]}?" if near else ""),
        hint=f"Of a cell: {_list(False)}. At a load, as in launch_s@4: {_list(True)}.",
    )


def _list(at_load: bool) -> str:
    known: Iterable[Metric] = (metric for metric in METRICS if metric.at_load is at_load)
    return ", ".join(metric.key for metric in known)
