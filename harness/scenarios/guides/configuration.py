"""Do the guides' snippets of configuration mean what they are said to mean?

Snippets of the same shape go to the programs that must read them: the cloud command, the ECS
agent's schemas, the ECS executor, in an environment of their own and without AWS. The number of
worker threads that a variable asks for is read back from a real server.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.analysis.guides.types import Figure, Figures
from harness.errors import TargetFailed
from harness.facts.observations import Observations, Values
from harness.rig.assets import asset
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.target.launcher_software import readers_software
from harness.rig.target.python_env import ensure_env
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.scenario import Scenario

SCRIPT = "workloads/guides/read_snippets.py"
READ_TIMEOUT_S = 300
VARIABLE = "DAGSTER_GRPC_MAX_WORKERS"
ASKED = 23
"""No number that Dagster would choose by itself: not CPUs + 4 of a host, not 32."""

REFUSALS: Mapping[str, str] = {
    "location_unquoted": "cpu", "context_unquoted": "cpu", "executor_default": "EcsRunLauncher",
}  # fmt: skip
"""What a reader that refuses one must name: any other error is no answer."""


def measure(bench: Bench) -> None:
    """Ask the readers, then a server."""
    bench.say("What reads the configuration of Dagster+ and ECS")
    python = ensure_env(readers_software(bench.dagster, say=bench.say), progress=bench.say)
    for answer in _answers(python):
        bench.note("answer", **answer)
    server = ServerSpec(max_workers=None, environment={VARIABLE: str(ASKED)})
    with bench.lab(LabSpec(servers=(server,))) as lab:
        said = lab.server().client.ping(60.0)
        bench.note("workers", asked=ASKED, told=said.max_workers)


def _answers(python: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [str(python), "-I", str(asset(SCRIPT))],
        capture_output=True, text=True, check=False, timeout=READ_TIMEOUT_S,
    )  # fmt: skip
    try:
        answers: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError as error:
        raise TargetFailed(
            f"{SCRIPT} ended with {done.returncode} and gave no answers.",
            evidence=done.stderr[-800:],
        ) from error
    return answers


def figures(seen: Observations) -> Figures:
    """Of answers, which are 1 where a reader accepts and 0 where it refuses, and of a server."""
    given = {each["name"]: each for each in seen.of("answer")}
    return {**_locations(given), **_steps(given), **_executors(given), **_workers(seen, given)}


def _locations(given: Mapping[str, Values]) -> Figures:
    return {
        "location_unquoted": _accepted(
            given, "location_unquoted", "the guide's location, numbers without quotes, is accepted"
        ),
        "location_quoted": _accepted(
            given, "location_quoted", "the same with numbers in quotes is accepted"
        ),
        "server_units": _number(
            given, "location_quoted", "server_cpu", "CPU units the code server's task gets of it"
        ),
        "run_units": _number(
            given, "location_quoted", "run_cpu", "CPU units an isolated run's task gets of it"
        ),
    }


def _steps(given: Mapping[str, Values]) -> Figures:
    return {
        f"{name}_units": _number(
            given, name, "asked_cpu",
            f"CPU units the ECS executor asks for if the asset's {how} say 4096",
        )
        for name, how in (("asset_tags", "tags"), ("op_tags", "op_tags"))
    }  # fmt: skip


def _executors(given: Mapping[str, Values]) -> Figures:
    meaning = "the ECS executor accepts an instance whose run launcher is the"
    agent = given.get("agent", {})
    found = {
        f"executor_on_{name}_launcher": _accepted(given, f"executor_{name}", f"{meaning} {kind}")
        for name, kind in (("default", "DefaultRunLauncher"), ("ecs", "EcsRunLauncher"))
    }
    for key, meaning in (
        ("starts", "the agent starts a run that is not isolated as an ECS task"),
        ("sees", "what runs in a run that is not isolated sees the ECS launcher as its instance's"),
    ):
        value = float(agent[key] == "EcsRunLauncher") if key in agent else None
        found[f"not_isolated_{key}_ecs"] = _yes(value, meaning, agent)
    return found


def _workers(seen: Observations, given: Mapping[str, Values]) -> Figures:
    told = seen.first("workers") or {}
    return {
        "workers_asked": Figure(
            value=told.get("asked"), unit="threads", why="no server was asked",
            meaning=f"worker threads that {VARIABLE} asks a server for",
        ),
        "workers_told": Figure(
            value=told.get("told"), unit="threads", why="the server's Ping does not say",
            meaning="worker threads the server then says it has",
        ),
        "variable_read": _number(
            given, "workers", "told", f"what an ECS location whose env_vars set {VARIABLE} to 20 "
            "gives its server",
        ),
    }  # fmt: skip


def _accepted(given: Mapping[str, Values], name: str, meaning: str) -> Figure:
    answer = given.get(name, {})
    value = None
    if answer.get("accepted"):
        value = 1.0
    elif name in REFUSALS and REFUSALS[name] in answer.get("error", ""):
        value = 0.0
    return _yes(value, meaning, answer)


def _yes(value: float | None, meaning: str, answer: Values) -> Figure:
    why = answer.get("error") or "it was not asked"
    return Figure(value=value, unit="", meaning=f"{meaning} (1: yes)", why=why)


def _number(given: Mapping[str, Values], name: str, key: str, meaning: str) -> Figure:
    answer = given.get(name, {})
    value = float(answer[key] or 0) if key in answer else None
    return Figure(value=value, unit="", meaning=meaning, why=answer.get("error") or "not asked")


SCENARIO = Scenario(
    name="configuration",
    question="Do the guides' snippets of configuration mean what they are said to mean?",
    minutes=1.2,
    quick_minutes=0.5,
    measure=measure,
    figures=figures,
)
