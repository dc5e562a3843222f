"""Reading GraphQL answers: the field asked for, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class GraphQLError(Exception):
    """No usable answer: `code` is its family, the message its first line."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def field(answer: Any, name: str) -> Any:
    """What a query's root field holds.

    Raises:
        GraphQLError: the answer is none, or tells of an error instead.
    """
    if not isinstance(answer, Mapping):
        raise GraphQLError("unexpected_answer", first_line(repr(answer)))
    data = answer.get("data")
    if isinstance(data, Mapping) and data.get(name) is not None:
        return data[name]
    errors = answer.get("errors") or [{"message": "neither data nor errors"}]
    first = errors[0]
    said = first.get("message", "") if isinstance(first, Mapping) else first
    raise GraphQLError("graphql_error", first_line(str(said)))


def expect(result: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A result of a union, if it is of this type.

    Raises:
        GraphQLError: it is another, which mostly tells why.
    """
    if result["__typename"] != kind:
        raise GraphQLError(str(result["__typename"]), reason(result))
    return result


def reason(result: Mapping[str, Any]) -> str:
    """What an error's result says, in one line."""
    if result.get("errors"):
        return first_line("; ".join(str(error["message"]) for error in result["errors"]))
    if "message" in result:
        return first_line(str(result["message"]))
    named = ("stepKey", "invalidStepKey", "invalidOutputName")
    return " ".join(f"{name}={result[name]}" for name in named if name in result)


def first_line(text: str) -> str:
    """The first line that is not blank, without its blanks."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
