"""`harness images`: build the container images, make the dependency locks."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from harness.campaign.plan import LATEST, Campaign
from harness.rig.hosting import choose
from harness.rig.target import locks
from harness.rig.target.builds import software
from harness.rig.target.images import BuildOptions, ca_bundle_from_environment, ensure_images
from harness.rig.target.load_image import ensure_load_image
from harness.rig.target.releases import latest_release

app = typer.Typer(help="Build container images; lock dependencies per Dagster version.",
                  no_args_is_help=True)  # fmt: skip
DEFAULT_VERSION: str = Campaign.model_fields["dagster"].default[0]
Version = Annotated[
    list[str] | None, typer.Option("--dagster", help="A release, e.g. 1.13.27, or latest.")
]
Build = Annotated[
    list[str] | None,
    typer.Option("--dagster", help="A release, latest, a wheel, a folder of wheels, a checkout."),
]


PythonImage = Annotated[
    str | None, typer.Option(help="Base image; default python:3.11-slim-bookworm.")
]
Ca = Annotated[
    Path | None,
    typer.Option(help="Corporate CA bundle; default what PIP_CERT or SSL_CERT_FILE names."),
]
PipConf = Annotated[
    Path | None, typer.Option(help="pip settings (index, credentials), as a build secret.")
]
Log = Annotated[Path | None, typer.Option(help="Append the build output here.")]


@app.command()
def build(
    dagster: Build = None,
    python_image: PythonImage = None,
    postgres_image: Annotated[
        str | None, typer.Option(help="Database image; default postgres:17.")
    ] = None,
    ca: Ca = None,
    pip_conf: PipConf = None,
    log: Log = None,
) -> int:
    """Build the images `harness run` needs, if they are not there yet.

    Where no registry answers, as root on a Debian-like machine, the base image is made with
    debootstrap, and PostgreSQL comes from the same distribution.
    """
    choose("compose", print)
    options = BuildOptions(
        python_image=python_image, postgres_image=postgres_image,
        ca_bundle=ca or ca_bundle_from_environment(), pip_conf=pip_conf, log=log, say=print,
    )  # fmt: skip
    for source in dagster or [DEFAULT_VERSION]:
        images = ensure_images(software(source, say=print), options)
        print(f"{images.dagster}\n{images.postgres}")
    return 0


@app.command()
def load_worker(
    python_image: PythonImage = None, ca: Ca = None, pip_conf: PipConf = None, log: Log = None
) -> int:
    """Build the image of load workers (compose/load-workers), if it is not there yet.

    Its name is the last line. The base image is found as for `build`.
    """
    choose("compose", print)
    options = BuildOptions(
        python_image=python_image, ca_bundle=ca or ca_bundle_from_environment(),
        pip_conf=pip_conf, log=log, say=print,
    )  # fmt: skip
    print(ensure_load_image(options))
    return 0


@app.command()
def lock(
    dagster: Version = None,
    as_of: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Newest dependency date; default its release."),
    ] = None,
) -> int:
    """Resolve a Dagster version with the dependencies of its own time into compose/locks."""
    for version in dagster or [DEFAULT_VERSION]:
        number = latest_release() if version == LATEST else version
        print(locks.make_lock(number, as_of.date() if as_of else None))
    return 0
