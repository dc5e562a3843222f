"""Campaigns as YAML text, there and back; every problem is reported at once, with its place.

The way in: text -> plain data with the line of every key -> shorthands written out -> `--set`
applied -> checked by the models of `plan` and by what one field alone cannot know.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import resources
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from harness.campaign.plan import Campaign, Ladder, Slos, StepTimes, Workload
from harness.campaign.profiles import FARGATE, Profile, parse_profile
from harness.errors import CampaignError

Path = tuple[str | int, ...]

SET = "--set"
MAX_DEPTH = 10  # a campaign needs 4; also the end of an alias that contains itself
LISTS = ("profiles", "workloads", "dagster", "max_workers", "replicas")
MODELS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): Campaign,
    ("profiles",): Profile,
    ("workloads",): Workload,
    ("step",): StepTimes,
    ("search",): Ladder,
    ("slos",): Slos,
}
PATTERNS = {
    "dagster": "must be a full version such as 1.13.27",
    "name": "must be lower-case letters, digits and . _ - and begin with a letter or digit",
}


def load_campaign(text: str, *, source: str, overrides: Sequence[str] = ()) -> Campaign:
    """The campaign that `text` describes, after the overrides.

    Args:
        text: YAML. A profile may be a name, a workload a name, and one value may stand for a list
            of one in `profiles`, `workloads`, `dagster`, `max_workers` and `replicas`.
        source: what to call the text in messages, e.g. its path.
        overrides: `key.path=value`, list items by index from 0, the value as YAML; applied in
            order. A value may be set where the text has none.

    Raises:
        CampaignError: its evidence has one line `source:line: key.path: message` per problem,
            with `--set` in place of source and line where an override brought it in.
    """
    draft = _Draft(source=source)
    draft.read(text)
    draft.write_out_shorthands()
    for override in overrides:
        draft.override(override)
    draft.write_out_shorthands()
    if draft.readable:
        draft.check()
    if draft.problems or draft.campaign is None:
        raise _refusal(draft)
    return draft.campaign


def dump_campaign(campaign: Campaign) -> str:
    """YAML that loads back to an equal campaign; defaults are written out, so it stays as it is."""
    data = campaign.model_dump(mode="json")
    for index, profile in enumerate(campaign.profiles):
        if FARGATE.get(profile.name) == profile:
            data["profiles"][index] = profile.name
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None  # lists of plain values on one line, the rest in blocks
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    yaml.width = 100
    lines = _Collected()
    yaml.dump(data, lines)
    return "".join(lines.parts)


def preset_names() -> tuple[str, ...]:
    """The campaigns that ship with the harness, alphabetically."""
    files = resources.files("harness").joinpath("campaign", "presets").iterdir()
    return tuple(
        sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))
    )


def preset_text(name: str) -> str:
    """A preset's YAML.

    Raises:
        CampaignError: there is no such preset.
    """
    names = preset_names()
    if name not in names:
        close = get_close_matches(name, names, n=1)
        raise CampaignError(
            f"There is no preset {name!r}.",
            evidence=f"Presets: {', '.join(names)}",
            hint=f"Did you mean {close[0]}?" if close else "",
        )
    folder = resources.files("harness").joinpath("campaign", "presets")
    return folder.joinpath(f"{name}.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class _Problem:
    line: int  # 0: the command line, shown after the text's
    path: str
    message: str


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A campaign in the making: plain data, where each part came from, what is wrong so far.

    `origins` has the line of every path (0 for `--set`); a path without one came with its parent.
    """

    source: str
    data: Any = None
    origins: dict[Path, int] = field(default_factory=dict)
    problems: list[_Problem] = field(default_factory=list)
    readable: bool = True
    campaign: Campaign | None = None

    def add(self, path: Path, message: str, line: int | None = None) -> None:
        """Note a problem; without `line` it lies where the nearest known part of `path` does."""
        if line is None:
            known = (path[:end] for end in range(len(path), -1, -1))
            line = next((self.origins[part] for part in known if part in self.origins), 1)
        problem = _Problem(line=line, path=".".join(map(str, path)), message=message)
        if problem not in self.problems:
            self.problems.append(problem)

    def read(self, text: str) -> None:
        """Parse the text, note lines and duplicate keys."""
        try:
            node = YAML(typ="safe", pure=True).compose(text)
            self._note(node, (), line=1)
            self.data = _parse(text)
        except _UNREADABLE as error:
            self.readable = False
            line, message = _yaml_message(error)
            self.add((), message, line)
            return
        if not isinstance(self.data, dict):
            self.readable = False
            what = "is empty" if self.data is None else "must be a mapping of keys to values"
            self.add((), f"the campaign {what}; it needs name, profiles and workloads", 1)

    def _note(self, node: Node | None, path: Path, *, line: int) -> None:
        self.origins[path] = line
        if len(path) > MAX_DEPTH:
            raise RecursionError
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                self._note(item, (*path, index), line=_line(item))
        elif isinstance(node, MappingNode):
            for key, value in node.value:
                name = str(key.value) if isinstance(key, ScalarNode) else "?"
                inner = (*path, name)
                if inner in self.origins:
                    self.add(inner, f"a second time; first in line {self.origins[inner]}",
                             _line(key))  # fmt: skip
                else:
                    self._note(value, inner, line=_line(key))

    def write_out_shorthands(self) -> None:
        """One value for a list of one; names for workloads and profiles."""
        if not isinstance(self.data, dict):
            return
        for key in LISTS:
            value = self.data.get(key)
            if isinstance(value, str | int | float) or _is_lone_profile(key, value):
                self.data[key] = [value]
        for key, write_out in (("workloads", _workload), ("profiles", self._profile)):
            entries = self.data.get(key)
            if isinstance(entries, list):
                self.data[key] = [write_out(entry, index) for index, entry in enumerate(entries)]

    def _profile(self, entry: object, index: int) -> object:
        """A name stays as it is until `check`, so that an override may replace it."""
        return entry

    def override(self, text: str) -> None:
        """Apply one `key.path=value`."""
        key, equals, value_text = text.partition("=")
        steps = key.strip().split(".")
        if not equals or not all(steps):
            self.add((), f"{text!r} is not of the form key.path=value", 0)
            return
        try:
            value = _parse(value_text)
        except _UNREADABLE as error:
            self.add((), f"{key.strip()}: {_yaml_message(error)[1]}", 0)
            return
        if self.readable:
            self._put(steps, value)

    def _put(self, steps: Sequence[str], value: object) -> None:
        place, path = self.data, tuple[str | int, ...]()
        for number, step in enumerate(steps):
            if isinstance(place, list):
                if not step.isdecimal() or int(step) >= len(place):
                    self.add((*path, step), f"{_show(path)} has items 0 to {len(place) - 1}", 0)
                    return
                at: str | int = int(step)
            elif isinstance(place, dict):
                at = step
            else:
                self.add((*path, step), f"{_show(path)} is a single value: set it as a whole", 0)
                return
            path = (*path, at)
            if number == len(steps) - 1:
                break
            if isinstance(place, dict) and place.get(at) is None:
                place[at] = {}
                self.origins.setdefault(path, 0)
            place = place[at]
        place[path[-1]] = value
        for stale in [known for known in self.origins if known[: len(path)] == path]:
            del self.origins[stale]
        self.origins[path] = 0
