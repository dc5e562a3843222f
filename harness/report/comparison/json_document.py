"""A comparison as the text of `comparison.json`, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.analysis.comparison.types import SCHEMA, ComparisonDocument
from harness.errors import StoredDataError

_DOCUMENT = TypeAdapter(ComparisonDocument)
ANEW = "Make it anew from the stored facts: `harness compare <folder>`."


def comparison_json(document: ComparisonDocument) -> str:
    """The document as text, ending in a newline.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot say.
    """
    plain = asdict(document)
    for comparison in plain["comparisons"]:
        comparison["forced"] = bool(comparison["differences"])
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def comparison_from(document: Mapping[str, Any]) -> ComparisonDocument:
    """A comparison from a parsed `comparison.json`; keys this version does not know are ignored.

    Raises:
        StoredDataError: another schema, or no comparison at all.
    """
    schema = document.get("schema")
    if schema != SCHEMA:
        raise StoredDataError(
            "This comparison cannot be read.",
            evidence=f"comparison.json says schema {schema!r}; this version reads {SCHEMA}.",
            hint=ANEW,
        )
    try:
        return _DOCUMENT.validate_python(dict(document))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StoredDataError(
            "This comparison cannot be read.",
            evidence=f"comparison.json: {place}: {first['msg']}",
            hint=ANEW,
        ) from error
