from __future__ import annotations

from pathlib import Path

import pytest
from tiny_wheels import tiny_wheel

from harness.errors import CampaignError
from harness.rig.target.build_context import by_file
from harness.rig.target.build_lock import only_ours, overrides, wanted
from harness.rig.target.wheels import Wheel, digest, read_wheel

pytestmark = pytest.mark.unit


def wheel(name: str, version: str, *sisters: str) -> Wheel:
    return Wheel(path=Path("x.whl"), name=name, version=version, sisters=frozenset(sisters))


def test_a_wheel_is_what_its_metadata_says(tmp_path: Path) -> None:
    requires = [
        "dagster-pipes==1!0+dev", "Dagster_Shared (==1!0+dev)", "dagster-graphql==1.13.27",
        "click<9,>=5", 'psutil>=1; platform_system == "Windows"',
    ]  # fmt: skip
    path = tiny_wheel(tmp_path, "Dagster_Webserver", "1!0+dev", requires=requires)
    read = read_wheel(path)
    assert (read.name, read.version, read.path) == ("dagster-webserver", "1!0+dev", path)
    assert read.sisters == {"dagster-pipes", "dagster-shared"}
    assert read.pin == "dagster-webserver==1!0+dev"


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_what_is_no_wheel_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.whl"
    path.write_bytes(content)
    with pytest.raises(CampaignError, match=r"a\.whl` is not a wheel"):
        read_wheel(path)


@pytest.mark.parametrize(
    ("name", "version", "release"),
    [
        ("dagster", "1.13.27", "1.13.27"),
        ("dagster", "1.13.27+mine.2", "1.13.27"),
        ("dagster-postgres", "0.29.27+mine", "1.13.27"),
        ("dagster-shared", "0.26.1", "1.10.1"),
        ("dagster", "1!0+dev", None),
        ("sqlalchemy", "1.4.54", None),
        ("sqlalchemy", "0.29.1", None),
    ],
)
def test_a_wheel_belongs_to_the_release_its_number_says(
    name: str, version: str, release: str | None
) -> None:
    assert wheel(name, version).release == release


def test_a_digest_is_of_names_and_contents_in_whatever_order(tmp_path: Path) -> None:
    one = read_wheel(tiny_wheel(tmp_path / "a", "dagster", "1.13.27+x"))
    two = read_wheel(tiny_wheel(tmp_path / "a", "dagster-pipes", "1.13.27+x"))
    again = read_wheel(tiny_wheel(tmp_path / "b", "dagster", "1.13.27+x"))
    other = read_wheel(tiny_wheel(tmp_path / "c", "dagster", "1.13.27+x", extra="changed"))
    assert digest([one, two]) == digest([two, one])
    assert digest([one]) == digest([again])
    assert len({digest([one]), digest([two]), digest([one, two]), digest([other])}) == 4


def test_a_build_of_a_release_has_the_other_packages_of_that_release() -> None:
    assert wanted([wheel("dagster", "1.13.27+mine")], "1.13.27") == (
        "dagster==1.13.27+mine",
        "dagster-webserver==1.13.27",
        "dagster-postgres==0.29.27",
        "grpcio-health-checking",
        "psycopg2-binary",
    )


def test_a_build_that_stands_on_its_own_takes_the_newest_of_what_it_does_not_bring() -> None:
    built = [wheel("dagster", "1!0+dev"), wheel("dagster-webserver", "1!0+dev")]
    assert wanted(built, None) == (
        "dagster==1!0+dev",
        "dagster-webserver==1!0+dev",
        "dagster-postgres",
        "grpcio-health-checking",
        "psycopg2-binary",
    )


def test_nobodys_demands_stand_against_the_build_and_its_own_give_way_where_the_index_must_do() -> (
    None
):
    core = wheel("dagster", "1!0+dev", "dagster-pipes", "dagster-graphql")
    graphql = wheel("dagster-graphql", "1!0+dev", "dagster")
    forced = overrides(wanted([core, graphql], None), [core, graphql])
    assert forced == ("dagster==1!0+dev", "dagster-graphql==1!0+dev", "dagster-pipes")


def test_a_sister_that_is_asked_for_by_release_stays_that_release() -> None:
    storage = wheel("dagster-postgres", "1!0+dev", "dagster")
    assert overrides(wanted([storage], "1.13.27"), [storage]) == (
        "dagster-postgres==1!0+dev",
        "dagster==1.13.27",
    )


LOCK = """# Dagster 1.13.27: a build.
dagster==1.13.27 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
dagster-pipes==1.13.27 ; sys_platform != 'win32' \\
    --hash=sha256:cc
six==1.17.0 \\
    --hash=sha256:dd
"""


def test_of_what_a_build_brings_only_its_own_file_is_accepted(tmp_path: Path) -> None:
    core = read_wheel(tiny_wheel(tmp_path, "dagster", "1.13.27"))
    locked = only_ours(LOCK, [core])
    assert "sha256:aa" not in locked
    assert "sha256:bb" not in locked
    assert locked.splitlines()[1] == "dagster==1.13.27 \\"
    assert len(locked.splitlines()[2].removeprefix("    --hash=sha256:")) == 64
    assert locked.splitlines()[3:] == LOCK.splitlines()[4:]


def test_in_an_image_a_builds_wheels_are_taken_by_file(tmp_path: Path) -> None:
    core = tiny_wheel(tmp_path, "dagster", "1.13.27")
    pipes = tiny_wheel(tmp_path, "dagster-pipes", "1.13.27")
    lines = by_file(LOCK, [core, pipes]).splitlines()
    assert lines[1] == "dagster @ file:///tmp/software/dagster-1.13.27-py3-none-any.whl \\"
    assert lines[4] == (
        "dagster-pipes @ file:///tmp/software/dagster_pipes-1.13.27-py3-none-any.whl"
        " ; sys_platform != 'win32' \\"
    )
    assert [*lines[2:4], *lines[5:]] == [*LOCK.splitlines()[2:4], *LOCK.splitlines()[5:]]
    assert by_file(LOCK, []) == LOCK
