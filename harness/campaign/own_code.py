"""A code location of the user's own, as a campaign names it: an image or a project, and its jobs.

Nothing secret belongs here, since a campaign is stored with its results: secrets go into an
environment file, of which only the path is known.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(min_length=1)]

LOADS = ("module", "python_file", "package")
"""The ways Dagster can be told what to load; one of them at most."""


class Strict(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OwnJob(Strict):
    """A job of the user's, and how much of the load it makes.

    `share`: of the runs, in proportion to the other jobs' shares. `assets` (`a/b`): these are
    materialized instead of a job, and `name` is what their runs are called. `partitions`: keys,
    taken in turn.
    """

    name: Text
    share: float = Field(default=1, gt=0)
    run_config: dict[str, Any] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)
    partitions: tuple[Text, ...] = ()
    assets: tuple[Text, ...] = ()


class Code(Strict):
    """What the server under test loads in place of a package of ours.

    `image`: a container image with Dagster and the code. `project`: a folder an image is built
    from, on the campaign's Dagster. `deployed`: what an external target serves. What to load is
    found in the image's command or the project's settings, unless one of `module`, `python_file`
    and `package` says it. `env_file`: variables of the server, one `NAME=value` a line.
    """

    image: Text | None = None
    project: Text | None = None
    deployed: bool = False
    module: Text | None = None
    python_file: Text | None = None
    package: Text | None = None
    attribute: Text | None = None
    working_directory: Text | None = None
    env_file: Text | None = None
    jobs: tuple[OwnJob, ...] = ()

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if sum((self.image is not None, self.project is not None, self.deployed)) != 1:
            raise ValueError("name either an image or a project, or say that it is deployed")
        if sum(getattr(self, each) is not None for each in LOADS) > 1:
            raise ValueError(f"{', '.join(LOADS)}: say one of them")
        return self
