"""The server's rows: memory, CPU, probe and the three queues."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from harness.rig.protocols import Vitals
from harness.units import mib, show_bytes, show_seconds
from harness.watch.dashboard.bars import BAD, QUIET, WARNING, gauge, joined, level, row
from harness.watch.dashboard.state import Scene
from harness.watch.words import elapsed

UNKNOWN = "–"
FULL = 0.9
HIGH = 0.75
STALE_S = 3.0


def server_rows(scene: Scene, now_s: float, width: int) -> list[Text]:
    """Memory, CPU, queues, probe, Ping: the most telling first."""
    vitals = scene.vitals or Vitals(at_s=0.0)
    return [
        _memory(vitals, width),
        _cpu(vitals, width),
        _queues(vitals, width),
        _probe(vitals, width),
        _ping(vitals, now_s - scene.vitals_s, width),
    ]


def server_title(scene: Scene, now_s: float) -> str:
    """`server`, and how old what is shown is, where it is old."""
    age_s = now_s - scene.vitals_s
    if scene.vitals is None:
        return "server: no reading yet"
    return "server" if age_s < STALE_S else f"server, {elapsed(age_s)} ago"


def strain(vitals: Vitals | None) -> list[tuple[str, str]]:
    """What is wrong with the server, the worst first: OOM kills of the cell, the rest right now."""
    if vitals is None:
        return []
    ratio = memory_ratio(vitals)
    throttled, waiting = vitals.throttled_ratio or 0.0, vitals.pool_queue or 0.0
    found = (
        (vitals.oom_kills > 0, _kills(vitals.oom_kills), BAD),
        (vitals.probes_lost > 0 and vitals.probe_s is None, "health probe unanswered", BAD),
        (ratio is not None and ratio >= FULL, f"memory {ratio or 0:.0%}", BAD),
        (throttled >= 0.5, f"CPU throttled {throttled:.0%}", WARNING),
        (waiting > 0, f"{waiting:.0f} wait for a worker", WARNING),
        (ratio is not None and HIGH <= ratio < FULL, f"memory {ratio or 0:.0%}", WARNING),
    )
    return [(words, style) for true, words, style in found if true]


def memory_ratio(vitals: Vitals) -> float | None:
    """Of the limit; `None` where there is no limit, or nothing is known."""
    if vitals.memory_bytes is None or not vitals.memory_limit_bytes:
        return None
    return vitals.memory_bytes / vitals.memory_limit_bytes


def _memory(vitals: Vitals, width: int) -> Text:
    used, peak, limit = vitals.memory_bytes, vitals.memory_peak_bytes, vitals.memory_limit_bytes
    if used is None:
        return row(("memory ", QUIET), UNKNOWN)
    size = f"{mib(used):,.0f}"
    highest = "" if peak is None else f", peak {mib(peak):,.0f}"
    if not limit:
        return row(("memory ", QUIET), f"{size} MiB{highest}, no limit enforced")
    ratio = used / limit
    words = (
        f"{ratio:4.0%} of {show_bytes(limit)}: {size} MiB{highest}",
        f"{ratio:4.0%} of {show_bytes(limit)}{highest}",
        f"{ratio:4.0%} of {show_bytes(limit)}",
    )
    marked = None if peak is None else peak / limit
    style = level(max(ratio, marked or 0.0), warn=HIGH, bad=FULL)
    return gauge("memory ", ratio, words, width, style=style, mark=marked)


def _cpu(vitals: Vitals, width: int) -> Text:
    used, limit, throttled = vitals.cpu_cores, vitals.cpu_limit_cores, vitals.throttled_ratio
    if used is None:
        return row(("CPU    ", QUIET), UNKNOWN)
    often = "" if throttled is None else f", throttled {throttled:.0%}"
    if not limit:
        return row(("CPU    ", QUIET), f"{used:.2f} cores, no limit enforced")
    words = (
        f"{used / limit:4.0%} of {limit:g} vCPU{often}",
        f"{used / limit:4.0%}{often}",
        f"{used / limit:4.0%}",
    )
    style = level(max(used / limit, throttled or 0.0), warn=HIGH, bad=1.01)
    return gauge("CPU    ", used / limit, words, width, style=style)


def _queues(vitals: Vitals, width: int) -> Text:
    waiting = WARNING if vitals.pool_queue else ""
    return _labelled(
        "queues ",
        [
            (0, (f"pool {_count(vitals.pool_queue)}", waiting)),
            (1, f"run queue {_count(vitals.run_queue)}"),
            (2, f"starting {_count(vitals.starting)}"),
            (3, f"{_count(vitals.resident_runs)} resident"),
        ],
        width,
    )


def _probe(vitals: Vitals, width: int) -> Text:
    lost = vitals.probes_lost
    answer = UNKNOWN if vitals.probe_s is None else show_seconds(vitals.probe_s)
    if vitals.probe_s is None and lost:
        answer = "no answer"
    style = level(vitals.probe_s if vitals.probe_s is not None else 9.0 * lost, warn=1.0, bad=5.0)
    gone = (f"{lost} lost", BAD) if lost else ("none lost", QUIET)
    return _labelled("probe  ", [(0, (answer, style)), (1, gone)], width)


def _ping(vitals: Vitals, since_s: float, width: int) -> Text:
    if vitals.ping_queued is None or vitals.ping_age_s is None:
        return row(("Ping   ", QUIET), (UNKNOWN, QUIET))
    age = elapsed(vitals.ping_age_s + max(since_s, 0.0))
    said = f"said {vitals.ping_queued:.0f} queued"
    return _labelled("Ping   ", [(0, said), (1, (f"asked {age} ago", QUIET))], width)


def _labelled(label: str, parts: Sequence[tuple[int, str | tuple[str, str]]], width: int) -> Text:
    line = joined(list(parts), width - len(label))
    return Text.assemble((label, QUIET), line, no_wrap=True, overflow="ellipsis")


def _kills(count: int) -> str:
    return "1 OOM kill" if count == 1 else f"{count} OOM kills"


def _count(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f}"
