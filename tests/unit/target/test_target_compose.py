"""What the compose target starts and hands over, with a project that only remembers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.campaign.faults import FaultKind
from harness.campaign.plan import CellPlan, Feed, Queue, Sensors, Workload
from harness.campaign.profiles import Profile
from harness.facts.model import Limits
from harness.rig.ledger import Ledger
from harness.rig.protocols import Endpoints
from harness.rig.target import compose
from harness.rig.target.compose import ComposeOptions, ComposeTarget
from harness.rig.target.compose_project import env_file
from harness.rig.target.images import Images
from harness.rig.target.software import Software

pytestmark = pytest.mark.unit


class Project:
    """A Compose project that starts nothing."""

    def __init__(
        self, name: str, variables: Mapping[str, str], *, log: Path, overrides: list[Path]
    ) -> None:
        self.name = name
        self.overrides = overrides
        self.variables = dict(variables)
        self.started: list[str] = []

    def up(self, *services: str, **options: Any) -> None:
        self.started += services

    def containers(self, service: str) -> Sequence[Any]:
        return ()

    def container(self, service: str) -> None: ...

    def remove(self) -> None: ...


@pytest.fixture
def projects(monkeypatch: pytest.MonkeyPatch) -> list[Project]:
    made: list[Project] = []

    def make(
        name: str, variables: Mapping[str, str], *, log: Path, overrides: list[Path]
    ) -> Project:
        made.append(Project(name, variables, log=log, overrides=overrides))
        return made[-1]

    monkeypatch.setattr(compose, "ComposeProject", make)
    monkeypatch.setattr(compose, "wait_ready", lambda *args, **options: None)
    monkeypatch.setattr(compose, "address_of", lambda container, inside: f"127.0.0.1:{inside}")
    monkeypatch.setattr(compose, "port_of", lambda container, inside: inside)
    return made


def start(
    folder: Path,
    workload: Workload,
    feed: Feed,
    *,
    faults: frozenset[FaultKind] = frozenset(),
    web_address: str = "127.0.0.1",
    **more: Any,
) -> tuple[ComposeTarget, Endpoints]:
    cell = CellPlan(
        profile=Profile(name="small", vcpu=1, memory_mib=1024), workload=workload,
        dagster="1.13.27", max_workers=6, replicas=1, feed=feed, **more,
    )  # fmt: skip
    options = ComposeOptions(
        images=Images(dagster="dagster", postgres="postgres"),
        software=Software(version="1.13.27", lock=folder / "lock"),
        limits=Limits(cpu_cores=1, memory_bytes=1 << 30),
        faults=faults,
        web_address=web_address,
    )
    target = ComposeTarget(cell, folder, options=options, ledger=Ledger(folder / "ledger.jsonl"))
    endpoints = target.start()
    target.stop()
    return target, endpoints


IO = Workload(name="io")
TICKING = Workload(name="io", sensors=Sensors(count=3))
STOPPED = Workload(name="sensor", environment={"WORKLOAD_SENSORS": "3"})


@pytest.mark.parametrize(
    ("workload", "feed", "daemon"),
    [
        (IO, "direct", False),
        (STOPPED, "direct", False),
        (TICKING, "direct", True),
        (IO, "queued", True),
    ],
)
def test_a_daemon_runs_where_a_queue_or_ticking_sensors_need_one(
    tmp_path: Path, projects: list[Project], workload: Workload, feed: Feed, daemon: bool
) -> None:
    start(tmp_path, workload, feed)
    assert ("daemon" in projects[0].started) is daemon
    assert {"postgres", "code-server", "webserver"} <= set(projects[0].started)


def test_the_project_is_told_the_cells_module_instance_and_queue(
    tmp_path: Path, projects: list[Project]
) -> None:
    queue = Queue(dequeue_interval_s=1, dequeue_threads=9)
    start(tmp_path, TICKING, "queued", queue=queue, max_concurrent_runs=12)
    variables = projects[0].variables
    assert variables["LOCATION_MODULE"] == "workloads.blend.definitions"
    assert variables["INSTANCE"] == "queued-threads"
    assert variables["MAX_CONCURRENT_RUNS"] == "12"
    assert variables["DEQUEUE_INTERVAL_S"] == "1"
    assert variables["DEQUEUE_THREADS"] == "9"


@pytest.mark.parametrize(
    ("web_address", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:3000"),
        ("10.0.0.5", "http://10.0.0.5:3000"),
        ("0.0.0.0", "http://127.0.0.1:3000"),
    ],
)
def test_the_webserver_is_published_where_load_workers_are_and_called_where_it_is(
    tmp_path: Path, projects: list[Project], web_address: str, url: str
) -> None:
    _, endpoints = start(tmp_path, IO, "direct", web_address=web_address)
    # Empty: where all ports are published, which another engine decides.
    published = projects[0].variables["WEBSERVER_ADDRESS"] or "127.0.0.1"
    assert published == web_address
    assert endpoints.webserver_url == url


def test_the_server_gets_the_blends_parts_and_its_sensors_settings(
    tmp_path: Path, projects: list[Project]
) -> None:
    start(tmp_path, TICKING, "direct")
    written = Path(projects[0].variables["WORKLOAD_ENV_FILE"]).read_text().splitlines()
    assert 'WORKLOAD_BLEND="io"' in written
    assert 'WORKLOAD_SENSORS="3"' in written
    assert 'WORKLOAD_SENSORS_RUNNING="1"' in written


def test_a_disk_that_is_to_be_filled_gets_a_file_system_of_its_own(
    tmp_path: Path, projects: list[Project]
) -> None:
    start(tmp_path, IO, "direct", faults=frozenset(["server-disk-full", "run-kill"]))
    (override,) = projects[0].overrides
    assert set(json.loads(override.read_text(encoding="utf-8"))["volumes"]) == {"scratch"}


@pytest.mark.parametrize("faults", [frozenset(), frozenset(["network-cut", "server-kill"])])
def test_no_other_fault_changes_the_project(
    tmp_path: Path, projects: list[Project], faults: frozenset[FaultKind]
) -> None:
    start(tmp_path, IO, "direct", faults=faults)
    assert list(projects[0].overrides) == []


@dataclass
class Server:
    """A container of the server that was found dead."""

    id: str
    name: str = "dlh-1-code-server-1"
    attrs: dict[str, Any] = field(default_factory=lambda: {
        "State": {"Running": False, "ExitCode": 137, "OOMKilled": False}
    })  # fmt: skip

    def reload(self) -> None: ...

    def kill(self) -> None: ...

    def logs(self, **_: Any) -> bytes:
        return b"last words"


def test_a_server_killed_on_purpose_did_not_die_of_memory(
    tmp_path: Path, projects: list[Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, _ = start(tmp_path, IO, "direct", faults=frozenset(["server-kill"]))
    server = Server(id="a")
    monkeypatch.setattr(projects[0], "container", lambda _: server)
    monkeypatch.setattr(target, "_servers", (server, Server(id="b")))
    target.break_("server-kill")
    killed, died = target.deaths()
    assert (killed.oom, killed.witnesses) == (False, ("killed on purpose",))
    assert (killed.exit_code, killed.log_tail) == (137, "last words")
    assert died.witnesses != killed.witnesses


AWKWARD = {
    "PLAIN": "1.5",
    "EMPTY": "",
    "BLANKS": " a b # c ",
    "SHELL": "x$HOME ${PATH} $$",
    "QUOTES": 'it\'s "so"',
    "BACKSLASH": r"a\nb\\",
    "LINES": "one\ntwo",
    "URL": "http://user:p=w@host/?a=b&c",
}


def test_compose_reads_back_exactly_what_the_workload_says(tmp_path: Path) -> None:
    if shutil.which("docker") is None:
        pytest.skip("no `docker` command: its Compose is the reader asked here")
    (tmp_path / "workload.env").write_text(env_file(AWKWARD), encoding="utf-8")
    file = tmp_path / "compose.yaml"
    file.write_text("services: {a: {image: x, env_file: [./workload.env]}}", encoding="utf-8")
    command = ["docker", "compose", "--file", str(file), "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        pytest.skip(f"`docker compose config` does not work here: {done.stderr.strip()}")
    read = json.loads(done.stdout)["services"]["a"]["environment"]
    # `config` writes a Compose file, in which a dollar sign is doubled.
    assert {name: value.replace("$$", "$") for name, value in read.items()} == AWKWARD


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,8}", fullmatch=True), st.text()))
def test_an_environment_takes_one_line_a_variable(environment: dict[str, str]) -> None:
    lines = env_file(environment).split("\n")
    assert [line.partition("=")[0] for line in lines[:-1]] == list(environment)
    assert lines[-1] == ""
