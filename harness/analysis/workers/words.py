"""What was found about workers, in sentences with the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.analysis.workers.fit import Coefficient, WorkerFit
from harness.analysis.workers.results import SettingResult
from harness.units import show_seconds

NAMES: Mapping[str, tuple[str, str]] = {
    "max_workers": ("worker", "workers"),
    "steps_at_once": ("step at once", "steps at once"),
}


def evidence_of(
    setting: str,
    concurrency: int | None,
    results: Sequence[SettingResult],
    *,
    ends: tuple[int | None, int | None],
    fit: WorkerFit | None,
) -> tuple[str, ...]:
    """The sentences of a `WorkerFinding`.

    Args:
        setting: `max_workers` or `steps_at_once`.
        concurrency: that the results are of.
        results: ascending by value.
        ends: the smallest value that held, the largest that was safe.
        fit: `None` leaves it out.
    """
    if concurrency is None:
        said = ["These cells share no concurrency under load: they cannot be compared."]
    else:
        said = [f"At {concurrency} runs, {_row(setting, each)}." for each in results]
        said.append(_smallest(setting, results, ends[0]))
        said.append(_largest(setting, results, ends[1]))
    if fit is not None:
        said.append(fit_sentence(fit))
    return tuple(said)


def fit_sentence(fit: WorkerFit) -> str:
    """The formula as fitted, or why there is none."""
    left_out = f", {fit.waiting} more left out because requests waited" if fit.waiting else ""
    if fit.launches is None or fit.polls is None:
        return f"The sizing formula was not fitted: {fit.note}{left_out}."
    ticks = f" + {_figure(fit.sensors)} × sensor ticks under way" if fit.sensors else ""
    rest = "everything else" if fit.sensors else "everything else, any sensors included"
    return (
        f"Busy workers = {_figure(fit.launches)} × launches under way{ticks} + "
        f"{_figure(fit.polls)} for {rest}, over {fit.points} steps{left_out}."
    )


def _row(setting: str, each: SettingResult) -> str:
    parts = [
        each.verdict + (f" ({', '.join(each.broken)})" if each.broken else ""),
        "launch rate not known"
        if each.launch_rate_per_s is None
        else f"{each.launch_rate_per_s:.2f} launches/s",
    ]
    if each.launch_p95_s is not None:
        parts.append(f"launch p95 {show_seconds(each.launch_p95_s)}")
    if each.probe_p99_s is not None:
        parts.append(f"probe p99 {show_seconds(each.probe_p99_s)}")
    if each.memory_peak_mib is not None:
        parts.append(f"memory peak {each.memory_peak_mib:,.0f} MiB")
    if each.pool_busy is not None and each.pool_queue is not None:
        parts.append(f"{each.pool_busy:.1f} workers busy, {each.pool_queue:.1f} requests waiting")
    return f"{_named(setting, each.value)}: {', '.join(parts)}"


def _smallest(setting: str, results: Sequence[SettingResult], value: int | None) -> str:
    if value is None:
        return f"None of {_tried(results)} {NAMES[setting][1]} held every objective."
    above = [each.value for each in results if each.value > value and each.verdict == "fail"]
    but = f"; {_listed(above)} did not" if above else ""
    return f"{_named(setting, value)} held every objective, the fewest that did{but}."


def _largest(setting: str, results: Sequence[SettingResult], value: int | None) -> str:
    if value is None:
        why = "; ".join(f"{_named(setting, each.value)}: {each.why}" for each in results)
        return f"No number of {NAMES[setting][1]} was shown to be safe ({why})."
    above = next((each for each in results if each.value > value), None)
    if above is None:
        return f"{_named(setting, value)} were safe, the most that were tried."
    known = "not safe" if above.safe is False else "not shown to be safe"
    return (
        f"{_named(setting, value)} were the most that were safe: {above.value} were {known} "
        f"({above.why})."
    )


def _named(setting: str, value: int) -> str:
    return f"{value} {NAMES[setting][value != 1]}"


def _tried(results: Sequence[SettingResult]) -> str:
    return _listed([each.value for each in results])


def _listed(values: Sequence[int]) -> str:
    return ", ".join(str(value) for value in values)


def _figure(found: Coefficient) -> str:
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
