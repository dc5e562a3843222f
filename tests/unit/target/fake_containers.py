"""An engine whose containers remember what was done to them, and fail where they are told to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from docker.errors import APIError
from requests.exceptions import ReadTimeout

ENGINE_SAYS_NO = [APIError("no"), ReadTimeout("no answer in 60 s"), OSError("broken pipe")]


@dataclass
class FakeContainer:
    """Remembers what was done to it. `says`: one entry a look at its output, the last one stays.

    `exits_after`: so many looks it ends. `fails`: raised by the calls of these names. `stalls`:
    what fails is done all the same.
    """

    name: str = "c"
    id: str = "id-of-c"
    says: list[bytes] = field(default_factory=lambda: [b'{"bytes": 7, "at_s": 100.5}\n'])
    complains: bytes = b""
    exits_after: int | None = None
    exit_code: int = 0
    fails: dict[str, Exception] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    status: str = "running"
    looks: int = 0
    stalls: bool = False

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what == "pause" and self.stalls:
            self.status = "paused"
        name = what.split(maxsplit=1)[0]
        if name in self.fails:
            raise self.fails[name]

    def logs(self, *, stdout: bool = True, stderr: bool = True, tail: int | None = None) -> bytes:
        said = b""
        self.looks += 1
        if stdout and tail is None and "logs" in self.fails:
            raise self.fails["logs"]
        if stdout:
            said += self.says.pop(0) if len(self.says) > 1 else self.says[0]
        return said + (self.complains if stderr else b"")

    def reload(self) -> None:
        if self.exits_after is not None and self.looks >= self.exits_after:
            self.status = "exited"

    def start(self) -> None:
        self._do("start")

    def wait(self, *, timeout: int) -> dict[str, int]:
        self._do("wait")
        return {"StatusCode": self.exit_code}

    def kill(self, signal: str = "SIGKILL") -> None:
        self._do(f"kill {signal}")

    def stop(self, *, timeout: int) -> None:
        self._do("stop")
        if "start" not in self.fails:
            self.status = "exited"

    @property
    def attrs(self) -> dict[str, Any]:
        status = "created" if "start" in self.fails else self.status
        return {"State": {"Status": status, "ExitCode": self.exit_code}}

    def pause(self) -> None:
        self._do("pause")

    def unpause(self) -> None:
        self._do("unpause")

    def remove(self, *, force: bool) -> None:
        self._do("remove")


@dataclass
class Engine:
    """Starts the container it is given, and remembers how."""

    container: FakeContainer = field(default_factory=FakeContainer)
    refuses: Exception | None = None
    started: list[dict[str, Any]] = field(default_factory=list)

    @property
    def containers(self) -> Engine:
        return self

    def create(self, image: str, command: list[str], **how: Any) -> FakeContainer:
        self.started.append({"image": image, "command": command, **how})
        if self.refuses:
            raise self.refuses
        return self.container


class Project:
    """A Compose project of fakes."""

    name = "dlh-1"

    def __init__(self, engine: Engine) -> None:
        self.parts = {
            "code-server": FakeContainer(name="dlh-1-code-server-1", id="server-id"),
            "postgres": FakeContainer(name="dlh-1-postgres-1", id="db-id"),
        }
        self._engine = engine

    def container(self, service: str) -> FakeContainer:
        return self.parts[service]

    def engine(self) -> Engine:
        return self._engine
