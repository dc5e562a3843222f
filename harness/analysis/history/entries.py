"""A campaign as it stays in the index: every figure that can be compared, over its rounds.

The figures are those of `harness.analysis.comparison`, so that a trend and a comparison never
disagree about what was measured.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from harness.analysis.comparison.types import Metric
from harness.analysis.comparison.values import Known, Place, cell_values
from harness.analysis.findings.types import CellFinding, Findings
from harness.analysis.history.kinds import kind_of, workload_in
from harness.analysis.history.outline import CellOutline, Outline
from harness.analysis.history.rounds import Averages, Floats, averages, ratios, scatter, tidy
from harness.analysis.history.types import Entry, Figure, Form, Role
from harness.analysis.kinds import HOST_KEYS
from harness.facts.server_host import server_host

CAPACITY = Metric(
    key="capacity", name="capacity", unit="runs", better="higher", at_load=False, gates=False
)
"""A whole number found by a search, so it is no metric of a comparison; its trend is worth seeing
all the same. Cells without a capacity, and those that held nothing, have none here."""

AnyCell = CellFinding | CellOutline
NOT_KNOWN = Known(None)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """One kind of cell: ln of its values by version, round and figure (`keys`)."""

    keys: list[str]
    versions: dict[str, int]
    logs: Floats
    sds: list[float]
    frees: list[int]

    def figures(self, kind: str, role: Role, form: Form, found: Averages) -> Iterator[Figure]:
        """One for each key where there is a value."""
        values = tidy(np.exp(found.means)).tolist()
        columns = zip(self.keys, values, found.rounds.tolist(), self.sds, self.frees, strict=True)
        for key, value, rounds, sd, free in columns:
            if rounds:
                yield Figure(
                    kind=kind, key=key, role=role, form=form, value=value, rounds=rounds,
                    sd=sd if free else None, free=free,
                )  # fmt: skip


def entry_of(folder: str, stamp: str, started_s: float, findings: Findings | Outline) -> Entry:
    """What is kept of a campaign.

    Args:
        folder: name of its results folder.
        stamp: tells these findings from later ones of the same folder.
        started_s: epoch seconds.
        findings: whole, or the part that is read here.
    """
    versions = _versions(findings)
    baseline = _baseline(findings.campaign, versions)
    subjects = [each for each in versions if each != baseline]
    called = _called(findings.cells)
    return Entry(
        folder=folder,
        stamp=stamp,
        campaign=str(findings.campaign.get("name") or ""),
        started_s=started_s,
        subject=" + ".join(called.get(each, each) for each in subjects),
        baseline=called.get(baseline, baseline),
        host=_host(findings.environment),
        harness=_harness(findings.environment),
        method=findings.method,
        figures=tuple(_figures(findings, subjects, baseline)),
    )


def _versions(findings: Findings | Outline) -> list[str]:
    """In the order the campaign names them; those it does not name come last."""
    planned = [str(each) for each in findings.campaign.get("dagster") or ()]
    measured = dict.fromkeys(cell.dagster for cell in findings.cells)
    return [*(each for each in planned if each in measured),
            *(each for each in measured if each not in planned)]  # fmt: skip


def _baseline(campaign: Mapping[str, Any], versions: Sequence[str]) -> str:
    """What the others stand beside; empty where there was one version, or it was not measured."""
    planned = [str(each) for each in campaign.get("dagster") or ()]
    if len(planned) < 2:
        return ""
    named = str(campaign.get("baseline") or planned[0])
    return named if named in versions else ""


def _places(campaign: Mapping[str, Any], subjects: Sequence[str]) -> dict[str, int]:
    """The number of each subject among those that were planned, from 1."""
    planned = [str(each) for each in campaign.get("dagster") or ()]
    baseline = str(campaign.get("baseline") or planned[0]) if len(planned) > 1 else ""
    order = dict.fromkeys(each for each in (*planned, *subjects) if each != baseline)
    return {version: number for number, version in enumerate(order, start=1)}


def _called(cells: Sequence[AnyCell]) -> dict[str, str]:
    """A label with what the server behind it says it is: `mine (1.13.28)`."""
    said = {cell.dagster: cell.software.get("dagster", "") for cell in cells}
    return {
        label: f"{label} ({version})" if version and version != label else label
        for label, version in said.items()
    }


def _host(environment: Mapping[str, Any]) -> str:
    host = server_host(environment)
    if not host:
        return ""
    cpus, model, machine = (host.get(key) or "unknown" for key in HOST_KEYS)
    return f"{cpus} CPUs, {model}, {machine}"


def _harness(environment: Mapping[str, Any]) -> str:
    said = environment.get("harness")
    if not isinstance(said, Mapping):
        return ""
    commit = str(said.get("commit") or "")[:7]
    return f"{said.get('version')}" + (f" ({commit})" if commit else "")


def _figures(
    findings: Findings | Outline, subjects: Sequence[str], baseline: str
) -> Iterator[Figure]:
    """Kind by kind: of each subject with its ratios, then of the baseline.

    A subject's number is its place in the campaign, whoever was not measured before it.
    """
    places = _places(findings.campaign, subjects)
    for kind, cells in _by_kind(findings).items():
        table = _table(cells, _equal_loads(findings.campaign, cells))
        for subject in subjects:
            if subject not in table.versions:
                continue
            number = places[subject]
            named = kind if number == 1 else f"{kind}, version {number}"
            own = table.logs[table.versions[subject]]
            yield from table.figures(named, "subject", "value", averages(own))
            if baseline in table.versions:
                beside = table.logs[table.versions[baseline]]
                yield from table.figures(named, "subject", "ratio", ratios(own, beside))
        if baseline in table.versions:
            own = table.logs[table.versions[baseline]]
            yield from table.figures(kind, "baseline", "value", averages(own))


def _by_kind(findings: Findings | Outline) -> dict[str, list[AnyCell]]:
    campaign = findings.campaign
    workloads = {
        name: workload_in(campaign, name) for name in {cell.workload for cell in findings.cells}
    }
    found: dict[str, list[AnyCell]] = {}
    for cell in findings.cells:
        kind = kind_of(cell, campaign, workloads[cell.workload])
        found.setdefault(kind, []).append(cell)
    return found


def _equal_loads(campaign: Mapping[str, Any], cells: Sequence[AnyCell]) -> set[int]:
    """The loads that all cells measure, whatever they find; of a ladder those that most of them
    went to.

    What a search chose by itself lies at another load every night, and the rounds that share such
    a load are those in which the server happened to do well.
    """
    search = campaign.get("search") or {}
    if search.get("strategy") == "adaptive":
        return {1, *map(int, search.get("always") or ())}
    loads = Counter(load for cell in cells for load in {step.concurrency for step in cell.steps})
    return {load for load, times in loads.items() if 2 * times > len(cells)}


def _table(cells: Sequence[AnyCell], equal: set[int]) -> _Table:
    known = [_known(cell, equal) for cell in cells]
    places = list(dict.fromkeys(place for values in known for place in values))
    versions = {label: n for n, label in enumerate(dict.fromkeys(c.dagster for c in cells))}
    rounds = {number: n for n, number in enumerate(sorted({c.repetition or 1 for c in cells}))}
    values = np.full((len(versions), len(rounds), len(places)), np.nan)
    grains = np.zeros_like(values)
    for cell, own in zip(cells, known, strict=True):
        at = versions[cell.dagster], rounds[cell.repetition or 1]
        row = [own.get(place, NOT_KNOWN) for place in places]
        values[at] = [math.nan if each.value is None else each.value for each in row]
        grains[at] = [each.grain for each in row]
    logs = np.log(values)
    found = scatter(logs, grains)
    keys = [key if load is None else f"{key}@{load}" for key, load in places]
    return _Table(keys, versions, logs, tidy(found.sd).tolist(), found.free.tolist())


def _known(cell: AnyCell, loads: set[int]) -> dict[Place, Known]:
    """What is above 0: of nothing else there is a ratio."""
    capacity, found = cell.capacity, dict[Place, Known]()
    if capacity.status != "invalid" and capacity.concurrency:
        found[CAPACITY.key, None] = Known(float(capacity.concurrency))
    # An outline has everything of a cell that is read here.
    whole = cast("CellFinding", cell)
    equal = replace(whole, steps=tuple(s for s in whole.steps if s.concurrency in loads))
    return found | {
        place: known for place, known in cell_values(equal).items()
        if known.value is not None and known.value > 0
    }  # fmt: skip
