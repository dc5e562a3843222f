"""What is asked of the engine to break things, and what becomes of it where the engine says no."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker import DockerClient
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from fake_containers import ENGINE_SAYS_NO, Engine, FakeContainer, Project
from requests.exceptions import ReadTimeout

from harness.campaign.faults import AT_ONCE, FAULT_KINDS, FaultKind
from harness.errors import TargetFailed
from harness.rig.breaking import StaysBroken
from harness.rig.target.compose_project import ComposeProject
from harness.rig.target.engine import LABEL
from harness.rig.target.faults import helper
from harness.rig.target.faults.compose_faults import (
    DISK_MIB,
    DISKS,
    ComposeFaults,
    Undone,
    disks_override,
)
from harness.rig.target.faults.helper import AT_MOST_S, HelperOrder, run_helper

pytestmark = pytest.mark.unit


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def project(engine: Engine) -> Project:
    return Project(engine)


@pytest.fixture
def faults(project: Project) -> ComposeFaults:
    return ComposeFaults(
        cast(ComposeProject, project), "dagster-image",
        here=lambda there_s: there_s - 60, clock=lambda: 7.0,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at a clock is a second later."""
    ticks: Iterator[int] = iter(range(10**6))
    clock = SimpleNamespace(monotonic=lambda: float(next(ticks)), sleep=lambda _: None)
    monkeypatch.setattr(helper, "time", clock)


def helped(engine: Engine, **order: Any) -> helper.Helper:
    given: dict[str, Any] = {"script": "fill_disk.py", "arguments": ("/full", "9")}
    wanted = HelperOrder(**{**given, **order})
    return run_helper(cast(DockerClient, engine), "dagster-image", "dlh-1", wanted)


class TestHelper:
    def test_it_runs_the_script_as_root_in_a_container_that_harness_down_finds(
        self, engine: Engine, repo_root: Path
    ) -> None:
        helped(engine, shares={"network_mode": "none"})
        (how,) = engine.started
        script = (repo_root / "compose/faults/fill_disk.py").read_text(encoding="utf-8")
        assert how["image"] == "dagster-image"
        assert how["command"] == ["python3", "-c", script, "/full", "9"]
        assert (how["user"], how["entrypoint"]) == ("0", [])
        assert how["labels"] == {LABEL: "1", "com.docker.compose.project": "dlh-1"}
        assert how["network_mode"] == "none"

    def test_it_is_broken_when_the_script_says_what_it_broke(self, engine: Engine) -> None:
        engine.container.says = [b"", b"", b'{"bytes": 7, "at_s": 100.5}\n']
        assert helped(engine).detail == {"bytes": 7}
        assert engine.container.done == ["start"]

    def test_a_script_that_lasts_is_asked_to_give_back_once_and_taken_away(
        self, engine: Engine
    ) -> None:
        made = helped(engine)
        made.mend()
        made.mend()
        assert engine.container.done == ["start", "kill SIGTERM", "wait", "remove"]

    def test_one_that_does_not_last_is_gone_when_it_has_done_its_work(self, engine: Engine) -> None:
        made = helped(engine, script="kill_run.py", lasts=False)
        assert engine.container.done == ["start", "wait", "remove"]
        made.mend()
        assert engine.container.done == ["start", "wait", "remove"]

    def test_one_that_speaks_and_ends_between_two_looks_is_believed(self, engine: Engine) -> None:
        """After the first look, which saw nothing, it has done both."""
        engine.container.says = [b"", b'{"pid_inside": 9, "at_s": 100.5}\n']
        engine.container.exits_after = 1
        assert helped(engine, lasts=False).detail == {"pid_inside": 9}

    def test_one_that_ends_without_a_word_broke_nothing_and_says_why(self, engine: Engine) -> None:
        engine.container.says = [b""]
        engine.container.complains = b"no run process is there to be killed\n"
        engine.container.exits_after = 2
        with pytest.raises(TargetFailed, match="Nothing could be broken") as refused:
            helped(engine, lasts=False)
        assert refused.value.evidence == "no run process is there to be killed"
        assert engine.container.done == ["start", "stop", "remove"]

    def test_one_that_never_speaks_is_given_up_and_taken_away(self, engine: Engine) -> None:
        engine.container.says = [b""]
        with pytest.raises(TargetFailed, match="Nothing could be broken"):
            helped(engine)
        assert engine.container.done == ["start", "stop", "remove"]

    @pytest.mark.parametrize("error", ENGINE_SAYS_NO)
    def test_an_engine_that_starts_none_is_told(self, engine: Engine, error: Exception) -> None:
        engine.refuses = error
        with pytest.raises(TargetFailed, match="Nothing could be broken"):
            helped(engine)

    @pytest.mark.parametrize("error", ENGINE_SAYS_NO)
    def test_one_that_was_made_and_cannot_be_started_is_taken_away(
        self, engine: Engine, error: Exception
    ) -> None:
        """What it was to share a namespace with may have ended."""
        engine.container.fails["start"] = error
        with pytest.raises(TargetFailed, match="Nothing could be broken"):
            helped(engine)
        assert engine.container.done == ["start", "stop", "remove"]

    @pytest.mark.parametrize("call", ["kill", "wait"])
    @pytest.mark.parametrize("error", ENGINE_SAYS_NO)
    def test_one_that_cannot_be_asked_stays_broken(
        self, engine: Engine, call: str, error: Exception
    ) -> None:
        made = helped(engine)
        engine.container.fails[call] = error
        with pytest.raises(TargetFailed, match="stays broken"):
            made.mend()

    ACTED_AND_FAILED = (
        {"fails": {"logs": ReadTimeout("no answer in 60 s")}},
        {"says": [b""]},
        {"says": [b"Traceback\n"]},
        {"says": [b'{"bytes": 7}\n']},
        {"says": [b'["at_s"]\n']},
        {"says": [b'{"bytes": 7, "at_s": "soon"}\n']},
    )

    @pytest.mark.parametrize("how", ACTED_AND_FAILED)
    @pytest.mark.parametrize("code", [0, 1])
    def test_one_that_acted_and_was_not_understood_is_asked_to_give_back_first(
        self, engine: Engine, how: dict[str, Any], code: int
    ) -> None:
        """Removed at once it would be killed, and its victim stay as it is."""
        engine.container = FakeContainer(**how, exit_code=code)
        with pytest.raises(TargetFailed, match="Nothing could be broken") as refused:
            helped(engine)
        assert not isinstance(refused.value, StaysBroken)
        assert engine.container.done == ["start", "stop", "remove"]

    @pytest.mark.parametrize("how", ACTED_AND_FAILED)
    @pytest.mark.parametrize("code", [3, 137])
    def test_one_that_then_did_not_give_back_is_no_miss(
        self, engine: Engine, how: dict[str, Any], code: int
    ) -> None:
        engine.container = FakeContainer(**how, exit_code=code, complains=b"no such device\n")
        with pytest.raises(StaysBroken) as told:
            helped(engine)
        assert told.value.evidence == "no such device"
        assert engine.container.done == ["start", "stop", "remove"]

    @pytest.mark.parametrize("error", ENGINE_SAYS_NO)
    def test_one_that_cannot_be_asked_to_give_back_is_no_miss_either(
        self, engine: Engine, error: Exception
    ) -> None:
        engine.container.says = [b""]
        engine.container.fails["stop"] = error
        with pytest.raises(StaysBroken):
            helped(engine)
        assert engine.container.done == ["start", "stop", "remove"]

    def test_a_line_that_is_not_whole_yet_is_waited_for(self, engine: Engine) -> None:
        engine.container.says = [b'{"byt', b'{"bytes": 7, "at_s": 100.5}\n']
        assert helped(engine).detail == {"bytes": 7}

    def test_a_kill_that_was_told_is_done_however_its_helper_ends(self, engine: Engine) -> None:
        engine.container = FakeContainer(exit_code=1)
        assert helped(engine, script="kill_run.py", lasts=False).detail == {"bytes": 7}
        assert engine.container.done == ["start", "wait", "remove"]

    def test_one_that_could_not_give_back_says_why_and_is_taken_away(self, engine: Engine) -> None:
        engine.container.exit_code = 1
        engine.container.complains = b"OSError: [Errno 101] Network is unreachable\n"
        made = helped(engine)
        with pytest.raises(TargetFailed, match="stays broken") as refused:
            made.mend()
        assert "unreachable" in refused.value.evidence
        assert engine.container.done[-1] == "remove"

    @pytest.mark.parametrize("error", [NotFound("gone"), *ENGINE_SAYS_NO])
    def test_one_that_cannot_be_taken_away_is_left_to_harness_down(
        self, engine: Engine, error: Exception
    ) -> None:
        made = helped(engine)
        engine.container.fails["remove"] = error
        made.mend()
        assert engine.container.done == ["start", "kill SIGTERM", "wait", "remove"]


class TestKinds:
    @pytest.mark.parametrize("kind", FAULT_KINDS)
    def test_every_kind_can_be_broken_and_mended_twice(
        self, faults: ComposeFaults, kind: FaultKind
    ) -> None:
        broken = faults.break_(kind)
        assert broken.detail
        broken.mend()
        broken.mend()

    def test_the_database_is_paused_and_goes_on(
        self, faults: ComposeFaults, project: Project
    ) -> None:
        broken = faults.break_("database-pause")
        assert project.parts["postgres"].done == ["pause"]
        assert broken.detail == {"container": "dlh-1-postgres-1"}
        broken.mend()
        assert project.parts["postgres"].done == ["pause", "unpause"]

    @pytest.mark.parametrize("error", ENGINE_SAYS_NO)
    def test_a_pause_that_was_done_though_the_engine_said_nothing_is_taken_back(
        self, faults: ComposeFaults, project: Project, error: Exception
    ) -> None:
        database = project.parts["postgres"]
        database.fails["pause"], database.stalls = error, True
        with pytest.raises(TargetFailed, match="database-pause could not be done"):
            faults.break_("database-pause")
        assert database.done == ["pause", "unpause"]

    @pytest.mark.parametrize("error", ENGINE_SAYS_NO)
    def test_one_that_cannot_be_taken_back_ends_it(
        self, faults: ComposeFaults, project: Project, error: Exception
    ) -> None:
        database = project.parts["postgres"]
        database.fails = {"pause": error, "unpause": error}
        database.stalls = True
        with pytest.raises(StaysBroken):
            faults.break_("database-pause")

    @pytest.mark.parametrize(
        ("kind", "at_s"), [("database-pause", 7.0), ("server-kill", 7.0), ("run-kill", 40.5)]
    )
    def test_its_moment_is_on_our_clock_whoever_names_it(
        self, faults: ComposeFaults, kind: FaultKind, at_s: float
    ) -> None:
        assert faults.break_(kind).at_s == at_s

    def test_a_server_killed_on_purpose_is_known_before_it_is_seen_dead(
        self, faults: ComposeFaults, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = project.parts["code-server"]
        known: list[set[str]] = []
        monkeypatch.setattr(server, "kill", lambda: known.append(set(faults.killed)))
        faults.break_("server-kill").mend()
        assert known == [{"server-id"}]

    @pytest.mark.parametrize("error", ENGINE_SAYS_NO)
    def test_a_server_that_could_not_be_killed_does_not_die_on_purpose_later(
        self, faults: ComposeFaults, project: Project, error: Exception
    ) -> None:
        project.parts["code-server"].fails["kill"] = error
        with pytest.raises(TargetFailed, match="server-kill could not be done"):
            faults.break_("server-kill")
        assert faults.killed == set()

    def test_a_run_is_killed_from_the_servers_pid_namespace(
        self, faults: ComposeFaults, engine: Engine
    ) -> None:
        faults.break_("run-kill")
        (how,) = engine.started
        assert how["pid_mode"] == "container:server-id"
        assert "middle_run" in how["command"][2]
        assert engine.container.done == ["start", "wait", "remove"]

    def test_the_network_is_cut_from_the_servers_network_namespace(
        self, faults: ComposeFaults, engine: Engine
    ) -> None:
        broken = faults.break_("network-cut")
        (how,) = engine.started
        assert (how["network_mode"], how["cap_add"]) == ("container:server-id", ["NET_ADMIN"])
        assert how["command"][3:] == [f"{AT_MOST_S:g}"]
        broken.mend()
        assert engine.container.done == ["start", "kill SIGTERM", "wait", "remove"]

    @pytest.mark.parametrize(
        ("kind", "volume"),
        [("server-disk-full", "dlh-1_scratch"), ("database-disk-full", "dlh-1_database")],
    )
    def test_a_disk_is_filled_from_a_container_with_its_volume_and_nothing_else(
        self, faults: ComposeFaults, engine: Engine, kind: FaultKind, volume: str
    ) -> None:
        faults.break_(kind)
        (how,) = engine.started
        assert how["volumes"] == {volume: {"bind": "/full", "mode": "rw"}}
        assert how["network_mode"] == "none"
        assert how["command"][3:] == ["/full", f"{AT_MOST_S:g}"]

    @pytest.mark.parametrize("error", ENGINE_SAYS_NO)
    def test_what_the_engine_refuses_is_not_broken(
        self, faults: ComposeFaults, project: Project, error: Exception
    ) -> None:
        project.parts["postgres"].fails["pause"] = error
        with pytest.raises(TargetFailed, match="database-pause could not be done"):
            faults.break_("database-pause")

    @pytest.mark.parametrize("error", ENGINE_SAYS_NO)
    def test_what_the_engine_does_not_take_back_stays_broken(self, error: Exception) -> None:
        def undo() -> None:
            raise error

        with pytest.raises(TargetFailed, match="stays broken"):
            Undone(at_s=0.0, detail={}, undo=undo).mend()


class TestDisks:
    def test_only_disks_that_are_to_be_filled_get_a_file_system_of_their_own(self) -> None:
        assert disks_override(()) == ""
        assert disks_override([kind for kind in FAULT_KINDS if kind not in DISKS]) == ""
        assert set(json.loads(disks_override(["server-disk-full"]))["volumes"]) == {"scratch"}

    def test_it_is_small_and_in_memory_so_that_no_disk_of_the_host_is_filled(self) -> None:
        volumes = json.loads(disks_override(list(DISKS)))["volumes"]
        for kind, volume in DISKS.items():
            options = volumes[volume]["driver_opts"]
            assert (options["type"], options["device"]) == ("tmpfs", "tmpfs")
            assert f"size={DISK_MIB[kind]}m" in options["o"]

    def test_the_volumes_are_those_of_the_compose_file(self, repo_root: Path) -> None:
        text = (repo_root / "compose/compose.yaml").read_text(encoding="utf-8")
        for volume in DISKS.values():
            assert f"\n  {volume}:" in text.split("\nvolumes:")[1]

    def test_kinds_that_last_no_time_need_no_disk(self) -> None:
        assert not set(DISKS) & AT_ONCE


def test_the_fakes_are_what_the_engine_gives() -> None:
    """Each call a fake remembers is one of the real container."""
    for call in ("start", "logs", "reload", "wait", "kill", "pause", "unpause", "remove"):
        assert isinstance(getattr(Container, call), Callable)  # type: ignore[arg-type]
    assert issubclass(APIError, DockerException)
