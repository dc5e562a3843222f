from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from harness.errors import EnvironmentProblem
from harness.rig.target import releases
from harness.rig.target.releases import all_releases, latest_release

pytestmark = pytest.mark.unit

INDEX = {
    "dagster": "1.13.2, 1.13.1, 1.13.0rc1, 1.9.0, 1.10.0, 1.5.0, 1.4.17, 0.15.9",
    "dagster-webserver": "1.13.2, 1.13.1, 1.10.0, 1.9.0, 1.5.0, 1.4.17",
    "dagster-postgres": "0.29.1, 0.26.0, 0.25.0, 0.21.0, 0.20.17",
}


class FakePip:
    """Answers `pip index versions`, and counts."""

    def __init__(self) -> None:
        self.index = dict(INDEX)
        self.asked: list[str] = []

    def __call__(self, arguments: Sequence[str], *, what: str, timeout_s: float) -> str:
        package = arguments[2]
        self.asked.append(package)
        newest = self.index[package].split(",")[0]
        return f"{package} ({newest})\nAvailable versions: {self.index[package]}\n  LATEST: x\n"


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePip]:
    fake = FakePip()
    monkeypatch.setattr(releases, "run_pip", fake)
    all_releases.cache_clear()
    yield fake
    all_releases.cache_clear()


def test_whole_releases_from_1_5_on_ascend_by_number(pip: FakePip) -> None:
    assert all_releases() == ("1.5.0", "1.9.0", "1.10.0", "1.13.1")


def test_a_release_still_being_uploaded_is_not_the_latest(pip: FakePip) -> None:
    assert latest_release() == "1.13.1"
    all_releases.cache_clear()
    pip.index["dagster-postgres"] += ", 0.29.2"
    assert latest_release() == "1.13.2"


def test_the_index_is_asked_once_per_process(pip: FakePip) -> None:
    for _ in range(3):
        latest_release()
    assert pip.asked == ["dagster", "dagster-webserver", "dagster-postgres"]


def test_an_index_without_a_whole_release_says_what_it_has(pip: FakePip) -> None:
    pip.index["dagster-postgres"] = "0.20.17"
    with pytest.raises(EnvironmentProblem, match="no whole Dagster release") as caught:
        all_releases()
    assert "8 of dagster, 6 of dagster-webserver, 1 of dagster-postgres" in caught.value.evidence


def test_an_answer_in_other_words_is_shown(pip: FakePip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "run_pip", lambda *_, **__: "Versions of dagster: many")
    with pytest.raises(EnvironmentProblem, match="not understood") as caught:
        all_releases()
    assert caught.value.evidence == "Versions of dagster: many"


def test_an_index_that_cannot_be_read_is_a_problem_of_the_environment(
    pip: FakePip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, what: str, **__: object) -> str:
        raise EnvironmentProblem(f"{what}: pip failed with exit code 1.", evidence="refused")

    monkeypatch.setattr(releases, "run_pip", refuse)
    with pytest.raises(EnvironmentProblem, match="releases of dagster cannot be listed"):
        latest_release()
