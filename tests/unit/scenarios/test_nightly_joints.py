"""Where a night is joined to the rest: what it hands on is what the other side takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from factory_nightly import campaign_of, document_of
from fakes import FakeListener

from harness.analysis.history.types import History
from harness.facts.layout import ResultsFolder
from harness.rig import versions
from harness.rig.session import SessionOptions
from harness.scenarios import comparing, history, reporting, resuming, threshold
from harness.scenarios.nightly import joints
from harness.scenarios.nightly import webhook as webhooks
from harness.scenarios.nightly.webhook import Webhook

pytestmark = pytest.mark.unit

FOLDER = Path("results/20261125T020000Z-nightly")
OPTIONS = SessionOptions(results_root=Path("results"))
Taken = dict[str, Any]


@pytest.fixture
def taking(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Taken]:
    """Replace a function by one that takes the same and returns something; what it was given."""

    def replace(module: Any, name: str, returns: Any = None) -> Taken:
        signature, taken = inspect.signature(getattr(module, name)), Taken()

        def stand_in(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            taken.update(bound.arguments)
            return returns

        monkeypatch.setattr(module, name, stand_in)
        return taken

    return replace


def test_measuring(taking: Callable[..., Taken]) -> None:
    taken = taking(threshold, "run", ResultsFolder(FOLDER))
    campaign, listener, begun = campaign_of(), FakeListener(), list[Path]()
    assert joints.measure(campaign, OPTIONS, listener, begun.append) == FOLDER
    assert (taken["campaign"], taken["options"], taken["listener"]) == (campaign, OPTIONS, listener)
    taken["begun"](FOLDER)
    assert begun == [FOLDER]


def test_going_on_and_measuring_again(taking: Callable[..., Taken]) -> None:
    taken = taking(resuming, "resume", ResultsFolder(FOLDER))
    joints.resume(FOLDER, OPTIONS, FakeListener(), ["cell"])
    assert (taken["path"], taken["options"], taken["again"]) == (FOLDER, OPTIONS, ["cell"])


def test_comparing(taking: Callable[..., Taken]) -> None:
    taken = taking(comparing, "compare_folders", document_of())
    joints.compare(FOLDER)
    assert (taken["a"], taken["b"], taken["force"]) == (FOLDER, None, False)
    joints.compare(Path("old"), FOLDER, versions=("1.13.27", "1.13.28"))
    assert (taken["a"], taken["b"]) == (Path("old"), FOLDER)
    assert (taken["baseline"], taken["contender"]) == ("1.13.27", "1.13.28")


def test_keeping_a_comparison(taking: Callable[..., Taken]) -> None:
    taken = taking(comparing, "keep_comparison")
    joints.keep_comparison(document_of(), FOLDER)
    assert taken["folder"] == FOLDER


@pytest.mark.parametrize("name", ["prunable", "prune"])
def test_retention(name: str, taking: Callable[..., Taken]) -> None:
    taken = taking(history, {"prune": "prune_facts"}.get(name, name), (FOLDER,))
    prune = getattr(joints, name)
    assert prune(Path("results"), now_s=1.0, keep_days=30.0, kept={"x"}) == (FOLDER,)
    assert (taken["now_s"], taken["keep_days"], taken["kept"]) == (1.0, 30.0, {"x"})


def test_reports_index_and_trends(taking: Callable[..., Taken]) -> None:
    reports, trends = taking(reporting, "write_reports"), taking(history, "write_trends")
    index = taking(history, "refresh_history", ())
    joints.write_reports(FOLDER, "findings")  # type: ignore[arg-type]
    joints.write_trends(Path("results"))
    assert joints.entries(Path("results")) == ()
    assert (reports["path"], reports["findings"]) == (FOLDER, "findings")
    assert trends["root"] == index["root"] == Path("results")


def test_alarms_and_history_of_nothing_are_nothing() -> None:
    assert joints.alarms([], gates=(), nights=14) == ()
    assert joints.history([]) == History(trends=())


def test_pinning(taking: Callable[..., Taken]) -> None:
    campaign = campaign_of()
    taken = taking(versions, "pinned", campaign)
    listener = FakeListener()
    assert joints.pin(campaign, listener.say) == campaign
    taken["say"]("The latest Dagster is 1.13.29")
    assert listener.news == ["The latest Dagster is 1.13.29"]


def test_telling(taking: Callable[..., Taken]) -> None:
    taken = taking(webhooks, "post", "")
    hook = Webhook(url="https://example.org/")
    assert joints.post(hook, {"text": ""}) == ""
    assert taken["webhook"] == hook


def test_the_machine_as_it_is(tmp_path: Path) -> None:
    found = joints.host()
    assert found.cpus >= 1
    assert found.load1 >= 0
    assert found.memory_available_bytes > 0
    assert joints.free_bytes(tmp_path / "not/there/yet") == pytest.approx(
        joints.free_bytes(tmp_path), rel=0.1
    )


def test_versions_of_one_and_of_several(repo_root: Path) -> None:
    assert joints.versions_in(repo_root / "results/baselines/quick-compose") == ("", ("1.13.27",))
