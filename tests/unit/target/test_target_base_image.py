"""Where the offline base image gets its packages from."""

from __future__ import annotations

import pytest

from harness.rig.target.base_image import mirror_of_this_host

pytestmark = pytest.mark.unit

ONE_LINE = """
# deb http://commented.example/debian bookworm main
deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main
deb http://security.example/debian-security bookworm-security main
"""
DEB822 = "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n"


@pytest.mark.parametrize("text", [ONE_LINE, DEB822])
def test_the_mirror_is_the_one_this_machine_uses(text: str) -> None:
    assert mirror_of_this_host([text]) == "http://mirror.example/debian"


def test_the_first_file_with_an_archive_counts() -> None:
    other = DEB822.replace("mirror", "second")
    assert mirror_of_this_host(["", DEB822, other]) == "http://mirror.example/debian"


@pytest.mark.parametrize("text", ["", "URIs: http://security.example/debian-security\n"])
def test_without_a_main_archive_debootstrap_chooses_its_own(text: str) -> None:
    assert mirror_of_this_host([text]) is None
