"""Where the address of a webhook comes from, and that it goes nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import CampaignError, ExitCode
from harness.scenarios.nightly.webhook import VARIABLE, Webhook, webhook_from

pytestmark = pytest.mark.unit

URL = "https://hooks.example.org/services/T0/B0/hush"


def test_none_is_fine() -> None:
    assert webhook_from(None, {}) is None
    assert webhook_from(None, {VARIABLE: ""}) is None


def test_the_environment_tells_it_and_forgets_it() -> None:
    """What is started later must not inherit it."""
    environment = {VARIABLE: f"{URL}\n", "PATH": "/bin"}
    assert webhook_from(None, environment) == Webhook(url=URL)
    assert environment == {"PATH": "/bin"}


def test_a_file_comes_before_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "webhook"
    file.write_text(f"{URL}\n")
    environment = {VARIABLE: "https://other.example.org/"}
    assert webhook_from(file, environment) == Webhook(url=URL)
    assert environment == {}


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(CampaignError, match="cannot be read from nowhere") as caught:
        webhook_from(Path("nowhere"), {})
    assert caught.value.exit_code == ExitCode.BAD_INPUT
    assert caught.value.evidence == "No such file or directory"


@pytest.mark.parametrize(
    "text",
    ["file:///etc/hush", "hush", "ftp://example.org/hush", "https://", "https://[hush", "a\nhush",
     "https://example.org/a hush", "https://example.org/\x00hush", ""],
)  # fmt: skip
def test_what_is_no_web_address_is_refused_without_being_shown(text: str, tmp_path: Path) -> None:
    file = tmp_path / "webhook"
    file.write_text(text)
    with pytest.raises(CampaignError, match="no web address") as caught:
        webhook_from(file, {})
    said = f"{caught.value}{caught.value.__cause__!r}"
    assert "hush" not in said
    assert str(file) in said


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "webhook"
    file.write_bytes(b"\xff\xfe\x00hush")
    with pytest.raises(CampaignError, match="cannot be read") as caught:
        webhook_from(file, {})
    assert "hush" not in str(caught.value)


def test_it_does_not_show_itself() -> None:
    assert "hush" not in f"{Webhook(url=URL)!r} {Webhook(url=URL)}"
