"""The models' complaints in words that fit a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from harness.campaign.draft import Path
from harness.campaign.external import External
from harness.campaign.faults import Fault
from harness.campaign.own_code import Code, OwnJob
from harness.campaign.plan import (
    Campaign,
    Load,
    Nightly,
    Part,
    Queue,
    Search,
    Sensors,
    Slos,
    StepTimes,
    Workload,
)
from harness.campaign.profiles import Profile

_MODELS: Mapping[tuple[str, ...], type[BaseModel]] = MappingProxyType(
    {
        (): Campaign,
        ("profiles",): Profile,
        ("workloads",): Workload,
        ("workloads", "mix"): Part,
        ("workloads", "sensors"): Sensors,
        ("queue",): Queue,
        ("load",): Load,
        ("step",): StepTimes,
        ("search",): Search,
        ("slos",): Slos,
        ("workloads", "code"): Code,
        ("workloads", "code", "jobs"): OwnJob,
        ("external",): External,
        ("faults",): Fault,
        ("nightly",): Nightly,
    }
)
_NAME = "must be lower-case letters, digits and . _ - and start with a letter or a digit"
_PATTERNS = {
    "dagster": "must be a full version such as 1.13.27, or the name of a build",
    "name": _NAME,
    "module": _NAME,
    "workload": _NAME,
}
# Lists with a short form of their own.
_SHORT = {
    "concurrencies": "must be a list, or a range such as 1-24",
    "mix": "must be a list of workloads, or of their shares: {io: 0.7, cpu: 0.3}",
}
# Kinds of pydantic's errors that are better said in YAML's words.
_KINDS = {
    "json_invalid": "a text has half a character in it (a lone surrogate)",
    "missing": "is required",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "string_type": "must be text (quotes make it so)",
}


def told(details: ErrorDetails) -> tuple[Path, str]:
    """An error's place in the (written-out) data, and what is wrong there."""
    kind, loc, given = details["type"], details["loc"], details["input"]
    if kind == "extra_forbidden":
        return loc, _unknown_key(loc)
    if kind == "value_error":
        return loc, str(details["ctx"]["error"])
    keys = [part for part in loc if isinstance(part, str)]
    if kind == "string_pattern_mismatch":
        message = _PATTERNS[keys[-1]]
    elif kind == "tuple_type" and keys[-1] in _SHORT:
        message = _SHORT[keys[-1]]
    elif "params" in loc and len(loc) > loc.index("params") + 2:
        # An error for each type that may stand there: one will do.
        loc, message = loc[: loc.index("params") + 2], "must be a number, a text, true or false"
    else:
        message = _KINDS.get(kind, details["msg"].replace("Input should be", "must be"))
    shown = loc and given is not None and not isinstance(given, dict | list)
    return loc, f"{message}, not {given!r:.60}" if shown else message


def _unknown_key(loc: Path) -> str:
    known = list(_MODELS[tuple(part for part in loc[:-1] if isinstance(part, str))].model_fields)
    close = get_close_matches(str(loc[-1]), known, n=1)
    return "unknown key; " + (
        f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
    )
