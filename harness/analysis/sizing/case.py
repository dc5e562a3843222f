"""Everything that an answer is made of, for those who put it into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.sizing.known import Known, Source
from harness.analysis.sizing.options import Terms
from harness.analysis.sizing.types import Option
from harness.units import show_money


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The demand's terms, what was measured, all options in order of price, and the choice.

    `known` has the workloads of the demand first, then any others that were measured.
    """

    terms: Terms
    known: tuple[Known, ...]
    options: tuple[Option, ...]
    choice: Option | None

    @property
    def used(self) -> tuple[Known, ...]:
        """The workloads of the demand."""
        names = {part.workload for part in self.terms.demand.parts}
        return tuple(each for each in self.known if each.workload in names)

    def workload(self, name: str) -> Known | None:
        """What is known of one workload."""
        return next((each for each in self.known if each.workload == name), None)

    def option(self, profile: str, replicas: int) -> Option | None:
        """One of the options."""
        for each in self.options:
            if (each.profile, each.replicas) == (profile, replicas):
                return each
        return None

    def money(self, amount: float) -> str:
        """An amount in the price table's currency."""
        return show_money(amount, self.terms.price.currency)


def sources_of(known: Sequence[Known]) -> tuple[Source, ...]:
    """The cells behind these workloads."""
    return tuple(source for each in known for source in each.sources)
