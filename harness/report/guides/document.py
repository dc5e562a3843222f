"""A trial as the text of `verdicts.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from harness.analysis.guides.types import Claim, TrialFinding


def trial_json(finding: TrialFinding) -> str:
    """The document as text, ending in a newline.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot say.
    """
    return json.dumps(asdict(finding), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def claims_json(claims: Sequence[Claim]) -> str:
    """The registry as text, ending in a newline."""
    return json.dumps([asdict(claim) for claim in claims], indent=1, ensure_ascii=False) + "\n"
