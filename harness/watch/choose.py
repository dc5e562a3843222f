"""Who watches: the dashboard on a real terminal, lines anywhere else, and gauges if wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from harness.rig.protocols import Listener
from harness.watch.fan_out import FanOut, Watcher
from harness.watch.plain import PlainListener


@contextmanager
def watching(
    console: Console, *, plain: bool = False, metrics_port: int | None = None
) -> Iterator[Listener]:
    """A listener for one campaign or several, one after the other.

    Args:
        console: where a person may look.
        plain: lines, whatever the console can do.
        metrics_port: serve the live gauges there; 0 for a free port, `None` for no gauges.

    Raises:
        EnvironmentProblem: the port is in use.
    """
    lines = PlainListener(console)
    if metrics_port is None:
        with FanOut([choose_listener(console, plain=plain)], complain=lines.say) as listener:
            yield listener
        return
    from harness.watch.openmetrics import MetricsListener

    gauges = MetricsListener(metrics_port)
    watchers: list[Watcher] = [gauges, choose_listener(console, plain=plain)]
    with FanOut(watchers, complain=lines.say) as listener:
        listener.say(f"Live gauges: {gauges.url}")
        yield listener


def choose_listener(console: Console, *, plain: bool = False) -> Watcher:
    """The dashboard where a person can see it move, else plain lines.

    A pipe gets lines whatever colours it is said to want, and so does a terminal that wants no
    colours, cannot move its cursor or does not show Unicode.
    """
    if plain or not _can_show(console):
        return PlainListener(console)
    from harness.watch.dashboard.live import Dashboard

    return Dashboard(console)


def _can_show(console: Console) -> bool:
    return (
        console.file.isatty()
        and console.is_terminal
        and not console.is_dumb_terminal
        and not console.no_color
        and console.encoding.lower().startswith("utf")
    )
