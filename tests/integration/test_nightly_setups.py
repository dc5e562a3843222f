"""The ready-to-use files of docs/nightly: each by its own linter, each command line really run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness.campaign.loading import preset_text
from harness.scenarios.nightly.webhook import VARIABLE

pytestmark = pytest.mark.integration

HOME, STATE = "/opt/dagster-load-harness", "/var/lib/dagster-load-harness"
FILES = ("dagster-load-harness.service", "dagster-load-harness.timer", "crontab",
         "github-actions.yml", "gitlab-ci.yml", "README.md")  # fmt: skip
PIPELINES = (
    ("github-actions.yml", "github-workflows", ("runs-on:", "runs:")),
    ("gitlab-ci.yml", "gitlab-ci", ("when: always", "when: sometimes")),
)
"""The file, the schema of the program that reads it, and a mistake."""

CRON_FIELD = re.compile(r"(\*|\d+(-\d+)?)(/\d+)?(,(\*|\d+(-\d+)?)(/\d+)?)*")


@pytest.fixture
def docs(repo_root: Path) -> Path:
    return repo_root / "docs/nightly"


@pytest.fixture
def installed(tmp_path: Path, repo_root: Path) -> Path:
    """A machine set up as the files expect it, below a folder of its own."""
    command = tmp_path / f".{HOME}/.venv/bin/harness"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m harness "$@"\n')
    command.chmod(0o755)
    for folder in ("etc", STATE[1:], "bin", "checkout"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bin/harness").symlink_to(command)
    shutil.copytree(command.parents[1], tmp_path / "checkout/.venv", symlinks=True)
    campaign = preset_text("nightly").replace("name: nightly", "name: my-nightly")
    (tmp_path / "checkout/my-nightly.yaml").write_text(campaign)
    return tmp_path


@pytest.fixture
def systemd_analyze() -> str:
    """The path of systemd's linter."""
    path = shutil.which("systemd-analyze")
    assert path, "there is no `systemd-analyze`. Run .ci/provision first."
    return path


def moved(text: str, to: Path) -> str:
    """The same file for the machine below `to`."""
    for folder in (HOME, STATE):
        text = text.replace(folder, f"{to}{folder}")
    return text


def run(command: str, machine: Path, environment: Mapping[str, str] | None = None) -> str:
    """What a command line prints when a shell runs it there, as a dry run."""
    assert command.count("harness nightly ") == 1
    if "--dry-run" not in command:
        command = command.replace("harness nightly ", "harness nightly --dry-run ")
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True, text=True, timeout=120, check=False, cwd=machine / "checkout",
        env={
            "PATH": f"{machine / 'bin'}:{os.environ['PATH']}", "HOME": str(machine),
            "DAGSTER_LOAD_HARNESS_STATE": str(machine / "state"), **(environment or {}),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def started_nothing(said: str) -> bool:
    return said.startswith("Campaign ") and said.endswith("Nothing was started.\n")


def settings(text: str) -> dict[str, list[str]]:
    """The settings of a unit, by name."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def yaml(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(path)
    return loaded


def test_every_file_is_known_here_and_told_in_the_page(docs: Path) -> None:
    assert sorted(path.name for path in docs.iterdir()) == sorted(FILES)
    page = (docs / "README.md").read_text(encoding="utf-8")
    assert [name for name in FILES[:-1] if f"({name})" not in page] == []


def test_systemd_takes_both_units_and_has_nothing_to_say(
    systemd_analyze: str, docs: Path, installed: Path
) -> None:
    units = [installed / f"etc/{name}" for name in FILES[:2]]
    for unit in units:
        unit.write_text(moved((docs / unit.name).read_text(encoding="utf-8"), installed))
    done = subprocess.run(
        [systemd_analyze, "verify", *map(str, units)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_refuses_what_is_wrong(systemd_analyze: str, installed: Path) -> None:
    """So that it is known to look."""
    unit = installed / "etc/wrong.service"
    unit.write_text("[Service]\nType=sometimes\nExecStart=/bin/true\n")
    done = subprocess.run(
        [systemd_analyze, "verify", str(unit)], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert "sometimes" in done.stderr


def test_the_timer_starts_the_service_and_catches_up(docs: Path) -> None:
    timer = settings((docs / FILES[1]).read_text(encoding="utf-8"))
    assert "Unit" not in timer  # so it starts the service of its own name
    assert timer["Persistent"] == ["true"]


def test_what_the_service_runs_runs(docs: Path, installed: Path) -> None:
    service = settings(moved((docs / FILES[0]).read_text(encoding="utf-8"), installed))
    environment = dict(each.split("=", 1) for each in service["Environment"])
    (command,) = service["ExecStart"]
    assert started_nothing(run(command, installed, environment))
    assert service["KillMode"] == ["mixed"]


def test_the_line_of_cron_has_five_times_and_runs(docs: Path, installed: Path) -> None:
    text = moved((docs / "crontab").read_text(encoding="utf-8"), installed)
    (line,) = (line for line in text.splitlines() if line and not line.startswith("#"))
    *times, command = line.split(maxsplit=5)
    assert len(times) == 5
    assert all(CRON_FIELD.fullmatch(each) for each in times)
    assert "%" not in command  # cron ends the command there
    assert run(command, installed) == ""
    log = (installed / "nightly/night.log").read_text(encoding="utf-8")
    assert started_nothing(log)
    assert f"Summary: {installed}/nightly/results/" in log


@pytest.mark.parametrize(("name", "schema", "mistake"), PIPELINES)
def test_a_pipeline_is_what_its_program_reads(
    name: str, schema: str, mistake: tuple[str, str], docs: Path, installed: Path
) -> None:
    def valid(path: Path) -> bool:
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema",
                   f"vendor.{schema}", str(path)]  # fmt: skip
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0

    assert valid(docs / name)
    wrong = installed / name
    wrong.write_text((docs / name).read_text(encoding="utf-8").replace(*mistake))
    assert not valid(wrong)


def test_what_github_runs_runs(docs: Path, installed: Path) -> None:
    job = yaml(docs / "github-actions.yml")["jobs"]["nightly"]
    steps = {step.get("name"): step for step in job["steps"]}
    measure = steps["Measure, judge, tell"]
    environment = {"RESULTS": moved(job["env"]["RESULTS"], installed)}
    assert started_nothing(run(measure["run"], installed, environment))
    assert VARIABLE in measure["env"]
    assert all(step.get("if") == "always()" for step in job["steps"][3:])


def test_what_gitlab_runs_runs(docs: Path, installed: Path) -> None:
    job = yaml(docs / "gitlab-ci.yml")["nightly-load-test"]
    environment = {"RESULTS": moved(job["variables"]["RESULTS"], installed)}
    assert started_nothing(run(job["script"][-1], installed, environment))
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["reports"]["junit"] == "nightly-nightly.xml"


def test_both_pipelines_give_a_night_more_time_than_its_budget(docs: Path) -> None:
    minutes = yaml(docs / "github-actions.yml")["jobs"]["nightly"]["timeout-minutes"]
    assert minutes == 120
    assert yaml(docs / "gitlab-ci.yml")["nightly-load-test"]["timeout"] == "2 hours"


def test_every_command_of_the_page_runs(docs: Path, installed: Path) -> None:
    page = (docs / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    assert len(lines) == 3
    for line in lines:
        assert started_nothing(run(line, installed)), line


def test_no_command_of_any_file_was_overlooked(docs: Path) -> None:
    found = {
        name: sum(
            "harness nightly " in line and not line.lstrip().startswith("#")
            for line in (docs / name).read_text(encoding="utf-8").splitlines()
        )
        for name in FILES
    }
    assert found == {**dict.fromkeys(FILES, 1), FILES[1]: 0, "README.md": 3}
