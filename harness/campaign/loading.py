"""Campaigns as YAML text, there and back; every problem is reported at once, with its place.

The way in: text → plain data and the line of every key → `--set` applied → shorthands written
out → checked by the models of `plan`, and by rules no single field can know.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from harness.campaign.plan import Campaign, Ladder, Slos, StepTimes, Workload
from harness.campaign.profiles import FARGATE, Profile, parse_profile
from harness.errors import CampaignError

Path = tuple[str | int, ...]

SET_LINE = 0  # of what `--set` brought in; lines of the text count from 1
MAX_DEPTH = 10  # a campaign needs 4; an alias that contains itself has no end
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
    "name": "must be lower-case letters, digits and . _ - and start with a letter or a digit",
}
# Kinds of pydantic's errors that are better said in YAML's words.
KINDS = {
    "json_invalid": "a text has half a character in it (a lone surrogate)",
    "missing": "is required",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "string_type": "must be text (quotes make it so)",
}


def load_campaign(text: str, *, source: str, overrides: Sequence[str] = ()) -> Campaign:
    """The campaign that `text` describes, after the overrides.

    Args:
        text: YAML. Profiles and workloads may be given by name alone, and one value may stand for
            a list of one in `profiles`, `workloads`, `dagster`, `max_workers` and `replicas`.
        source: what to call the text in messages, e.g. its path.
        overrides: `key.path=value`, applied in order: list items by index from 0, the value as
            YAML. What the text leaves to its default can be set too.

    Raises:
        CampaignError: its evidence has a line `source:line: key.path: message` for each problem,
            and `--set` for `source:line` where an override brought it in.
    """
    draft = _Draft()
    readable = _read(draft, text)
    for override in overrides:
        _override(draft, override)
    campaign = _check(draft) if readable else None
    if draft.problems or campaign is None:
        _refuse(draft, source)
    return campaign


def dump_campaign(campaign: Campaign) -> str:
    """YAML that loads back to an equal campaign; defaults are written out, lest they change."""
    data = campaign.model_dump(mode="json")
    data["profiles"] = [
        profile.name if profile.name in FARGATE else written
        for profile, written in zip(campaign.profiles, data["profiles"], strict=True)
    ]
    yaml = YAML(typ="safe", pure=True)
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    # Block style and no folding: the library's flow style and folded strings do not always load
    # back. Unprintable characters (line separators, U+FEFF) must be escaped.
    yaml.default_flow_style = False
    yaml.width = 2**31
    yaml.allow_unicode = campaign.model_dump_json().isprintable()
    yaml.encoding = None  # type: ignore[assignment]  # text, not bytes
    written_text = StringIO()
    yaml.dump(data, written_text)
    return str(written_text.getvalue())


def preset_names() -> tuple[str, ...]:
    """The campaigns that ship with the harness, alphabetically."""
    files = [entry.name for entry in _presets().iterdir()]
    return tuple(sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml")))


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
            evidence=f"Presets that ship with the harness: {', '.join(names)}",
            hint=f"Did you mean {close[0]}?" if close else "",
        )
    return _presets().joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def _presets() -> Traversable:
    return resources.files("harness").joinpath("campaign", "presets")


@dataclass(slots=True)
class _Draft:
    """A campaign in the making: plain data, the line of each part, what is wrong so far.

    A path without a line of its own came with its nearest parent that has one.
    """

    data: Any = None
    lines: dict[Path, int] = field(default_factory=lambda: {(): 1})
    problems: set[tuple[int, str, str]] = field(default_factory=set)  # line, path, message

    def add(self, path: Path, message: str, line: int | None = None) -> None:
        """Note a problem, at the line of the path unless another is given."""
        if line is None:
            parents = (path[:end] for end in range(len(path), -1, -1))
            line = next(self.lines[parent] for parent in parents if parent in self.lines)
        self.problems.add((line, ".".join(map(str, path)), message))


class _UnreadableError(Exception):
    """Args: what is wrong, and in which line."""


def _refuse(draft: _Draft, source: str) -> NoReturn:
    # The text's problems in its order, then those of the command line.
    ordered = sorted(draft.problems, key=lambda problem: (problem[0] == SET_LINE, problem))
    told = [
        ": ".join(filter(None, ("--set" if line == SET_LINE else f"{source}:{line}", path, said)))
        for line, path, said in ordered
    ]
    raise CampaignError(
        f"The campaign {source} has {'a problem' if len(told) == 1 else f'{len(told)} problems'}.",
        evidence="\n".join(told),
        hint="Nothing was started. `harness run --dry-run` checks a campaign and shows its plan.",
    )


def _read(draft: _Draft, text: str) -> bool:
    """Whether the text is a mapping; what is wrong with it is noted."""
    try:
        _note_lines(draft, _parse(text, YAML.compose), ())
        data = _parse(text, _load_plain)
    except _UnreadableError as error:
        draft.add((), *error.args)
        return False
    if not isinstance(data, dict):
        what = "is empty" if data is None else "must be a mapping of keys to values"
        draft.add((), f"the campaign {what}; it needs name, profiles and workloads")
        return False
    draft.data = data
    return True


def _parse(text: str, how: Callable[[YAML, str], Any], *, duplicates: bool = True) -> Any:
    """What the YAML library makes of the text.

    Raises:
        _UnreadableError: it is no YAML.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = duplicates
    try:
        return how(yaml, text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        begun = f" {error.context}" if error.context else ""
        if begun and error.context_mark:
            begun += f" that began in line {error.context_mark.line + 1}"
        raise _UnreadableError(f"not valid YAML{begun}: {error.problem}", line) from error
    except Exception as error:  # month 13, `!!int x`, an alias that contains itself
        said = str(error).strip().splitlines() or [type(error).__name__]
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise _UnreadableError(f"a value cannot be read: {said[0]}", line) from error


def _load_plain(yaml: YAML, text: str) -> Any:
    return _plain(yaml.load(text))


def _note_lines(draft: _Draft, node: Node | None, path: Path) -> None:
    """Note the line of every key and list item, and keys that stand twice.

    Raises:
        _UnreadableError: too deep, or a key that is no plain word.
    """
    if node is not None and len(path) > MAX_DEPTH:
        raise _UnreadableError(f"nested more than {MAX_DEPTH} deep", _line(node))
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            draft.lines[*path, index] = _line(item)
            _note_lines(draft, item, (*path, index))
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise _UnreadableError("a key must be a plain word", _line(key))
            inner = (*path, str(key.value))
            if inner in draft.lines:
                first = draft.lines[inner]
                draft.add(inner, f"stands here again; first in line {first}", _line(key))
                continue
            draft.lines[inner] = _line(key)
            _note_lines(draft, value, inner)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _plain(value: Any) -> Any:
    """Only what JSON knows too, and no part shared between two places."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _override(draft: _Draft, text: str) -> None:
    key, equals, value_text = text.partition("=")
    names = [name.strip() for name in key.split(".")]
    if not equals or not all(names):
        draft.add((), f"{text!r} is not of the form key.path=value", SET_LINE)
        return
    try:
        value = _parse(value_text, _load_plain, duplicates=False)
    except _UnreadableError as error:
        draft.add(tuple(names), error.args[0], SET_LINE)
        return
    if draft.data is not None:
        # Names may be written out by now: an override can reach into `- io`.
        _write_out_workloads(draft.data)
        _put(draft, names, value)


def _put(draft: _Draft, names: Sequence[str], value: object) -> None:
    place: Any = draft.data
    path: Path = ()
    for depth, name in enumerate(names, start=1):
        at = int(name) if isinstance(place, list) and name.isdecimal() else name
        path = (*path, at)
        if isinstance(place, list) and (isinstance(at, str) or at >= len(place)):
            draft.add(path, f"no such item: there are {len(place)}, counted from 0", SET_LINE)
            return
        if not isinstance(place, dict | list):
            draft.add(path, "lies inside a single value: set that one as a whole", SET_LINE)
            return
        if depth == len(names):
            break
        if isinstance(place, dict) and place.get(name) is None:
            place[name] = {}
            draft.lines[path] = SET_LINE
        place = place[at]
    for stale in [known for known in draft.lines if known[: len(path)] == path]:
        del draft.lines[stale]
    draft.lines[path] = SET_LINE
    place[at] = value


def _check(draft: _Draft) -> Campaign | None:
    """The campaign, if its fields are right by themselves; all problems are noted."""
    data: dict[str, Any] = draft.data
    for key in LISTS:
        if isinstance(data.get(key), str | int | float):
            data[key] = [data[key]]
    _write_out_workloads(data)
    _write_out_profiles(draft)
    for path, message in (*_infinite(data, ()), *_contradictions(data)):
        draft.add(path, message)
    try:
        # JSON, because its strict mode takes lists for tuples but no "6" or true for a number.
        campaign = Campaign.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        for details in error.errors():
            # A list is also too short when its items are wrong; empty ones are told above.
            if details["type"] != "too_short":
                draft.add(*_told(details))
        return None
    names = Counter(cell.id for cell in campaign.cells())
    for name in [name for name, cells in names.items() if cells > 1 and not draft.problems]:
        draft.add((), f"{name} would be the name of two cells: rename a profile or workload")
    return campaign


def _write_out_workloads(data: dict[str, Any]) -> None:
    for index, entry in enumerate(_items(data.get("workloads"))):
        if isinstance(entry, str):
            data["workloads"][index] = {"name": entry}


def _write_out_profiles(draft: _Draft) -> None:
    for index, entry in enumerate(_items(draft.data.get("profiles"))):
        if isinstance(entry, str):
            try:
                profile = parse_profile(entry).model_dump()
            except CampaignError as error:
                draft.add(("profiles", index), " ".join(str(error).splitlines()))
                # Any sizes will do for the other checks: the campaign is refused already.
                profile = {"name": f"refused-{index}", "vcpu": 1, "memory_mib": 2048}
            draft.data["profiles"][index] = profile


def _items(value: object) -> list[Any]:
    """A list's items; none of anything else, which the models refuse."""
    return value if isinstance(value, list) else []


def _infinite(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, float) and not math.isfinite(value):
        yield path, f"must be a finite number, not {value}"
    elif isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _infinite(value[key], (*path, key))


def _contradictions(data: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """What single fields cannot know; looks only at parts of the right kind."""
    owners: dict[Path, Any] = {("search",): data.get("search")}
    owners |= {("workloads", at): each for at, each in enumerate(_items(data.get("workloads")))}
    for path, owner in owners.items():
        if isinstance(owner, dict):
            yield from _ladder_problems(owner.get("concurrencies"), (*path, "concurrencies"))
    for key in LISTS:
        if data.get(key) == []:
            yield (key,), "must not be empty"
        yield from _twice(_items(data.get(key)), key)
    step = data.get("step")
    if isinstance(step, dict) and step.get("burst") is True:
        ramp_s = step.get("ramp_s", StepTimes().ramp_s)
        if ramp_s != 0:
            yield ("step", "burst"), f"sends all at once: set ramp_s to 0 (now {ramp_s}) with it"


def _ladder_problems(rungs: object, path: Path) -> Iterator[tuple[Path, str]]:
    if rungs == []:
        yield path, "must not be empty"
    for index, (low, high) in enumerate(pairwise(_items(rungs)), start=1):
        if isinstance(low, int) and isinstance(high, int) and high <= low:
            yield (*path, index), f"{high} follows {low}: a ladder must rise at every step"


def _twice(entries: Sequence[Any], key: str) -> Iterator[tuple[Path, str]]:
    """Equal entries would make cells of one name."""
    names = [str(entry.get("name") if isinstance(entry, dict) else entry) for entry in entries]
    for index, name in enumerate(names):
        if name in names[:index] and name != "None":
            yield (key, index), f"{name} is in the list twice: its cells could not be told apart"


def _told(details: ErrorDetails) -> tuple[Path, str]:
    """Pydantic's error at its place in the data, in words that fit a YAML file."""
    kind, loc, given = details["type"], details["loc"], details["input"]
    if kind == "extra_forbidden":
        return loc, _unknown_key(loc)
    if kind == "value_error":
        return loc, str(details["ctx"]["error"])
    if kind == "string_pattern_mismatch":
        message = PATTERNS[[part for part in loc if isinstance(part, str)][-1]]
    elif loc[2:3] == ("params",) and len(loc) > 4:  # an error for each type that may stand there
        loc, message = loc[:4], "must be a number, a text, true or false"
    else:
        message = KINDS.get(kind, details["msg"].replace("Input should be", "must be"))
    shown = loc and given is not None and not isinstance(given, dict | list)
    return loc, f"{message}, not {given!r:.60}" if shown else message


def _unknown_key(loc: Path) -> str:
    known = list(MODELS[tuple(part for part in loc[:-1] if isinstance(part, str))].model_fields)
    close = get_close_matches(str(loc[-1]), known, n=1)
    return "unknown key; " + (
        f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
    )
