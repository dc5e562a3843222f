"""The directions and limits of the design, checked on the source itself.

Every rule is a function from one parsed module to sentences about what breaks it. The tests run
all rules over the repository, and each rule over small sources it must refuse or accept.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from source_tree import (
    Function,
    Module,
    below,
    calls,
    imports,
    is_text,
    modules_of,
    prose_of,
    public,
)

pytestmark = pytest.mark.unit

ALLOWED = {
    "cli": {"scenarios", "watch", "rig", "analysis", "campaign", "facts", "report"},
    "watch": {"rig", "campaign", "facts", "report"},
    "scenarios": {"rig", "analysis", "campaign", "facts", "report"},
    "rig": {"campaign", "facts"},
    "analysis": {"campaign", "facts"},
    "report": {"facts"},
    "campaign": set[str](),
    "facts": set[str](),
}
"""Which areas of `harness` an area may import besides itself and `ROOTS`.

`report` may also name the classes of `analysis`, its findings, but never a function: it
does not calculate.
"""

ROOTS = ("errors", "masking", "units")
"""What everybody may import."""

APART = ("target", "load", "telemetry")
PURE = ("harness.analysis", "harness.campaign")
IMPURE_MODULES = re.compile(
    r"(os|pathlib|io|socket|time|logging|subprocess|threading|multiprocessing|asyncio|tempfile"
    r"|shutil|glob|urllib|http|requests|httpx|signal|selectors|sched|secrets|sqlite3|ssl|psutil"
    r"|docker|grpc|psycopg|importlib)"
)
IMPURE_CALLS = re.compile(
    r"(open|input|print|eval|exec|datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today"
    r"|uuid\.uuid[14]|polars\.(read|scan)_.*|numpy\.(load|save|savez|fromfile|loadtxt|savetxt))"
)
SEEDED = re.compile(r"random\.Random|numpy\.random\.(default_rng|Generator|SeedSequence|PCG64)")
RANDOM = re.compile(r"(random|numpy\.random)\.\w+")
RESAMPLING = re.compile(r"scipy\.stats\.(bootstrap|permutation_test|monte_carlo_test)")
PURE_EXCEPTIONS = {"harness.campaign.loading": "importlib"}
GRAPHQL = re.compile(r"launchRun\(|runsOrError|repositor(y|ies)OrError|terminateRuns?\(")
COMPOSE_COMMAND = re.compile(
    r"-|(up|down|ps|logs|exec|kill|run|start|stop|rm|build|port|config|create|pull|restart|ls)$"
)
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50


Rule = Callable[[Module], Iterator[str]]


def directions(module: Module) -> Iterator[str]:
    """Areas import only what lies below them; nothing but `__main__` imports `cli`."""
    if not module.within("harness") or module.name in ("harness", "harness.__main__"):
        return
    area = module.name.split(".")[1]
    allowed = [f"harness.{name}" for name in ALLOWED.get(area, set()) | {area, *ROOTS}]
    for target in imports(module):
        finding = area == "report" and re.match(r"harness\.analysis(\.\w+)+\.[A-Z]", target)
        foreign = target.startswith("harness.") and target != "harness.__version__"
        if foreign and not finding and not any(below(target, name) for name in allowed):
            yield f"{area} must not import {target}"


def apart(module: Module) -> Iterator[str]:
    """Target, load and telemetry never import one another."""
    own = module.name.removeprefix("harness.rig.").split(".")[0]
    others = [f"harness.rig.{name}" for name in APART if own in APART and name != own]
    for target in imports(module):
        if any(below(target, other) for other in others):
            yield f"{own} must not import {target}"


def pure(module: Module) -> Iterator[str]:
    """Campaign and analysis: no files, clocks, sockets, logs, unseeded randomness."""
    if not module.within(*PURE):
        return
    excused = PURE_EXCEPTIONS.get(module.name)
    for target in imports(module):
        top = target.split(".")[0]
        if IMPURE_MODULES.fullmatch(top) and top != excused:
            yield f"imports {target}"
        if below(target, "random") and target not in ("random", "random.Random"):
            yield f"imports {target}: use random.Random(seed)"
    for name, call in calls(module):
        keywords = {keyword.arg for keyword in call.keywords}
        seeded = bool(SEEDED.fullmatch(name) and (call.args or call.keywords))
        resampled = RESAMPLING.fullmatch(name) and not keywords & {"rng", "random_state"}
        if IMPURE_CALLS.fullmatch(name):
            yield f"calls {name}"
        elif resampled or (RANDOM.fullmatch(name) and not seeded):
            yield f"calls {name} without a seed"


def generator_is_a_child(module: Module) -> Iterator[str]:
    """Only the locustfile and what it alone uses import Locust and gevent."""
    child = module.within("harness.rig.load.child")
    if not child and module.name != "harness.rig.load.locustfile":
        yield from (f"imports {t}" for t in imports(module) if below(t, "harness.rig.load.child"))
        for target in imports(module):
            if target.split(".")[0] in ("locust", "gevent", "geventhttpclient"):
                yield f"imports {target}"


def no_dagster_in_the_harness(module: Module) -> Iterator[str]:
    """The version under test is the independent variable."""
    found = imports(module) if module.within("harness") else ()
    yield from (f"imports {name}" for name in found if re.match(r"dagster(_\w+)?(\.|$)", name))


def workloads_stand_alone(module: Module) -> Iterator[str]:
    """What runs inside the server knows nothing of the harness."""
    if not module.within("harness"):
        yield from (f"imports {target}" for target in imports(module) if below(target, "harness"))


def one_place_knows_graphql(module: Module) -> Iterator[str]:
    """Queries live in one module."""
    if module.within("harness") and not module.within("harness.rig.load.dagster_graphql"):
        prose = {id(text) for text in prose_of(module.tree)}
        for node in ast.walk(module.tree):
            if is_text(node) and id(node) not in prose and GRAPHQL.search(node.value):
                yield f"speaks GraphQL in line {node.lineno}"


def one_place_runs_compose(module: Module) -> Iterator[str]:
    """`docker compose` is run from `target/compose*.py` alone; asking its version is free."""
    if not module.within("harness") or re.match(r"harness\.rig\.target\.compose", module.name):
        return
    commands = [
        [element.value if is_text(element) else "" for element in node.elts]
        for node in ast.walk(module.tree)
        if isinstance(node, ast.List | ast.Tuple)
    ]
    for name, call in calls(module):
        if re.match(r"subprocess\.|os\.(system|popen)", name) and call.args:
            first = call.args[0]
            commands.append(first.value.split() if is_text(first) else [])
    for words in commands:
        by_name = words[:2] == ["docker", "compose"] and words[2:3] != ["version"]
        if by_name or (words[:1] == ["compose"] and COMPOSE_COMMAND.match("".join(words[1:2]))):
            yield f"runs docker compose: {' '.join(words).strip()}"


def short(module: Module) -> Iterator[str]:
    """No long files, no long functions."""
    lines = len(module.text.splitlines())
    if lines > MAX_FILE_LINES:
        yield f"has {lines} lines, more than {MAX_FILE_LINES}"
    for node in ast.walk(module.tree):
        if isinstance(node, Function):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield f"{node.name} has {length} lines, more than {MAX_FUNCTION_LINES}"


def documented(module: Module) -> Iterator[str]:
    """Public modules, classes and functions say what they promise.

    A method that some protocol of ours declares is documented there, once.
    """
    if not module.within("harness"):
        return
    if not ast.get_docstring(module.tree) and not module.package:
        yield "has no module docstring"
    for node, in_class in public(module.tree):
        inherited = in_class and node.name in module.protocol_methods
        if not ast.get_docstring(node) and not inherited:
            yield f"{node.name} has no docstring"


RULES: tuple[Rule, ...] = (
    directions, apart, pure, generator_is_a_child, no_dagster_in_the_harness,
    workloads_stand_alone, one_place_knows_graphql, one_place_runs_compose, short, documented,
)  # fmt: skip


@pytest.fixture(scope="module")
def modules(repo_root: Path) -> list[Module]:
    return modules_of(repo_root)


def test_the_whole_product_is_looked_at(modules: list[Module]) -> None:
    names = {module.name for module in modules}
    assert {"harness", "harness.errors", "harness.rig.protocols", "workloads"} <= names


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_product_keeps_the_rule(rule: Rule, modules: list[Module]) -> None:
    broken = [f"{module.name} {words}" for module in modules for words in rule(module)]
    assert not broken, "\n".join(broken)


REFUSED: tuple[tuple[Rule, str, str], ...] = (
    (directions, "harness.rig.conductor", "from harness.analysis.slo import judge"),
    (directions, "harness.rig.load.driver", "def f():\n    import harness.analysis"),
    (directions, "harness.rig.conductor", "from harness import analysis"),
    (directions, "harness.report.terminal", "from harness.analysis.measures import percentiles"),
    (directions, "harness.rig.conductor", "from ..analysis import slo"),
    (directions, "harness.rig.conductor", "import importlib as i\ni.import_module('harness.cli')"),
    (directions, "harness.facts.store", "from harness.rig import protocols"),
    (directions, "harness.report.terminal", "from harness.analysis.slo import judge"),
    (directions, "harness.scenarios.sweep", "from harness.cli import main"),
    (directions, "harness.units", "from harness.facts import model"),
    (apart, "harness.rig.load.driver", "from harness.rig.target.compose import x"),
    (apart, "harness.rig.telemetry.pool", "from ..load import driver"),
    (apart, "harness.rig.target.compose", "from harness.rig import telemetry"),
    (pure, "harness.analysis.slo", "import os"),
    (pure, "harness.analysis.slo", "from pathlib import PurePath"),
    (pure, "harness.analysis.slo", "def f():\n    from time import monotonic"),
    (pure, "harness.analysis.slo", "import importlib.resources"),
    (pure, "harness.analysis.slo", "open('x')"),
    (pure, "harness.analysis.slo", "from datetime import datetime as dt\ndt.now()"),
    (pure, "harness.analysis.slo", "import random\nrandom.random()"),
    (pure, "harness.analysis.slo", "import random\nrandom.Random()"),
    (pure, "harness.analysis.slo", "from random import shuffle"),
    (pure, "harness.analysis.slo", "import numpy as np\nnp.random.default_rng()"),
    (pure, "harness.analysis.slo", "import numpy as np\nnp.random.normal(0, 1)"),
    (pure, "harness.analysis.slo", "from scipy import stats\nstats.bootstrap((x,), f)"),
    (pure, "harness.analysis.slo", "import polars as pl\npl.read_parquet('x')"),
    (pure, "harness.campaign.loading", "import socket"),
    (generator_is_a_child, "harness.rig.load.driver", "def f():\n    import locust"),
    (
        generator_is_a_child,
        "harness.rig.load.driver",
        "from harness.rig.load.child import settings",
    ),
    (generator_is_a_child, "workloads.io.definitions", "from gevent import sleep"),
    (no_dagster_in_the_harness, "harness.rig.telemetry.ping", "import dagster._grpc"),
    (no_dagster_in_the_harness, "harness.rig.load.phases", "from dagster_postgres import x"),
    (workloads_stand_alone, "workloads.io.definitions", "from harness.units import MIB"),
    (workloads_stand_alone, "compose.probe.sitecustomize", "import harness"),
    (one_place_knows_graphql, "harness.rig.load.driver", "q = f'mutation {{ launchRun({x}) }}'"),
    (one_place_knows_graphql, "harness.rig.load.phases", "answer['runsOrError']"),
    (one_place_runs_compose, "harness.cli.down", "run(['docker', 'compose', *words])"),
    (one_place_runs_compose, "harness.rig.target.images", "docker(['compose', 'build'])"),
    (one_place_runs_compose, "harness.rig.target.images", "docker(('compose', '--file', f))"),
    (one_place_runs_compose, "harness.cli.down", "import os\nos.system('docker compose down')"),
    (short, "harness.units", "x = 1\n" * (MAX_FILE_LINES + 1)),
    (short, "harness.units", "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES),
    (documented, "harness.units", "MIB = 1"),
    (documented, "harness.units", "'''Units.'''\ndef mib(): ..."),
    (documented, "harness.units", "'''Units.'''\nclass Mib:\n  '''One.'''\n  def show(self): ..."),
)

ACCEPTED: tuple[tuple[Rule, str, str], ...] = (
    (directions, "harness.rig.conductor", "from harness.facts.model import Step"),
    (directions, "harness.report.terminal", "from harness.analysis.workers import Advice"),
    (directions, "harness.cli.run", "from harness import __version__, errors"),
    (directions, "harness.__main__", "from harness.cli import main"),
    (apart, "harness.rig.conductor", "from harness.rig.target import compose"),
    (apart, "harness.rig.load.driver", "from harness.rig.protocols import LoadOrder"),
    (pure, "harness.rig.conductor", "import os, time"),
    (pure, "harness.campaign.loading", "from importlib import resources"),
    (pure, "harness.analysis.slo", "import random\nrandom.Random(7).random()"),
    (pure, "harness.analysis.slo", "import numpy as np\nnp.random.default_rng(seed)"),
    (pure, "harness.analysis.slo", "from scipy import stats\nstats.bootstrap((x,), f, rng=rng)"),
    (generator_is_a_child, "harness.rig.load.locustfile", "import locust"),
    (generator_is_a_child, "harness.rig.load.child.session", "import gevent"),
    (
        no_dagster_in_the_harness,
        "harness.rig.load.x",
        "from harness.rig.load import dagster_graphql",
    ),
    (workloads_stand_alone, "workloads.io.definitions", "import dagster"),
    (one_place_knows_graphql, "harness.rig.load.dagster_graphql", "q = 'launchRun(x)'"),
    (one_place_knows_graphql, "harness.rig.load.driver", "'''Sends launchRun(x) to it.'''"),
    (one_place_runs_compose, "harness.rig.target.compose_project", "docker(['compose', 'up'])"),
    (one_place_runs_compose, "harness.rig.target.engine", "docker(['compose', 'version'])"),
    (one_place_runs_compose, "harness.cli.run", "choices = ('compose', 'process')"),
    (documented, "harness.units", "'''Units.'''\ndef _mib(): ..."),
)


def said(rule: Rule, name: str, text: str) -> list[str]:
    return list(rule(Module(name=name, text=text)))


@pytest.mark.parametrize(("rule", "name", "text"), REFUSED)
def test_a_source_that_breaks_the_rule_is_named(rule: Rule, name: str, text: str) -> None:
    assert said(rule, name, text)


@pytest.mark.parametrize(("rule", "name", "text"), ACCEPTED)
def test_a_source_that_keeps_the_rule_passes(rule: Rule, name: str, text: str) -> None:
    assert said(rule, name, text) == []


def test_no_rule_goes_without_a_source_it_refuses() -> None:
    assert {rule for rule, _, _ in REFUSED} == set(RULES)


def test_a_method_of_a_protocol_needs_no_second_docstring() -> None:
    text = "'''A target.'''\nclass Box:\n    '''One.'''\n    def start(self): ..."
    known = Module(name="harness.rig.target.box", text=text, protocol_methods=frozenset({"start"}))
    assert list(documented(known)) == []
