"""Rules every test obeys, whatever it tests.

Each test carries exactly one layer marker. What a test needs of this machine it says by a marker
(`docker`, `browser`, `prometheus`, …) or by asking for the fixture of it (`docker_engine`,
`chromium`, `prometheus_command`). What is missing leaves its tests out, and the last lines say so;
where the environment says `CI=true` that is an error instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from namespaces import Namespace

# How long an example takes is no promise: a busy machine makes any of them slow.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")

LAYERS = ("unit", "contract", "integration", "live", "browser")
ENGINE_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found of a need. `problem` is empty when its tests can run."""

    value: str = ""
    problem: str = ""


class Need:
    """Something of this machine that tests need: which tests, and what became of them."""

    def __init__(self, what: str, *, marker: str, fixture: str, look: Callable[[], Found]) -> None:
        self.what = what
        self._marker = marker
        self._fixture = fixture
        self._look = look
        self._found: Found | None = None
        self.left_out = 0

    @property
    def found(self) -> Found:
        """What there is, looked for once and only when a test needs it."""
        if self._found is None:
            self._found = self._look()
        return self._found

    def of(self, item: pytest.Item) -> bool:
        """Whether the test says, by marker or by fixture, that it needs this."""
        by_fixture = self._fixture in getattr(item, "fixturenames", ())
        return by_fixture or item.get_closest_marker(self._marker) is not None

    def keep(self, items: list[pytest.Item], config: pytest.Config, *, ci: bool) -> None:
        """Take out of `items` what cannot run here.

        Raises:
            pytest.UsageError: something had to be taken out in CI.
        """
        need = [item for item in items if self.of(item)]
        if not need or not self.found.problem:
            return
        if ci:
            raise pytest.UsageError(
                f"{len(need)} tests need {self.what}, and CI must run them: "
                f"{self.found.problem}. Run .ci/provision first."
            )
        self.left_out = len(need)
        items[:] = [item for item in items if not self.of(item)]
        config.hook.pytest_deselected(items=need)


NEEDS = pytest.StashKey[dict[str, Need]]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep one account of every need for the whole session."""
    config.stash[NEEDS] = {
        "docker": Need(
            "a Docker engine", marker="docker", fixture="docker_engine", look=ask_engine
        ),
        "chromium": Need(
            "a Chromium", marker="browser", fixture="chromium", look=command_finder("chromium")
        ),
        "prometheus": Need(
            "a Prometheus",
            marker="prometheus",
            fixture="prometheus_command",
            look=command_finder("prometheus"),
        ),
        "systemd": Need(
            "systemd's linter",
            marker="systemd",
            fixture="systemd_analyze",
            look=command_finder("systemd-analyze"),
        ),
        "netns": Need(
            "network namespaces (root and `ip`)",
            marker="netns",
            fixture="namespace",
            look=ask_namespaces,
        ),
    }


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Check the layer of every test before `-m` sees it; leave tests out after."""
    problems = [problem for item in items if (problem := layer_problem(item))]
    if problems:
        raise pytest.UsageError("\n".join(problems))
    yield
    ci = os.environ.get("CI", "").lower() in ("true", "1")
    for need in config.stash[NEEDS].values():
        need.keep(items, config, ci=ci)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say at the end what was left out, so that a green line is not taken for the whole."""
    for need in config.stash[NEEDS].values():
        if need.left_out:
            terminalreporter.write_line(
                f"LEFT OUT: {need.left_out} tests that need {need.what} ({need.found.problem})",
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


def ask_engine() -> Found:
    """Ask the `docker` command for the engine and the two plugins the images need."""
    version, problem = _first_line("docker", "version", "--format", "{{.Server.Version}}")
    for plugin in ("compose", "buildx"):
        if not problem:
            _, problem = _first_line("docker", plugin, "version")
    return Found(value=version, problem=problem)


def command_finder(command: str) -> Callable[[], Found]:
    """Looks for a command on the PATH."""

    def look() -> Found:
        path = shutil.which(command)
        return Found(value=path) if path else Found(problem=f"`{command}`: no such command")

    return look


def ask_namespaces() -> Found:
    """Only root may make them, with `ip` of iproute2."""
    if os.geteuid() != 0:
        return Found(problem="not root")
    return command_finder("ip")()


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
    return pytestconfig.stash[NEEDS]["docker"].found.value


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> str:
    """The path of a Chromium; every `browser` test has one."""
    return pytestconfig.stash[NEEDS]["chromium"].found.value


@pytest.fixture(scope="session")
def prometheus_command(pytestconfig: pytest.Config) -> str:
    """The path of a Prometheus; asking for it marks a test as `prometheus`."""
    return pytestconfig.stash[NEEDS]["prometheus"].found.value


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A network namespace that reaches this host; asking for it marks a test as `netns`."""
    from namespaces import Namespace

    with Namespace.made() as made:
        yield made
