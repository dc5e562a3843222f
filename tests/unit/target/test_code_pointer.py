"""What Dagster is told to load, wherever people say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.campaign.own_code import Code
from harness.errors import CampaignError
from harness.rig.target.code import pointer

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["dagster", "api", "grpc", "-m", "my.defs"], {"module": "my.defs"}),
        (["dagster", "api", "grpc", "--module-name=my.defs"], {"module": "my.defs"}),
        (
            ["dagster", "code-server", "start", "-f", "repo.py", "-a", "defs", "-d", "/app"],
            {"python_file": "repo.py", "attribute": "defs", "working_directory": "/app"},
        ),
        (
            ["/bin/sh", "-c", "exec dagster api grpc -h 0.0.0.0 -p 4000 --package-name mine"],
            {"package": "mine"},
        ),
        (["python", "serve.py"], {}),
        (["dagster", "api", "grpc", "-a", "defs"], {}),
        (["/bin/sh", "-c", "echo 'never closed"], {}),
    ],
)
def test_an_image_s_command_is_read(command: list[str], expected: dict[str, str]) -> None:
    assert pointer.in_command(command) == expected


def test_an_image_s_variables_are_read() -> None:
    assert pointer.in_variables({"DAGSTER_MODULE_NAME": "my.defs", "PATH": "/bin"}) == {
        "module": "my.defs"
    }


def test_what_the_user_says_needs_something_to_load() -> None:
    assert pointer.said_by(Code(image="x", attribute="defs")) == {}
    said = pointer.said_by(Code(image="x", module="m", attribute="defs"))
    assert said == {"module": "m", "attribute": "defs"}
    assert pointer.arguments(said) == ["--module-name=m", "--attribute=defs"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pyproject.toml", '[tool.dagster]\nmodule_name = "a.b"\n', {"module": "a.b"}),
        (
            "pyproject.toml",
            '[[tool.dagster.modules]]\ntype = "module"\nname = "a.b"\n',
            {"module": "a.b"},
        ),
        (
            "pyproject.toml",
            '[tool.dg.project]\nroot_module = "shop"\n',
            {"module": "shop.definitions"},
        ),
        (
            "pyproject.toml",
            '[tool.dg.project]\nroot_module = "shop"\ncode_location_target_module = "shop.d"\n',
            {"module": "shop.d"},
        ),
        ("dg.toml", '[project]\nroot_module = "shop"\n', {"module": "shop.definitions"}),
        ("workspace.yaml", "load_from:\n- python_file: a.py\n", {"python_file": "a.py"}),
        (
            "workspace.yaml",
            "load_from:\n- python_module: {module_name: a.b, attribute: d}\n",
            {"module": "a.b", "attribute": "d"},
        ),
        ("definitions.py", "", {"python_file": "definitions.py"}),
        ("README.md", "nothing", {}),
    ],
)
def test_a_project_s_settings_are_read(
    tmp_path: Path, name: str, text: str, expected: dict[str, str]
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert pointer.in_project(tmp_path) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "pyproject.toml",
            "tool.dagster.modules = [{type = 'module', name = 'a'}, {type = 'module', name = 'b'}]",
        ),
        ("workspace.yaml", "load_from: [{python_file: a.py}, {python_file: b.py}]"),
    ],
)
def test_several_locations_are_refused_with_their_names(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CampaignError, match="several code locations") as caught:
        pointer.in_project(tmp_path)
    assert "a" in caught.value.evidence


def test_settings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool", encoding="utf-8")
    with pytest.raises(CampaignError, match=r"pyproject\.toml cannot be read"):
        pointer.in_project(tmp_path)
