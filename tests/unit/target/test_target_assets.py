from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import EnvironmentProblem
from harness.rig.assets import asset, cache_dir, state_dir

pytestmark = pytest.mark.unit


def test_a_checkout_has_its_assets_beside_the_package(tmp_path: Path) -> None:
    (tmp_path / "compose").mkdir()
    assert asset("compose", package=tmp_path / "harness") == tmp_path / "compose"


def test_a_wheel_takes_its_own_copy_rather_than_a_folder_that_happens_to_lie_beside_it(
    tmp_path: Path,
) -> None:
    bundled = tmp_path / "harness" / "_bundled" / "compose"
    bundled.mkdir(parents=True)
    (tmp_path / "compose").mkdir()
    assert asset("compose", package=tmp_path / "harness") == bundled


def test_a_missing_asset_is_a_problem_of_the_installation(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="lacks `compose/nothing`"):
        asset("compose/nothing", package=tmp_path)


def test_own_variables_win_over_the_xdg_ones() -> None:
    environment = {
        "DAGSTER_LOAD_HARNESS_CACHE": "/a",
        "DAGSTER_LOAD_HARNESS_STATE": "/b",
        "XDG_CACHE_HOME": "/c",
        "XDG_STATE_HOME": "/d",
    }
    assert cache_dir(environment) == Path("/a")
    assert state_dir(environment) == Path("/b")


def test_xdg_folders_get_a_folder_of_ours_and_relative_ones_are_ignored() -> None:
    assert cache_dir({"XDG_CACHE_HOME": "/c"}) == Path("/c/dagster-load-harness")
    home = Path.home()
    assert cache_dir({"XDG_CACHE_HOME": "c"}) == home / ".cache/dagster-load-harness"
    assert state_dir({}) == home / ".local/state/dagster-load-harness"
