"""A target behind an engine on another host: its limits, fit, record, rest and clock."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from fakes import Clock, FakeListener, FakeLoad, FakeTarget, FakeTelemetry, endpoints

from harness.campaign.plan import Campaign
from harness.campaign.profiles import parse_profile
from harness.errors import EnvironmentProblem
from harness.facts.layout import CellFolder
from harness.facts.model import Event, Limits, Run, Sample
from harness.facts.store import CellWriter
from harness.rig import leftovers, preflight, stepper
from harness.rig.engine_place.place import parse
from harness.rig.environment_changes import changes_between
from harness.rig.host_clock import Offset, OtherClock
from harness.rig.hosting import choose, engine_words
from harness.rig.ledger import Entry, Ledger
from harness.rig.leftovers import remove_leftovers, told
from harness.rig.load.phases import RunPhases, on_our_clock
from harness.rig.parts import Rig
from harness.rig.preflight import check_engine_is_free, refuse_elsewhere, size_for
from harness.rig.protocols import Endpoints, StepOrder
from harness.rig.stepper import Stepper
from harness.rig.target import engine
from harness.rig.target.elsewhere import limits_by_engine, on_this_engine
from harness.rig.target.engine import EngineState

pytestmark = pytest.mark.unit

GONE = {"owner_pid": 2**22 + 1, "owner_created_s": 1.0}
INFO = {"NCPU": 8, "MemTotal": 16 << 30, "Name": "bench", "CpuCfsQuota": True, "MemoryLimit": True}


def answering(url: str, problem: str = "") -> EngineState:
    place = parse(url)
    return EngineState(
        place=place, named=place.remote, info=INFO, version="27", problem=problem, hint="mend it"
    )


@pytest.fixture
def at_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://bench")
    monkeypatch.setattr(engine, "probe", lambda: answering("ssh://bench"))


@pytest.mark.parametrize(
    ("config", "limits"),
    [
        ({"NanoCpus": 1_500_000_000, "Memory": 2 << 30, "MemorySwap": 2 << 30, "PidsLimit": 99},
         Limits(cpu_cores=1.5, memory_bytes=2 << 30, pids=99, swap_bytes=0)),
        ({"CpuQuota": 50_000, "CpuPeriod": 0, "Memory": 1 << 30, "MemorySwap": -1},
         Limits(cpu_cores=0.5, memory_bytes=1 << 30, pids=None, swap_bytes=None)),
        ({"NanoCpus": 0, "Memory": 0, "PidsLimit": None},
         Limits(cpu_cores=None, memory_bytes=None, pids=None, swap_bytes=None)),
    ],
)  # fmt: skip
def test_limits_are_what_the_engine_says(config: dict[str, Any], limits: Limits) -> None:
    assert limits_by_engine({"HostConfig": config}, INFO) == limits


@pytest.mark.parametrize("lacking", ["CpuCfsQuota", "MemoryLimit"])
def test_an_engine_whose_kernel_enforces_nothing_says_so(lacking: str) -> None:
    assert limits_by_engine({"HostConfig": {"NanoCpus": 1}}, {**INFO, lacking: False}) is None


@pytest.mark.usefixtures("at_ssh")
def test_profiles_must_fit_the_host_they_run_on() -> None:
    size = size_for("compose")
    assert (size.cpus, size.memory_available_bytes) == (8.0, 16 << 30)
    assert size.name == "the engine's host bench"
    assert size_for("process") == dataclasses.replace(
        preflight.host_size(), memory_available_bytes=size_for("process").memory_available_bytes
    )


@pytest.mark.parametrize("kind", ["auto", "compose"])
def test_a_silent_engine_that_was_named_is_never_replaced_by_this_host(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = answering("ssh://bench", problem="bench cannot be reached by ssh.")
    monkeypatch.setattr(engine, "probe", lambda: silent)
    with pytest.raises(EnvironmentProblem) as caught:
        choose(kind, lambda _: None)
    assert caught.value.evidence == "bench cannot be reached by ssh."


@pytest.mark.parametrize(
    ("url", "lines"), [("unix:///x", 0), ("ssh://bench", 1), ("tcp://bench:1", 2)]
)
def test_what_tcp_opens_to_others_is_said_and_only_there(url: str, lines: int) -> None:
    said = engine_words(answering(url))
    assert len(said) == lines
    assert any("open to whoever reaches bench" in line for line in said) is (lines == 2)


@pytest.mark.usefixtures("at_ssh")
def test_an_engine_somebody_else_measures_on_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "busy_with", lambda: ())
    check_engine_is_free()
    monkeypatch.setattr(engine, "busy_with", lambda: ("dlh-1-code-server-1",))
    with pytest.raises(EnvironmentProblem) as caught:
        check_engine_is_free()
    assert "dlh-1-code-server-1" in caught.value.evidence


@pytest.mark.usefixtures("at_ssh")
def test_what_needs_this_machine_refuses_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentProblem, match="The lab needs an engine on this machine"):
        refuse_elsewhere("The lab")
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    refuse_elsewhere("The lab")


def test_what_is_left_is_looked_for_on_the_engine_it_was_made_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://here:1")
    asked: list[str] = []

    def remove(project: str, way: Any = None) -> int:
        asked.append(way.place.url if way else "the one that is meant")
        if way and way.place.host == "silent":
            raise EnvironmentProblem("The Docker engine does not answer.")
        return 3

    monkeypatch.setattr(leftovers.engine, "remove_project", remove)
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for url in ("", "tcp://here:1", "ssh://bench", "tcp://silent:1"):
        kept = Entry(id=url, kind="compose", name="cell a", project="dlh-none", engine=url, **GONE)  # type: ignore[arg-type]
        ledger.add(kept)
    done = remove_leftovers(ledger)
    assert asked == [
        "tcp://silent:1", "ssh://bench", "the one that is meant", "the one that is meant",
    ]  # fmt: skip
    assert "it is on the engine tcp://silent:1, which does not answer" in told(done[0])
    assert [entry.engine for entry in ledger.entries()] == ["tcp://silent:1"]


def test_an_entry_says_how_its_engine_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("DOCKER_HOST", "tcp://bench:1"), ("DOCKER_TLS", "1"), ("DOCKER_CERT_PATH", "/keys"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    entry = on_this_engine(Entry(id="a", kind="compose", name="cell a", project="a"))
    assert (entry.engine, entry.path, entry.box) == ("tcp://bench:1", "/keys", "unverified")


ENGINE = answering("ssh://bench").record()


@pytest.mark.parametrize(
    ("then", "now", "weights"),
    [
        ({"engine": ENGINE}, {"engine": ENGINE}, []),
        ({}, {"engine": {"place": "local"}}, []),
        ({}, {"engine": ENGINE}, ["campaign"]),
        ({"engine": ENGINE}, {"engine": {**ENGINE, "name": "other"}}, ["campaign"]),
        ({"engine": {**ENGINE, "kernel": "6.1"}}, {"engine": {**ENGINE, "kernel": "6.2"}},
         ["cell"]),
    ],
)  # fmt: skip
def test_a_campaign_stays_on_the_engine_it_was_begun_on(
    then: dict[str, Any], now: dict[str, Any], weights: list[str]
) -> None:
    assert [change.weight for change in changes_between(then, now)] == weights


AHEAD_S = 100.0


class Telemetry(FakeTelemetry):
    """An engine that reported two kills of ours and one of a helper."""

    def take(self) -> tuple[list[Sample], list[Event]]:
        sources = ("code-server-1", "code-server-1", "postgres")
        return [], [Event(at_s=1.0, kind="oom", source=source) for source in sources]


def there(offsets: list[float]) -> Endpoints:
    """Endpoints on a host whose clock is ahead, by more with every look."""
    looks = iter(offsets)
    clock = OtherClock(lambda: Offset(offset_s=next(looks), uncertainty_s=0.01, at_s=1.0))
    dsn = "postgresql://nobody@127.0.0.1:1/none"
    return dataclasses.replace(endpoints(), elsewhere=True, clock=clock, database_dsn=dsn)


def test_a_step_counts_the_engines_kills_and_moves_the_logs_stamps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()

    def read(dsn: str, run_ids: list[str], *, here: Any) -> dict[str, RunPhases]:
        stamp_s = clock.time() + AHEAD_S
        return {run_ids[0]: RunPhases(started_s=here(stamp_s), status=None)}

    monkeypatch.setattr(stepper, "read_phases", read)
    (tmp_path / "cell").mkdir()
    folder = CellFolder(tmp_path / "cell")
    rig = Rig(
        target=FakeTarget(), load=FakeLoad(clock), telemetry=Telemetry(),
        writer=CellWriter(folder), journal=lambda _: None, listener=FakeListener(),
        clock=clock.time, sleep=clock.sleep,
    )  # fmt: skip
    plan = Campaign.model_validate(
        {"name": "t", "profiles": [parse_profile("1vcpu-2gb")], "workloads": [{"name": "io"}]}
    )
    order = StepOrder(kind="load", concurrency=2, repetition=1, reason="r")
    made = Stepper(plan, next(plan.cells()), rig)
    step, runs = made.run(order, there([90.0, AHEAD_S]))
    assert step.oom_kills == 2
    assert runs[0].started_s == clock.time()  # by the look after the step, not the first
    sent_s = runs[1].sent_s
    assert runs[1].ended_s == sent_s + 5 - AHEAD_S  # the webserver's stamp of the fake, moved
    text = (tmp_path / "cell").rglob("events.jsonl")
    assert any("clock_offset" in path.read_text() for path in text)


def test_only_what_the_webserver_told_is_moved() -> None:
    common: dict[str, Any] = {"step": 0, "user": 0, "run_id": "a", "intended_s": 1, "sent_s": 1}
    ended = Run(**common, started_s=12.0, ended_s=15.0, status="SUCCESS")
    rejected = Run(**common, ended_s=5.0, status="REJECTED")
    moved = on_our_clock([ended, rejected], lambda at_s: at_s - 10)
    assert [(run.started_s, run.ended_s) for run in moved] == [(2.0, 5.0), (None, 5.0)]
    (seen,) = on_our_clock([ended], lambda at_s: at_s - 10, ends_seen={"a"})
    assert (seen.started_s, seen.ended_s) == (2.0, 15.0)  # the poll's own stamp: ours already
