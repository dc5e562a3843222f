"""What a bisection is to measure: which releases, under which load, as which campaigns."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import groupby
from typing import Any, Literal

from harness.analysis.bisecting.evidence import Evidence
from harness.analysis.bisecting.types import USUAL, Question, Rules
from harness.analysis.comparison.metrics import parse_key
from harness.campaign.estimate import estimate_s
from harness.campaign.loading import load_campaign, preset_text
from harness.campaign.outline import outline
from harness.campaign.plan import LATEST, RELEASE, Campaign
from harness.errors import CampaignError
from harness.units import show_seconds

OnlyMinor = Literal["first", "last"]

PRESETS = ("compare", "quick")
"""Where a workload's parameters come from; one that is in neither has its package's own."""

USUAL_LOAD = 3
"""Runs at once for a metric of a step that names none; what the preset `compare` measures too."""

SLOPE_LOAD = 5
"""The farther apart two loads, the less the slope between them is moved by noise."""

UNLOADED = frozenset(("base_mib", "idle_cores"))
"""Of a server without runs."""

SLOPES = frozenset(("per_run_mib", "peak_per_run_mib"))
"""Of a line through several loads."""

NEIGHBOURS = 4
"""Releases that are named where one does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The options as they were written. `only_minor`: look at the first or the last release of
    each minor version alone; `None` looks at all.
    """

    good: str
    bad: str
    metric: str
    workload: str = "io"
    profile: str = "1vcpu-2gb"
    target: str = "auto"
    only_minor: OnlyMinor | None = None
    rules: Rules = USUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class BisectPlan:
    """`known`: no round yet. `load`: the concurrency whose figures count, `None` for a metric of
    the cell.
    """

    question: Question
    rules: Rules
    known: Evidence
    load: int | None
    template: Campaign

    @property
    def name(self) -> str:
        """Of the record and, with a number, of every campaign."""
        return f"bisect-{self.question.key.replace('@', '-at-')}"

    @property
    def record_name(self) -> str:
        """Of the file that remembers the rounds: the same question, the same name."""
        asked = self.question
        setup = [value for key, value in asked.setup.items() if key != "loads"]
        return "-".join([self.name, asked.good, asked.bad, *setup]) + ".json"

    def campaign(self, number: int, between: Sequence[str]) -> Campaign:
        """Round `number`, from 1: both ends and what lies between them, in turn backwards."""
        releases = (self.question.good, *between, self.question.bad)
        return self.template.model_copy(
            update={
                "name": f"{self.name}-{number}",
                "dagster": releases if number % 2 else releases[::-1],
                "baseline": self.question.good,
            }
        )

    def expected_s(self, cells: int) -> float:
        """How long a round of so many cells takes."""
        one = self.template.model_copy(update={"dagster": (self.question.good,)})
        return cells * estimate_s(one)


def plan_of(wishes: Wishes, releases: Sequence[str]) -> BisectPlan:
    """The plan.

    Args:
        wishes: what was asked for.
        releases: all there are, oldest first.

    Raises:
        CampaignError: a version that is no release, an unknown metric, workload or profile.
    """
    metric, load = parse_key(wishes.metric)
    if metric.at_load and load is None:
        load = USUAL_LOAD
    low, high, turned = _ends(wishes, releases)
    within = tuple(releases[low : high + 1])
    loads = _loads(metric.key, load)
    setup = {
        "workload": wishes.workload,
        "profile": wishes.profile,
        "target": wishes.target,
        **({"releases": f"{wishes.only_minor}-of-each-minor"} if wishes.only_minor else {}),
        "loads": ", ".join(map(str, loads)),
    }
    question = Question(
        key=metric.key if load is None else f"{metric.key}@{load}",
        metric=metric,
        setup=setup,
        good=within[0],
        bad=within[-1],
        turned=turned,
    )
    return BisectPlan(
        question=question,
        rules=wishes.rules,
        known=Evidence(releases=within, candidates=_candidates(within, wishes.only_minor)),
        load=load,
        template=_template(wishes, within[0], loads),
    )


def _ends(wishes: Wishes, releases: Sequence[str]) -> tuple[int, int, bool]:
    """Where both ends stand, and whether they were named the other way round."""
    named = [releases[-1] if each == LATEST else each for each in (wishes.good, wishes.bad)]
    unknown = [each for each in named if each not in releases]
    if unknown:
        builds = [each for each in unknown if not RELEASE.fullmatch(each)]
        raise CampaignError(
            "A bisection goes through releases, and the package index lists no "
            + " and no ".join(dict.fromkeys(unknown))
            + ".",
            evidence="\n".join(_nearest(each, releases) for each in dict.fromkeys(unknown)),
            hint="A build has no place among releases; compare it with one: "
            f"harness run --preset compare --dagster {releases[-1]} --dagster PATH"
            if builds
            else f"For example: harness bisect --good {releases[0]} --bad {releases[-1]} "
            f"--metric {wishes.metric}",
        )
    good, bad = (releases.index(each) for each in named)
    if good == bad:
        raise CampaignError(
            f"Both ends are {named[0]}: there is nothing between them.",
            hint="Name two releases: the last that was good, and one that is bad.",
        )
    return min(good, bad), max(good, bad), good > bad


def _nearest(wanted: str, releases: Sequence[str]) -> str:
    """`1.12.99: the last of 1.12 are 1.12.21, 1.12.22`."""
    if RELEASE.fullmatch(wanted):
        minor = [each for each in releases if _minor(each) == _minor(wanted)]
        if minor:
            return f"{wanted}: the last of {_minor(wanted)} are {', '.join(minor[-NEIGHBOURS:])}"
        return f"{wanted}: there are {releases[0]} to {releases[-1]}"
    close = get_close_matches(wanted, releases, n=NEIGHBOURS, cutoff=0.4)
    return f"{wanted}: not a release such as {', '.join(close or releases[-NEIGHBOURS:])}"


def _minor(release: str) -> str:
    return release.rpartition(".")[0]


def _candidates(within: Sequence[str], only: OnlyMinor | None) -> frozenset[str] | None:
    if only is None:
        return None
    minors = [list(group) for _, group in groupby(within, key=_minor)]
    return frozenset(group[0] if only == "first" else group[-1] for group in minors)


def _loads(metric: str, load: int | None) -> tuple[int, ...]:
    """The concurrencies to measure: as few as the metric needs."""
    if metric in UNLOADED or load == 1:
        return (1,)
    if load is None:
        load = SLOPE_LOAD if metric in SLOPES else USUAL_LOAD
    return (1, load)


def _template(wishes: Wishes, release: str, loads: Sequence[int]) -> Campaign:
    """A round's campaign without its name and releases: every load once, whatever it shows."""
    changes: dict[str, Any] = {
        "name": "bisect",
        "description": "One round of a bisection over Dagster releases.",
        "dagster": [release],
        "profiles": [wishes.profile],
        "workloads": [_workload(wishes.workload)],
        "repetitions": 1,
        "target": wishes.target,
        "search": {
            "strategy": "ladder",
            "concurrencies": list(loads),
            "stop_after_failures": len(loads) + 1,
        },
    }
    overrides = [f"{key}={json.dumps(value)}" for key, value in changes.items()]
    return load_campaign(preset_text(PRESETS[0]), source="harness bisect", overrides=overrides)


def _workload(name: str) -> dict[str, Any]:
    """As a preset has it, without its own ladder."""
    for preset in PRESETS:
        campaign = load_campaign(preset_text(preset), source=f"preset {preset}")
        for workload in campaign.workloads:
            if workload.name == name:
                return workload.model_dump(mode="json", exclude={"concurrencies"})
    return {"name": name}


def outline_of(plan: BisectPlan, rounds: int) -> Iterator[str]:
    """What would be done, in lines.

    Args:
        plan: what to look for.
        rounds: how many are kept from before.
    """
    asked, known = plan.question, plan.known
    between = len(known.open_between(0, len(known.releases) - 1))
    halvings = math.ceil(math.log2(between + 1))
    yield (
        f"{asked.key} ({asked.metric.name}) between {asked.good} and {asked.bad}: "
        f"{between} releases between them"
    )
    if asked.turned:
        yield (f"  {asked.bad}, the newer end, is the good one: which release mended it?")
    yield "  both ends in turn, until they surely differ, or surely do not"
    yield f"  then one release a round beside both ends: about {halvings} of them"
    typical_s = 2 * plan.expected_s(2) + halvings * plan.expected_s(3) + plan.expected_s(4)
    yield (
        f"  a round of three cells takes about {show_seconds(plan.expected_s(3))}; with little "
        f"noise and all images there, about {show_seconds(typical_s)} in all"
    )
    if rounds:
        yield f"  {rounds} rounds are kept from before; it goes on after them"
    yield "The first round:"
    yield from outline(plan.campaign(1, ()))
