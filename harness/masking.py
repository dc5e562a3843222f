"""Secrets kept out of everything the harness writes.

Whoever reads an environment file names its values here; whatever is written as text (facts, logs,
reports, errors on the terminal) goes through `masked`. Values shorter than four characters are not
masked: they would be found everywhere.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

SHORTEST = 4

_names: dict[str, str] = {}
_pattern: list[re.Pattern[str]] = []


def hide(values: Mapping[str, str]) -> None:
    """From now on these values, by the variables they are in, are written as `[NAME]`."""
    for name, value in values.items():
        for form in _forms(value):
            _names.setdefault(form, f"[{name}]")
    # The longest first: one secret may hold another.
    longest_first = sorted(_names, key=len, reverse=True)
    _pattern[:] = [re.compile("|".join(map(re.escape, longest_first)))] if longest_first else []


def masked(text: str) -> str:
    """The text without any hidden value."""
    return _pattern[0].sub(lambda found: _names[found[0]], text) if _pattern else text


def masked_bytes(content: bytes) -> bytes:
    """The same for bytes; what is no UTF-8 comes back with its broken bytes replaced."""
    return masked(content.decode(errors="replace")).encode() if _pattern else content


@contextmanager
def hiding(values: Mapping[str, str]) -> Iterator[None]:
    """`hide`, and afterwards forget everything that is hidden."""
    hide(values)
    try:
        yield
    finally:
        _names.clear()
        _pattern.clear()


def _forms(value: str) -> Iterator[str]:
    """How a value may turn up: as it is, escaped, encoded, line by line, its URL's password."""
    pieces = [value.strip(), *(line.strip() for line in value.splitlines())]
    with_password = urlsplit(value) if "://" in value and "@" in value else None
    if with_password is not None and with_password.password:
        pieces.append(with_password.password)
    for piece in pieces:
        encoded = base64.b64encode(piece.encode()).decode().rstrip("=")
        for form in (piece, json.dumps(piece)[1:-1], repr(piece)[1:-1], quote(piece, ""), encoded):
            if len(form) >= SHORTEST:
                yield form
