"""An image of the user's: what it holds, and what of it a code server needs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.campaign.own_code import Code
from harness.errors import CampaignError, TargetFailed
from harness.rig.target.code import pointer
from harness.rig.target.docker_cli import docker

ASK = """
import importlib.metadata as m, json, sys
def v(n):
    try: return m.version(n)
    except m.PackageNotFoundError: return None
print("@held " + json.dumps({
    "python": ".".join(map(str, sys.version_info[:3])),
    "dagster": v("dagster"), "dagster_postgres": v("dagster-postgres"),
    "driver": v("psycopg2-binary") or v("psycopg2"),
}))
"""
"""Asked inside the image; any Python 3 answers it."""

ASK_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeImage:
    """An image with the user's code, ready to be served.

    `id`: its content. `load`: options of `dagster api grpc`. `python_path`: its own PYTHONPATH.
    `dagster`: the version inside. `project`: the folder it was built from, if it was.
    """

    name: str
    id: str
    load: tuple[str, ...]
    python_path: str
    python: str
    dagster: str
    project: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What an image says of itself and, asked, of what is installed in it."""

    id: str
    environment: Mapping[str, str]
    command: tuple[str, ...]
    user: str
    python: str
    dagster: str | None
    dagster_postgres: str | None
    driver: str | None


def look_into(name: str) -> Held:
    """What an image holds; nothing of the user's runs, and without a network.

    Raises:
        CampaignError: there is no such image here, or no Python in it.
    """
    config, image_id = _config(name)
    shell = 'exec "$(command -v python || command -v python3)" -c "$ASK"'
    try:
        said = docker(
            ["run", "--rm", "--network", "none", "--env", f"ASK={ASK}",
             "--label", "dagster-load-harness=1", "--entrypoint", "/bin/sh", name, "-c", shell],
            timeout_s=ASK_TIMEOUT_S,
        )  # fmt: skip
    except TargetFailed as error:
        raise CampaignError(
            f"The image {name} holds no Python that answers.",
            evidence=error.evidence or error.what,
            hint="It must hold Dagster, the code, and a shell.",
        ) from error
    found = re.search(r"^@held (.*)$", said, flags=re.MULTILINE)
    held = json.loads(found[1]) if found else {}
    return Held(
        id=image_id,
        environment=dict(entry.split("=", 1) for entry in config.get("Env") or []),
        command=(*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())),
        user=str(config.get("User") or ""),
        python=str(held.get("python", "")),
        dagster=held.get("dagster"),
        dagster_postgres=held.get("dagster_postgres"),
        driver=held.get("driver"),
    )


def code_image(name: str, code: Code, held: Held) -> CodeImage:
    """What the code server is started with.

    Raises:
        CampaignError: no Dagster, no way to Postgres, or nothing says what to load.
    """
    _check(name, held)
    load = (
        pointer.said_by(code)
        or pointer.in_command(held.command)
        or pointer.in_variables(held.environment)
    )
    if not load:
        raise CampaignError(
            f"Nothing says what Dagster is to load in the image {name}.",
            evidence=f"Its command: {' '.join(held.command) or 'none'}",
            hint="Say it: --definitions module:NAME, file:PATH or package:NAME.",
        )
    return CodeImage(
        name=name,
        id=held.id,
        load=tuple(pointer.arguments(load)),
        python_path=held.environment.get("PYTHONPATH", ""),
        python=held.python,
        dagster=held.dagster or "",
    )


def _check(name: str, held: Held) -> None:
    if held.dagster is None:
        raise CampaignError(f"There is no Dagster in the image {name}.")
    if held.dagster_postgres is None or held.driver is None:
        lacks = "dagster-postgres" if held.dagster_postgres is None else "psycopg2"
        raise CampaignError(
            f"The image {name} lacks {lacks}.",
            evidence="Its runs write their events to PostgreSQL, as in production.",
            hint=f"Add it to the image: pip install dagster-postgres psycopg2-binary "
            f"(for Dagster {held.dagster}).",
        )


def _config(name: str) -> tuple[dict[str, Any], str]:
    try:
        text = docker(["image", "inspect", "--format", "{{json .}}", name], timeout_s=30)
    except TargetFailed as error:
        raise CampaignError(
            f"There is no image {name} on this engine.",
            evidence=error.evidence,
            hint=f"docker pull {name}, or build it: harness run --project builds from a folder.",
        ) from error
    found = json.loads(text)
    return found.get("Config") or {}, str(found["Id"])
