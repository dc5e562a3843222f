from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from harness.errors import CampaignError, EnvironmentProblem
from harness.rig.target import locks

pytestmark = pytest.mark.unit

PYLOCK = """
lock-version = "1.0"
[[packages]]
name = "dagster"
sdist = { url = "a", upload-time = 2024-04-05T00:00:12Z, hashes = {} }
wheels = [{ url = "b", upload-time = 2024-04-04T23:59:59Z, hashes = {} }]
"""


class FakeUv:
    """Answers like uv, and remembers how it was asked."""

    def __init__(self, answer: str = "", error: str = "") -> None:
        self.calls: list[tuple[list[str], str]] = []
        self._answer = answer
        self._error = error

    def __call__(
        self, arguments: Sequence[str], *, what: str, stdin: str = "", timeout_s: float
    ) -> str:
        self.calls.append((list(arguments), stdin))
        if self._error:
            raise EnvironmentProblem(what, evidence=self._error)
        return PYLOCK if "pylock.toml" in arguments else self._answer


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


@pytest.mark.parametrize(
    ("core", "library"), [("1.13.27", "0.29.27"), ("1.7.0", "0.23.0"), ("1.5.11", "0.21.11")]
)
def test_libraries_count_sixteen_minor_versions_beside_the_core(core: str, library: str) -> None:
    assert locks.companion_version(core) == library


@pytest.mark.parametrize("version", ["1.13", "2.0.0", "1.x.0", "1.13.0rc1", ""])
def test_what_is_not_a_released_version_is_refused(version: str) -> None:
    with pytest.raises(CampaignError, match="not a Dagster version"):
        locks.companion_version(version)


def test_the_upload_day_is_the_last_one_of_all_files() -> None:
    assert locks.upload_day(PYLOCK, "1.7.0") == date(2024, 4, 5)


def test_an_index_without_upload_times_is_told_with_the_way_out() -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        locks.upload_day('[[packages]]\nname = "dagster"\nwheels = [{ url = "b" }]\n', "1.7.0")
    assert "--as-of" in caught.value.hint


def test_a_lock_is_resolved_as_of_the_end_of_the_day_after_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = FakeUv("dagster==1.7.0 \\\n    --hash=sha256:00\n")
    monkeypatch.setattr(locks, "run_uv", uv)
    written = locks.make_lock("1.7.0", folder=tmp_path)
    arguments, wanted = uv.calls[-1]
    assert option(arguments, "--exclude-newer") == "2024-04-07T00:00:00Z"
    assert "dagster-postgres==0.23.0" in wanted.splitlines()
    assert written == tmp_path / "dagster-1.7.0.txt"
    text = written.read_text(encoding="utf-8")
    assert text.startswith("# Dagster 1.7.0 and its dependencies as of 2024-04-06,")
    assert text.endswith("--hash=sha256:00\n")


def test_a_given_day_needs_no_question_to_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = FakeUv("dagster==1.7.0\n")
    monkeypatch.setattr(locks, "run_uv", uv)
    locks.make_lock("1.7.0", date(2024, 5, 1), folder=tmp_path)
    assert [option(arguments, "--exclude-newer") for arguments, _ in uv.calls] == [
        "2024-05-02T00:00:00Z"
    ]


def test_a_version_the_index_does_not_have_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "cause: Because there is no version of\n  dagster==1.99.0 and you require it"
    monkeypatch.setattr(locks, "run_uv", FakeUv(error=said))
    with pytest.raises(CampaignError, match=r"no dagster==1\.99\.0"):
        locks.make_lock("1.99.0", folder=tmp_path)


def test_an_index_that_does_not_answer_is_a_problem_of_the_environment_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "run_uv", FakeUv(error="error: connection refused"))
    with pytest.raises(EnvironmentProblem, match="could not be resolved"):
        locks.make_lock("1.7.0", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_release_without_its_postgres_storage_is_told_to_be_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "cause: Because there is no version of dagster-postgres==0.23.0 and you require it"

    def half(arguments: Sequence[str], *, what: str, stdin: str = "", timeout_s: float) -> str:
        if "pylock.toml" in arguments:
            return PYLOCK
        raise EnvironmentProblem(what, evidence=said)

    monkeypatch.setattr(locks, "run_uv", half)
    with pytest.raises(CampaignError, match=r"no dagster-postgres==0\.23\.0") as caught:
        locks.make_lock("1.7.0", folder=tmp_path)
    assert "whole only with its webserver and its Postgres storage" in caught.value.hint


class Places:
    """A folder of committed locks and a cache, both empty at first."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.committed, self.cache = root / "committed", root / "cache"
        self.committed.mkdir()
        monkeypatch.setattr(locks, "asset", lambda _: self.committed)
        monkeypatch.setattr(locks, "cache_dir", lambda: self.cache)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    return Places(tmp_path, monkeypatch)


def test_a_release_nobody_has_locked_gets_a_lock_in_the_cache_once_and_one_line_about_it(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = FakeUv("dagster==1.7.0\n")
    monkeypatch.setattr(locks, "run_uv", uv)
    told: list[str] = []
    made = locks.ensure_lock("1.7.0", say=told.append)
    asked = len(uv.calls)
    assert locks.ensure_lock("1.7.0", say=told.append) == made
    assert made.parent == places.cache / "locks"
    assert len(uv.calls) == asked
    assert told == ["Locking Dagster 1.7.0 with the dependencies of its day (once)"]


def test_a_committed_lock_wins_over_a_cached_one(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "run_uv", FakeUv("dagster==1.7.0\n"))
    locks.ensure_lock("1.7.0")
    committed = places.committed / "dagster-1.7.0.txt"
    committed.write_text("dagster==1.7.0\n", encoding="utf-8")
    assert locks.ensure_lock("1.7.0") == committed


def test_what_is_no_release_is_refused_before_anything_is_said(places: Places) -> None:
    told: list[str] = []
    with pytest.raises(CampaignError):
        locks.ensure_lock("1.13", say=told.append)
    assert told == []


def test_a_lock_tells_the_last_day_it_knows_of() -> None:
    assert locks.day_of("# Dagster 1.7.0 and its dependencies as of 2024-04-06, for") == date(
        2024, 4, 6
    )
    assert locks.day_of("dagster==1.7.0\n") is None


def test_a_lock_is_committed_for_every_minor_version_there_is() -> None:
    minors = {tuple(version.split(".")[:2]) for version in locks.known_versions()}
    assert minors >= {("1", str(minor)) for minor in range(5, 14)}


def test_committed_locks_say_their_day_have_hashes_and_name_no_index() -> None:
    assert "1.13.27" in locks.known_versions()
    for version in locks.known_versions():
        text = locks.lock_path(version).read_text(encoding="utf-8")
        assert text.startswith(f"# Dagster {version} and its dependencies as of 2")
        assert f"\ndagster=={version} \\\n    --hash=sha256:" in text
        assert f"\ndagster-postgres=={locks.companion_version(version)} \\\n" in text
        assert "://" not in text
