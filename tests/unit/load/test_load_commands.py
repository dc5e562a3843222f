"""What is started for a step: one generator, a master with its workers, or a master that waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from factory_load import order

from harness.rig.load.commands import Outputs, Staff, spawns
from harness.rig.load.records import decode_order
from harness.rig.orders import Access, LoadOrder

pytestmark = pytest.mark.unit


def started(folder: Path, asked: LoadOrder, staff: Staff) -> list[dict[str, str]]:
    """The options of every process, by name; `--x y` and lone `--x` alike."""
    place = Outputs(lines=folder / "x.jsonl", log=folder / "x.log")
    found = []
    for spawn in spawns(asked, staff, place):
        words = list(spawn.command)
        pairs = zip(words, [*words[1:], ""], strict=True)
        found.append({word: value for word, value in pairs if word.startswith("--")})
    return found


def told(folder: Path, asked: LoadOrder, staff: Staff) -> LoadOrder:
    """The order the leader is given."""
    place = Outputs(lines=folder / "x.jsonl", log=folder / "x.log")
    return decode_order(spawns(asked, staff, place)[0].environment["LOAD_ORDER"])


def test_one_needs_no_master(tmp_path: Path) -> None:
    (alone,) = started(tmp_path, order(), Staff())
    assert "--master" not in alone


def test_no_more_are_started_than_the_step_has_users(tmp_path: Path) -> None:
    leader, *workers = started(tmp_path, order(concurrency=2), Staff(workers=4))
    assert len(workers) == 2
    assert leader["--crew"] == leader["--expect-workers"] == "2"
    assert {each["--master-port"] for each in workers} == {leader["--master-bind-port"]}


def test_of_workers_from_elsewhere_all_are_waited_for_and_the_step_s_users_decide_who_works(
    tmp_path: Path,
) -> None:
    staff = Staff(workers=4, master="10.0.0.5:5557", wait_s=90)
    (leader,) = started(tmp_path, order(concurrency=1), staff)
    assert (leader["--master-bind-host"], leader["--master-bind-port"]) == ("10.0.0.5", "5557")
    assert (leader["--expect-workers"], leader["--crew"]) == ("4", "1")
    assert leader["--expect-workers-max-wait"] == "90"
    assert staff.patience_s == 90


def test_certificates_go_along_to_workers_and_their_file_does_not(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("-----BEGIN", encoding="utf-8")
    asked = order(access=Access(headers={"a": "b"}, ca_file=str(file)))
    assert told(tmp_path, asked, Staff()) == asked
    crew = Staff(workers=2, master="10.0.0.5:5557")
    assert told(tmp_path, asked, crew).access == Access(headers={"a": "b"}, ca_pem="-----BEGIN")


def test_certificates_nobody_can_read_are_left_to_whoever_connects(tmp_path: Path) -> None:
    asked = order(access=Access(ca_file=str(tmp_path / "none.pem")))
    assert told(tmp_path, asked, Staff(workers=2)) == asked
