"""Secrets: whatever form they turn up in, they are not written."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from harness.errors import TargetFailed
from harness.facts.durable import append_lines, write_text
from harness.masking import hiding, masked, masked_bytes

pytestmark = pytest.mark.unit

TOKEN = 'tok/en "with" quotes'


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        json.dumps(TOKEN)[1:-1],
        repr(TOKEN)[1:-1],
        quote(TOKEN, ""),
        base64.b64encode(TOKEN.encode()).decode(),
    ],
    ids=["plain", "json", "repr", "url", "base64"],
)
def test_a_value_is_masked_in_every_form(form: str) -> None:
    with hiding({"TOKEN": TOKEN}):
        text = masked(f"asked with {form}!")
    assert TOKEN not in text
    assert form not in text
    assert text.startswith("asked with [TOKEN]")


def test_without_anything_hidden_text_and_bytes_stay_as_they_are() -> None:
    assert masked("all of it") == "all of it"
    assert masked_bytes(b"\xff all") == b"\xff all"


def test_a_secret_inside_another_does_not_uncover_the_rest_of_it() -> None:
    with hiding({"SHORT": "abcd", "LONG": "abcd-efgh"}):
        assert masked("abcd-efgh abcd") == "[LONG] [SHORT]"


def test_the_password_of_a_url_is_masked_alone_too() -> None:
    with hiding({"DATABASE": "postgresql://user:hunter22@db/x"}):
        assert masked("password authentication failed: hunter22") == (
            "password authentication failed: [DATABASE]"
        )


def test_a_key_of_several_lines_is_masked_line_by_line() -> None:
    with hiding({"KEY": "-----BEGIN-----\nMIIEvQIBADANBg\n-----END-----"}):
        assert masked_bytes(b"read MIIEvQIBADANBg") == b"read [KEY]"


def test_values_too_short_to_be_told_from_other_text_stay() -> None:
    with hiding({"DEBUG": "1"}):
        assert masked("1 of 10") == "1 of 10"


def test_what_was_hidden_is_forgotten_at_the_end() -> None:
    with hiding({"TOKEN": TOKEN}):
        pass
    assert masked(TOKEN) == TOKEN


def test_files_and_errors_are_masked(tmp_path: Path) -> None:
    with hiding({"TOKEN": TOKEN}):
        write_text(tmp_path / "a.txt", f"a {TOKEN}")
        append_lines(tmp_path / "b.jsonl", [json.dumps({"said": TOKEN})])
        error = TargetFailed(f"refused {TOKEN}", evidence=TOKEN, hint=TOKEN)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "a [TOKEN]"
    assert json.loads((tmp_path / "b.jsonl").read_text(encoding="utf-8")) == {"said": "[TOKEN]"}
    assert str(error) == "refused [TOKEN]\n[TOKEN]\n[TOKEN]"
