"""A lab of real components: put together, handled as an operator would, and gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from harness.errors import TargetFailed
from harness.rig.lab.lab import Lab, LabParts
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Order
from harness.rig.ledger import Ledger
from harness.rig.target.images import (
    BuildOptions,
    Images,
    ca_bundle_from_environment,
    ensure_images,
)
from harness.rig.target.locks import known_versions
from harness.rig.target.software import release

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(900)]

PAIR = LabSpec(servers=(ServerSpec(memory_mib=1024, replicas=2),))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    log = tmp_path_factory.mktemp("images") / "log"
    options = BuildOptions(ca_bundle=ca_bundle_from_environment(), log=log)
    return ensure_images(release(known_versions()[-1]), options)


@pytest.fixture
def parts(images: Images, tmp_path: Path) -> LabParts:
    def made(*, launcher: bool) -> Images:
        assert not launcher
        return images

    return LabParts(images=made, ledger=Ledger(tmp_path / "ledger"))


@pytest.fixture
def lab(parts: LabParts, tmp_path: Path) -> Iterator[Lab]:
    with Lab(PAIR, tmp_path / "lab", parts) as made:
        yield made


def objects_of(project: str) -> list[object]:
    engine = docker.from_env()
    label = f"com.docker.compose.project={project}"
    try:
        return [
            *engine.containers.list(all=True, filters={"label": label}),
            *engine.networks.list(filters={"label": label}),
            *engine.volumes.list(filters={"label": label}),
        ]
    finally:
        engine.close()


def test_runs_are_launched_looked_at_cancelled_and_told_of(lab: Lab) -> None:
    sleepers = [Order(job="sleep", config={"seconds": 300.0})] * 3
    with lab.watch(period_s=0.5) as watch:
        ids = [each.run_id or "" for each in lab.web.launch_all(sleepers)]
        lab.web.wait(ids, timeout_s=120, until=lambda report: report.status == "STARTED")
        resident = sum(server.look()["resident_runs"] for server in lab.servers())
        pss = sum(server.pss_bytes() for server in lab.servers())
    assert resident == 3
    assert pss > 3 * 50 * 2**20
    assert (watch.highest("resident_runs") or 0) >= 2, "three on two replicas"
    rows = lab.records.runs(ids)
    assert [(row.status, row.starts, row.job) for row in rows] == [("STARTED", 1, "sleep")] * 3
    assert all(row.phases.process_started_s and row.phases.started_s for row in rows)


def test_a_server_is_stopped_as_by_an_operator_and_replaced(lab: Lab) -> None:
    ended = lab.server(replica=1).stop(grace_s=5)
    assert ended.exit_code is not None
    assert not lab.server(replica=1).running
    assert lab.server(replica=2).running
    lab.fresh()
    assert all(server.client.server_id(10.0) for server in lab.servers())


def test_a_lab_that_cannot_start_says_why_and_leaves_nothing(
    parts: LabParts, tmp_path: Path
) -> None:
    broken = LabSpec(servers=(ServerSpec(module="workloads.no_such_module"),))
    lab = Lab(broken, tmp_path / "lab", parts)
    with pytest.raises(TargetFailed, match="did not become ready") as caught, lab:
        pass
    assert "no_such_module" in caught.value.evidence
    assert objects_of(lab.project_name) == []
    assert parts.ledger.entries() == ()


def test_nothing_of_a_lab_is_left(parts: LabParts, tmp_path: Path) -> None:
    with Lab(LabSpec(), tmp_path / "lab", parts) as lab:
        assert lab.web.tick("no_such_sensor").error_class
        assert lab.web.location("server").state == "loaded"
    assert objects_of(lab.project_name) == []
    assert parts.ledger.entries() == ()
    assert {path.name for path in (tmp_path / "lab").iterdir()} >= {"home", "server-1.log"}
