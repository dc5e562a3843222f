"""From YAML text, and from `--set`, to plain data and the line of every key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from harness.campaign.draft import SET_LINE, Draft, Path
from harness.campaign.shorthand import write_out_names

MAX_DEPTH = 10  # a campaign needs 6; an alias that contains itself has no end


class _UnreadableError(Exception):
    """Args: what is wrong, and in which line."""


def read(draft: Draft, text: str) -> bool:
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


def override(draft: Draft, text: str) -> None:
    """Apply one `key.path=value`, the value as YAML; what is wrong with it is noted.

    Text that could not be read leaves nothing to apply it to: then only its form is looked at.
    """
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
        # An override can reach into `- io` and `search: ladder`.
        write_out_names(draft)
        _put(draft, names, value)


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


def _note_lines(draft: Draft, node: Node | None, path: Path) -> None:
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


def _put(draft: Draft, names: Sequence[str], value: object) -> None:
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
    draft.replaced(path)
    place[at] = value
