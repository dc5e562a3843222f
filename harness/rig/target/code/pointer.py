"""What Dagster loads: said by the user, by an image's command, or by a project's settings.

The options are those of `dagster api grpc`; the variables those it reads in their place.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from harness.campaign.own_code import LOADS, Code
from harness.errors import CampaignError

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "module": ("--module-name", "-m"),
    "python_file": ("--python-file", "-f"),
    "package": ("--package-name",),
    "attribute": ("--attribute", "-a"),
    "working_directory": ("--working-directory", "-d"),
}
VARIABLES: Mapping[str, str] = {
    "module": "DAGSTER_MODULE_NAME",
    "python_file": "DAGSTER_PYTHON_FILE",
    "package": "DAGSTER_PACKAGE_NAME",
}
USUAL_FILES = ("definitions.py", "repository.py", "repo.py")
"""Where a project without settings has its definitions, by Dagster's own habit."""


def said_by(code: Code) -> dict[str, str]:
    """What the user says; empty where that names nothing to load."""
    said = {key: value for key in OPTIONS if (value := getattr(code, key)) is not None}
    return said if any(key in said for key in LOADS) else {}


def in_command(command: Sequence[str]) -> dict[str, str]:
    """What a container's command tells Dagster to load: `… api grpc -m my.definitions …`.

    Args:
        command: entry point and command; also the form `/bin/sh -c "…"`.
    """
    words = [word for part in command for word in _words(part)]
    found: dict[str, str] = {}
    for key, names in OPTIONS.items():
        for index, word in enumerate(words):
            name, equals, value = word.partition("=")
            if name in names and equals:
                found[key] = value
            elif word in names and index + 1 < len(words):
                found[key] = words[index + 1]
    return found if any(key in found for key in LOADS) else {}


def in_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What an image's own variables name."""
    return {key: environment[name] for key, name in VARIABLES.items() if environment.get(name)}


def in_project(folder: Path) -> dict[str, str]:
    """What a project's settings name, as `dagster dev` and `dg` read them in it.

    `[tool.dagster]` and `[tool.dg.project]` of pyproject.toml, dg.toml, workspace.yaml, and last a
    file with one of the usual names.

    Raises:
        CampaignError: the settings cannot be read, or name several locations.
    """
    for name in ("pyproject.toml", "dg.toml"):
        if (folder / name).is_file() and (found := _in_toml(folder / name)):
            return found
    if (folder / "workspace.yaml").is_file():
        return _in_workspace(folder / "workspace.yaml")
    usual = next((name for name in USUAL_FILES if (folder / name).is_file()), None)
    return {"python_file": usual} if usual else {}


def arguments(pointer: Mapping[str, str]) -> list[str]:
    """The options of `dagster api grpc`."""
    return [f"{OPTIONS[key][0]}={value}" for key, value in pointer.items()]


def _words(part: str) -> list[str]:
    """A word of a command; of `sh -c "…"` the words inside."""
    try:
        return shlex.split(part) if " " in part else [part]
    except ValueError:  # a quote that never ends: no command line of Dagster's
        return [part]


def _in_toml(path: Path) -> dict[str, str]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CampaignError(f"{path} cannot be read.", evidence=str(error)) from error
    tool = data.get("tool", {})
    # dg.toml has at the top what pyproject.toml has below tool.dg.
    project = (tool.get("dg", {}) or data).get("project", {})
    dagster = tool.get("dagster", {})
    modules = [m["name"] for m in dagster.get("modules", []) if m.get("type") == "module"]
    if len(modules) > 1:
        raise _several(path, modules)
    module = dagster.get("module_name") or next(iter(modules), None)
    if module is None and isinstance(project, dict) and "root_module" in project:
        usual = f"{project['root_module']}.definitions"
        module = project.get("code_location_target_module", usual)
    return {"module": module} if module else {}


def _in_workspace(path: Path) -> dict[str, str]:
    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except Exception as error:  # the parser has many of its own
        raise CampaignError(f"{path} cannot be read.", evidence=str(error)) from error
    entries = (data or {}).get("load_from") or []
    if len(entries) > 1:
        raise _several(path, [", ".join(map(str, entry.values())) for entry in entries])
    return _of_entry(entries[0]) if entries else {}


def _of_entry(entry: Mapping[str, Any]) -> dict[str, str]:
    keys = {"python_module": "module", "python_file": "python_file", "python_package": "package"}
    inner = {"module": "module_name", "python_file": "relative_path", "package": "package_name"}
    for name, key in keys.items():
        value = entry.get(name)
        if isinstance(value, str):
            return {key: value}
        if isinstance(value, dict):
            found = {key: str(value[inner[key]])}
            for more in ("attribute", "working_directory"):
                if more in value:
                    found[more] = str(value[more])
            return found
    return {}


def _several(path: Path, names: Sequence[str]) -> CampaignError:
    return CampaignError(
        f"{path} names several code locations; one server is measured at a time.",
        evidence=", ".join(names),
        hint="Say which: --definitions module:NAME, file:PATH or package:NAME.",
    )
