"""Options that name code of the user's own, and the part of a campaign they stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

PANEL = "Your own code"
_UNFIT = re.compile(r"[^a-z0-9._-]+")
_LONGEST = 40

Image = Annotated[
    str,
    typer.Option(
        help="Measure the code location in this image, under the same limits.",
        rich_help_panel=PANEL,
    ),
]
Project = Annotated[
    Path | None,
    typer.Option(
        help="Build an image from this Dagster project, then measure it.", rich_help_panel=PANEL
    ),
]
Jobs = Annotated[
    list[str] | None,
    typer.Option(
        "--job",
        metavar="NAME[:SHARE]",
        help="A job to launch, and its share of the runs. Repeatable; without one: the only job "
        "there is.",
        rich_help_panel=PANEL,
    ),
]
Assets = Annotated[
    list[str] | None,
    typer.Option(
        "--assets",
        metavar="KEY,…[:SHARE]",
        help="Assets to materialize in one run, as another kind of run. Repeatable.",
        rich_help_panel=PANEL,
    ),
]
RunConfig = Annotated[
    list[str] | None,
    typer.Option(
        "--run-config",
        metavar="[JOB=]FILE",
        help="Run config (YAML) of every job, or of one. It is stored with the results: secrets "
        "belong into --env-file.",
        rich_help_panel=PANEL,
    ),
]
Partitions = Annotated[
    list[str] | None,
    typer.Option(
        "--partition",
        metavar="[JOB=]KEY",
        help="A partition to run; several are taken in turn. Without: the newest. Repeatable.",
        rich_help_panel=PANEL,
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag", metavar="KEY=VALUE", help="A tag of every run. Repeatable.", rich_help_panel=PANEL
    ),
]
EnvFile = Annotated[
    Path | None,
    typer.Option(
        help="Variables of the server, NAME=value a line. Read by the container engine; their "
        "values are masked in everything that is written.",
        rich_help_panel=PANEL,
    ),
]
Definitions = Annotated[
    str,
    typer.Option(
        "--definitions",
        metavar="module:NAME|file:PATH|package:NAME",
        help="What Dagster loads, where neither the image's command nor the project says it.",
        rich_help_panel=PANEL,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCode:
    """What was typed; a group of options (`option_groups`)."""

    image: Image = ""
    project: Project = None
    job: Jobs = None
    assets: Assets = None
    run_config: RunConfig = None
    partition: Partitions = None
    tag: Tags = None
    env_file: EnvFile = None
    definitions: Definitions = ""

    def __bool__(self) -> bool:
        """Whether an image or a project is to be measured."""
        return bool(self.image or self.project)


def own_overrides(own: OwnCode, deployed: str = "") -> list[str]:
    """The campaign's only workload, as `--set` would put it; nothing without code of the user's.

    Args:
        own: what was typed.
        deployed: the code location of an external target; empty: none.

    Raises:
        BadParameter: options that mean nothing, or cannot be read.
    """
    if not own and not deployed:
        _refuse_leftovers(own)
        return []
    if sum(map(bool, (own.image, own.project, deployed))) > 1:
        raise typer.BadParameter(
            "Name an image, a project, or a deployment.", param_hint="--project"
        )
    name = _name(own, deployed)
    workload = {"name": name, "code": {**_code(own), **({"deployed": True} if deployed else {})}}
    return [f"workloads={json.dumps([workload])}", f"name=own-{name}"]


def _code(own: OwnCode) -> dict[str, Any]:
    jobs = [_job(word) for word in own.job or ()]
    jobs += [_asset_job(word) for word in own.assets or ()]
    for job in jobs:
        job["run_config"] = _config_of(job["name"], own.run_config or ())
        job["partitions"] = _of(job["name"], own.partition or ())
        job["tags"] = _pairs(own.tag or ())
    if not jobs and (own.run_config or own.partition or own.tag):
        raise typer.BadParameter("Name the job it is for: --job NAME.", param_hint="--job")
    code: dict[str, Any] = {"jobs": jobs, **_pointer(own.definitions)}
    if own.image:
        code["image"] = own.image
    if own.project is not None:
        code["project"] = str(own.project.expanduser().resolve())
    if own.env_file is not None:
        # Whole: who goes on with the campaign may be elsewhere.
        code["env_file"] = str(own.env_file.expanduser().resolve())
    return code


def _job(word: str) -> dict[str, Any]:
    name, share = _shared(word)
    return {"name": name, "share": share}


def _asset_job(word: str) -> dict[str, Any]:
    text, share = _shared(word)
    keys = [key.strip() for key in text.split(",") if key.strip()]
    if not keys:
        raise typer.BadParameter("Name at least one asset.", param_hint="--assets")
    return {"name": text, "share": share, "assets": keys}


def _shared(word: str) -> tuple[str, float]:
    name, colon, share = word.rpartition(":")
    if not colon:
        return word, 1.0
    try:
        return name, float(share)
    except ValueError:
        return word, 1.0


def _pointer(definitions: str) -> dict[str, str]:
    if not definitions:
        return {}
    kind, _, value = definitions.partition(":")
    keys = {"module": "module", "file": "python_file", "package": "package"}
    if kind not in keys or not value:
        raise typer.BadParameter(
            f"{definitions!r}: write module:NAME, file:PATH or package:NAME.",
            param_hint="--definitions",
        )
    return {keys[kind]: value}


def _of(job: str, words: Sequence[str]) -> list[str]:
    """The words for this job: those that name it, and those that name none."""
    named = [(word.partition("=")) for word in words]
    return [value for name, equals, value in named if equals and name == job] + [
        word for word, equals, _ in named if not equals
    ]


def _config_of(job: str, words: Sequence[str]) -> dict[str, Any]:
    files = _of(job, words)
    if not files:
        return {}
    try:
        found = YAML(typ="safe", pure=True).load(Path(files[0]).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise typer.BadParameter(
            f"{files[0]} cannot be read: {error}", param_hint="--run-config"
        ) from error
    if not isinstance(found, dict | None):
        raise typer.BadParameter(f"{files[0]} is no mapping.", param_hint="--run-config")
    # Only what JSON knows goes into a campaign: dates become text.
    plain: dict[str, Any] = json.loads(json.dumps(found or {}, default=str))
    return plain


def _pairs(words: Sequence[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if wrong := next((name for name, equals, _ in pairs if not equals), None):
        raise typer.BadParameter(f"{wrong!r}: write KEY=VALUE.", param_hint="--tag")
    return {name: value for name, _, value in pairs}


def _name(own: OwnCode, deployed: str) -> str:
    """A name for the workload: the location's, the image's own, or the project's folder."""
    source = deployed or own.image
    if own.project:
        source = own.project.expanduser().resolve().name
    last = source.split("@")[0].rsplit("/", 1)[-1].split(":")[0]
    return _UNFIT.sub("-", last.lower()).strip("-._")[:_LONGEST] or "code"


def _refuse_leftovers(own: OwnCode) -> None:
    options = {
        "--job": own.job, "--assets": own.assets, "--run-config": own.run_config,
        "--partition": own.partition, "--tag": own.tag, "--env-file": own.env_file,
        "--definitions": own.definitions,
    }  # fmt: skip
    if given := next((name for name, value in options.items() if value), None):
        raise typer.BadParameter(
            "It is for code of your own: name --image, --project or --webserver.", param_hint=given
        )
