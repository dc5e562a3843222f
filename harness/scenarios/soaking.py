"""Does it last? Hours at a share of what a server was measured to hold, and what they showed.

What to run: the cell again, at one load, in segments; facts are on disk after each, so that a soak
that breaks off goes on with `harness resume`. How to judge: `harness.analysis.soaking`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.analysis.findings.types import CellFinding, Findings
from harness.analysis.soaking.judge import judge_soak
from harness.analysis.soaking.types import Soak
from harness.campaign.faults import ENDS_SEGMENT, Fault, FaultKind
from harness.campaign.plan import Campaign, Load, Search
from harness.errors import CampaignError, StoredDataError
from harness.facts.durable import write_text
from harness.facts.layout import ResultsFolder
from harness.facts.store import read_results
from harness.scenarios.bursts import cell_campaign
from harness.scenarios.stored_plan import stored_plan

FILE = "soak.json"
SCHEMA = 1
SHARE = 0.7
SEGMENT_S = 300.0
SHORT_S = 90.0
SHORTEST_S = 60.0
FEWEST_SEGMENTS, ENOUGH_SEGMENTS = 7, 20
MOST_SEGMENTS = 500
"""As many steps as a search may have; longer soaks have longer segments."""

LEAST_DRAIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakWish:
    """What a soak is to be. `runs`: in flight; left out, `share` of what the cell held."""

    hours: float
    share: float = SHARE
    runs: int | None = None
    faults: tuple[tuple[FaultKind, int | None, float | None], ...] = field(default=())


def soak_campaign(campaign: Campaign, finding: CellFinding, wish: SoakWish) -> Campaign:
    """The cell again, for hours at one load.

    Args:
        campaign: that the cell was measured in.
        finding: of the cell.
        wish: how long, how much, what is broken: (kind, segment or the next free one, seconds).

    Raises:
        CampaignError: the cell held nothing, there are more faults than segments for them, or one
            that ends its segment is to be in the last.
    """
    held = wish.runs or _share_of(finding, wish.share)
    segments = segments_of(wish.hours)
    segment_s = max(SHORTEST_S, wish.hours * 3600 / segments)
    times = campaign.step.model_copy(
        update={
            "burst": False,
            "hold_s": max(1.0, segment_s - campaign.step.ramp_s - campaign.step.settle_s),
            "drain_s": max(LEAST_DRAIN_S, campaign.step.drain_s),
        }
    )
    load = Load(workers=campaign.load.workers, master=campaign.load.master, seed=campaign.load.seed)
    changes = {
        "name": f"{campaign.name[:55]}-soak",
        "description": f"{held} runs in flight for {wish.hours:g} h at {finding.id}.",
        "load": load,
        "step": times,
        "search": Search(strategy="soak", concurrencies=(held,), max_steps=segments),
        "slos": campaign.slos.model_copy(update={"slowdown_p95": None}),
        "faults": _faults(wish, segments),
    }
    return cell_campaign(campaign, finding, changes)


def segments_of(hours: float) -> int:
    """Segments of five minutes; shorter ones where there would be too few, or more than a campaign
    has steps longer ones.
    """
    lasting_s = hours * 3600
    wanted = max(lasting_s / SEGMENT_S, min(ENOUGH_SEGMENTS, lasting_s / SHORT_S))
    return min(MOST_SEGMENTS, max(FEWEST_SEGMENTS, round(wanted)))


def choose_cell(findings: Findings, name: str) -> CellFinding:
    """The cell of that name; the only one where none is named.

    Raises:
        CampaignError: there is none of that name, or several and none was named.
    """
    cells = [cell for cell in findings.cells if not name or cell.id == name]
    if len(cells) == 1:
        return cells[0]
    known = "\n".join(cell.id for cell in findings.cells) or "none"
    what = f"There is no cell {name}." if name else "Which of the cells is to be soaked?"
    raise CampaignError(what, evidence=known, hint="Name one: --cell CELL")


def soaked(path: Path) -> Soak:
    """Judge a soak's stored facts and write `soak.json` beside them.

    Raises:
        StoredDataError: the folder cannot be read, or is not of a soak.
    """
    stored = read_results(path)
    if stored_plan(path, stored).search.strategy != "soak" or not stored.cells:
        raise StoredDataError(
            f"{path} is not of a soak.", hint="harness soak RESULTS measures one."
        )
    soak = judge_soak(stored.cells[0])
    write_text(ResultsFolder(path).path / FILE, soak_json(soak))
    return soak


def soak_json(soak: Soak) -> str:
    """The text of `soak.json`."""
    document = {"schema": SCHEMA, **asdict(soak)}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _share_of(finding: CellFinding, share: float) -> int:
    held = finding.capacity.concurrency
    if not held:
        raise CampaignError(
            f"{finding.id} was not found to hold any run: there is no share of that.",
            hint="Say how many are to be in flight: --runs N",
        )
    return max(1, math.floor(share * held))


def _refuse_at_the_end(wish: SoakWish, segments: int) -> None:
    """Nobody is left to launch after a fault that ends the last segment."""
    for kind, where, _ in wish.faults:
        if where == segments and kind in ENDS_SEGMENT:
            raise CampaignError(
                f"{kind} ends its segment, and after the last one nobody is left to see whether "
                "runs start again.",
                evidence=f"Asked for: {kind}@{where} of {segments} segments",
                hint=f"Name an earlier one, or none: --fault {kind}@{segments - 1}",
            )


def _faults(wish: SoakWish, segments: int) -> tuple[Fault, ...]:
    """Each in the segment it was given, else spread evenly over all but the first and the last."""
    asked: Sequence[int] = [where for _, where, _ in wish.faults if where is not None]
    wrong = sorted(n for n, times in Counter(asked).items() if times > 1 or not 0 < n <= segments)
    if wrong:
        raise CampaignError(
            f"The soak has segments 1 to {segments}, and each has room for one fault.",
            evidence=f"Asked for: {', '.join(map(str, wrong))}",
            hint="Name other ones, or none: --fault KIND",
        )
    _refuse_at_the_end(wish, segments)
    free = [n for n in range(2, segments) if n not in asked]
    open_ = sum(where is None for _, where, _ in wish.faults)
    if open_ > len(free):
        raise CampaignError(
            f"{len(wish.faults)} faults do not fit into {segments} segments: the first and the "
            "last are without one.",
            hint="A longer soak has more segments: --hours H",
        )
    places = iter([free[(2 * k + 1) * len(free) // (2 * open_)] for k in range(open_)])
    made = [
        {"kind": kind, "segment": where if where is not None else next(places)}
        | ({} if for_s is None else {"for_s": for_s})
        for kind, where, for_s in wish.faults
    ]
    return tuple(Fault.model_validate(each) for each in sorted(made, key=lambda f: f["segment"]))
