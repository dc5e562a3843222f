"""Which limit binds: the heaviest score, how sure that is, and why not the others."""

from __future__ import annotations

from collections.abc import Mapping

from harness.analysis.binding.control_plane import control_plane
from harness.analysis.binding.cpu import cpu_scores, whose_is_known
from harness.analysis.binding.evidence import (
    LIMITS,
    Binding,
    BindingEvidence,
    Limit,
    Strength,
    evidence_at,
)
from harness.analysis.binding.looking import Figures, figures_of
from harness.analysis.binding.memory import memory
from harness.analysis.binding.score import Score
from harness.analysis.binding.worker_pool import worker_pool
from harness.analysis.judging import JudgedCell
from harness.analysis.measures.windows import CellRecord
from harness.analysis.model.resources import Resources

NAMED = 0.4
"""A limit with less is not named: no single full sign stands behind it."""

CLEAR = 0.75
LIKELY = 0.6
"""What a limit needs to be certain; to be likely although something could not be seen."""

NOTED = 0.3
"""What makes a runner-up; below it a limit is ruled out."""

CLOSE = 0.6
"""Of the winner's score: a runner-up with so much makes the answer a close call."""

_SETTLED_BY: Mapping[Limit, tuple[Limit, ...]] = {
    "memory": (),
    "launch_cpu": ("launch_cpu",),
    "run_cpu": ("run_cpu",),
    "worker_pool": ("launch_cpu", "control_plane"),
    "control_plane": ("launch_cpu", "worker_pool"),
}
"""What must have been seen before a limit is certain: a starved server queues requests, so the
pool needs the CPU to be known; a full quota is full whatever else is."""


def binding_at(
    judged: JudgedCell,
    record: CellRecord,
    *,
    concurrency: int | None,
    resources: Resources,
    host_cpus: float | None,
) -> Binding | None:
    """The limit that binds at one concurrency of a cell; `None` where no step failed there.

    The arguments are those of `evidence_at`.
    """
    evidence = evidence_at(
        judged, record, concurrency=concurrency, resources=resources, host_cpus=host_cpus
    )
    return binding_of(evidence) if evidence else None


def binding_of(evidence: BindingEvidence) -> Binding:
    """Name the limit behind a failing step, from all there is to see.

    Each limit gets a score from its own signs; the highest is named. A limit is never named for
    lack of data about another one: what could not be seen is said, and makes the answer weaker.
    """
    return decide(figures_of(evidence))


def decide(figures: Figures) -> Binding:
    """The same, from figures already read."""
    scores = scores_of(figures)
    ranked = sorted(LIMITS, key=lambda limit: -scores[limit].value)
    first, second = scores[ranked[0]], scores[ranked[1]]
    runner_up = second if second.value >= NOTED else None
    if first.value < NAMED:
        return _nothing(figures, scores)
    if first.limit in ("launch_cpu", "run_cpu") and not whose_is_known(figures):
        return _cpu_of_unknown(scores)
    unseen = _unseen(first, scores)
    return Binding(
        limit=first.limit,
        evidence=(*first.evidence, *unseen),
        runner_up=runner_up.limit if runner_up else None,
        strength=_strength(first, runner_up, figures, blind=bool(unseen)),
        ruled_out=_ruled_out(scores, first, runner_up),
    )


def scores_of(figures: Figures) -> dict[Limit, Score]:
    """How much speaks for each limit."""
    outside = control_plane(figures)
    found = (
        memory(figures),
        *cpu_scores(figures),
        outside,
        worker_pool(figures, outside=outside.value),
    )
    return {score.limit: score for score in found}


def _strength(first: Score, runner_up: Score | None, figures: Figures, *, blind: bool) -> Strength:
    if first.decisive:
        return "clear"
    close = runner_up is not None and runner_up.value >= CLOSE * first.value
    share = figures.share
    blurred = first.limit in ("launch_cpu", "run_cpu") and (share is None or share.overlap)
    if first.value >= CLEAR and not (close or blurred or blind):
        return "clear"
    return "unclear" if blind and first.value < LIKELY else "likely"


def _unseen(first: Score, scores: Mapping[Limit, Score]) -> tuple[str, ...]:
    blind = (scores[limit].blind for limit in _SETTLED_BY[first.limit])
    return tuple(dict.fromkeys(text for text in blind if text))


def _ruled_out(
    scores: Mapping[Limit, Score], first: Score, runner_up: Score | None
) -> tuple[str, ...]:
    """One sentence for each limit that could be judged and is neither of the two."""
    named = (first.limit, runner_up.limit if runner_up else None)
    rest = (scores[limit] for limit in LIMITS if limit not in named)
    return tuple(score.against for score in rest if not score.blind)


def _nothing(figures: Figures, scores: Mapping[Limit, Score]) -> Binding:
    at = figures.at
    broken = ", ".join(at.broken) or "no objective"
    told = [f"at {at.concurrency}: no limit stands out behind what broke ({broken})"]
    if not at.held:
        told.append(f"at {at.concurrency}: the step broke off before its load was held")
    if at.deaths and not at.oom_kills:
        told.append(f"at {at.concurrency}: {at.deaths} servers ended, and nothing spoke of memory")
    if at.failures:
        failed = ", ".join(f"{number:g} {name}" for name, number in sorted(at.failures.items()))
        told.append(f"at {at.concurrency}: runs that did not succeed: {failed}")
    told += dict.fromkeys(score.blind for score in scores.values() if score.blind)
    return Binding(
        limit=None,
        evidence=tuple(told),
        ruled_out=tuple(scores[n].against for n in LIMITS if not scores[n].blind),
    )


def _cpu_of_unknown(scores: Mapping[Limit, Score]) -> Binding:
    cpu = scores["launch_cpu"]
    others = [scores[name] for name in LIMITS if name not in ("launch_cpu", "run_cpu")]
    second = max(others, key=lambda score: score.value)
    runner_up = second if second.value >= NOTED else None
    return Binding(
        limit=None,
        evidence=cpu.evidence,
        runner_up=runner_up.limit if runner_up else None,
        ruled_out=tuple(
            score.against for score in others if score is not runner_up and not score.blind
        ),
    )
