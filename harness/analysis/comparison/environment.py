"""What differs between two sides beside the Dagster version, and whether that forbids comparing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.analysis.comparison.groups import Matching, matching
from harness.analysis.comparison.sources import Source, same_campaign
from harness.analysis.kinds import Difference, conditions_of, text, unequal
from harness.facts.server_host import server_host

Differences = tuple[Difference, ...]

UNKNOWN = "unknown"


def differences(
    baseline: Source, contender: Source, *, matched: Matching | None = None
) -> tuple[Differences, Differences]:
    """What forbids comparing, and what differs and does not forbid it.

    Forbidding: method, host, warm-up cut, objectives; task size, limits, target, feed, workers,
    replicas, run limits, load model, the workload's definition; of one Dagster version the lock of
    its dependencies; and builds that changed within a side.

    Args:
        matched: of these sides, where it is known already.
    """
    pairs = (matched or matching(baseline, contender)).pairs
    forbidding = [
        *unequal(conditions_of(baseline.findings), conditions_of(contender.findings)),
        *(each for pair in pairs for each in pair.differences),
        *_locks(baseline, contender),
        *_mixed(baseline),
        *_mixed(contender),
    ]
    remarks = unequal(_remarks(baseline), _remarks(contender))
    return tuple(dict.fromkeys(forbidding)), tuple(dict.fromkeys(remarks))


def _locks(baseline: Source, contender: Source) -> Iterable[Difference]:
    """One version on other dependencies is another version; two versions have their own."""
    if baseline.dagster != contender.dagster or same_campaign(baseline, contender):
        return
    before, now = _software(baseline, "lock"), _software(contender, "lock")
    if UNKNOWN not in (before, now) and before != now:
        yield ("dependencies (lock)", _short(before), _short(now))


def _mixed(source: Source) -> Iterable[Difference]:
    """Cells of one name that ran several builds are no repetitions."""
    found = [cell.software["lock"] for cell in source.cells if "lock" in cell.software]
    first, *others = list(dict.fromkeys(found)) or [""]
    if others:
        yield (f"dependencies (lock) within {source.label}", _short(first), _short(others[-1]))


def _short(digests: str) -> str:
    return ", ".join(each[:12] for each in digests.split(", "))


def _software(source: Source, name: str) -> str:
    found = sorted({cell.software[name] for cell in source.cells if name in cell.software})
    return ", ".join(found) or UNKNOWN


def _remarks(source: Source) -> dict[str, str]:
    """Of what is not the same everywhere, what a reader wants to know."""
    campaign, environment = source.findings.campaign, source.findings.environment
    host, harness = server_host(environment), _part(environment, "harness")
    step, search = _part(campaign, "step"), _part(campaign, "search")
    return {
        "Dagster": _dagster(source),
        "campaign": source.folder,
        "database": _software(source, "database"),
        "harness": str(harness.get("version") or UNKNOWN),
        "harness commit": str(harness.get("commit") or UNKNOWN),
        "Python": str(environment.get("python") or UNKNOWN),
        "kernel": str(host.get("kernel") or UNKNOWN),
        "system": str(host.get("system") or UNKNOWN),
        "cgroup": str(host.get("cgroup") or UNKNOWN),
        "devices": text(campaign.get("devices") or "all"),
        "warm-up runs": text(campaign.get("warmup_runs", UNKNOWN)),
        **{name: text(value) for name, value in _part(environment, "libraries").items()},
        **{f"step.{key}": text(value) for key, value in step.items()},
        **{f"search.{key}": text(search[key]) for key in ("strategy", "always") if key in search},
    }


def _dagster(source: Source) -> str:
    """As the campaign names it, what that stands for, and the version the server says it is."""
    build = _part(source.findings.campaign, "builds").get(source.dagster)
    says = _software(source, "dagster")
    known = [build, None if says in (UNKNOWN, source.dagster) else f"says {says}"]
    told = ", ".join(str(each) for each in known if each)
    return f"{source.dagster} ({told})" if told else source.dagster


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, Mapping) else {}
