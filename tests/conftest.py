"""Rules every test obeys, whatever it tests.

Each test carries exactly one layer marker. A test that needs a Docker engine also carries
`docker` (or asks for the fixture `docker_engine`): without an engine such tests are left out,
and the last lines say so; where the environment says `CI=true` that is an error instead.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

LAYERS = ("unit", "contract", "integration", "live", "browser")
ENGINE_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What the Docker engine said. `problem` is empty when its tests can run."""

    version: str = ""
    problem: str = ""


class DockerTests:
    """Which tests need an engine, and what became of them."""

    def __init__(self, look: Callable[[], Engine]) -> None:
        self._look = look
        self._engine: Engine | None = None
        self.left_out = 0

    @property
    def engine(self) -> Engine:
        """The engine, asked once and only when a test needs it."""
        if self._engine is None:
            self._engine = self._look()
        return self._engine

    def keep(self, items: list[pytest.Item], config: pytest.Config, *, ci: bool) -> None:
        """Take out of `items` what cannot run here.

        Raises:
            pytest.UsageError: something had to be taken out in CI.
        """
        need = [item for item in items if needs_docker(item)]
        if not need or not self.engine.problem:
            return
        if ci:
            raise pytest.UsageError(
                f"{len(need)} tests need a Docker engine, and CI must run them: "
                f"{self.engine.problem}. Run .ci/provision first."
            )
        self.left_out = len(need)
        items[:] = [item for item in items if not needs_docker(item)]
        config.hook.pytest_deselected(items=need)


DOCKER = pytest.StashKey[DockerTests]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep one account of the docker tests for the whole session."""
    config.stash[DOCKER] = DockerTests(ask_engine)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Check the layer of every test before `-m` sees it; leave tests out after."""
    problems = [problem for item in items if (problem := layer_problem(item))]
    if problems:
        raise pytest.UsageError("\n".join(problems))
    yield
    config.stash[DOCKER].keep(items, config, ci=os.environ.get("CI", "").lower() in ("true", "1"))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say at the end what was left out, so that a green line is not taken for the whole."""
    docker = config.stash[DOCKER]
    if docker.left_out:
        terminalreporter.write_line(
            f"LEFT OUT: {docker.left_out} tests that need a Docker engine "
            f"({docker.engine.problem})",
            yellow=True,
            bold=True,
        )


def layer_problem(item: pytest.Item) -> str:
    """Why this test's layer is unclear; empty when it has exactly one."""
    layers = sorted({mark.name for mark in item.iter_markers()} & set(LAYERS))
    if len(layers) == 1:
        return ""
    found = " and ".join(layers) or "none"
    return f"{item.nodeid}: needs exactly one marker of {', '.join(LAYERS)}; it has {found}."


def needs_docker(item: pytest.Item) -> bool:
    """Whether the test says, by marker or by fixture, that it needs an engine."""
    by_fixture = "docker_engine" in getattr(item, "fixturenames", ())
    return by_fixture or item.get_closest_marker("docker") is not None


def ask_engine() -> Engine:
    """Ask the `docker` command for the engine and the two plugins the images need."""
    version, problem = _first_line("docker", "version", "--format", "{{.Server.Version}}")
    for plugin in ("compose", "buildx"):
        if not problem:
            _, problem = _first_line("docker", plugin, "version")
    return Engine(version=version, problem=problem)


def _first_line(*command: str) -> tuple[str, str]:
    name = " ".join(command[:2])
    problem, lines = "", []
    try:
        done = _run(command)
        lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
        if done.returncode != 0:
            problem = f"`{name}`: {lines[-1] if lines else f'exit {done.returncode}'}"
    except FileNotFoundError:
        problem = f"`{name}`: no such command"
    except subprocess.TimeoutExpired:
        problem = f"`{name}`: no answer in {ENGINE_TIMEOUT_S} s"
    return (lines[0] if lines else ""), problem


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=ENGINE_TIMEOUT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The folder that holds `pyproject.toml`."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def docker_engine(pytestconfig: pytest.Config) -> str:
    """The version of the engine that answers; asking for it marks a test as `docker`."""
    return pytestconfig.stash[DOCKER].engine.version
