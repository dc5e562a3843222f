"""Findings as the text of `findings.json`, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.analysis.findings.document import SCHEMA, Findings
from harness.errors import StoredDataError

_FINDINGS = TypeAdapter(Findings)


def findings_document(findings: Findings) -> dict[str, Any]:
    """The document as plain values, keys in the order of the contract."""
    return asdict(findings)


def findings_json(findings: Findings) -> str:
    """The document as text, ending in a newline.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot say.
    """
    document = findings_document(findings)
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def findings_from(document: Mapping[str, Any]) -> Findings:
    """Findings from a parsed `findings.json`; keys this version does not know are ignored.

    Raises:
        StoredDataError: another schema, or not findings at all.
    """
    schema = document.get("schema")
    if schema != SCHEMA:
        raise StoredDataError(
            "These findings cannot be read.",
            evidence=f"findings.json says schema {schema!r}; this version reads {SCHEMA}.",
            hint="Make them anew from the stored facts: `harness analyse <folder>`.",
        )
    try:
        return _FINDINGS.validate_python(dict(document))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StoredDataError(
            "These findings cannot be read.",
            evidence=f"findings.json: {place}: {first['msg']}",
            hint="Make them anew from the stored facts: `harness analyse <folder>`.",
        ) from error
