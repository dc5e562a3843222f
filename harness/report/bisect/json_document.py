"""A bisection as the text of `bisect-….json`, and back: it is the record that is gone on with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.analysis.bisecting.types import BisectFinding
from harness.errors import StoredDataError

SCHEMA = 1

_FINDING = TypeAdapter(BisectFinding)


def bisect_document(finding: BisectFinding) -> dict[str, Any]:
    """The document as plain values, keys in the order of the contract."""
    return asdict(finding)


def bisect_json(finding: BisectFinding) -> str:
    """The document as text, ending in a newline.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot say.
    """
    document = bisect_document(finding)
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def bisect_from(document: Mapping[str, Any], source: str) -> BisectFinding:
    """A bisection from its parsed document; keys this version does not know are ignored.

    Raises:
        StoredDataError: another schema, or none of ours; `source` names it.
    """
    schema = document.get("schema")
    if schema != SCHEMA:
        raise _unreadable(source, f"It says schema {schema!r}; this version reads {SCHEMA}.")
    try:
        return _FINDING.validate_python(dict(document))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _unreadable(source, f"{place}: {first['msg']}") from error


def _unreadable(source: str, evidence: str) -> StoredDataError:
    return StoredDataError(
        f"{source} is no bisection that can be gone on with.",
        evidence=evidence,
        hint=f"Begin anew: remove {source}; the results folders of its rounds stay.",
    )
