"""The answer of `harness size`: from a demand and what was measured to settings to ship."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.analysis.sizing.blend import blend_of
from harness.analysis.sizing.case import Case, sources_of
from harness.analysis.sizing.choice import choose, reasons
from harness.analysis.sizing.comparisons import compare
from harness.analysis.sizing.demand import problems_of
from harness.analysis.sizing.known import Known, Source
from harness.analysis.sizing.options import Terms, all_options
from harness.analysis.sizing.selection import worth_showing
from harness.analysis.sizing.types import Demand, Option, Price, Shipping, SizingFinding
from harness.analysis.sizing.unknowns import unknowns_of
from harness.campaign.profiles import FARGATE
from harness.units import show_span


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the answer is to look at and to speak of.

    `per_run_mib`: memory a run by workload, where not as measured. `dagster` `None`: the version
    that was measured. `location`, `image`: names for what is pasted.
    """

    price: Price
    max_replicas: int = 8
    per_run_mib: Mapping[str, float] = field(default_factory=dict)
    dagster: str | None = None
    location: str = "my-location"
    image: str = "my-image:latest"


def size(
    demand: Demand,
    known: tuple[Known, ...],
    slos: Mapping[str, float],
    wishes: Wishes,
    *,
    notes: tuple[str, ...] = (),
) -> SizingFinding:
    """Size a deployment.

    Args:
        demand: what has to be held.
        known: of every workload of the demand, further ones for comparison.
        slos: name to limit, as in a campaign.
        wishes: the rest.
        notes: what is to be known of the results, in sentences; told with the reasons.

    Raises:
        ValueError: the demand is not sound, nothing is known of one of its workloads, no
            objective can be foreseen, or no replica is allowed.
    """
    problems = problems_of(demand)
    missing = {part.workload for part in demand.parts} - {each.workload for each in known}
    problems += tuple(f"nothing is known of {name}" for name in sorted(missing))
    if wishes.max_replicas < 1:
        problems += ("at least one replica must be allowed",)
    if problems:
        raise ValueError("; ".join(problems))
    case = _case(demand, known, slos, wishes)
    choice = case.choice
    measured = [source.finding.profile.name for source in sources_of(case.used)]
    return SizingFinding(
        demand=demand,
        price=wishes.price,
        options=worth_showing(case.options, choice, list(dict.fromkeys(measured))),
        choice=choice,
        why=(*reasons(case.options, choice, demand, wishes.price.currency), *notes),
        shipping=_shipping(case, choice, wishes) if choice else None,
        comparisons=compare(case),
        sources=tuple(_source_line(each) for each in sources_of(case.used)),
        unknown=unknowns_of(case),
    )


def _case(
    demand: Demand, known: tuple[Known, ...], slos: Mapping[str, float], wishes: Wishes
) -> Case:
    by_name = {each.workload: each for each in known}
    only = demand.parts[0].workload if len(demand.parts) == 1 else None
    as_measured = only is not None and only not in wishes.per_run_mib
    terms = Terms(
        demand=demand,
        blend=blend_of(demand, known, wishes.per_run_mib),
        slos=slos,
        price=wishes.price,
        measured_for=by_name[only] if only is not None and as_measured else None,
    )
    options = all_options(terms, FARGATE.values(), max_replicas=wishes.max_replicas)
    wanted = [by_name[part.workload] for part in demand.parts]
    others = [each for each in known if each not in wanted]
    return Case(terms=terms, known=(*wanted, *others), options=options, choice=choose(options))


def _shipping(case: Case, choice: Option, wishes: Wishes) -> Shipping:
    first = sources_of(case.used)[0]
    return Shipping(
        dagster=wishes.dagster or first.finding.dagster,
        location=wishes.location,
        image=wishes.image,
        vcpu=choice.vcpu,
        memory_mib=round(choice.memory_limit_mib),
        replicas=choice.replicas,
        max_workers=choice.max_workers,
        max_concurrent_runs=choice.max_concurrent_runs or choice.replicas,
        steps_at_once=next(
            (each.steps_at_once for each in sources_of(case.used) if each.steps_at_once), None
        ),
    )


def _source_line(source: Source) -> str:
    capacity = source.finding.capacity
    held = "no capacity" if capacity.concurrency is None else f"holds {capacity.concurrency}"
    sure = f"{capacity.confidence:.0%}: {show_span(capacity.low, capacity.high)}"
    doubt = "" if capacity.confirmed else ", not confirmed"
    return f"{source.name} ({held}, {sure}{doubt})"
