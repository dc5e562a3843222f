"""What to ship for a demand: stored results as models and measured capacities, then the answer.

Nothing is measured here. Cells that are usable: judged valid, their limits enforced, closed load,
and with a model of what a run costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from harness.analysis.findings.document import findings_of
from harness.analysis.findings.types import CellFinding, Findings
from harness.analysis.judging import DEFAULT, Judging, judge_cell
from harness.analysis.model.fitting import model_of
from harness.analysis.model.resources import resources_of
from harness.analysis.sizing.answer import Wishes, size
from harness.analysis.sizing.known import Known, Source, known_of
from harness.analysis.sizing.types import Demand, Price, SizingFinding
from harness.analysis.workers.dagster_defaults import steps_at_once
from harness.campaign.plan import Campaign
from harness.campaign.pricing import TABLE, PriceTable, price_table
from harness.errors import CampaignError, ExitCode, StoredDataError
from harness.facts.dagster_versions import version_of
from harness.facts.server_host import server_host
from harness.facts.store import list_results, read_results
from harness.facts.table import CellFacts
from harness.scenarios.stored_plan import stored_plan

STAND_IN = ("baselines", "quick-compose")
"""Below the results root: what answers where nothing else is stored."""


class NoAnswerError(StoredDataError):
    """There are results, and none of them supports an answer."""

    exit_code = ExitCode.INCONCLUSIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which results to use: these `folders`, or else the newest usable ones in `root`."""

    folders: tuple[Path, ...] = ()
    root: Path = Path("results")


@dataclass
class _Gathered:
    """Sources so far by workload, and why cells were passed over."""

    sources: dict[str, list[Source]] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def answer(
    demand: Demand, wishes: Wishes, *, where: Where, options: Judging = DEFAULT
) -> SizingFinding:
    """Size a deployment from stored results.

    Args:
        demand: sound (`harness.analysis.sizing.demand.problems_of`).
        wishes: price, replicas, names.
        where: which results.
        options: other objectives than measured with.

    Raises:
        StoredDataError: a folder cannot be read.
        NoAnswerError: a workload was measured, but no cell of it is usable.
        CampaignError: a workload was never measured, or no objective can be foreseen.
    """
    wanted = [part.workload for part in demand.parts]
    gathered = _gather(wanted, where, options)
    _refuse_gaps(wanted, gathered, where)
    notes = list(gathered.notes)
    used = [_one_kind(gathered.sources[name], wishes.dagster, notes) for name in wanted]
    others = sorted(set(gathered.sources) - set(wanted))
    known = (*used, *(_one_kind(gathered.sources[name], wishes.dagster, []) for name in others))
    slos = _strictest(used)
    if not {"launch_s_p95", "slowdown_p95", "memory_headroom", "no_oom"} & set(slos):
        raise CampaignError(
            "Without an objective there is nothing to hold.",
            hint="Leave at least one of launch_s_p95, slowdown_p95 and memory_headroom on.",
        )
    return size(demand, known, slos, wishes, notes=tuple(notes))


def fargate_price(region: str, architecture: str, given: Mapping[str, float]) -> Price:
    """The price of an hour, from the table that ships with the harness where it is not given.

    Args:
        given: `vcpu` and `gib`, price of an hour of each.

    Raises:
        CampaignError: the table has neither this region nor were both given.
    """
    table = shipped_prices()
    if {"vcpu", "gib"} <= set(given):
        return Price(
            per_vcpu_hour=given["vcpu"],
            per_gib_hour=given["gib"],
            currency=table.currency,
            as_of=datetime.now(UTC).date().isoformat(),
            source="as given with --price",
        )
    hour = table.price(region, architecture)
    mixed = f", {' and '.join(given)} as given with --price" if given else ""
    return Price(
        per_vcpu_hour=given.get("vcpu", hour.vcpu_hour),
        per_gib_hour=given.get("gib", hour.gib_hour),
        currency=table.currency,
        as_of=table.as_of.isoformat(),
        source=f"{region}, Linux/{architecture}: {table.source}{mixed}",
    )


def shipped_prices() -> PriceTable:
    """The table that ships with the harness."""
    path = resources.files("harness").joinpath("campaign", "prices", TABLE)
    return price_table(path.read_text(encoding="utf-8"))


def _gather(wanted: Sequence[str], where: Where, options: Judging) -> _Gathered:
    """The sources in the folders that were named, or in the newest that have what is wanted."""
    gathered = _Gathered()
    if where.folders:
        for path in where.folders:
            _add(gathered, path, options, only=None)
        return gathered
    for path in _newest_first(where.root, gathered.notes):
        missing = [name for name in wanted if name not in gathered.sources]
        if not missing:
            return gathered
        try:
            _add(gathered, path, options, only=set(gathered.sources), sure=True)
        except StoredDataError as error:
            gathered.notes.append(f"{path.name} was passed over: {error.what}")
    stand_in = where.root.joinpath(*STAND_IN)
    missing = [name for name in wanted if name not in gathered.sources]
    if missing and stand_in.is_dir():
        _add(gathered, stand_in, options, only=set(gathered.sources))
        gathered.notes.append(
            f"Nothing usable of {' and '.join(missing)} is stored in {where.root}: the committed "
            f"baseline {STAND_IN[-1]} stands in, measured on another machine. Measure here: "
            "harness run --preset threshold."
        )
    return gathered


def _newest_first(root: Path, notes: list[str]) -> Iterator[Path]:
    for summary in list_results(root):
        if summary.problem:
            notes.append(f"{summary.path.name} was passed over: {summary.problem}")
        else:
            yield summary.path


def _add(
    gathered: _Gathered,
    path: Path,
    options: Judging,
    *,
    only: set[str] | None,
    sure: bool = False,
) -> None:
    """Add what is usable in one folder.

    Args:
        only: workloads that are known already, from newer folders; `None` takes all together.
        sure: pass over cells too short for an interval of what a launch costs.
    """
    for workload, found in _usable(path, options, sure=sure):
        if isinstance(found, str):
            gathered.refused.setdefault(workload, []).append(found)
        elif only is None or workload not in only:
            gathered.sources.setdefault(workload, []).append(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """One results folder, judged."""

    path: Path
    campaign: Campaign
    findings: Findings
    host: Mapping[str, object]
    options: Judging

    @property
    def name(self) -> str:
        return self.path.resolve().name

    def doubts(self, cell: str) -> tuple[str, ...]:
        """What was doubted of one cell, each kind of doubt once."""
        found = {
            issue.code: f"{issue.code}: {issue.evidence}"
            for issue in self.findings.validity
            if issue.cell == cell
        }
        return tuple(found.values())


def _usable(path: Path, options: Judging, *, sure: bool) -> Iterator[tuple[str, Source | str]]:
    """Each cell's workload with its source, or why it is none."""
    stored = read_results(path)
    campaign = stored_plan(path, stored)
    folder = _Folder(
        path=path,
        campaign=campaign,
        findings=findings_of(campaign, stored.environment, stored.cells, options=options),
        host=server_host(stored.environment),
        options=options,
    )
    for record, finding in zip(stored.cells, folder.findings.cells, strict=True):
        found = _source(folder, record, finding)
        if isinstance(found, Source) and sure and not found.model.launch_cpu_s.sure:
            found = "too few steps to say what a launch costs"
        if isinstance(found, str):
            found = f"{folder.name}: {finding.id}: {found}"
        yield finding.workload, found


def _source(folder: _Folder, record: CellFacts, finding: CellFinding) -> Source | str:
    """The cell as a source, or why it cannot be one."""
    cell, capacity = folder.options.of(record.cell), finding.capacity
    if folder.campaign.load.model != "closed":
        return f"its load is {folder.campaign.load.model}, not closed"
    if not cell.limits_enforced and record.steps:
        return "its limits were not enforced"
    if capacity.status == "invalid":
        return f"no valid capacity ({'; '.join(capacity.evidence)})"
    host_cpus = _number(folder.host.get("cpus"))
    judged = judge_cell(record, options=folder.options, host_cpus=host_cpus)
    summaries = [step.summary for step in judged.steps]
    costs = resources_of(cell, summaries, runs=record.runs, samples=record.samples)
    model = model_of(cell, summaries, costs)
    if model is None or finding.run_s is None:
        return "what a run costs is not known"
    plan = next((each for each in folder.campaign.cells() if each.id == cell.id), None)
    environment = plan.workload.environment if plan else {}
    return Source(
        campaign=folder.name,
        folder=str(folder.path),
        finding=finding,
        model=model,
        run_s=finding.run_s,
        slos=cell.slos,
        steps_at_once=steps_at_once(cell, environment, host_cpus),
        doubts=folder.doubts(cell.id),
        host=folder.host,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _refuse_gaps(wanted: Sequence[str], gathered: _Gathered, where: Where) -> None:
    missing = [name for name in wanted if name not in gathered.sources]
    if not missing:
        return
    names = " and ".join(missing)
    places = ", ".join(map(str, where.folders)) or str(where.root)
    refused = [reason for name in missing for reason in gathered.refused.get(name, ())]
    if refused:
        raise NoAnswerError(
            f"The stored results support no answer for {names}.",
            evidence="\n".join(refused),
            hint="Measure again: harness run --preset threshold",
        )
    known = sorted({*gathered.sources, *gathered.refused})
    if not known:
        raise StoredDataError(
            f"There are no results in {places} to size with.",
            evidence="\n".join(gathered.notes),
            hint="Measure some: harness run. Or say where they are: --results FOLDER, --root.",
        )
    raise CampaignError(
        f"{names} was not measured in {places}.",
        evidence="\n".join((f"Measured there: {', '.join(known)}.", *gathered.notes)),
        hint="Size with one of those (--workload), or measure it: harness run",
    )


def _one_kind(sources: Sequence[Source], dagster: str | None, notes: list[str]) -> Known:
    """The sources that can be pooled: of the wanted Dagster, else the newest; in containers.

    What is left over is noted.
    """
    kinds: dict[object, list[Source]] = {}
    for source in sources:
        kinds.setdefault(source.model.kind, []).append(source)

    def rank(group: Sequence[Source]) -> tuple[bool, tuple[int, ...], bool, int]:
        first = group[0].finding
        contained = first.target == "compose"
        return first.dagster == dagster, version_of(first.dagster), contained, len(group)

    best = max(kinds.values(), key=rank)
    left_out = [each.name for group in kinds.values() if group is not best for each in group]
    if left_out:
        notes.append(
            f"{best[0].finding.workload} was measured in {len(kinds)} ways that cannot be pooled; "
            f"left out: {', '.join(left_out)}."
        )
    if dagster is not None and best[0].finding.dagster != dagster:
        notes.append(
            f"{best[0].finding.workload} was measured with Dagster {best[0].finding.dagster}, "
            f"not {dagster}."
        )
    return known_of(best)


def _strictest(known: Iterable[Known]) -> dict[str, float]:
    """Of every objective the lowest limit that any of the cells was measured with."""
    limits: dict[str, float] = {}
    for each in known:
        for source in each.sources:
            for name, limit in source.slos.items():
                limits[name] = min(limit, limits.get(name, limit))
    return limits
