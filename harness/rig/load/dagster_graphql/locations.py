"""Code locations, as the webserver sees them, and the webserver itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from harness.rig.load.dagster_graphql.answers import expect, field
from harness.rig.load.dagster_graphql.transport import Body

LocationState = Literal["loaded", "loading", "unreachable", "broken", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationStatus:
    """A code location as the webserver sees it.

    `loaded` comes with its `repository`. `unreachable` may still pass, `broken` (its code does
    not load) and `absent` (the workspace knows only `known`) will not pass by themselves.
    """

    state: LocationState
    repository: str | None = None
    error: str = ""
    known: tuple[str, ...] = ()


_LOCATIONS = """
query HarnessLocations {
  workspaceOrError {
    __typename
    ... on Workspace {
      locationEntries {
        name
        loadStatus
        locationOrLoadError {
          __typename
          ... on RepositoryLocation { repositories { name } }
          ... on PythonError { message className }
        }
      }
    }
    ... on PythonError { message }
  }
}
"""
_RELOAD = """
mutation HarnessReload($location: String!) {
  reloadRepositoryLocation(repositoryLocationName: $location) { __typename }
}
"""
_VERSION = "query HarnessVersion { version }"

# A server that does not answer (yet), in the words of Dagster's gRPC client.
_UNREACHABLE = ("UserCodeUnreachable", "Could not reach user code server", "StatusCode.UNAVAILABLE")


def location_status() -> Body:
    """Ask how all code locations are doing."""
    return {"query": _LOCATIONS}


def parse_location_status(answer: Any, location: str) -> LocationStatus:
    """How one location is doing.

    Raises:
        GraphQLError: the webserver answered with an error.
    """
    entries = expect(field(answer, "workspaceOrError"), "Workspace")["locationEntries"]
    known = tuple(str(entry["name"]) for entry in entries)
    entry = next((e for e in entries if e["name"] == location), None)
    if entry is None:
        return LocationStatus(state="absent", known=known)
    loaded = entry["locationOrLoadError"]
    if loaded is None or entry["loadStatus"] != "LOADED":
        return LocationStatus(state="loading", known=known)
    if loaded["__typename"] == "RepositoryLocation":
        names = [str(repository["name"]) for repository in loaded["repositories"]]
        if names:
            return LocationStatus(state="loaded", repository=names[0], known=known)
        return LocationStatus(state="broken", error="it holds no repository", known=known)
    said = f"{loaded.get('className') or ''} {loaded.get('message') or ''}"
    state: LocationState = "unreachable" if _any_in(_UNREACHABLE, said) else "broken"
    return LocationStatus(state=state, error=str(loaded.get("message") or "").strip(), known=known)


def reload_location(location: str) -> Body:
    """Ask the webserver to look at a location again: old ones never retry by themselves."""
    return {"query": _RELOAD, "variables": {"location": location}}


def version() -> Body:
    """Ask for the webserver's Dagster version."""
    return {"query": _VERSION}


def parse_version(answer: Any) -> str:
    """The version, as in `1.13.27`.

    Raises:
        GraphQLError: the webserver answered with an error.
    """
    return str(field(answer, "version"))


def _any_in(needles: Iterable[str], text: str) -> bool:
    return any(needle in text for needle in needles)
