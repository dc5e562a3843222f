"""How much of a campaign is left, from what was expected and what it really took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.rig.protocols import Expectation

SLOWEST, FASTEST = 4.0, 0.25
"""How far finished cells may correct what is expected of the others, as factors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A campaign's way through its cells. All times are of one clock, in seconds.

    `took` has finished cells: what was expected of each, and what it took.
    """

    cells: tuple[Expectation, ...] = ()
    begun_s: float | None = None
    current: Expectation | None = None
    cell_begun_s: float = 0.0
    took: tuple[tuple[float, float], ...] = ()

    def campaign_started(self, cells: Sequence[Expectation], now_s: float) -> Pace:
        """These cells are ahead, in this order."""
        return Pace(cells=tuple(cells), begun_s=now_s)

    def cell_started(self, cell_id: str, now_s: float) -> Pace:
        """A cell begins; one nobody announced is not reckoned with."""
        current = next((cell for cell in self.cells if cell.cell_id == cell_id), None)
        return replace(self, current=current, cell_begun_s=now_s)

    def cell_done(self, now_s: float) -> Pace:
        """The current cell is over."""
        if self.current is None:
            return self
        ahead = tuple(cell for cell in self.cells if cell != self.current)
        took = (*self.took, (self.current.expected_s, now_s - self.cell_begun_s))
        return replace(self, cells=ahead, current=None, took=took)

    def left_s(self, now_s: float, *, step_left_s: float = 0.0) -> float | None:
        """Seconds until the campaign is over; `None` where nothing was announced.

        Args:
            now_s: the clock.
            step_left_s: what the current step still takes at least.
        """
        if self.begun_s is None:
            return None
        others = (cell for cell in self.cells if cell != self.current)
        return self._current_left_s(now_s, step_left_s) + sum(map(self._corrected_s, others))

    def share(self, now_s: float, *, step_left_s: float = 0.0) -> float:
        """How much of the whole time is over, 0 to 1."""
        left_s = self.left_s(now_s, step_left_s=step_left_s)
        if self.begun_s is None or left_s is None:
            return 0.0
        gone_s = now_s - self.begun_s
        return gone_s / (gone_s + left_s) if gone_s + left_s > 0 else 0.0

    def _current_left_s(self, now_s: float, step_left_s: float) -> float:
        if self.current is None:
            return step_left_s
        elapsed_s = now_s - self.cell_begun_s
        at_most_s = max(self.current.longest_s - elapsed_s, 0.0)
        left_s = min(self._corrected_s(self.current) - elapsed_s, at_most_s)
        return max(left_s, step_left_s)

    def _corrected_s(self, cell: Expectation) -> float:
        expected_s = sum(expected for expected, _ in self.took)
        took_s = sum(took for _, took in self.took)
        factor = took_s / expected_s if expected_s > 0 else 1.0
        corrected_s = cell.expected_s * min(max(factor, FASTEST), SLOWEST)
        return max(min(corrected_s, cell.longest_s), 0.0)
