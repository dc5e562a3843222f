"""A container that breaks another one from inside: it shares a namespace or a volume with it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from docker import DockerClient
from docker.errors import DockerException
from docker.models.containers import Container

from harness.errors import TargetFailed
from harness.rig.assets import asset
from harness.rig.breaking import StaysBroken
from harness.rig.target.engine import LABEL

SAID_TIMEOUT_S = 30.0
MEND_TIMEOUT_S = 30
AT = "at_s"
"""What every script says beside what it broke: the moment just before, epoch seconds."""

GAVE_BACK = (0, 1)
"""Codes a script that lasts ends with when all is as before; 1: it failed, and gave back."""

AT_MOST_S = 7200.0
"""A helper whose harness is gone gives back by itself after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelperOrder:
    """A script of `compose/faults`, its arguments, and what its container shares."""

    script: str
    arguments: tuple[str, ...] = ()
    shares: Mapping[str, Any] = field(default_factory=dict)
    lasts: bool = True


class Helper:
    """One such container. Implements `harness.rig.breaking.Broken`, but that `at_s` is of the
    clock of the engine's host.
    """

    def __init__(self, container: Container, said: Mapping[str, Any], *, lasts: bool) -> None:
        self._container = container
        self._lasts = lasts
        self.detail = {key: value for key, value in said.items() if key != AT}
        self.at_s = float(said[AT])

    def mend(self) -> None:
        """Ask it to give back what it took, and wait until it has.

        Raises:
            TargetFailed: it did not, or said that it could not.
        """
        if not self._lasts:
            return
        self._lasts = False
        try:
            self._container.kill(signal="SIGTERM")
        except (DockerException, OSError) as error:
            raise TargetFailed("What was broken stays broken.", evidence=str(error)) from error
        _finish(self._container)


def run_helper(client: DockerClient, image: str, project: str, order: HelperOrder) -> Helper:
    """Start it and wait until it says what it broke.

    Raises:
        StaysBroken: it went wrong, and did not give back what it may have taken; it is gone.
        TargetFailed: it could not break anything, or gave all back; it is gone.
    """
    script = (asset("compose") / "faults" / order.script).read_text(encoding="utf-8")
    try:
        container: Container = client.containers.create(
            image, ["python3", "-c", script, *order.arguments], user="0", entrypoint=[],
            labels={LABEL: "1", "com.docker.compose.project": project}, stop_signal="SIGTERM",
            **order.shares,
        )  # fmt: skip
    except (DockerException, OSError) as error:
        raise TargetFailed("Nothing could be broken.", evidence=str(error)) from error
    try:
        container.start()
        said = _said(container)
        made = Helper(container, said, lasts=order.lasts)
    except (DockerException, OSError, ValueError, TypeError, KeyError) as error:
        _give_back(container, lasts=order.lasts)
        raise TargetFailed("Nothing could be broken.", evidence=str(error)) from error
    except BaseException:
        _give_back(container, lasts=order.lasts)
        raise
    if not order.lasts:  # it has said that it is done: how it ends changes nothing
        with contextlib.suppress(TargetFailed):
            _finish(container)
    return made


def _said(container: Container) -> dict[str, Any]:
    """The line of JSON it prints when it is done."""
    deadline_s = time.monotonic() + SAID_TIMEOUT_S
    while True:
        container.reload()  # before its words are read: what ended since then has said all
        said = container.logs(stdout=True, stderr=False).decode()
        if said.endswith("\n"):  # a line that is not whole yet says nothing
            return dict(json.loads(said))
        if container.status == "exited" or time.monotonic() > deadline_s:
            raise TargetFailed(
                "Nothing could be broken.", evidence=container.logs(tail=4).decode().strip()
            )
        time.sleep(0.1)


def _finish(container: Container) -> None:
    """Wait for its end, take it away, and say so where it failed."""
    try:
        code = int(container.wait(timeout=MEND_TIMEOUT_S)["StatusCode"])
        said = container.logs(tail=4, stdout=False).decode().strip()
    except (DockerException, OSError) as error:
        raise TargetFailed("What was broken stays broken.", evidence=str(error)) from error
    finally:
        _remove(container)
    if code:
        raise TargetFailed("What was broken stays broken.", evidence=said)


def _give_back(container: Container, *, lasts: bool) -> None:
    """Have it undo what it may have done, and take it away.

    Raises:
        StaysBroken: it did not, or nobody knows.
    """
    try:
        container.stop(timeout=MEND_TIMEOUT_S)
        container.reload()
        state = container.attrs["State"]
        said = container.logs(tail=4, stdout=False).decode().strip()
    except (DockerException, OSError) as error:
        if lasts:
            raise StaysBroken("What may be broken stays so.", evidence=str(error)) from error
        return
    finally:
        _remove(container)
    if lasts and state["Status"] != "created" and state["ExitCode"] not in GAVE_BACK:
        raise StaysBroken(
            "What may be broken stays so.",
            evidence=said or f"Its helper ended with {state['ExitCode']}.",
        )


def _remove(container: Container) -> None:
    with contextlib.suppress(DockerException, OSError):
        container.remove(force=True)
