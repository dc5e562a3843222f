"""The other rows: the headline, the campaign, the step under way, the last events."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from harness.facts.model import Event
from harness.watch.dashboard.bars import (
    BAD,
    GOOD,
    QUIET,
    STRONG,
    WARNING,
    gauge,
    joined,
    row,
)
from harness.watch.dashboard.gauges import strain
from harness.watch.dashboard.state import CurrentStep, Scene
from harness.watch.words import about, elapsed, load_words, one_line, threshold_words

STEP_ROWS = 3
ALARMING = {"oom_kill", "oom", "die", "server_died"}


def headline(scene: Scene, now_s: float, width: int) -> Text:
    """All of it in one line: what is measured, how the server takes it, what is known by now."""
    parts: list[tuple[int, str | tuple[str, str]]] = []
    if scene.cell_id:
        short = short_names(scene.cell_ids).get(scene.cell_id, scene.cell_id)
        parts.append((4, (f"{short} {scene.number}/{scene.total}", STRONG)))
    parts.append((0, (_activity(scene), STRONG)))
    troubles = strain(scene.vitals)
    parts += [(1 + 4 * index, trouble) for index, trouble in enumerate(troubles)]
    if scene.step and scene.vitals and not troubles:
        parts.append((5, ("server at ease", GOOD)))
    if scene.opinions and (threshold := threshold_words(scene.opinion)):
        parts.append((2, threshold))
    left_s = scene.left_s(now_s)
    if left_s is not None and scene.cell_id:
        parts.append((3, f"{about(left_s)} left"))
    return joined(parts, width)


def campaign_rows(scene: Scene, now_s: float, width: int) -> list[Text]:
    """How far the campaign is; then its cells."""
    if scene.pace.begun_s is None:
        return [row(("waiting for a campaign", QUIET)), row("")]
    gone = elapsed(now_s - scene.pace.begun_s)
    left_s = scene.left_s(now_s)
    left = "" if left_s is None else f"{about(left_s)} left"
    words = (
        f"{scene.campaign}: cell {scene.number} of {scene.total}, {gone} gone, {left}",
        f"cell {scene.number} of {scene.total}, {left}",
        f"{scene.number}/{scene.total}, {left}",
        left,
    )
    bar_row = gauge("", scene.share(now_s), words, width, style="cyan")
    return [bar_row, _cells(scene, width)]


def step_rows(scene: Scene, now_s: float, width: int) -> list[Text]:
    """How far the step is, what became of its runs, why it was chosen; always three rows."""
    step = scene.step
    if step is None:
        since = elapsed(now_s - scene.doing_since_s)
        return [row(scene.doing, (f" {since}" if scene.doing else "", QUIET)), row(""), row("")]
    why = (scene.doing, WARNING) if scene.doing else (one_line(step.order.reason), "")
    return [_phase(step, now_s, width), _runs(step, width), row(("why    ", QUIET), why)]


def step_title(scene: Scene) -> str:
    """`step: 7 at once`."""
    if scene.step is None:
        return "between steps"
    order = scene.step.order
    again = f", repetition {order.repetition}" if order.repetition > 1 else ""
    return f"step: {load_words(order.kind, order.concurrency, order.rate_per_s)}{again}"


def event_rows(scene: Scene, now_s: float, most: int) -> list[Text]:
    """The newest events of the cell, the newest first."""
    if scene.vitals is None or not scene.events:
        return [row(("no event in this cell", QUIET))][:most]
    now_epoch_s = scene.vitals.at_s + max(0.0, now_s - scene.vitals_s)
    newest = scene.events[::-1][:most]
    return [_event(event, now_epoch_s - event.at_s) for event in newest]


def short_names(ids: Sequence[str]) -> dict[str, str]:
    """What distinguishes each cell from the others: of `a_io_x`, `a_cpu_x` it is `io`, `cpu`.

    An id whose parts cannot be told apart keeps its name.
    """
    split = [each.split("_") for each in ids]
    if len(ids) < 2 or len({len(parts) for parts in split}) > 1:
        return {each: each for each in ids}
    differing = [i for i, parts in enumerate(zip(*split, strict=True)) if len(set(parts)) > 1]
    return {
        each: " ".join(parts[i] for i in differing) or each
        for each, parts in zip(ids, split, strict=True)
    }


def _activity(scene: Scene) -> str:
    if scene.step is None:
        return scene.doing or "waiting"
    order, progress = scene.step.order, scene.step.progress
    phase = f", {progress.phase}" if progress else ""
    return load_words(order.kind, order.concurrency, order.rate_per_s) + phase


def _cells(scene: Scene, width: int) -> Text:
    names, found = short_names(scene.cell_ids), dict(scene.found)
    parts: list[tuple[int, str | tuple[str, str]]] = []
    for index, cell_id in enumerate(scene.cell_ids):
        name = names[cell_id]
        if cell_id in found:
            parts.append((1 + index, (f"✓ {name}: {found[cell_id]}", GOOD)))
        elif cell_id == scene.cell_id:
            parts.append((0, (f"▶ {name}", STRONG)))
        else:
            parts.append((1 + index, (name, QUIET)))
    return joined(parts, width)


def _phase(step: CurrentStep, now_s: float, width: int) -> Text:
    elapsed_s, planned_s = step.elapsed_s(now_s), max(step.planned_s, 0.1)
    phase = step.progress.phase if step.progress else "starting"
    if elapsed_s > planned_s:
        over = elapsed(elapsed_s - planned_s)
        words: tuple[str, ...] = (f"waiting for the last runs, {over}", over)
    else:
        words = (f"{elapsed_s:.0f} of {planned_s:.0f} s",)
    return gauge(f"{phase:7.7s}", elapsed_s / planned_s, words, width, style="cyan")


def _runs(step: CurrentStep, width: int) -> Text:
    seen = step.progress
    if seen is None:
        return row(("runs   ", QUIET), ("none sent yet", QUIET))
    failed = (f"{seen.failed} failed", BAD if seen.failed else QUIET)
    line = joined(
        [
            (0, f"{seen.in_flight} in flight"),
            (2, f"{seen.sent} sent"),
            (1, f"{seen.completed} completed"),
            (0 if seen.failed else 3, failed),
        ],
        width - 7,
    )
    return Text.assemble(("runs   ", QUIET), line, no_wrap=True, overflow="ellipsis")


def _event(event: Event, age_s: float) -> Text:
    style = BAD if event.kind in ALARMING else WARNING
    return row((f"{elapsed(age_s):>7} ago  ", QUIET), (event_words(event), style))


def event_words(event: Event) -> str:
    """An event as a person reads it."""
    detail = event.detail
    words = {
        "oom_kill": f"OOM: the kernel killed {detail.get('count', 1)}",
        "oom": "OOM, says the engine",
        "server_died": "died" + (" of OOM" if detail.get("oom") else "") + _exit_code(event),
        "die": f"container ended{_exit_code(event)}",
        "fresh_server": f"fresh server: {detail.get('why', '')}",
    }.get(event.kind, f"{event.kind}: {detail.get('error') or detail.get('instead') or ''}")
    source = "" if event.kind == "fresh_server" else f" ({event.source})"
    return one_line(words + source)


def _exit_code(event: Event) -> str:
    code = event.detail.get("exit_code")
    return "" if code is None else f", exit code {code}"
