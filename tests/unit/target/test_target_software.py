"""Software by its lock, what it tells of itself, and the folder an image is built from."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tiny_wheels import tiny_wheel

from harness.rig.target import images, software
from harness.rig.target.build_context import CONTENT, build_context, files
from harness.rig.target.images import BuildOptions, ensure_images
from harness.rig.target.software import Software, describe_software, release

pytestmark = pytest.mark.unit


def made(folder: Path, version: str = "1.13.27+mine", *, wheels: int = 1) -> Software:
    folder.mkdir(exist_ok=True)
    lock = folder / f"dagster-{version}.txt"
    lock.write_text(f"dagster=={version}\n", encoding="utf-8")
    names = ("dagster", "dagster-pipes")[:wheels]
    paths = tuple(tiny_wheel(folder, name, version) for name in names)
    return Software(version=version, lock=lock, wheels=paths)


def test_a_release_is_its_lock_and_brings_no_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(software, "ensure_lock", lambda version, say: tmp_path / version)
    assert release("1.7.0") == Software(version="1.7.0", lock=tmp_path / "1.7.0")


@pytest.mark.parametrize(
    ("version", "name"),
    [("1.13.27", "1.13.27"), ("1.13.27+mine.2", "1.13.27-mine.2"), ("1!0+dev", "1-0-dev")],
)
def test_every_version_has_a_name_an_image_can_carry(
    tmp_path: Path, version: str, name: str
) -> None:
    assert made(tmp_path, version).name == name


def test_the_record_names_the_lock_by_content_and_says_what_the_environment_calls_itself(
    tmp_path: Path,
) -> None:
    built = made(tmp_path)
    told = describe_software(built, "1.13.27")
    digest = hashlib.sha256(built.lock.read_bytes()).hexdigest()
    assert told == {
        "dagster_version": "1.13.27",
        "lock": {"name": "dagster-1.13.27+mine.txt", "sha256": digest},
        "unavailable": {},
        "wheels": ["dagster-1.13.27+mine-py3-none-any.whl"],
    }


def test_what_an_old_version_cannot_tell_is_in_the_record_with_the_reason(tmp_path: Path) -> None:
    told = describe_software(made(tmp_path, "1.5.14", wheels=0), None)
    assert told["dagster_version"] is None
    assert list(told["unavailable"]) == ["ping"]
    assert "1.5.14" in told["unavailable"]["ping"]
    assert "wheels" not in told


def test_an_image_is_built_from_a_folder_with_the_lock_and_the_wheels_which_is_then_gone(
    tmp_path: Path,
) -> None:
    with build_context(made(tmp_path / "made", wheels=2)) as context:
        beside = {path.name for path in (context / "software").iterdir()}
        assert beside == {
            "lock.txt",
            "dagster-1.13.27+mine-py3-none-any.whl",
            "dagster_pipes-1.13.27+mine-py3-none-any.whl",
        }
        assert (context / "compose" / "Dockerfile").is_file()
        assert (context / "workloads" / "io" / "definitions.py").is_file()
        held = [path for path in context.rglob("*") if path.is_file()]
        assert len(held) == len(list(files(CONTENT))) + 3
        assert not [path for path in held if path.suffix == ".md" or "__pycache__" in path.parts]
    assert not context.exists()


def test_an_image_is_named_after_its_content_and_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[list[str]] = []

    def docker(arguments: list[str], **_: object) -> str:
        if arguments[:2] == ["image", "inspect"]:
            held = arguments[-1] in (
                "base",
                "db",
                *(each[each.index("--tag") + 1] for each in built),
            )
            return "sha256:1" if held else ""
        built.append(arguments)
        return ""

    monkeypatch.setattr(images, "docker", docker)
    options = BuildOptions(python_image="base", postgres_image="db")
    first = ensure_images(made(tmp_path / "a"), options)
    assert ensure_images(made(tmp_path / "a"), options) == first
    # The same content from another place is the same image; another lock is another.
    assert ensure_images(made(tmp_path / "b"), options) == first
    other = made(tmp_path / "c")
    other.lock.write_text("dagster==1.13.27+mine\nsix==1\n", encoding="utf-8")
    assert ensure_images(other, options) != first
    assert first.dagster.startswith("dagster-load-harness/dagster:1.13.27-mine-")
    assert len(built) == 2
