"""A deployment that exists already, and how much of it may be used."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from harness.campaign.own_code import Strict
from harness.campaign.profiles import parse_profile
from harness.errors import CampaignError

Address = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-\[\]:]+:\d{1,5}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")]


def _a_size(text: str) -> str:
    try:
        return parse_profile(text).name
    except CampaignError as error:
        raise ValueError(f"{error.what} {error.hint}") from None


Size = Annotated[str, AfterValidator(_a_size)]


class External(Strict):
    """Where it is, and the guard rails of measuring something that others use.

    `webserver`: its address, up to and without `/graphql`. `location`: the code location. Of
    `code_servers` (`host:port`) health is probed and Dagster's own metrics are read; without them
    both stay unknown. `size` (`1vcpu-2gb`): of each code server, where it does not tell its limits
    itself, or tells those of something else. `headers_file`: one `NAME=value` a line, sent with
    every request of the webserver; secret. `ca_file`: who signs its certificate, where the system
    does not know.
    `peak`: runs at once at most. `most_failures`: so many runs of a step fail, and everything ends.
    """

    webserver: Url
    location: Annotated[str, StringConstraints(min_length=1)]
    code_servers: tuple[Address, ...] = ()
    size: Size | None = None
    headers_file: str | None = None
    ca_file: str | None = None
    peak: int = Field(default=5, ge=1, le=500)
    most_failures: int = Field(default=3, ge=1, le=500)
