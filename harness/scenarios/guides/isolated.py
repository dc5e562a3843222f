"""Do runs in a standing, shared container start faster than in a container each?

The same jobs go into a code server of 1 vCPU (Dagster's own launcher), into one of a quarter of a
vCPU and 1 GiB, and into containers of 1 vCPU that Dagster's Docker launcher starts, one a run.
Where a start spends its time is told by phase, alone and four at once; then one of four
containers, and at last the shared one, is killed under running runs.

What a cloud takes to provision a container is not here: images and machine are.
"""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docker.errors import DockerException
from docker.models.containers import Container

from harness.rig.lab.documents import HOME
from harness.rig.lab.lab import Lab
from harness.rig.lab.launching import STARTED_LABEL
from harness.rig.lab.servers import LabServer
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Launched, Order
from harness.rig.target.engine import LABEL
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.isolated_figures import figures
from harness.scenarios.guides.scenario import Scenario

SHARED, BOX, CONTAINER = "shared", "box", "container"
CPU_S = 1.0
HOLD_S = 8.0
RUN_MIB = 1024
LOOK_S = 0.25
PATIENCE_S = 180.0

LAUNCHER: Mapping[str, Any] = {
    "module": "dagster_docker",
    "class": "DockerRunLauncher",
    "config": {
        "image": "{image}",
        "network": "{network}",
        "env_vars": ["DATABASE_URL", f"DAGSTER_HOME={HOME}", "DAGSTER_DISABLE_TELEMETRY=1"],
        "container_kwargs": {
            "mem_limit": f"{RUN_MIB}m",
            "memswap_limit": f"{RUN_MIB}m",
            "nano_cpus": 1_000_000_000,
            "pids_limit": 512,
            "init": True,
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "tmpfs": {"/tmp": "mode=1777"},
            "volumes": [f"{{home}}:{HOME}:ro", "{project}_scratch:/scratch"],
            # By these the lab, and after a crash `harness down`, finds what it has to remove.
            "labels": {
                "com.docker.compose.project": "{project}",
                LABEL: "1",
                STARTED_LABEL: "1",
            },
        },
    },
}


Told = list[tuple[str, dict[str, Any]]]


def measure(bench: Bench) -> None:
    """First the shared servers, side by side: the box takes a quarter of a core. Then containers,
    and at last each way to lose what runs there.
    """
    quick = bench.quick
    shared = ServerSpec(name=SHARED, cpu_cores=1.0, memory_mib=2048)
    box = ServerSpec(name=BOX, cpu_cores=0.25, memory_mib=1024)
    with bench.lab(LabSpec(servers=(shared, box))) as lab, ThreadPoolExecutor() as pool:
        bench.say("Runs in a server of 1 vCPU, and in one of a quarter")
        parts = [
            pool.submit(_in_server, lab, SHARED, alone=2 if quick else 5, at_once=(4,)),
            pool.submit(
                _in_server, lab, BOX, alone=1 if quick else 3, at_once=(4,) if quick else (2, 4, 8)
            ),
        ]
        for part in parts:
            _note(bench, part.result())
        _note(bench, _kill_shared(lab))
    spec = LabSpec(
        servers=(ServerSpec(name=CONTAINER),),
        instance={"run_launcher": LAUNCHER},
        docker_socket=True,
    )
    with bench.lab(spec) as lab:
        bench.say("Runs in a container each")
        with _Containers(lab) as containers:
            told = _alone(lab, CONTAINER, 2 if quick else 5)
            for _ in range(1 if quick else 2):
                told += _kill_one(lab)
        _note(bench, [*told, *containers.told()])


def _note(bench: Bench, told: Told) -> None:
    for what, values in told:
        bench.note(what, **values)


def _in_server(lab: Lab, where: str, *, alone: int, at_once: Sequence[int]) -> Told:
    """One after another, then so many at once."""
    told = _alone(lab, where, alone)
    server = lab.server(where)
    for runs in at_once:
        _settled(server)
        before = server.look()
        server.reset_peak()
        with lab.watch(server, period_s=LOOK_S) as watch:
            launches = _sleepers(lab, where, runs)
            _ended(lab, launches)
        told += _starts(lab, where, runs, launches)
        after = server.look()
        told.append(("room", {
            "where": where, "runs": runs, "resident": watch.highest("resident_runs"),
            "base_bytes": before.get("working_set_bytes"),
            "most_bytes": watch.highest("working_set_bytes"), "peak_bytes": after.get("peak_bytes"),
            "cpu_s": after.get("cpu_s", 0.0) - before.get("cpu_s", 0.0),
            "oom_kills": after.get("oom_kills", 0.0) - before.get("oom_kills", 0.0),
            "running": server.running,
        }))  # fmt: skip
    return told


def _settled(server: LabServer) -> None:
    """A run's process outlives its last event, on the box for seconds."""
    end_s = time.monotonic() + PATIENCE_S / 6
    while server.look().get("resident_runs") and time.monotonic() < end_s:
        time.sleep(LOOK_S)


def _alone(lab: Lab, where: str, times: int) -> Told:
    """Runs that compute, one after another. The first reads from disk what the others find in
    memory: it is told apart.
    """
    told: Told = []
    order = Order(job="spin", location=where, config={"cpu_s": CPU_S})
    for number in range(times + 1):
        launch = lab.web.launch(order)
        _ended(lab, [launch])
        told += _starts(lab, where, 1 if number else 0, [launch])
    return told


def _sleepers(lab: Lab, where: str, runs: int, hold_s: float = HOLD_S) -> list[Launched]:
    order = Order(job="sleep", location=where, config={"seconds": hold_s})
    return lab.web.launch_all([order] * runs)


def _ids(launches: Sequence[Launched]) -> list[str]:
    return [each.run_id for each in launches if each.run_id]


def _ended(lab: Lab, launches: Sequence[Launched]) -> None:
    lab.web.wait(_ids(launches), timeout_s=PATIENCE_S)


def _running(lab: Lab, ids: Sequence[str]) -> None:
    lab.web.wait(
        ids, timeout_s=PATIENCE_S, until=lambda each: each.status == "STARTED" or each.ended
    )


def _starts(lab: Lab, where: str, at_once: int, launches: Sequence[Launched]) -> Told:
    """One `start` a launch, with the stamps of its phases; `at_once` 0: the very first."""
    rows = {row.run_id: row.values() for row in lab.records.runs(_ids(launches))}
    told: Told = []
    for launch in launches:
        row = rows.get(launch.run_id or "", {"status": launch.error_class})
        told.append(("start", {
            "where": where, "at_once": at_once, "sent_s": launch.sent_s,
            "answered_s": launch.answered_s, "error": launch.error, **row,
        }))  # fmt: skip
    return told


def _kill_shared(lab: Lab) -> Told:
    """SIGKILL to the server's container under running runs."""
    ids = _ids(_sleepers(lab, SHARED, 3))
    _running(lab, ids)
    lab.server(SHARED).kill()
    lab.web.wait(ids, timeout_s=HOLD_S + 2)
    return [_killed(lab, SHARED, ids)]


def _kill_one(lab: Lab) -> Told:
    """SIGKILL to one of four containers with a run each, as soon as all four runs have started."""
    launches = _sleepers(lab, CONTAINER, 4, 2 * HOLD_S)
    ids = _ids(launches)
    _running(lab, ids)
    for container in lab.started():
        if container.labels.get("dagster/run_id") == ids[0]:
            with contextlib.suppress(DockerException):  # it has failed already: the status says so
                container.kill()
    lab.web.wait(ids, timeout_s=60, enough=len(ids) - 1)
    starts = _starts(lab, CONTAINER, 4, launches)
    for _, values in starts:
        values["killed"] = values.get("run_id") == ids[0]
    return [*starts, _killed(lab, CONTAINER, ids)]


def _killed(lab: Lab, where: str, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """What became of the first run, and of those beside it."""
    by_id = lab.web.statuses(ids)
    first, *others = [by_id[each].status if each in by_id else None for each in ids]
    done = sum(1 for each in others if each == "SUCCESS")
    return "killed", {"where": where, "others": len(others), "others_done": done, "status": first}


class _Containers:
    """Looks at the containers Dagster starts, while a `with` lasts."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="run-containers", daemon=True)
        self._seen: dict[str, LabServer] = {}
        self._used: dict[str, dict[str, float]] = {}

    def __enter__(self) -> _Containers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(timeout=10)
        for server in self._seen.values():
            server.close()

    def told(self) -> Told:
        """One `container` each: the engine's stamps (epoch seconds), and what it used; CPU time
        up to the last look, a quarter of a second before it ended or less.
        """
        return [("container", {**_engine_says(each), **self._used.get(str(each.id), {})})
                for each in self._lab.started()]  # fmt: skip

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_S):
            with contextlib.suppress(DockerException, OSError, ValueError):  # it ends meanwhile
                for container in self._lab.started():
                    self._look(container)

    def _look(self, container: Container) -> None:
        key = str(container.id)
        server = self._seen.get(key)
        if server is None or not server.pid:
            server = self._seen[key] = LabServer(container, key[:12])
        stats = server.stats()
        if stats is not None:
            most = max(stats.working_set_bytes, self._used.get(key, {}).get("most_bytes", 0))
            self._used[key] = {"most_bytes": most, "cpu_s": stats.cpu_s,
                               "peak_bytes": stats.peak_bytes or most}  # fmt: skip


def _engine_says(container: Container) -> dict[str, Any]:
    state = container.attrs["State"]
    return {
        "run_id": container.labels.get("dagster/run_id"),
        "made_s": _epoch(container.attrs["Created"]), "began_s": _epoch(state["StartedAt"]),
        "exit_code": state["ExitCode"], "oom_killed": state["OOMKilled"],
    }  # fmt: skip


def _epoch(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


SCENARIO = Scenario(
    name="isolated",
    question="Do runs in a shared container start faster than in one each, and what is the price?",
    minutes=5.2,
    quick_minutes=None,
    measure=measure,
    figures=figures,
    socket="Dagster's own DockerRunLauncher starts a container for every run.",
)
