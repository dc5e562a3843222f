"""A cell's search, joined to its stored facts: what the rig asks for the next step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from harness.analysis.capacity import capacity_of
from harness.analysis.findings.cells import capacity_in, observation_of
from harness.analysis.judging import JudgedCell, JudgedStep, judge_cell, judge_step
from harness.analysis.measures.steps import unloaded_response_s
from harness.analysis.model.cell_model import CellModel
from harness.analysis.model.fitting import model_of
from harness.analysis.model.guess import earlier_guess, first_guess
from harness.analysis.model.resources import resources_of
from harness.analysis.search.base import Finished, Observation
from harness.analysis.search.strategies import search_for
from harness.campaign.estimate import estimate_step_s
from harness.campaign.plan import LISTED, Campaign, CellPlan
from harness.facts.layout import CellFolder
from harness.facts.model import Step, StepKind
from harness.facts.store import read_cell
from harness.facts.table import CellFacts
from harness.rig.breaking import FaultOrder
from harness.rig.protocols import Done, Opinion, StepOrder
from harness.scenarios.opinion import opinion_of
from harness.units import show_span


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A cell measured before, and where its facts are."""

    cell: CellPlan
    folder: CellFolder


class Seeker:
    """Decides a cell's steps from its facts so far.

    Args:
        campaign: how to search.
        cell: over what.
        folder: the cell's facts; on disk before each question.
        earlier: cells measured before this one; they tell where to begin.
        host_cpus: of this machine, to know when it was full.
        tell: is told what each step was judged to be, once.
    """

    def __init__(
        self,
        campaign: Campaign,
        cell: CellPlan,
        folder: CellFolder,
        *,
        earlier: Sequence[Measured],
        host_cpus: int | None,
        tell: Callable[[Opinion], None] = lambda _: None,
    ) -> None:
        self._campaign = campaign
        self._cell = cell
        self._folder = folder
        self._earlier = earlier
        self._host_cpus = None if host_cpus is None else float(host_cpus)
        self._tell = tell
        self._seen: dict[int, Observation] = {}
        self._equals: tuple[Observation, ...] | None = None
        self._asked = False
        self._guess: int | None = None
        self._at_most: int | None = None
        self._breaks_s: tuple[float, ...] = ()

    def next_step(self, steps: Sequence[Step]) -> StepOrder | Done:
        """The rig's `NextStep`."""
        measured = [step for step in steps if step.kind != "warmup"]
        if any(step.index not in self._seen for step in measured):
            self._look(read_cell(self._folder), measured)
        room = self._room(measured)
        own = [self._seen[step.index] for step in measured]
        search = search_for(
            self._campaign,
            self._cell,
            guess=self._guess,
            at_most=self._at_most,
            max_steps=len(measured) + room if room else None,
            before=self._before(),
        )
        order = search(own)
        if isinstance(order, Finished):
            return Done(reason=order.reason)
        if room == 0:
            return Done(reason=self._spent())
        concurrency = order.concurrency
        fault = self._fault(len(measured) + 1)
        kind = "fault" if fault else self._kind(concurrency)
        return StepOrder(
            kind=kind,
            concurrency=concurrency,
            repetition=1 + sum(step.concurrency == concurrency for step in measured),
            reason=order.reason,
            rate_per_s=None if kind == "unloaded" else self._rate_per_s(concurrency, measured),
            fault=fault,
        )

    def _kind(self, concurrency: int) -> StepKind:
        alone = concurrency == 1 and self._campaign.search.strategy != "soak"
        return "unloaded" if alone else "load"

    def _fault(self, segment: int) -> FaultOrder | None:
        """What is to be broken in this segment of a soak, counted from 1."""
        found = next((each for each in self._campaign.faults if each.segment == segment), None)
        if found is None:
            return None
        after_s = self._campaign.step.hold_s / 3
        return FaultOrder(kind=found.kind, after_s=after_s, lasts_s=found.lasts_s)

    def _look(self, facts: CellFacts, measured: Sequence[Step]) -> None:
        """Judge what is new; after the first step, ask the model where to go."""
        for step in measured:
            if step.index in self._seen:
                continue
            judged = judge_step(facts, step.index, host_cpus=self._host_cpus)
            if judged is not None:
                self._seen[step.index] = observation_of(judged)
                self._tell(self._opinion(judged))
        self._breaks_s = tuple(each.at_s for each in facts.events if each.kind == "resumed")
        if not self._asked and self._campaign.search.strategy == "adaptive":
            # By the first step alone, also where a cell goes on after several: the search of a
            # cell that was cut off is the same as of one that was not.
            self._asked = True
            upto = [step for step in facts.steps if step.index <= measured[0].index]
            self._ask_models(replace(facts, steps=upto))

    def _opinion(self, judged: JudgedStep) -> Opinion:
        confidence = self._campaign.search.confidence
        made = opinion_of(judged, self._seen.values(), confidence=confidence)
        if self._campaign.search.strategy != "soak":
            return made
        return replace(made, low=None, high=None, probability=None, seeks=False)

    def _ask_models(self, facts: CellFacts) -> None:
        highest = self._campaign.concurrencies(self._cell)[-1]
        known = [(each, _judged(read_cell(each.folder))) for each in self._earlier]
        models = [model for _, (facts_, judged) in known if (model := _model(facts_, judged))]
        slos = facts.cell.slos
        self._guess = earlier_guess(models, facts.cell, slos, highest=highest) or _first_guess(
            facts, highest=highest
        )
        larger = [
            held
            for each, (_, judged) in known
            if _only_larger(each.cell, self._cell)
            and (held := _held(judged, self._campaign.search.confidence)) is not None
        ]
        self._at_most = min(larger, default=None)

    def _before(self) -> tuple[Observation, ...]:
        """What equal cells showed earlier in this campaign."""
        if self._equals is None:
            equals = [each for each in self._earlier if _is_equal(each.cell, self._cell)]
            self._equals = tuple(
                observation_of(step)
                for each in equals
                for step in judge_cell(read_cell(each.folder)).steps
            )
        return self._equals

    def _room(self, measured: Sequence[Step]) -> int | None:
        """How many more steps fit into `max_minutes`; `None` where nothing limits them."""
        minutes = self._campaign.search.max_minutes
        if minutes is None or len(measured) < 2 or self._campaign.search.strategy in LISTED:
            return None
        left_s = minutes * 60 - _searched_s(measured, self._breaks_s)
        return max(0, int(left_s / estimate_step_s(self._campaign)))

    def _spent(self) -> str:
        minutes, confidence = self._campaign.search.max_minutes, self._campaign.search.confidence
        found = capacity_of(self._seen.values(), confidence=confidence)
        between = show_span(found.low, found.high)
        return f"{minutes:g} minutes are spent; the threshold lies at {between}"

    def _rate_per_s(self, concurrency: int, measured: Sequence[Step]) -> float | None:
        """Little's law: the arrival rate that offers this concurrency."""
        load = self._campaign.load
        if load.model not in ("uniform", "poisson"):
            return None
        run_s = load.run_s or self._unloaded_s(measured)
        return concurrency / run_s if run_s else None

    def _unloaded_s(self, measured: Sequence[Step]) -> float | None:
        """What a run takes alone: of a mix, by the jobs' shares."""
        alone = unloaded_response_s(measured, read_cell(self._folder).runs)
        jobs = [job for job in self._cell.workload.jobs if job.name in alone]
        total = sum(job.share for job in jobs)
        return sum(job.share * alone[job.name] for job in jobs) / total if total else None


def _searched_s(measured: Sequence[Step], breaks_s: Sequence[float]) -> float:
    """From the first step to the last, without the time between steps in which nobody measured."""
    whole_s = measured[-1].phases[-1].end_s - measured[0].phases[0].start_s
    gaps = [(one.phases[-1].end_s, other.phases[0].start_s) for one, other in pairwise(measured)]
    paused = [gap for gap in gaps if any(gap[0] <= at_s <= gap[1] for at_s in breaks_s)]
    return whole_s - sum(start_s - end_s for end_s, start_s in paused)


def _judged(facts: CellFacts) -> tuple[CellFacts, JudgedCell]:
    return facts, judge_cell(facts)


def _model(facts: CellFacts, judged: JudgedCell) -> CellModel | None:
    summaries = [step.summary for step in judged.steps]
    costs = resources_of(facts.cell, summaries, runs=facts.runs, samples=facts.samples)
    return model_of(facts.cell, summaries, costs)


def _first_guess(facts: CellFacts, *, highest: int) -> int | None:
    alone = [s.summary for s in judge_cell(facts).steps if s.summary.step.kind == "unloaded"]
    costs = resources_of(facts.cell, alone, runs=facts.runs, samples=facts.samples)
    return first_guess(facts.cell, alone, costs, facts.cell.slos, highest=highest)


def _held(judged: JudgedCell, confidence: float) -> int | None:
    """What a finished cell surely holds; `None` where nothing bounds it."""
    found = capacity_in(judged, confidence=confidence)
    return found.concurrency if found.status == "bracketed" and found.confirmed else None


def _is_equal(other: CellPlan, cell: CellPlan) -> bool:
    """Whether `other` is the same cell, measured before."""
    return other.model_copy(update={"repetition": cell.repetition}) == cell


def _only_larger(other: CellPlan, cell: CellPlan) -> bool:
    """Whether `other` is the same server with at least as much of everything."""
    same = other.model_copy(update={"profile": cell.profile}) == cell
    return (
        same
        and other.profile.vcpu >= cell.profile.vcpu
        and other.profile.memory_bytes >= cell.profile.memory_bytes
    )
