"""Options that several commands have, as one dataclass a group.

Typer reads a command's options from its signature. `grouped` puts the fields of a dataclass there,
each annotated as an option, and gives the command the dataclass.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import wraps
from typing import Any, get_type_hints


def grouped(**groups: type) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Replace parameters of a command by the fields of dataclasses.

    Args:
        groups: dataclass by the name of the parameter that takes one. Every field has a default and
            is annotated as Typer wants it. No two fields, of whichever groups, share a name.

    Returns:
        A decorator. A call that names none of a group's fields gives the command its defaults.
    """

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        signature = inspect.signature(command, eval_str=True)
        kept = [each for name, each in signature.parameters.items() if name not in groups]
        parameters = kept + [each for group in groups.values() for each in _parameters(group)]

        @wraps(command)
        def whole(*arguments: Any, **options: Any) -> int:
            made = {}
            for name, group in groups.items():
                given = {f.name: options.pop(f.name) for f in fields(group) if f.name in options}
                made[name] = options.pop(name, None) or group(**given)
            return command(*arguments, **options, **made)

        whole.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        whole.__annotations__ = {each.name: each.annotation for each in parameters}
        return whole

    return decorate


def _parameters(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default if field.default is not MISSING else inspect.Parameter.empty,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]
