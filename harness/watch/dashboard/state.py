"""What the dashboard knows: made from a listener's calls alone, and never drawn here.

A scene is frozen. Whoever draws takes the one there is and needs no lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from harness.facts.model import Event
from harness.rig.orders import Progress
from harness.rig.protocols import Expectation, Opinion, StepOrder, Vitals
from harness.watch.pace import Pace
from harness.watch.words import one_line, threshold_words

NOTABLE = {
    "oom_kill", "oom", "die", "restart", "server_died", "fresh_server", "fallback",
    "device_error", "device_not_offered", "probe_error",
}  # fmt: skip
"""Events worth a line; the others are for whoever reads the facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentStep:
    """The step under way. `planned_s` is without its drain."""

    order: StepOrder
    begun_s: float
    planned_s: float
    progress: Progress | None = None

    def elapsed_s(self, now_s: float) -> float:
        """Since it began."""
        return max(0.0, now_s - self.begun_s)

    def left_s(self, now_s: float) -> float:
        """Until its drain, at least."""
        return max(0.0, self.planned_s - self.elapsed_s(now_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A campaign as far as it has come. Times are of the dashboard's own clock, in seconds.

    `doing` says what goes on where no step does, or beside it. `vitals_s`: when the vitals came.
    `opinions` are of the current cell, in order; `found` has what became of finished cells.
    """

    campaign: str = ""
    pace: Pace = field(default_factory=Pace)
    cell_ids: tuple[str, ...] = ()
    cell_id: str = ""
    number: int = 0
    total: int = 0
    step: CurrentStep | None = None
    doing: str = ""
    doing_since_s: float = 0.0
    vitals: Vitals | None = None
    vitals_s: float = 0.0
    opinions: tuple[Opinion, ...] = ()
    found: tuple[tuple[str, str], ...] = ()

    @property
    def opinion(self) -> Opinion | None:
        """The newest."""
        return self.opinions[-1] if self.opinions else None

    @property
    def events(self) -> tuple[Event, ...]:
        """Those of the cell that are worth a line, oldest first."""
        known = self.vitals.events if self.vitals else ()
        return tuple(event for event in known if event.kind in NOTABLE)

    def left_s(self, now_s: float) -> float | None:
        """Until the campaign is over; `None` where nobody knows."""
        return self.pace.left_s(now_s, step_left_s=self._step_left_s(now_s))

    def share(self, now_s: float) -> float:
        """Of the campaign's time, what is over."""
        return self.pace.share(now_s, step_left_s=self._step_left_s(now_s))

    def said(self, text: str, now_s: float) -> Scene:
        """The sentence stands until something else is known."""
        return self._doing(one_line(text), now_s)

    def campaign_started(self, name: str, cells: Sequence[Expectation], now_s: float) -> Scene:
        """Everything begins anew."""
        scene = Scene(
            campaign=name,
            pace=self.pace.campaign_started(cells, now_s),
            cell_ids=tuple(cell.cell_id for cell in cells),
            total=len(cells),
        )
        return scene._doing("getting ready", now_s)

    def cell_started(self, cell_id: str, number: int, total: int, now_s: float) -> Scene:
        """A fresh server, of which nothing is known yet."""
        scene = replace(
            self,
            pace=self.pace.cell_started(cell_id, now_s),
            cell_id=cell_id,
            number=number,
            total=total,
            step=None,
            vitals=None,
            opinions=(),
        )
        return scene._doing("starting the server", now_s)

    def step_started(self, order: StepOrder, duration_s: float, now_s: float) -> Scene:
        """A step begins."""
        step = CurrentStep(order=order, begun_s=now_s, planned_s=duration_s)
        return replace(self, step=step, doing="")

    def progressed(self, progress: Progress) -> Scene:
        """The step goes on."""
        return replace(self, step=replace(self.step, progress=progress)) if self.step else self

    def felt(self, vitals: Vitals, now_s: float) -> Scene:
        """The server does so."""
        return replace(self, vitals=vitals, vitals_s=now_s)

    def step_done(self, now_s: float) -> Scene:
        """Nothing runs now."""
        return replace(self, step=None)._doing("judging the step", now_s)

    def step_judged(self, opinion: Opinion, now_s: float) -> Scene:
        """The curve grows."""
        scene = replace(self, opinions=(*self.opinions, opinion))
        return scene._doing("choosing the next step", now_s)

    def cell_done(self, cell_id: str, now_s: float) -> Scene:
        """The cell's answer stays."""
        scene = replace(
            self,
            pace=self.pace.cell_done(now_s),
            step=None,
            found=(*self.found, (cell_id, threshold_words(self.opinion))),
        )
        last = self.number >= self.total
        return scene._doing("judging the campaign" if last else "going to the next cell", now_s)

    def _doing(self, what: str, now_s: float) -> Scene:
        return replace(self, doing=what, doing_since_s=now_s)

    def _step_left_s(self, now_s: float) -> float:
        return self.step.left_s(now_s) if self.step else 0.0
