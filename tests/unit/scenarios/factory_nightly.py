"""A night in simulated time: each part it is joined to is a method here, and can fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from factory_bursts import cell_of, filled
from fakes import FakeListener

from harness.analysis.comparison.metrics import metric_of
from harness.analysis.comparison.types import Comparison, ComparisonDocument, Rules, Side
from harness.analysis.findings.types import Findings, IssueFinding, SloFinding, StepFinding
from harness.analysis.history.types import Alarm, Annotation, Entry, Figure, History, SeriesKey
from harness.campaign.budget import fit
from harness.campaign.estimate import estimate_cell_s
from harness.campaign.loading import dump_campaign, load_campaign, preset_text
from harness.campaign.plan import Campaign
from harness.errors import StoredDataError
from harness.facts import codec
from harness.facts.durable import write_text
from harness.facts.layout import ResultsFolder, new_results_path
from harness.facts.model import Cell
from harness.facts.store import ResultsWriter
from harness.report.nightly.summary import Summary, nightly_json
from harness.rig.session import SessionOptions
from harness.scenarios.nightly import joints
from harness.scenarios.nightly.book import Order
from harness.scenarios.nightly.joints import Host
from harness.scenarios.nightly.mark import plan_in
from harness.scenarios.nightly.night import night
from harness.scenarios.nightly.webhook import Webhook
from harness.units import GIB

BEGAN = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
NEWEST = "1.13.29"
KIND = (
    "io (requests 4, wait_s 1, parallel 1) on 1 vCPU / 2 GiB, compose, direct feed, 6 workers, "
    "limits unenforced"
)
"""What the index calls the io cells of `findings_of`."""

DAY_S = 86400.0


def campaign_of(*overrides: str) -> Campaign:
    """The preset `nightly`."""
    return load_campaign(preset_text("nightly"), source="preset nightly", overrides=overrides)


def pinned_of(campaign: Campaign) -> Campaign:
    versions = tuple(NEWEST if each == "latest" else each for each in campaign.dagster)
    return campaign.model_copy(update={"dagster": tuple(dict.fromkeys(versions))})


def figure(value: float = 1.0, *, key: str = "launch_cpu_s", form: Any = "ratio") -> Figure:
    return Figure(kind=KIND, key=key, role="subject", form=form, value=value, rounds=4, sd=0.01,
                  free=3)  # fmt: skip


def entry_at(days_ago: float, *, subject: str = NEWEST, **changes: Any) -> Entry:
    """A night of the campaign, some days before tonight."""
    started_s = BEGAN.timestamp() - days_ago * DAY_S
    stamp = datetime.fromtimestamp(started_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    given: dict[str, Any] = {
        "folder": f"{stamp}-nightly", "stamp": "1", "campaign": "nightly",
        "started_s": started_s, "subject": subject, "baseline": "1.13.27", "host": "2 CPUs",
        "harness": "0.5", "method": 2, "figures": (figure(),),
    }  # fmt: skip
    return Entry(**{**given, **changes})


def alarm_of(ratio: float | None = 1.0, *, key: str = "launch_cpu_s", **changes: Any) -> Alarm:
    """What one figure says; worse and red from +5 % on."""
    worse = ratio is not None and ratio > 1.05
    given: dict[str, Any] = {
        "key": SeriesKey(campaign="nightly", kind=KIND, key=key, role="subject", form="ratio"),
        "metric": metric_of(key), "nights": 1, "ratio": ratio,
        "low": None if ratio is None else ratio * 0.97,
        "high": None if ratio is None else ratio * 1.03,
        "p_adjusted": None if ratio is None else 0.001 if worse else 0.9,
        "verdict": "cannot_tell" if ratio is None else "worse" if worse else "same",
        "red": worse, "why": "not known tonight" if ratio is None else "so it was seen",
    }  # fmt: skip
    return Alarm(**{**given, **changes})


def judged_step(concurrency: int, *, broke: str = "", verdict: str = "pass") -> StepFinding:
    slo = {
        name: filled(SloFinding, limit=0.0, ok=name != broke) for name in ("no_oom", "failed_runs")
    }
    kind = "unloaded" if concurrency == 1 else "load"
    return filled(StepFinding, kind=kind, concurrency=concurrency, slo=slo,
                  verdict="fail" if broke else verdict)  # fmt: skip


def findings_of(
    campaign: Campaign,
    *,
    broke: Mapping[tuple[str, int], str] | None = None,
    invalid: Collection[str] = (),
    void: bool = False,
    hung: str = "",
) -> Findings:
    """Every cell of the campaign measured at 1 and 3.

    Args:
        campaign: with its versions pinned.
        broke: the objective that broke, by Dagster version and load.
        invalid: ids of cells with a fatal issue.
        void: no step counts.
        hung: no step of this Dagster version counts.
    """
    told = broke or {}
    cells = tuple(
        cell_of(
            id=plan.id, workload=plan.workload.name, dagster=plan.dagster,
            repetition=plan.repetition,
            steps=tuple(
                judged_step(load, broke=told.get((plan.dagster, load), ""),
                            verdict="invalid" if void or hung == plan.dagster else "pass")
                for load in (1, 3)
            ),
        )
        for plan in campaign.cells()
    )  # fmt: skip
    issues = tuple(
        filled(IssueFinding, cell=cell, severity="fatal", code="host_steal", evidence="31 % stolen")
        for cell in invalid
    )
    return filled(
        Findings, schema=2, method=2, campaign=campaign.model_dump(mode="json"), cells=cells,
        validity=issues, environment={"host": {"cpus": 2}, "harness": {"version": "0.5"}},
    )  # fmt: skip


def document_of(verdict: Any = "same") -> ComparisonDocument:
    old, new = (Side(label=v, dagster=v, folder="f") for v in ("1.13.27", NEWEST))
    one = Comparison(
        baseline=old, contender=new, differences=(), remarks=(), unmatched=(), groups=(),
        verdict=verdict, why="so it was seen",
    )  # fmt: skip
    return ComparisonDocument(schema=1, method=2, rules=Rules(), baseline=old, comparisons=(one,))


Raiser = Callable[[], None]


def nothing() -> None:
    """Fails at nothing."""


@dataclass
class World:
    """Everything around a night. `calls` has what was asked, in order.

    `invalid`: ids of invalid cells, one collection for each judging; the last stays. `fail`: by
    name of a part, what it does before its work.
    """

    root: Path
    now: float = BEGAN.timestamp()
    free: list[float] = field(default_factory=lambda: [50.0 * GIB])
    found: Host = field(
        default_factory=lambda: Host(cpus=2, load1=0.1, memory_available_bytes=8 * GIB)
    )
    abandoned: tuple[str, ...] = ()
    judged: Findings | None = None
    invalid: list[Collection[str]] = field(default_factory=list)
    before: tuple[Entry, ...] = ()
    earlier: dict[str, Findings] = field(default_factory=dict)
    tonight: dict[str, Any] = field(default_factory=dict)
    said: tuple[Alarm, ...] = (alarm_of(), alarm_of(key="base_mib"))
    annotations: tuple[Annotation, ...] = ()
    old: tuple[str, ...] = ()
    problem: str = ""
    fail: dict[str, Raiser] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    posted: list[Mapping[str, Any]] = field(default_factory=list)
    listener: FakeListener = field(default_factory=FakeListener)
    complete: int | None = None
    real_lock: Callable[[str], AbstractContextManager[None]] = joints.lock

    PARTS = (
        "now_s", "free_bytes", "host", "check_root", "remove_abandoned", "pin", "measure", "resume",
        "judge", "findings_in", "compare", "versions_in", "keep_comparison", "entries", "alarms",
        "history", "prunable", "prune", "write_reports", "write_trends", "post",
    )  # fmt: skip

    def install(self, patch: pytest.MonkeyPatch) -> World:
        """Stand in for all parts but the lock, which is the real one."""
        for name in self.PARTS:
            patch.setattr(joints, name, getattr(self, name))
        patch.setenv("DAGSTER_LOAD_HARNESS_STATE", str(self.root.parent / "state"))
        return self

    def order(self, *overrides: str, **changes: Any) -> Order:
        given: dict[str, Any] = {
            "campaign": campaign_of(*overrides),
            "options": SessionOptions(results_root=self.root, command=["harness", "nightly"]),
            "budget_s": 3600.0,
        }
        return Order(**{**given, **changes})

    def night(self, *overrides: str, **changes: Any) -> Summary:
        """One whole night."""
        return night(self.order(*overrides, **changes), listener=self.listener)[0]

    def plan(self, *overrides: str) -> Campaign:
        """What tonight measures."""
        return fit(pinned_of(campaign_of(*overrides)), 3600.0)[0]

    def _asked(self, name: str, about: str = "") -> None:
        self.calls.append(f"{name} {about}".strip())
        self.fail.get(name, nothing)()

    def now_s(self) -> float:
        return self.now

    def free_bytes(self, root: Path) -> float:
        return self.free.pop(0) if len(self.free) > 1 else self.free[0]

    def host(self) -> Host:
        return self.found

    def check_root(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._asked("check_root")

    def remove_abandoned(self) -> tuple[str, ...]:
        self._asked("remove_abandoned")
        return self.abandoned

    def pin(self, campaign: Campaign, say: Callable[[str], None]) -> Campaign:
        self._asked("pin")
        return pinned_of(campaign)

    def measure(
        self, campaign: Campaign, options: Any, listener: Any, begun: Callable[[Path], None]
    ) -> Path:
        """Writes what a campaign writes; of its cells the first `complete` are whole."""
        at = datetime.fromtimestamp(self.now, UTC)
        folder = ResultsFolder(new_results_path(self.root, campaign.name, at))
        writer = ResultsWriter(folder)
        writer.write_campaign(dump_campaign(campaign))
        writer.write_environment({"harness": {"command": options.command}})
        begun(folder.path)
        for number, plan in enumerate(campaign.cells()):
            if self.complete is not None and number >= self.complete:
                break
            whole = codec.to_plain(filled(Cell, id=plan.id, ended="done", sealed=True))
            folder.cell(plan.id).path.mkdir()
            write_text(folder.cell(plan.id).cell_json, codec.to_document(whole))
            self.now += estimate_cell_s(campaign, plan)
        self._asked("measure", folder.path.name)
        return folder.path

    def resume(
        self, folder: Path, options: Any, listener: Any, again: Collection[str] = ()
    ) -> None:
        self._asked("resume", " ".join([folder.name, *again]))
        self.now += 120

    def judge(self, folder: Path) -> Findings:
        self._asked("judge")
        (folder / "findings.json").write_text("{}")
        if self.judged is not None:
            return self.judged
        invalid = self.invalid.pop(0) if len(self.invalid) > 1 else (self.invalid or [()])[0]
        return findings_of(plan_in(folder) or self.plan(), invalid=invalid)

    def findings_in(self, folder: Path) -> Findings:
        self._asked("findings_in", folder.name)
        if folder.name not in self.earlier:
            raise StoredDataError(f"There are no findings in {folder}.")
        return self.earlier[folder.name]

    def compare(
        self, one: Path, other: Path | None = None, *, versions: tuple[str, str] | None = None
    ) -> ComparisonDocument:
        self._asked("compare" if other is None else "compare_pinned", " ".join(versions or ()))
        return document_of()

    def versions_in(self, folder: Path) -> tuple[str, tuple[str, ...]]:
        return "1.13.27", ("1.13.28",)

    def keep_comparison(self, document: ComparisonDocument, folder: Path) -> None:
        self._asked("keep_comparison", folder.name)

    def entries(self, root: Path) -> tuple[Entry, ...]:
        self._asked("entries")
        names = sorted(p.name for p in root.iterdir() if p.name.endswith("-nightly"))
        known = {entry.folder for entry in self.before}
        tonight = [name for name in names if name not in known][-1:]
        return (
            *self.before,
            *(replace(entry_at(0), folder=name, **self.tonight) for name in tonight),
        )

    def alarms(
        self, found: Sequence[Entry], *, gates: Collection[str], nights: int
    ) -> tuple[Alarm, ...]:
        self._asked("alarms", f"{len(found)} {nights} {','.join(gates)}")
        return self.said

    def history(self, found: Sequence[Entry]) -> History:
        self._asked("history")
        return History(trends=(), annotations={"nightly": self.annotations})

    def prunable(self, root: Path, **wishes: Any) -> tuple[Path, ...]:
        return tuple(root / name for name in self.old if name not in wishes["kept"])

    def prune(self, root: Path, **wishes: Any) -> tuple[Path, ...]:
        self._asked("prune", f"{wishes['keep_days']:g}")
        return self.prunable(root, **wishes)

    def write_reports(self, folder: Path, findings: Findings) -> None:
        self._asked("write_reports")

    def write_trends(self, root: Path) -> None:
        self._asked("write_trends")

    def post(self, webhook: Webhook, payload: Mapping[str, Any]) -> str:
        self._asked("post")
        self.posted.append(payload)
        return self.problem


def raising(error: BaseException) -> Raiser:
    def fail() -> None:
        raise error

    return fail


FOLDER = "20261125T020000Z-nightly"
"""What a night of `World` makes first."""

SECRET = "https://hooks.example.org/services/T0/B0/hush"


def stored(world: World, *, inside: bool = False) -> dict[str, Any]:
    """The summary on disk: inside the results folder, or beside it."""
    path = world.root / (f"{FOLDER}/nightly.json" if inside else "nightly-nightly.json")
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def plainly(summary: Summary) -> dict[str, Any]:
    """The summary as its JSON has it."""
    document: dict[str, Any] = json.loads(nightly_json(summary))
    return document
