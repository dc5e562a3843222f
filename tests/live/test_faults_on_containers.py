"""Every kind of fault on a real container: broken when it is said to be, well afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pytest
from docker import DockerClient
from docker.models.containers import Container
from requests.exceptions import ReadTimeout

from harness.campaign.faults import FaultKind
from harness.campaign.plan import Campaign
from harness.errors import TargetFailed
from harness.rig.target import engine
from harness.rig.target.compose_project import ComposeProject
from harness.rig.target.faults import helper
from harness.rig.target.faults.compose_faults import ComposeFaults
from harness.rig.target.images import BuildOptions, ca_bundle_from_environment, ensure_images
from harness.rig.target.software import release

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(900)]

LOOKS_LIKE_A_SERVER = """
import subprocess, sys
def run(): return subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(600)", "--multiprocessing-fork"])
import time
runs = []
for _ in range(3):
    runs.append(run())
    time.sleep(0.1)
time.sleep(2.5)  # until none counts as launching any more
print("runs", *[each.pid for each in runs], flush=True)
print("ended", runs[1].wait(), runs[0].poll(), runs[2].poll(), flush=True)
runs[0].wait()
"""
NO_NETWORK = """
import sys
up = int(open("/sys/class/net/eth0/flags").read(), 16) & 1
routes = [line.split()[1] for line in open("/proc/net/route").readlines()[1:]]
print(up, "default" if "00000000" in routes else "none")
"""


@dataclass
class Project:
    """A project of one container that stands for all its services."""

    name: str
    client: DockerClient
    only: Container

    def container(self, _: str) -> Container:
        return self.only

    def engine(self) -> DockerClient:
        return self.client

    def helpers(self) -> list[Container]:
        """Containers of the project, but the victim."""
        label = f"com.docker.compose.project={self.name}"
        found = self.client.containers.list(all=True, filters={"label": label})
        return [each for each in found if each.id != self.only.id]


@pytest.fixture(scope="module")
def image() -> str:
    options = BuildOptions(ca_bundle=ca_bundle_from_environment())
    return ensure_images(release(Campaign.model_fields["dagster"].default[0]), options).dagster


@pytest.fixture
def project(image: str) -> Iterator[Project]:
    client = engine.client()
    name = f"faults-{secrets.token_hex(4)}"
    disk = client.volumes.create(
        f"{name}_scratch", driver="local", labels={engine.LABEL: "1"},
        driver_opts={"type": "tmpfs", "device": "tmpfs", "o": "size=4m,mode=1777"},
    )  # fmt: skip
    victim = client.containers.run(
        image, ["python3", "-c", LOOKS_LIKE_A_SERVER, "api", "grpc"], detach=True, entrypoint=[],
        labels={engine.LABEL: "1"}, volumes={disk.name: {"bind": "/scratch", "mode": "rw"}},
    )  # fmt: skip
    try:
        said(victim, "runs")
        yield Project(name, client, victim)
    finally:
        project_label = f"com.docker.compose.project={name}"
        left = client.containers.list(all=True, filters={"label": project_label})
        for container in [victim, *left]:
            container.remove(force=True)
        disk.remove()
        client.close()


@pytest.fixture
def faults(project: Project, image: str) -> ComposeFaults:
    return ComposeFaults(cast(ComposeProject, project), image, here=lambda there_s: there_s)


def said(container: Container, word: str) -> list[str]:
    """What follows this word in its output; waits for it."""
    for line in container.logs(stream=True, follow=True):
        words: list[str] = line.decode().split()
        if words[0] == word:
            return words[1:]
    raise AssertionError(f"it ended without {word}: {container.logs().decode()}")


def inside(container: Container, script: str) -> str:
    done = container.exec_run(["python3", "-c", script])
    return done.output.decode().strip()  # type: ignore[no-any-return]


WRITE = "open('/scratch/file', 'wb', buffering=0).write(b'x'); print('written')"


def test_a_paused_container_goes_on(project: Project, faults: ComposeFaults) -> None:
    broken = faults.break_("database-pause")
    project.only.reload()
    assert project.only.status == "paused"
    broken.mend()
    project.only.reload()
    assert project.only.status == "running"


def test_a_network_that_was_cut_comes_back_with_its_route(
    project: Project, faults: ComposeFaults
) -> None:
    assert inside(project.only, NO_NETWORK) == "1 default"
    broken = faults.break_("network-cut")
    assert broken.detail == {"interfaces": "eth0"}
    assert inside(project.only, NO_NETWORK) == "0 none"
    broken.mend()
    assert inside(project.only, NO_NETWORK) == "1 default"
    assert project.helpers() == []


@pytest.mark.parametrize("kind", ["network-cut", "server-disk-full"])
def test_what_acted_and_was_not_heard_is_taken_back(
    project: Project, faults: ComposeFaults, kind: FaultKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = helper._said

    def lost(container: Container) -> dict[str, object]:
        spoken(container)
        raise ReadTimeout("no answer in 60 s")

    monkeypatch.setattr(helper, "_said", lost)
    with pytest.raises(TargetFailed, match="Nothing could be broken"):
        faults.break_(kind)
    assert inside(project.only, NO_NETWORK) == "1 default"
    assert inside(project.only, WRITE) == "written"
    assert project.helpers() == []


def test_a_full_disk_has_room_again(project: Project, faults: ComposeFaults) -> None:
    broken = faults.break_("server-disk-full")
    assert broken.detail == {"bytes": 4 << 20}
    assert "No space left on device" in inside(project.only, WRITE)
    broken.mend()
    assert inside(project.only, WRITE) == "written"
    assert project.helpers() == []


def test_the_run_of_middle_age_is_killed_and_the_others_live(
    project: Project, faults: ComposeFaults
) -> None:
    _, middle, _ = said(project.only, "runs")
    broken = faults.break_("run-kill")
    assert broken.detail == {"pid_inside": int(middle)}
    assert said(project.only, "ended") == ["-9", "None", "None"]
    assert project.helpers() == []


def test_a_killed_server_is_known_to_have_been(project: Project, faults: ComposeFaults) -> None:
    faults.break_("server-kill")
    assert project.only.wait(timeout=60)["StatusCode"] == 137
    assert faults.killed == {project.only.id}
    with pytest.raises(TargetFailed, match="Nothing could be broken"):
        faults.break_("network-cut")
    assert project.helpers() == []
