"""The user's images of a campaign: found or built, looked into, held against its Dagster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from harness.campaign.own_code import Code
from harness.campaign.plan import Campaign
from harness.errors import CampaignError
from harness.masking import SHORTEST
from harness.rig.env_file import keep_secret
from harness.rig.target.code import pointer
from harness.rig.target.code.image import CodeImage, code_image, look_into
from harness.rig.target.code.project import INSIDE, ensure_project_image
from harness.rig.target.images import BuildOptions, Images
from harness.rig.target.software import Software

CodeImages = Mapping[tuple[str, str], CodeImage]
"""By workload and entry of `Campaign.dagster`."""


def code_images(
    campaign: Campaign,
    images: Mapping[str, Images],
    software: Mapping[str, Software],
    options: BuildOptions,
) -> CodeImages:
    """Everything of the user's that the campaign serves; its secrets are masked from here on.

    Raises:
        CampaignError: an image or a project is not there, or cannot be served.
        TargetFailed: a project's image cannot be built.
    """
    found: dict[tuple[str, str], CodeImage] = {}
    for workload in campaign.workloads:
        if workload.code is None:
            continue
        guard_secrets(workload.code, options.say)
        for entry in campaign.dagster:
            held = software[entry]
            image = served(workload.code, images[entry].dagster, held, options)
            _compare(image, held.version, options.say)
            found[workload.name, entry] = image
    return found


def _compare(image: CodeImage, version: str, say: Callable[[str], None]) -> None:
    """Webserver and daemon speak to servers of their own minor release.

    Raises:
        CampaignError: they are of another.
    """
    if image.dagster == version:
        return
    if image.dagster.split(".")[:2] != version.split(".")[:2]:
        raise CampaignError(
            f"The image {image.name} holds Dagster {image.dagster}, not {version}.",
            hint=f"Measure it on its own: --dagster {image.dagster}",
        )
    say(f"{image.name} holds Dagster {image.dagster}; the webserver beside it is {version}")


def served(code: Code, base: str, software: Software, options: BuildOptions) -> CodeImage:
    """The image of one code location: the user's, or built from a project on `base`.

    Raises:
        CampaignError, TargetFailed: as `code_images`.
    """
    if code.image is not None:
        return code_image(code.image, code, look_into(code.image))
    folder = Path(code.project or "").expanduser()
    said = pointer.said_by(code) or pointer.in_project(folder)
    if not said:
        raise CampaignError(
            f"Nothing in {folder} says what Dagster is to load.",
            evidence="Looked in pyproject.toml, dg.toml, workspace.yaml, and for "
            f"{', '.join(pointer.USUAL_FILES)}.",
            hint="Say it: --definitions module:NAME, file:PATH or package:NAME.",
        )
    name = ensure_project_image(folder, base, software, options)
    told = code.model_copy(update={"working_directory": INSIDE, **said})
    return replace(code_image(name, told, look_into(name)), project=str(folder))


def guard_secrets(code: Code, say: Callable[[str], None]) -> None:
    """Mask what the environment file holds; say what cannot be masked.

    Raises:
        CampaignError: the file cannot be read.
    """
    if code.env_file is None:
        return
    short = keep_secret(Path(code.env_file).expanduser())
    if short:
        say(
            f"Values of fewer than {SHORTEST} characters are not masked in what is written: "
            f"{', '.join(short)}"
        )
