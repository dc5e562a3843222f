"""The driver's waiting for a location, and its small helpers, in simulated time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import TargetFailed
from harness.rig.load.dagster_graphql import GraphQLError
from harness.rig.load.driver import LineReader, LocustDriver, tail
from harness.rig.protocols import Endpoints

pytestmark = pytest.mark.unit

ENDPOINTS = Endpoints(
    webserver_url="http://127.0.0.1:3000", location="under-test", database_dsn=None, replicas=()
)
LOADED = {"__typename": "RepositoryLocation", "repositories": [{"name": "repo"}]}
UNREACHABLE = {
    "__typename": "PythonError",
    "message": "Could not reach user code server. gRPC Error code: UNAVAILABLE",
}
BROKEN = {"__typename": "PythonError", "message": "ImportError: no module named pandas"}


def entries(loaded: Any, name: str = "under-test") -> dict[str, Any]:
    entry = {"name": name, "loadStatus": "LOADED", "locationOrLoadError": loaded}
    return {"data": {"workspaceOrError": {"__typename": "Workspace", "locationEntries": [entry]}}}


class Webserver:
    """Answers each look with the next of its answers, the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.reloads = 0
        self.now_s = 0.0

    def __call__(self, body: dict[str, Any]) -> Any:
        if "reloadRepositoryLocation" in body["query"]:
            self.reloads += 1
            return {"data": {}}
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait(self, timeout_s: float = 30.0) -> None:
        def sleep(duration_s: float) -> None:
            self.now_s += duration_s

        driver = LocustDriver(
            Path("unused"), clock=lambda: self.now_s, sleep=sleep, connect=lambda *_: self
        )
        driver.wait_until_loadable(ENDPOINTS, timeout_s)


def test_a_loaded_location_is_not_waited_for() -> None:
    webserver = Webserver(entries(LOADED))
    webserver.wait()
    assert webserver.now_s == 0


@pytest.mark.parametrize(
    "not_yet",
    [GraphQLError("unreachable", "refused"), entries(None), entries(UNREACHABLE)],
    ids=["no webserver", "loading", "no code server"],
)
def test_what_may_still_come_is_waited_for(not_yet: Any) -> None:
    webserver = Webserver(not_yet, not_yet, entries(LOADED))
    webserver.wait()
    assert webserver.now_s > 0


def test_a_webserver_that_cannot_reach_the_code_server_is_told_to_look_again() -> None:
    webserver = Webserver(entries(UNREACHABLE), entries(LOADED))
    webserver.wait()
    assert webserver.reloads == 1


def test_code_that_does_not_load_is_given_up_at_once() -> None:
    webserver = Webserver(entries(BROKEN))
    with pytest.raises(TargetFailed) as failed:
        webserver.wait()
    assert "pandas" in failed.value.evidence
    assert webserver.now_s == 0


def test_a_location_the_workspace_does_not_know_is_given_up_at_once() -> None:
    webserver = Webserver(entries(LOADED, name="other"))
    with pytest.raises(TargetFailed) as failed:
        webserver.wait()
    assert "other" in failed.value.evidence
    assert webserver.now_s == 0


def test_patience_ends_with_what_was_seen_last() -> None:
    webserver = Webserver(entries(UNREACHABLE))
    with pytest.raises(TargetFailed) as failed:
        webserver.wait(timeout_s=30.0)
    assert 30 <= webserver.now_s <= 32
    assert "UNAVAILABLE" in failed.value.evidence


def reading(*chunks: bytes) -> Callable[[], bytes]:
    rest = list(chunks)
    return lambda: rest.pop(0) if rest else b""


def test_a_half_line_waits_for_its_rest() -> None:
    line = json.dumps({"kind": "done"}).encode()
    reader = LineReader(reading(line + b"\n" + line[:5], b"", line[5:] + b"\n"))
    assert [list(reader.lines()) for _ in range(3)] == [
        [{"kind": "done"}],
        [],
        [{"kind": "done"}],
    ]


def test_the_tail_of_a_log_is_its_last_lines_and_of_no_log_nothing(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("\n".join(str(number) for number in range(100)))
    assert tail(log).splitlines()[-1] == "99"
    assert len(tail(log).splitlines()) < 20
    assert tail(tmp_path / "none.log") == ""
