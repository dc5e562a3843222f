"""What an entry of a campaign means: a release, wheels, a checkout; the index is played."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from tiny_wheels import tiny_wheel

from harness.campaign.plan import Campaign, Workload
from harness.campaign.profiles import Profile
from harness.errors import CampaignError
from harness.rig.target import build_lock, builds, checkout
from harness.rig.target.builds import software, software_of
from harness.rig.target.checkout import packages_in, source_digest
from harness.rig.target.locks import lock_path

pytestmark = pytest.mark.unit

RELEASE = "1.13.27"


class Index:
    """Resolves to exactly what is asked for; remembers it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.until: list[date | None] = []
        self.seeds: list[str] = []

    def __call__(
        self, wanted: Sequence[str], *, until: date | None = None, options: Sequence[str] = ()
    ) -> str:
        self.asked.append(tuple(wanted))
        self.until.append(until)
        output = Path(options[list(options).index("--output-file") + 1])
        self.seeds.append(output.read_text())
        body = "".join(f"{each} \\\n    --hash=sha256:00\n" for each in wanted)
        output.write_text(body)
        return body


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    fake = Index()
    monkeypatch.setattr(build_lock, "resolve", fake)
    monkeypatch.setattr(builds, "all_releases", lambda: ("1.5.0", RELEASE))
    monkeypatch.setattr(builds, "latest_release", lambda: RELEASE)
    for module in (builds, checkout):
        monkeypatch.setattr(module, "cache_dir", lambda: tmp_path / "cache")
    return fake


def quiet(_: str) -> None: ...


def test_a_release_is_its_committed_lock(index: Index) -> None:
    for source in (RELEASE, "latest"):
        found = software(source, say=quiet)
        assert (found.version, found.lock, found.wheels) == (RELEASE, lock_path(RELEASE), ())


def test_each_entry_of_a_campaign_has_its_software_and_the_same_twice_is_the_same(
    index: Index,
) -> None:
    campaign = Campaign(
        name="test", profiles=(Profile(name="small", vcpu=1, memory_mib=1024),),
        workloads=(Workload(name="io"),), dagster=(RELEASE, "again"), builds={"again": RELEASE},
    )  # fmt: skip
    found = software_of(campaign, say=quiet)
    assert list(found) == [RELEASE, "again"]
    assert found["again"] == found[RELEASE]


@pytest.mark.parametrize("as_folder", [True, False])
def test_a_wheel_of_a_release_is_locked_as_that_release_once_and_kept_by_content(
    index: Index, tmp_path: Path, as_folder: bool
) -> None:
    wheel = tiny_wheel(tmp_path / "mine", "dagster", f"{RELEASE}+mine")
    told: list[str] = []
    source = str(wheel.parent if as_folder else wheel)
    built = software(source, say=told.append)
    assert software(source, say=told.append) == built
    assert told == [f"Locking the build of Dagster {RELEASE}+mine (once)"]
    assert built.version == f"{RELEASE}+mine"
    (kept,) = built.wheels
    assert kept.parent == built.lock.parent != wheel.parent
    assert kept.read_bytes() == wheel.read_bytes()
    release_lock = lock_path(RELEASE).read_text(encoding="utf-8")
    assert index.seeds == [release_lock]
    assert index.until == [date(2026, 10, 27)]
    assert built.lock.read_text(encoding="utf-8").startswith(
        f"# Dagster {RELEASE}+mine: a build.\n# dagster=={RELEASE}+mine, on {RELEASE} as of "
    )


def test_the_same_name_with_other_content_is_another_build(index: Index, tmp_path: Path) -> None:
    first = software(str(tiny_wheel(tmp_path, "dagster", f"{RELEASE}+mine")), say=quiet)
    second = software(
        str(tiny_wheel(tmp_path, "dagster", f"{RELEASE}+mine", extra="changed")), say=quiet
    )
    assert first.lock.name == second.lock.name
    assert first.sha256 != second.sha256


def test_a_build_of_no_release_stands_on_its_own(index: Index, tmp_path: Path) -> None:
    built = software(str(tiny_wheel(tmp_path, "dagster", "1!0+dev")), say=quiet)
    assert built.version == "1!0+dev"
    assert index.seeds == [""]
    assert "dagster-webserver" in index.asked[0]


def test_a_release_the_index_has_not_whole_is_no_base(index: Index, tmp_path: Path) -> None:
    software(str(tiny_wheel(tmp_path, "dagster", "1.99.0+mine")), say=quiet)
    assert index.seeds == [""]


def test_without_a_dagster_of_its_own_a_build_goes_on_its_release_else_on_the_newest(
    index: Index, tmp_path: Path
) -> None:
    for version in ("0.29.27+mine", "1!0+dev"):
        built = software(str(tiny_wheel(tmp_path, "dagster-postgres", version)), say=quiet)
        assert built.version == RELEASE
        assert f"dagster=={RELEASE}" in index.asked[-1]


def test_two_versions_of_one_package_are_refused(index: Index, tmp_path: Path) -> None:
    for version in ("1.13.27+a", "1.13.27+b"):
        tiny_wheel(tmp_path / "two", "dagster", version)
    with pytest.raises(CampaignError, match=r"dagster 1\.13\.27\+a and 1\.13\.27\+b"):
        software(str(tmp_path / "two"), say=quiet)


def test_a_folder_without_a_wheel_of_dagsters_is_refused(index: Index, tmp_path: Path) -> None:
    tiny_wheel(tmp_path / "other", "six", "1.17.0")
    with pytest.raises(CampaignError, match="no wheel of Dagster's"):
        software(str(tmp_path / "other"), say=quiet)


@pytest.mark.parametrize("name", ["nowhere", "empty", "1.13", "text.whl/x"])
def test_what_is_no_build_says_what_one_is(index: Index, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CampaignError, match="no Dagster build") as caught:
        software(str(tmp_path / name), say=quiet)
    assert "a folder of wheels, or a checkout" in caught.value.hint


class Builder:
    """Stands in for `uv build`; sees what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, set[str]]] = []

    def __call__(self, arguments: Sequence[str], **_: object) -> str:
        source = Path(arguments[-1])
        files = {str(f.relative_to(source)) for f in source.rglob("*") if f.is_file()}
        self.given.append((source.name, files))
        out = Path(arguments[list(arguments).index("--out-dir") + 1])
        tiny_wheel(out, source.name, "1!0+dev")
        return ""


@pytest.fixture
def monorepo(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    for place in ("dagster", "dagster-webserver", "libraries/dagster-postgres", "libraries/other"):
        package = root / "python_modules" / place
        module = package.name.replace("-", "_")
        for name in ("pyproject.toml", f"{module}/__init__.py", f"{module}_tests/test_it.py"):
            file = package / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name, encoding="utf-8")
    return root


def test_of_a_monorepo_what_a_server_needs_is_built(
    index: Index, monorepo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = Builder()
    monkeypatch.setattr(checkout, "run_uv", builder)
    built = software(str(monorepo), say=quiet)
    assert [name for name, _ in builder.given] == [
        "dagster",
        "dagster-webserver",
        "dagster-postgres",
    ]
    assert {wheel.name.split("-")[0] for wheel in built.wheels} == {
        "dagster", "dagster_webserver", "dagster_postgres",
    }  # fmt: skip


def test_leftovers_and_tests_are_neither_built_nor_noticed(
    index: Index, monorepo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = Builder()
    monkeypatch.setattr(checkout, "run_uv", builder)
    package = monorepo / "python_modules" / "dagster"
    before = software(str(package), say=quiet)
    for name in ("build/lib/old.py", "dagster.egg-info/x", "dagster_tests/test_new.py",
                 "dagster/__pycache__/x.pyc", ".venv/lib.py"):  # fmt: skip
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("left over", encoding="utf-8")
    assert software(str(package), say=quiet) == before
    ((_, given),) = builder.given
    assert given == {"pyproject.toml", "dagster/__init__.py"}
    # Further down such a folder may be content: a web page that was built.
    (package / "dagster" / "build").mkdir()
    (package / "dagster" / "build" / "index.html").write_text("page", encoding="utf-8")
    software(str(package), say=quiet)
    assert "dagster/build/index.html" in builder.given[-1][1]


def test_a_changed_source_is_another_checkout(monorepo: Path) -> None:
    packages = packages_in(monorepo)
    before = source_digest(packages)
    assert source_digest(packages) == before
    (packages[0] / "dagster" / "__init__.py").write_text("changed", encoding="utf-8")
    assert source_digest(packages) != before


def test_a_monorepo_without_dagster_is_refused(tmp_path: Path) -> None:
    (tmp_path / "python_modules" / "libraries").mkdir(parents=True)
    with pytest.raises(CampaignError, match="no python_modules/dagster"):
        packages_in(tmp_path)
