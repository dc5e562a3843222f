"""A sizing as JSON: the contract of `results/sizing.schema.json`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from harness.analysis.sizing.types import SizingFinding

SIZING_SCHEMA = 1
"""Version of the document. Further keys may appear within one; a key never changes its meaning."""


def sizing_document(finding: SizingFinding) -> dict[str, Any]:
    """The document as plain values, `schema` first; `null` means not known, never zero."""
    return {"schema": SIZING_SCHEMA, **asdict(finding)}


def sizing_json(finding: SizingFinding) -> str:
    """The document as text, ending in a newline.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot say.
    """
    return (
        json.dumps(sizing_document(finding), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    )
