"""Promises about the files of this repository, not about what they do."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

pytest_plugins = ("pytester",)
pytestmark = pytest.mark.unit

# Put together from parts, so that this file does not contain what it looks for.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"), ("pythonhosted", "org"), ("registry-1", "docker", "io"),
        ("index", "docker", "io"), ("hub", "docker", "com"), ("ghcr", "io"), ("quay", "io"),
        ("gcr", "io"), ("mcr", "microsoft", "com"), ("public", "ecr", "aws"),
        ("registry", "npmjs", "org"), ("deb", "debian", "org"), ("security", "debian", "org"),
        ("snapshot", "debian", "org"), ("archive", "ubuntu", "com"), ("conda", "anaconda", "org"),
    )
]  # fmt: skip
HOSTS = re.compile(
    r"|".join(rf"\b{re.escape(host)}\b" for host in REGISTRIES) + r"|\bdocker" + r"\.io/"
)
MACHINE = re.compile(r"(?<![\w.>}-])/(?:wo" + r"rk|ro" + r"ot|home/\w+)/")
REQUIREMENT = re.compile(r"^([a-zA-Z0-9][\w.-]*)(?:\[[\w,-]+\])?==[^\s;\\]+(.*)", re.DOTALL)
PRESETS = "harness/campaign/presets"


def committed(root: Path) -> list[Path]:
    """Every file that is, or would be, committed."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z",
         "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    paths = [root / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def foreign_words(text: str) -> list[str]:
    """Registry hosts and paths of somebody's machine in a text."""
    return [match.group() for pattern in (HOSTS, MACHINE) for match in pattern.finditer(text)]


def lock_problems(text: str) -> list[str]:
    """What makes a requirement lock unsafe or tied to one index."""
    problems = []
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for entry in re.split(r"\n(?=\S)", body.strip()):
        found = REQUIREMENT.match(entry)
        if found is None:
            problems.append(f"not a pinned requirement: {entry.splitlines()[0]}")
        elif not re.search(r"--hash=sha256:[0-9a-f]{64}\b", found[2]):
            problems.append(f"no hash: {found[1]}")
    if "://" in body:
        problems.append("names an address")
    return problems


def undocumented(presets: list[str], readme: str) -> list[str]:
    """Presets the README does not mention in backticks."""
    return [name for name in presets if f"`{name}`" not in readme]


def normalised(requirement: str) -> str:
    """`Pydantic[email] >=2` → `pydantic`."""
    name = re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def locked_names(text: str) -> set[str]:
    return {normalised(line) for line in text.splitlines() if re.match(r"[a-zA-Z0-9]", line)}


def test_committed_files_name_no_registry_and_no_machine_path(repo_root: Path) -> None:
    paths = committed(repo_root)
    assert repo_root / "pyproject.toml" in paths
    found = {
        str(path.relative_to(repo_root)): sorted(set(words))
        for path in paths
        if (words := foreign_words(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        f"--index-url https://{REGISTRIES[0]}/simple",
        f"FROM {REGISTRIES[5]}/astral/uv",
        "image: docker" + ".io/library/postgres",
        "cd /wo" + "rk/main",
        'open("/ro' + 'ot/.cache/x")',
    ],
)
def test_a_registry_or_a_machine_path_is_found(text: str) -> None:
    assert foreign_words(text)


@pytest.mark.parametrize("text", ["apt-get install docker.io", "tmpfs: /tmp", "of/wo" + "rk/done"])
def test_ordinary_words_are_not_taken_for_hosts_or_paths(text: str) -> None:
    assert foreign_words(text) == []


def test_requirement_locks_have_hashes_and_no_index(repo_root: Path) -> None:
    locks = [*repo_root.glob("requirements/*.txt"), *repo_root.glob("compose/locks/*.txt")]
    assert {"run.txt", "dev.txt"} <= {lock.name for lock in locks}
    found = {lock.name: lock_problems(lock.read_text(encoding="utf-8")) for lock in locks}
    assert found == {lock.name: [] for lock in locks}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("numpy==2.0.0\n", "no hash: numpy"),
        ("numpy>=2\n", "not a pinned requirement: numpy>=2"),
        ("--index-url simple\n", "not a pinned requirement: --index-url simple"),
        (f"a==1 \\\n    --hash=sha256:{'0' * 64}\n    # via x\nb==2", "no hash: b"),
        ("a @ https://example.org/a.whl", "names an address"),
    ],
)
def test_a_careless_lock_is_found(text: str, problem: str) -> None:
    assert problem in lock_problems(text)


def test_a_lock_with_extras_markers_and_comments_is_accepted() -> None:
    text = f"# made by x\na[b]==1.0 ; python_version < '3.13' \\\n    --hash=sha256:{'0' * 64}\n"
    assert lock_problems(text) == []


@pytest.mark.parametrize("lock", ["run", "dev"])
def test_every_direct_dependency_is_locked(repo_root: Path, lock: str) -> None:
    project = tomllib.loads((repo_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = project["optional-dependencies"]["dev"] if lock == "dev" else []
    wanted = {normalised(entry) for entry in [*project["dependencies"], *extra]}
    text = (repo_root / f"requirements/{lock}.txt").read_text(encoding="utf-8")
    assert wanted - locked_names(text) == set()


def test_the_changelog_has_a_place_for_what_comes_next(repo_root: Path) -> None:
    text = (repo_root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[?Unreleased\]?$", text, re.MULTILINE)


def test_every_preset_is_documented_in_the_readme(repo_root: Path) -> None:
    presets = sorted(path.stem for path in (repo_root / PRESETS).glob("*.yaml"))
    assert "quick" in presets
    assert undocumented(presets, (repo_root / "README.md").read_text(encoding="utf-8")) == []


def test_an_undocumented_preset_is_found() -> None:
    assert undocumented(["quick", "huge"], "Use `quick`; huge is not in backticks") == ["huge"]


def test_the_readme_names_every_make_target_a_newcomer_needs(repo_root: Path) -> None:
    readme = (repo_root / "README.md").read_text(encoding="utf-8")
    makefile = (repo_root / "Makefile").read_text(encoding="utf-8")
    explained = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    assert explained - set(re.findall(r"make ([a-z]+)", readme)) == set()


@pytest.fixture
def suite(
    pytester: pytest.Pytester, repo_root: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    """A small test suite under this repository's rules, with a `docker` that has no engine."""
    pytester.makeconftest((repo_root / "tests/conftest.py").read_text(encoding="utf-8"))
    fake = pytester.mkdir("bin") / "docker"
    fake.write_text("#!/bin/sh\necho no engine >&2\nexit 1\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=":")
    monkeypatch.delenv("CI", raising=False)
    pytester.makepyfile(
        "import pytest\n"
        "@pytest.mark.unit\ndef test_plain(): pass\n"
        "@pytest.mark.live\n@pytest.mark.docker\ndef test_marked(): pass\n"
        "@pytest.mark.live\ndef test_asking(docker_engine): assert docker_engine == '1.2'\n"
    )
    return pytester


def test_without_an_engine_docker_tests_are_left_out_and_it_is_said(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("-q")
    result.assert_outcomes(passed=1, deselected=2)
    result.stdout.fnmatch_lines(["LEFT OUT: 2 tests that need a Docker engine (*no engine)"])


def test_in_ci_a_missing_engine_is_an_error(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    result = suite.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*2 tests need a Docker engine, and CI must run them*"])


def test_tests_nobody_selected_need_no_engine(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    result = suite.runpytest_inprocess("-m", "unit")
    result.assert_outcomes(passed=1, deselected=2)
    result.stdout.no_fnmatch_line("LEFT OUT*")


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("@pytest.mark.browser\ndef test_page(chromium): pass", "a Chromium"),
        ("@pytest.mark.unit\ndef test_scrape(prometheus_command): pass", "a Prometheus"),
    ],
)
def test_what_else_is_missing_is_left_out_and_said_too(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, test: str, said: str
) -> None:
    suite.makepyfile(f"import pytest\n{test}\n")
    monkeypatch.setenv("PATH", str(suite.path / "bin"))
    result = suite.runpytest_inprocess("-q")
    result.assert_outcomes(deselected=1)
    result.stdout.fnmatch_lines([f"LEFT OUT: 1 tests that need {said} (*no such command)"])


def test_with_an_engine_every_test_runs(suite: pytest.Pytester) -> None:
    (suite.path / "bin/docker").write_text("#!/bin/sh\necho 1.2\n", encoding="utf-8")
    suite.runpytest_inprocess().assert_outcomes(passed=3)


@pytest.mark.parametrize("marks", ["", "@pytest.mark.unit\n@pytest.mark.live\n"])
def test_a_test_without_exactly_one_layer_stops_the_collection(
    suite: pytest.Pytester, marks: str
) -> None:
    suite.makepyfile(test_other=f"import pytest\n{marks}def test_x(): pass\n")
    result = suite.runpytest_inprocess("-m", "unit")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_other.py::test_x: needs exactly one marker of *"])
