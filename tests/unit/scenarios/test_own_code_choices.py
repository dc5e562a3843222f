"""The user's own code before it is measured: which jobs are the load, and on which Dagster."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.campaign.own_code import Code, OwnJob
from harness.errors import CampaignError
from harness.rig.load.dagster_graphql import Defined
from harness.rig.survey import Seen
from harness.scenarios import own_code
from harness.scenarios.own_code import chosen_jobs, dagster_of
from harness.watch.plain import PlainListener

pytestmark = pytest.mark.unit


@pytest.fixture
def listener() -> PlainListener:
    from rich.console import Console

    return PlainListener(Console(quiet=True))


def seen(
    *jobs: str, assets: Sequence[str] = (), partitions: dict[str, Sequence[str]] | None = None
) -> Seen:
    defined = Defined(jobs=jobs, assets=tuple(assets), schedules=(), sensors=())
    return Seen(defined=defined, partitions=lambda job: (partitions or {}).get(job, ()))


def code(*jobs: OwnJob) -> Code:
    return Code(image="x", jobs=jobs)


def test_the_only_job_is_the_load_without_being_named(listener: PlainListener) -> None:
    assert chosen_jobs(code(), seen("etl"), listener) == [OwnJob(name="etl")]


def test_of_several_jobs_none_is_guessed_and_all_are_shown(listener: PlainListener) -> None:
    with pytest.raises(CampaignError, match="2 jobs and 1 assets") as caught:
        chosen_jobs(code(), seen("etl", "report", assets=["orders"]), listener)
    assert caught.value.evidence.splitlines() == [
        "--job etl", "--job report", "--assets orders",
    ]  # fmt: skip


def test_a_location_with_nothing_to_run_says_so(listener: PlainListener) -> None:
    with pytest.raises(CampaignError, match="neither jobs nor assets"):
        chosen_jobs(code(), seen(), listener)


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (OwnJob(name="elt"), "no job 'elt'"),
        (OwnJob(name="a", assets=("order",)), "no asset 'order'"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_the_one_meant(
    listener: PlainListener, job: OwnJob, said: str
) -> None:
    with pytest.raises(CampaignError, match=said) as caught:
        chosen_jobs(code(job), seen("etl", assets=["orders"]), listener)
    assert caught.value.hint.startswith("Did you mean")


def test_a_job_with_partitions_gets_its_newest_unless_one_is_named(
    listener: PlainListener,
) -> None:
    there = seen("etl", partitions={"etl": ["d2", "d1"]})
    (found,) = chosen_jobs(code(OwnJob(name="etl")), there, listener)
    assert found.partitions == ("d2",)
    (found,) = chosen_jobs(code(OwnJob(name="etl", partitions=("d1",))), there, listener)
    assert found.partitions == ("d1",)


class TestDagster:
    @pytest.fixture(autouse=True)
    def releases(self, monkeypatch: pytest.MonkeyPatch) -> None:
        known = ("1.12.20", "1.12.21", "1.13.26", "1.13.27")
        monkeypatch.setattr(own_code, "all_releases", lambda: known)

    def held(self, monkeypatch: pytest.MonkeyPatch, version: str | None) -> None:
        from types import SimpleNamespace

        monkeypatch.setattr(own_code, "look_into", lambda _: SimpleNamespace(dagster=version))

    @pytest.mark.parametrize(
        ("version", "expected"),
        [
            ("1.13.27", "1.13.27"),  # locked here
            ("1.13.28", "1.13.27"),  # its webserver is not there (yet)
            ("1.12.21", "1.12.21"),
            ("1!0+dev", "1.13.27"),
        ],
    )
    def test_the_webserver_is_of_the_image_s_release_or_the_next_below(
        self, monkeypatch: pytest.MonkeyPatch, version: str, expected: str
    ) -> None:
        self.held(monkeypatch, version)
        assert dagster_of("mine:1", "1.13.27") == expected

    def test_an_image_without_dagster_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held(monkeypatch, None)
        with pytest.raises(CampaignError, match="no Dagster in the image mine:1"):
            dagster_of("mine:1", "1.13.27")
