"""Options for code of the user's own, and the campaign they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer import BadParameter

from harness.campaign.plan import Workload
from harness.cli.own_code_options import OwnCode, own_overrides
from harness.cli.plans import Wanted, planned

pytestmark = pytest.mark.unit


def workload(own: OwnCode) -> Workload:
    (found,) = planned(Wanted(None, "", (), "", (), own)).workloads
    return found


def test_an_image_takes_the_place_of_the_campaign_s_workloads() -> None:
    own = OwnCode(image="reg.example:5000/team/My-Location:tag", job=["etl:3", "report"])
    plan = planned(Wanted(None, "", (), "", (), own))
    (found,) = plan.workloads
    assert plan.name == "own-my-location"
    assert found.name == "my-location"
    assert found.code is not None
    assert found.code.image == "reg.example:5000/team/My-Location:tag"
    assert [(job.name, job.share) for job in found.jobs] == [("etl", 3.0), ("report", 1.0)]


def test_run_config_and_partitions_go_to_all_jobs_or_to_the_one_named(tmp_path: Path) -> None:
    every, one = tmp_path / "all.yaml", tmp_path / "one.yaml"
    every.write_text("ops: {a: {config: 1}}\nday: 2026-01-02\n", encoding="utf-8")
    one.write_text("ops: {b: 2}\n", encoding="utf-8")
    own = OwnCode(
        project=tmp_path, job=["etl", "report"], run_config=[str(every), f"report={one}"],
        partition=["etl=d1", "etl=d2"], tag=["team=data"],
    )  # fmt: skip
    etl, report = workload(own).jobs
    assert etl.params == {"ops": {"a": {"config": 1}}, "day": "2026-01-02"}
    assert report.params == {"ops": {"b": 2}}
    assert (etl.partitions, report.partitions) == (("d1", "d2"), ())
    assert report.tags == {"team": "data"}


def test_assets_are_a_job_of_their_own() -> None:
    (job,) = workload(OwnCode(image="x", assets=["shop/orders, best:2"])).jobs
    assert (job.name, job.share, job.assets) == ("shop/orders, best", 2.0, ("shop/orders", "best"))


def test_paths_are_written_down_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = workload(OwnCode(project=Path("proj"), env_file=Path("my.env")))
    assert found.code is not None
    assert found.code.project == str(tmp_path / "proj")
    assert found.code.env_file == str(tmp_path / "my.env")


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (OwnCode(job=["a"]), "--image, --project or --webserver"),
        (OwnCode(env_file=Path("x")), "--image, --project or --webserver"),
        (OwnCode(image="x", project=Path()), "an image, a project, or a deployment"),
        (OwnCode(image="x", tag=["a=b"]), "--job NAME"),
        (OwnCode(image="x", job=["a"], tag=["ab"]), "KEY=VALUE"),
        (OwnCode(image="x", definitions="my.module"), "module:NAME"),
        (OwnCode(image="x", job=["a"], run_config=["none.yaml"]), "cannot be read"),
        (OwnCode(image="x", assets=[" , "]), "at least one asset"),
    ],
)
def test_options_that_mean_nothing_are_refused(own: OwnCode, said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        own_overrides(own)


def test_without_own_code_nothing_is_changed() -> None:
    assert own_overrides(OwnCode()) == []
