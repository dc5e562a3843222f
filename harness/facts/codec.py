"""Facts as JSON text and as Parquet bytes, and back. Nothing here touches a file.

The column types of a Parquet table follow from the dataclass, so that a field added to
`harness.facts.model` with a default is stored, and read from older files as its default.
"""

from __future__ import annotations

import dataclasses
import io
import json
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

import polars as pl
from pydantic import TypeAdapter, ValidationError

from harness.facts.model import SCHEMA, Cell, Event, Run, Sample, Step

T = TypeVar("T")

_COLUMN_TYPES: dict[Any, type[pl.DataType]] = {
    int: pl.Int64,
    float: pl.Float64,
    str: pl.String,
    bool: pl.Boolean,
}


_ADAPTERS: Mapping[type[Any], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Cell, Step, Event, Run, Sample)
}


def to_plain(record: Any) -> dict[str, Any]:
    """A dataclass instance as JSON-ready dicts, lists and scalars.

    Raises:
        pydantic_core.PydanticSerializationError: a value has no JSON form.
    """
    plain: dict[str, Any] = _ADAPTERS[type(record)].dump_python(record, mode="json")
    return plain


def to_line(record: Any | Mapping[str, Any]) -> str:
    """One JSON object on one line, without the line's end.

    Raises:
        ValueError: a number is not finite; JSON has no word for it.
    """
    plain = to_plain(record) if dataclasses.is_dataclass(record) else record
    return json.dumps(plain, ensure_ascii=False, allow_nan=False)


def from_json(kind: type[T], text: str) -> T:
    """The dataclass `kind` from JSON text; an unknown key is ignored, a missing one defaulted.

    Raises:
        pydantic.ValidationError: a required field is missing or a value has the wrong type.
    """
    record: T = _ADAPTERS[kind].validate_json(text, strict=True)
    return record


def to_document(plain: Mapping[str, Any]) -> str:
    """A whole JSON file: these keys, preceded by the schema number.

    Raises:
        ValueError: a number is not finite; JSON has no word for it.
    """
    document = {"schema": SCHEMA, **plain}
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def from_line(line: str) -> dict[str, Any]:
    """One JSON object.

    Raises:
        ValueError: it is not one.
    """
    plain = json.loads(line)
    if not isinstance(plain, dict):
        raise ValueError("a JSON object was expected")  # noqa: TRY004  (bad data, not bad code)
    return plain


def from_document(content: bytes) -> tuple[int, dict[str, Any]]:
    """(schema number, the other keys) of a file `to_document` wrote.

    Raises:
        ValueError: this is not JSON, not an object, or carries no schema number.
    """
    document = from_line(content.decode())
    if type(document.get("schema")) is not int:
        raise ValueError("schema: a whole number was expected")
    schema: int = document.pop("schema")
    return schema, document


def whole_lines(content: bytes) -> list[str]:
    """The lines of a jsonl file, without a last one that its writer did not finish.

    Raises:
        UnicodeDecodeError: this is not UTF-8.
    """
    return content[: content.rfind(b"\n") + 1].decode().split("\n")[:-1]


def columns(kind: type[Any]) -> pl.Schema:
    """The Parquet columns of a flat dataclass, in field order."""
    hints = typing.get_type_hints(kind)
    return pl.Schema({f.name: _column_type(hints[f.name]) for f in dataclasses.fields(kind)})


def _column_type(hint: Any) -> type[pl.DataType]:
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is Literal:
        hint = type(typing.get_args(hint)[0])
    return _COLUMN_TYPES[hint]


def to_frame(kind: type[Any], records: Iterable[Any]) -> pl.DataFrame:
    """Flat dataclass instances as a table, one row each, in the order given."""
    rows = list(records)
    schema = columns(kind)
    data = {name: [getattr(row, name) for row in rows] for name in schema}
    return pl.DataFrame(data, schema=schema)


def from_frame(kind: type[T], frame: pl.DataFrame) -> list[T]:
    """The rows of a table as dataclass instances.

    Raises:
        pydantic.ValidationError: a required column is missing or a value has the wrong type.
    """
    adapter = _ADAPTERS[kind]
    return [adapter.validate_python(row) for row in frame.iter_rows(named=True)]


def join(kind: type[Any], frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Tables of one kind, one below the other; a column that some lack is null there."""
    return pl.concat([to_frame(kind, ()), *frames], how="diagonal")


def to_parquet(frame: pl.DataFrame) -> bytes:
    """A table as a Parquet file's content."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def from_parquet(kind: type[Any], content: bytes) -> pl.DataFrame:
    """A Parquet file's content as a table of this kind: its columns, in its types and order.

    A column that has a default may be missing; columns this version does not know are dropped.

    Raises:
        polars.exceptions.PolarsError: this is not a whole Parquet file, or a type is wrong.
        ValueError: a required column is missing.
    """
    frame = pl.read_parquet(io.BytesIO(content))
    for item in dataclasses.fields(kind):
        if item.default is dataclasses.MISSING and item.name not in frame.columns:
            raise ValueError(f"column {item.name} is missing")
    schema = columns(kind)
    known = [name for name in schema if name in frame.columns]
    return frame.select(pl.col(name).cast(schema[name]) for name in known)


def first_problem(error: ValidationError) -> str:
    """Where a record is wrong, and how: `steps.0.index: Input should be a valid integer`."""
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
