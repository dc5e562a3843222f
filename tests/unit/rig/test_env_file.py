"""Environment files: read as the container engine reads them, and masked from then on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import CampaignError
from harness.masking import hiding, masked
from harness.rig.env_file import keep_secret, values_of

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    with hiding({}):
        yield


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my.env"
    path.write_text(text, encoding="utf-8")
    return path


def test_quotes_and_comments_are_no_part_of_a_value(tmp_path: Path) -> None:
    path = file(tmp_path, "# mine\nA=plain\nB=\"two words\"  # said\nexport C='x#y'\n")
    assert values_of(path) == {"A": "plain", "B": "two words", "C": "x#y"}


def test_values_are_masked_and_those_too_short_are_named(tmp_path: Path) -> None:
    short = keep_secret(file(tmp_path, "TOKEN=secret-1\nDEBUG=1\nEMPTY=\n"))
    assert short == ("DEBUG",)
    assert masked("with secret-1") == "with [TOKEN]"


def test_a_name_without_a_value_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="no value for TOKEN"):
        values_of(file(tmp_path, "TOKEN\nA=b\n"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="cannot be read"):
        values_of(tmp_path / "none.env")
